"""What strip takes, keeps and leaves alone."""

import struct
from collections.abc import Callable

import pytest

from layerkit.assemble.strip import REMOVABLE, same_memory_image, strip
from layerkit.formats.elf import Elf, binary_facts, parse
from tests.elf_builder import AARCH64, EXEC, PAGE, REL, make_elf


def stripped(data: bytes) -> bytes:
    result = strip(data)
    assert result is not None
    assert same_memory_image(data, result)
    return result


def patched(data: bytes, at: int, layout: str, *values: int) -> bytes:
    return data[:at] + struct.pack(layout, *values) + data[at + struct.calcsize(layout) :]


def section_at(elf: Elf, name: str) -> int:
    return elf.section_table + 64 * next(i for i, section in enumerate(elf.sections) if section.name == name)


@pytest.mark.parametrize(("bits", "machine"), [(64, 62), (64, AARCH64), (32, 3), (32, 40)])
@pytest.mark.parametrize("kind", [3, EXEC])
def test_symbols_and_debug_information_go(bits: int, machine: int, kind: int) -> None:
    data = make_elf(bits=bits, machine=machine, kind=kind, symbols=4096, debug=5000, align=0x10000)
    result = stripped(data)
    assert len(data) - len(result) >= 9096
    assert binary_facts(result) == binary_facts(data)


def test_sections_that_go_become_inactive_and_keep_their_numbers() -> None:
    data = make_elf(debug=5000)
    before, after = parse(data), parse(stripped(data))
    gone = [
        index for index, section in enumerate(before.sections) if section.name in (".symtab", ".strtab", ".debug_info")
    ]
    assert len(after.sections) == len(before.sections)
    assert after.names_index == before.names_index
    for index, (old, new) in enumerate(zip(before.sections, after.sections, strict=True)):
        if index in gone:
            assert (new.name, new.type, new.size, new.offset) == ("", 0, 0, 0)
        else:
            assert (new.name, new.type, new.size) == (old.name, old.type, old.size)


def test_sections_that_stay_keep_their_bytes() -> None:
    data = make_elf(others={".note.custom": b"read at run time"}, moved_by_patchelf=True)
    result = stripped(data)
    kept = {section.name: (section.offset, section.size) for section in parse(result).sections if section.size}
    for section in parse(data).sections:
        if section.name in kept:
            offset, size = kept[section.name]
            assert result[offset : offset + size] == data[section.offset : section.offset + section.size]
    assert kept[".note.custom"][1] == len(b"read at run time")


@pytest.mark.parametrize("name", sorted(REMOVABLE))
def test_every_removable_name_goes(name: str) -> None:
    data = make_elf(symbols=0, others={name.replace("*", "thing"): b"x" * 5000})
    assert len(data) - len(stripped(data)) >= 5000


@pytest.mark.parametrize("name", [".note.custom", ".stapsdt.base", ".go.notes", ".symtab2", "debug_info", ".comments"])
def test_a_section_that_is_not_known_stays(name: str) -> None:
    assert strip(make_elf(symbols=0, others={name: b"x" * 5000})) is None


def test_holes_between_segments_close_by_whole_pages() -> None:
    data = make_elf(symbols=9 * PAGE, debug=5 * PAGE, moved_by_patchelf=True)
    before, after = parse(data), parse(stripped(data))
    moved = before.segments[1].offset - after.segments[1].offset
    assert moved >= 13 * PAGE
    assert moved % PAGE == 0
    assert after.segments[1].vaddr == before.segments[1].vaddr


def test_holes_close_by_multiples_of_the_largest_alignment() -> None:
    data = make_elf(machine=AARCH64, symbols=9 * PAGE, debug=30 * PAGE, moved_by_patchelf=True, align=0x10000)
    before, after = parse(data), parse(stripped(data))
    assert before.segments[1].offset - after.segments[1].offset == 0x20000


def test_a_section_table_within_a_segment_stays_there_and_a_new_one_ends_the_file() -> None:
    data = make_elf(symbols=3 * PAGE, moved_by_patchelf=True)
    before, result = parse(data), stripped(data)
    after = parse(result)
    assert after.section_table + 64 * len(after.sections) == len(result)
    assert before.section_table >= before.segments[1].offset
    assert after.segments[1].filesz == before.segments[1].filesz


def test_an_old_section_table_that_patchelf_left_behind_goes() -> None:
    data = make_elf(symbols=3 * PAGE, moved_by_patchelf=True, former_table=True)
    assert len(stripped(data)) == len(stripped(make_elf(symbols=3 * PAGE, moved_by_patchelf=True)))


def test_bytes_that_only_resemble_an_old_section_table_mean_leave_it_alone() -> None:
    data = make_elf(symbols=3 * PAGE, moved_by_patchelf=True, former_table=True)
    elf = parse(data)
    table = data[elf.section_table : elf.section_table + 64 * len(elf.sections)]
    former = data.index(table)
    assert former < elf.section_table
    assert strip(patched(data, former + 3 * 64, "<I", 0x1234)) is None


@pytest.mark.parametrize(
    "footer",
    [b"DuckDB extension", b"\0" * 4096 + b"x", b"PK\x05\x06" + bytes(18), b"MEI\014\013\012\013\016"],
)
def test_a_footer_means_leave_it_alone(footer: bytes) -> None:
    assert strip(make_elf(footer=footer)) is None


def test_zeros_at_the_end_are_no_footer() -> None:
    assert stripped(make_elf(footer=bytes(100))) == stripped(make_elf())


def test_bytes_in_a_hole_that_nothing_owns_mean_leave_it_alone() -> None:
    data = make_elf(symbols=3 * PAGE, moved_by_patchelf=True)
    hole = parse(data).segments[1].offset - 1
    assert data[hole] == 0
    assert strip(patched(data, hole, "B", 1)) is None


def test_symbols_that_a_section_that_stays_refers_to_stay() -> None:
    assert strip(make_elf(keeps_link_to_symbols=True)) is None
    debug_goes = make_elf(keeps_link_to_symbols=True, debug=5000)
    names = {section.name for section in parse(stripped(debug_goes)).sections}
    assert {".symtab", ".strtab"} <= names
    assert ".debug_info" not in names


def test_a_loaded_section_stays_whatever_its_name() -> None:
    data = make_elf()
    at = section_at(parse(data), ".symtab")
    assert strip(patched(data, at + 8, "<Q", 2)) is None


@pytest.mark.parametrize(
    "data",
    [
        make_elf(kind=REL),
        make_elf(order=">"),
        make_elf(section_table=False),
        make_elf(machine=190),  # NVIDIA's driver reads the symbol table of such files
        make_elf(symbols=0),
        make_elf(symbols=700),
        b"",
        b"\x7fELF",
        b"#!/bin/sh\n",
        make_elf()[:-1],
    ],
    ids=["object", "big endian", "no sections", "gpu", "no symbols", "few symbols", "empty", "magic", "text", "cut"],
)
def test_what_is_left_alone(data: bytes) -> None:
    assert strip(data) is None


def test_too_small_a_share_is_not_worth_it() -> None:
    assert strip(make_elf(symbols=2000, others={".note.large": bytes(500_000)})) is None


def no_load(data: bytes) -> bytes:
    return patched(patched(data, 64, "<I", 0x70000000), 64 + 56, "<I", 0x70000000)


def odd_alignment(data: bytes) -> bytes:
    return patched(data, 64 + 48, "<Q", 0x1001)


def symbols_over_text(data: bytes) -> bytes:
    elf = parse(data)
    return patched(data, section_at(elf, ".symtab") + 24, "<Q", elf.segments[0].filesz - 8)


def section_over_headers(data: bytes) -> bytes:
    return patched(data, section_at(parse(data), ".text") + 24, "<Q", 8)


def bytes_in_section_zero(data: bytes) -> bytes:
    return patched(data, parse(data).section_table + 4, "<IQQQQ", 1, 0, 0, 0x300, 300)


def segment_past_the_end(data: bytes) -> bytes:
    return patched(data, 64 + 3 * 56 + 8, "<Q", 2**40)


def table_over_header(data: bytes) -> bytes:
    return patched(data, 32, "<Q", 0)


@pytest.mark.parametrize(
    "lie",
    [
        no_load,
        odd_alignment,
        symbols_over_text,
        section_over_headers,
        bytes_in_section_zero,
        segment_past_the_end,
        table_over_header,
    ],
)
def test_a_file_that_is_odd_is_left_alone(lie: Callable[[bytes], bytes]) -> None:
    data = make_elf()
    assert strip(data) is not None
    assert strip(lie(data)) is None


def test_stripping_twice_gains_nothing() -> None:
    for data in (make_elf(), make_elf(symbols=3 * PAGE, moved_by_patchelf=True, former_table=True), make_elf(bits=32)):
        assert strip(strip(data) or b"") is None


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (64 + 4, 7),  # flags of a segment
        (64 + 16, 1),  # an address
        (64 + 40, 1),  # a size in memory
        (64 + 8, 8),  # an offset no longer congruent
        (24, 1),  # the entry point
        (48, 1),  # flags of the file
        (0x200, 0x77),  # a mapped byte
    ],
)
def test_an_image_that_differs_is_seen(at: int, value: int) -> None:
    data = make_elf(needed=["libc.so.6"] * 3)
    other = bytearray(data)
    other[at] ^= value
    assert not same_memory_image(data, bytes(other))


def test_a_byte_that_no_segment_maps_makes_no_difference() -> None:
    data = make_elf()
    at = parse(data).sections[5].offset
    assert same_memory_image(data, patched(data, at, "B", 0))
    assert same_memory_image(data, patched(data, 40, "<Q", parse(data).section_table))


def test_a_byte_of_a_segment_that_moved_is_compared() -> None:
    data = make_elf(symbols=3 * PAGE, moved_by_patchelf=True)
    result = stripped(data)
    at = result.index(b"some data")
    assert not same_memory_image(data, patched(result, at, "B", 0))


def test_names_of_sections_stay_even_where_they_are_called_as_the_names_of_symbols() -> None:
    """LLVM has one table for both in some files."""
    data = make_elf().replace(b".shstrtab\0", b".strtab\0\0\0")
    names = [section.name for section in parse(stripped(data)).sections]
    assert names.count(".strtab") == 1
    assert ".text" in names


def test_symbols_that_a_section_refers_to_in_its_info_stay() -> None:
    data = make_elf(others={".kept": b"x"}, debug=5000)
    elf = parse(data)
    at = section_at(elf, ".kept")
    number = (section_at(elf, ".debug_info") - elf.section_table) // 64
    assert ".debug_info" not in {section.name for section in parse(stripped(data)).sections}
    linked = patched(patched(data, at + 44, "<I", number), at + 8, "<Q", 0x40)
    assert ".debug_info" in {section.name for section in parse(stripped(linked)).sections}


def test_symbols_that_reach_into_a_segment_mean_leave_it_alone() -> None:
    data = make_elf()
    elf = parse(data)
    symbols = elf.sections[5]
    start = elf.segments[1].offset + 8
    size = symbols.offset + symbols.size - start
    assert strip(patched(data, section_at(elf, ".symtab") + 24, "<QQ", start, size)) is None


def test_program_headers_that_would_move_mean_leave_it_alone() -> None:
    """The kernel tells a program where its program headers are by their offset in the file."""
    data = make_elf(symbols=3 * PAGE, moved_by_patchelf=True)
    assert strip(data) is not None
    data += bytes(-len(data) % 8)
    elf = parse(data)
    size = len(data) + 224 - elf.segments[1].offset
    table = patched(data[64 : 64 + 4 * 56], 56 + 32, "<QQ", size, size)
    moved = patched(data + table, 32, "<Q", len(data))
    assert parse(moved).segments[1].filesz == size
    assert strip(moved) is None


def test_on_machines_with_large_pages_segments_move_by_large_pages() -> None:
    data = make_elf(machine=AARCH64, symbols=20 * PAGE, moved_by_patchelf=True)
    before, after = parse(data), parse(stripped(data))
    assert before.segments[1].offset - after.segments[1].offset == 0x10000


def test_the_section_table_is_aligned() -> None:
    data = make_elf(symbols=3 * PAGE, moved_by_patchelf=True)
    assert parse(stripped(data)).section_table % 8 == 0


def test_a_single_header_in_a_hole_is_no_old_section_table() -> None:
    data = make_elf(symbols=3 * PAGE, moved_by_patchelf=True, former_table=True)
    elf = parse(data)
    former = data.index(data[elf.section_table : elf.section_table + 64 * len(elf.sections)])
    lonely = data[: former + 128] + bytes(64 * (len(elf.sections) - 2)) + data[former + 64 * len(elf.sections) :]
    assert strip(lonely) is None


def test_a_file_whose_image_would_differ_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("layerkit.assemble.strip.same_memory_image", lambda _before, _after: False)
    assert strip(make_elf()) is None


@pytest.mark.parametrize(("bound", "value"), [("_MOST_OVERLAP", 0), ("_MOST_SEGMENTS", 3)])
def test_segments_that_would_take_forever_to_compare_mean_leave_it_alone(
    bound: str, value: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert strip(make_elf()) is not None
    monkeypatch.setattr(f"layerkit.assemble.strip.{bound}", value)
    assert strip(make_elf()) is None


def test_program_headers_are_compared_where_no_segment_maps_them() -> None:
    data = patched(make_elf(), 64 + 32, "<Q", 0)
    assert same_memory_image(data, data)
    assert not same_memory_image(data, patched(data, 64 + 4, "<I", 7))
    assert not same_memory_image(data, patched(data, 64 + 3 * 56 + 8, "<Q", 1))
