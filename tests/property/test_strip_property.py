"""Whatever the bytes: facts or an ``ElfError``, and never another memory image."""

import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from layerkit.assemble.strip import same_memory_image, strip
from layerkit.formats.elf import BinaryFacts, ElfError, binary_facts, parse
from tests.elf_builder import AARCH64, make_elf

SEEDS = [
    make_elf(),
    make_elf(bits=32, machine=3, debug=3000),
    make_elf(order=">"),
    make_elf(bits=32, order=">"),
    make_elf(machine=AARCH64, symbols=12_288, debug=9000, moved_by_patchelf=True, former_table=True),
    make_elf(versions=(("libc.so.6", (("GLIBC_2.2.5", False), ("GLIBC_2.34", True))), ("libm.so.6", ()))),
]
INTERESTING = [0, 1, 2, 3, 8, 0x7F, 0xFF, 0xFFF, 0x1000, 0xFFFF, 0x10000, 2**31, 2**32 - 1, 2**63, 2**64 - 1]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 6))):
        layout = draw(st.sampled_from(["<B", "<H", "<I", "<Q", ">H", ">I", ">Q"]))
        size = struct.calcsize(layout)
        value = draw(st.sampled_from(INTERESTING) | st.integers(0, 2**64 - 1) | st.integers(0, len(data)))
        struct.pack_into(layout, data, draw(_positions(bytes(data), size)), value % 256**size)
    if draw(st.booleans()):
        del data[draw(st.integers(0, len(data))) :]
    return bytes(data)


def _positions(data: bytes, size: int) -> st.SearchStrategy[int]:
    """Anywhere, but mostly in headers and tables, where bytes have consequences."""
    last = len(data) - size
    return st.integers(0, min(0x400, last)) | st.integers(max(0, last - 0x300), last) | st.integers(0, last)


@settings(max_examples=600, deadline=None)
@given(mutated() | st.binary(max_size=300).map(b"\x7fELF".__add__))
def test_reading_raises_nothing_but_elf_errors(data: bytes) -> None:
    for read in (parse, binary_facts):
        try:
            facts = read(data)
        except ElfError:
            continue
        if isinstance(facts, BinaryFacts):
            assert BinaryFacts.from_json(facts.to_json()) == facts


@settings(max_examples=600, deadline=None)
@given(mutated())
def test_a_stripped_file_has_the_same_image_and_cannot_be_stripped_again(data: bytes) -> None:
    result = strip(data)
    if result is not None:
        assert len(result) < len(data)
        assert same_memory_image(data, result)
        assert strip(result) is None
        assert _facts(result) == _facts(data)


@settings(max_examples=200, deadline=None)
@given(
    symbols=st.integers(0, 20_000),
    debug=st.integers(0, 40_000),
    bits=st.sampled_from([32, 64]),
    patchelf=st.booleans(),
    align=st.sampled_from([0x1000, 0x4000, 0x10000]),
    kept=st.binary(max_size=5000),
)
def test_sound_files_are_stripped_when_there_is_enough_to_gain(
    symbols: int, debug: int, bits: int, patchelf: bool, align: int, kept: bytes
) -> None:
    data = make_elf(
        symbols=symbols, debug=debug, bits=bits, moved_by_patchelf=patchelf, align=align, others={".kept": kept}
    )
    result = strip(data)
    if not patchelf and symbols + debug >= 1024 + len(data) // 200:
        assert result is not None
    if result is not None:
        assert same_memory_image(data, result)
        assert kept in result
        assert strip(result) is None


def _facts(data: bytes) -> BinaryFacts | str:
    try:
        return binary_facts(data)
    except ElfError as exc:
        return str(exc)
