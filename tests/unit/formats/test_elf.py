"""What binaries say, and how those that lie are refused."""

import json
import struct

import pytest

from layerkit.formats.elf import BinaryFacts, ElfError, RequiredVersion, binary_facts, highest, is_elf, parse
from tests.elf_builder import AARCH64, ALLOC, EXEC, REL, make_elf

SHAPES = [(64, "<"), (64, ">"), (32, "<"), (32, ">")]
OLD = [("GLIBC_2.17", False), ("GLIBC_2.9", False)]
GLIBC = (("libc.so.6", (*OLD, ("GLIBC_2.40", True), ("GLIBC_ABI_DT_RELR", False))),)


def patched(data: bytes, at: int, layout: str, value: int) -> bytes:
    return data[:at] + struct.pack(layout, value) + data[at + struct.calcsize(layout) :]


def dynamic_at(data: bytes) -> int:
    return parse(data).segments[2].offset


@pytest.mark.parametrize("data", [b"\x7fELF", b"\x7fELF\x02\x01", memoryview(b"\x7fELF and more")])
def test_four_bytes_make_an_elf_file(data: bytes | memoryview) -> None:
    assert is_elf(data)


@pytest.mark.parametrize("data", [b"", b"\x7fEL", b"MZ\x90\0", b"ELF\x7f", b"\xcf\xfa\xed\xfe"])
def test_anything_else_is_no_elf_file(data: bytes) -> None:
    assert not is_elf(data)


@pytest.mark.parametrize(("bits", "order"), SHAPES)
def test_facts_are_read_in_every_class_and_byte_order(bits: int, order: str) -> None:
    data = make_elf(bits=bits, order=order, needed=("libm.so.6", "libc.so.6"), runpath="$ORIGIN/../libs:/opt/lib")
    assert binary_facts(data) == BinaryFacts(
        machine="x86_64",
        bits=bits,
        type="dyn",
        soname="libdemo.so.1",
        needed=("libm.so.6", "libc.so.6"),
        search_path=("$ORIGIN/../libs", "/opt/lib"),
        versions=(RequiredVersion(library="libc.so.6", version="GLIBC_2.17", weak=False),),
    )


@pytest.mark.parametrize(("bits", "order"), SHAPES)
def test_headers_are_read_in_every_class_and_byte_order(bits: int, order: str) -> None:
    elf = parse(make_elf(bits=bits, order=order))
    assert (elf.shape.bits, elf.shape.order) == (bits, order)
    assert [segment.type for segment in elf.segments] == [1, 1, 2, 0x6474E551]
    assert [section.name for section in elf.sections] == [
        "", ".dynstr", ".gnu.version_r", ".text", ".dynamic", ".symtab", ".strtab", ".data", ".shstrtab",
    ]  # fmt: skip
    assert elf.sections[3].flags & ALLOC
    assert elf.sections[5].stored_bytes == 4096


@pytest.mark.parametrize(("machine", "name"), [(62, "x86_64"), (AARCH64, "aarch64"), (243, "em_243")])
def test_machines_that_lambda_lacks_are_numbers(machine: int, name: str) -> None:
    assert binary_facts(make_elf(machine=machine)).machine == name


@pytest.mark.parametrize(("kind", "name"), [(REL, "rel"), (EXEC, "exec"), (4, "core"), (0xFE00, "et_65024")])
def test_types_have_short_names(kind: int, name: str) -> None:
    assert binary_facts(make_elf(kind=kind)).type == name


def test_a_file_without_a_section_table_answers_too() -> None:
    assert binary_facts(make_elf(section_table=False)) == binary_facts(make_elf())


def test_a_section_table_that_lies_is_no_matter_for_facts() -> None:
    data = patched(make_elf(), 40, "<Q", 2**63)
    assert binary_facts(data).soname == "libdemo.so.1"
    with pytest.raises(ElfError, match="beyond the end"):
        parse(data)


def test_runpath_hides_rpath() -> None:
    assert binary_facts(make_elf(runpath="/new", rpath="/old")).search_path == ("/new",)
    assert binary_facts(make_elf(rpath="/old:/older")).search_path == ("/old", "/older")


def test_a_binary_that_asks_for_nothing() -> None:
    facts = binary_facts(make_elf(soname=None, needed=(), versions=()))
    assert (facts.soname, facts.needed, facts.search_path, facts.versions) == (None, (), (), ())
    assert facts.to_json() == {"machine": "x86_64", "bits": 64, "type": "dyn"}


def test_versions_keep_library_order_and_weakness() -> None:
    data = make_elf(versions=(*GLIBC, ("libm.so.6", (("GLIBC_2.29", False),))))
    assert [(one.library, one.version, one.weak) for one in binary_facts(data).versions] == [
        ("libc.so.6", "GLIBC_2.17", False),
        ("libc.so.6", "GLIBC_2.9", False),
        ("libc.so.6", "GLIBC_2.40", True),
        ("libc.so.6", "GLIBC_ABI_DT_RELR", False),
        ("libm.so.6", "GLIBC_2.29", False),
    ]


def test_highest_compares_numbers_and_skips_what_is_weak_or_has_none() -> None:
    facts = binary_facts(make_elf(versions=GLIBC))
    assert highest(facts) == (2, 17)
    assert highest(facts, prefix="GLIBCXX_") is None


def test_facts_survive_json() -> None:
    facts = binary_facts(make_elf(versions=GLIBC, runpath="$ORIGIN"))
    assert BinaryFacts.from_json(json.loads(json.dumps(facts.to_json()))) == facts


def test_names_that_are_no_text_are_escaped() -> None:
    data = make_elf(soname="libdemo.so.1").replace(b"libdemo.so.1\0", b"lib\xff\xfemo.so.1\0")
    assert binary_facts(data).soname == r"lib\xff\xfemo.so.1"


@pytest.mark.parametrize(
    ("at", "layout", "value", "why"),
    [
        (4, "B", 3, "does not exist"),
        (5, "B", 0, "does not exist"),
        (6, "B", 2, "does not exist"),
        (32, "<Q", 2**64 - 1, "beyond the end"),
        (40, "<Q", 2**64 - 1, "beyond the end"),
        (52, "<H", 52, "another size"),
        (54, "<H", 1, "another size"),
        (56, "<H", 0xFFFF, "more segments"),
        (56, "<H", 0xFFFE, "beyond the end"),
        (58, "<H", 63, "another size"),
        (60, "<H", 0xFFFF, "beyond the end"),
        (62, "<H", 0xFFFF, "names of sections"),
        (62, "<H", 200, "names of sections"),
        (64 + 8, "<Q", 2**64 - 1, "segment reaches beyond"),
        (64 + 32, "<Q", 2**40, "segment reaches beyond"),
    ],
)
def test_headers_that_lie_are_refused(at: int, layout: str, value: int, why: str) -> None:
    with pytest.raises(ElfError, match=why):
        parse(patched(make_elf(), at, layout, value))


@pytest.mark.parametrize(("field", "value"), [(0, 2**31), (24, 2**62), (32, 2**62)])
def test_sections_that_lie_are_refused(field: int, value: int) -> None:
    data = make_elf()
    at = parse(data).section_table + 3 * 64 + field
    with pytest.raises(ElfError):
        parse(patched(data, at, "<I" if field == 0 else "<Q", value))


def test_names_of_sections_that_lie_in_no_bytes_are_refused() -> None:
    data = make_elf()
    elf = parse(data)
    with pytest.raises(ElfError, match="is empty"):
        parse(patched(data, elf.section_table + elf.names_index * 64 + 4, "<I", 8))


def test_a_name_beyond_its_table_is_refused() -> None:
    data = make_elf()
    with pytest.raises(ElfError, match="outside its table"):
        binary_facts(patched(data, dynamic_at(data) + 8, "<Q", 2**40))


def test_an_address_that_nothing_maps_is_refused() -> None:
    data = make_elf()
    at = dynamic_at(data)
    entries = [struct.unpack_from("<QQ", data, at + 16 * index) for index in range(6)]
    table = next(index for index, (tag, _) in enumerate(entries) if tag == 5)
    with pytest.raises(ElfError, match="no segment maps"):
        binary_facts(patched(data, at + 16 * table + 8, "<Q", 1))


def test_names_without_a_table_of_names_are_refused() -> None:
    data = make_elf(versions=())
    at = data.index(struct.pack("<Q", 5) + struct.pack("<Q", 0x10000 + parse(data).sections[1].offset))
    with pytest.raises(ElfError, match="without a table"):
        binary_facts(patched(data, at, "<Q", 0x6000_0000))


@pytest.mark.parametrize(
    ("at", "layout", "value", "why"),
    [
        (0, "<H", 2, "unknown revision"),
        (8, "<I", 0xFFFF_FFF0, "beyond their segment"),
        (16 + 12, "<I", 4, "overlap"),
        (16 + 8, "<I", 0xFFFF_FFF0, "outside its table"),
    ],
)
def test_required_versions_that_lie_are_refused(at: int, layout: str, value: int, why: str) -> None:
    data = make_elf(versions=GLIBC)
    with pytest.raises(ElfError, match=why):
        binary_facts(patched(data, parse(data).sections[2].offset + at, layout, value))


def test_required_versions_without_end_are_refused() -> None:
    """Steps back are impossible, but one library's list may be counted again and again by those before it."""
    many = [("libc.so.6", [("GLIBC_2.17", False)] * 300)] * 300
    with pytest.raises(ElfError, match="more required versions"):
        binary_facts(make_elf(versions=many))


def test_two_dynamic_segments_are_refused() -> None:
    data = make_elf()
    with pytest.raises(ElfError, match="more than one dynamic"):
        binary_facts(patched(data, 64 + 56, "<I", 2))


def test_names_that_would_fill_the_memory_are_refused() -> None:
    """Thousands of entries that all name the same enormous string."""
    data = make_elf(needed=["x" * 60_000], runpath=None)
    elf = parse(data)
    start, entry = elf.segments[2].offset, data[elf.segments[2].offset :][:16]
    big = entry * 1000
    grown = data[:start] + data[start : start + 256] + data[start + 256 :]
    appended = len(grown)
    grown += big + data[start : start + 256]
    grown = patched(grown, 64 + 2 * 56 + 16, "<Q", 0x9000_0000)
    grown = patched(grown, 64 + 2 * 56 + 32, "<Q", len(grown) - appended)
    grown = patched(grown, 64 + 2 * 56 + 8, "<Q", appended)
    grown = patched(grown, 64 + 56 + 8, "<Q", appended)
    grown = patched(grown, 64 + 56 + 16, "<Q", 0x9000_0000)
    grown = patched(grown, 64 + 56 + 32, "<Q", len(grown) - appended)
    with pytest.raises(ElfError, match="more names"):
        binary_facts(grown)


@pytest.mark.parametrize("size", [4, 15, 16, 63, 64, 100, 287, 288, 1000])
def test_a_file_cut_short_is_refused(size: int) -> None:
    with pytest.raises(ElfError):
        binary_facts(make_elf()[:size])


def test_a_name_beyond_the_size_that_its_table_claims_is_refused() -> None:
    data = make_elf()
    size = parse(data).sections[1].size
    at = data.index(struct.pack("<QQ", 10, size))
    with pytest.raises(ElfError, match="outside its table"):
        binary_facts(patched(data, at + 8, "<Q", 3))


def test_entries_after_the_end_of_the_dynamic_segment_count_for_nothing() -> None:
    data = make_elf()
    end = data.index(struct.pack("<QQQQ", 0x6FFFFFFF, 1, 0, 0)) + 32
    assert binary_facts(patched(data, end, "<Q", 1)) == binary_facts(data)


def test_a_dynamic_segment_without_end_is_refused() -> None:
    data = make_elf()
    entries = struct.pack("<QQ", 0x6000_0000, 0) * 70_000
    for segment in (1, 2):
        at = 64 + segment * 56
        data = patched(data, at + 8, "<Q", len(make_elf()))
        data = patched(data, at + 16, "<Q", 0x9000_0000)
        data = patched(data, at + 32, "<Q", len(entries))
    with pytest.raises(ElfError, match="more dynamic entries"):
        binary_facts(data + entries)


def test_a_dynamic_segment_whose_address_and_offset_disagree_is_refused() -> None:
    data = make_elf()
    with pytest.raises(ElfError, match="disagree"):
        binary_facts(patched(data, 64 + 2 * 56 + 16, "<Q", 0x10000 + dynamic_at(data) + 16))


def test_an_address_within_the_elf_header_is_refused() -> None:
    with pytest.raises(ElfError, match="within the ELF header"):
        binary_facts(patched(make_elf(), 64 + 2 * 56 + 16, "<Q", 0x10001))


def test_an_address_is_looked_up_in_loaded_segments_only() -> None:
    data = patched(make_elf(), 64, "<I", 0x70000000)
    with pytest.raises(ElfError, match="no segment maps"):
        binary_facts(data)
