"""Strip binaries without touching what is loaded; needs no binutils and works for any machine on any host.

What goes: the bytes of sections that are not loaded and that only debuggers, linkers and people read. What stays:
every mapped byte at its address, every section's number, every section whose purpose is not known. A section that goes
becomes an inactive header. A file that is odd in any way stays as it is.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from layerkit.assemble.strip_layout import Layout, Piece, compact, merged, overlap, strays
from layerkit.formats.elf_headers import (
    ET_DYN,
    ET_EXEC,
    PT_LOAD,
    SHF_ALLOC,
    SHF_INFO_LINK,
    Elf,
    ElfError,
    Section,
    parse,
)

STRIP_RULES: Final = "1"
"""Part of the key of what is cached: raise it whenever ``strip`` can give other bytes for the same input."""

LEAST_GAIN_BYTES: Final = 1024
LEAST_GAIN_RATIO: Final = 0.005

REMOVABLE: Final = (
    ".symtab",  # the full symbol table; the dynamic linker reads .dynsym
    ".symtab_shndx",
    ".strtab",  # its names
    ".comment",  # names of compilers
    ".gnu.build.attributes",  # how the compiler was called (annobin)
    ".gnu.build.attributes.*",
    ".annobin.notes",
    ".debug_*",  # DWARF
    ".zdebug_*",  # DWARF, compressed
    ".gdb_index",
    ".gnu_debuglink",  # where debuggers find what was split off
    ".gnu_debugaltlink",
    ".gnu_debugdata",  # a compressed symbol table for backtraces
    ".stab",  # the debug format before DWARF
    ".stab.*",
    ".stabstr",
    ".gnu.lto_*",  # what only a linker reads: the compiler's intermediate code
    ".gnu.debuglto_*",
    ".llvm_addrsig",  # hints for the linker's identical code folding
)
"""Names of sections that may go if they are not loaded; one that ends in ``*`` stands for all that begin so."""

_PAGES: Final = {3: 4096, 40: 65_536, 62: 4096, 183: 65_536}
"""Machines whose loaders read no section (i386, arm, x86_64, aarch64), with the largest page that their kernels use.

Others are left alone: the driver of a GPU does read the symbol table of its ELF files.
"""
_LARGEST_HOLE: Final = 4 * 1024 * 1024
_NAME_AND_TYPE: Final = 8  # bytes at the beginning of a section header of either class
_MOST_SEGMENTS: Final = 1024
_MOST_OVERLAP: Final = 8  # how often segments may map each byte on average; it is 1 to 2 in real files
_EXACT: Final = frozenset(name for name in REMOVABLE if not name.endswith("*"))
_PREFIXES: Final = tuple(name[:-1] for name in REMOVABLE if name.endswith("*"))


def strip(data: bytes | bytearray) -> bytes | None:
    """Return the file without what nothing loads, or ``None`` if it is to stay as it is.

    It stays if it is no executable or shared library for a known machine, if anything about it is odd, if too little
    would be gained, or if any byte in memory would differ. The result is the same for the same bytes, and cannot be
    stripped further.
    """
    try:
        elf = parse(data)
        layout = _plan(memoryview(data), elf)
        if layout is None or not _worthwhile(len(data), _section_table_at(elf, layout) + _table_bytes(elf)):
            return None
        stripped = b"".join(_written(memoryview(data), elf, layout))
        return stripped if same_memory_image(data, stripped) else None
    except ElfError:
        return None


def same_memory_image(before: bytes | bytearray, after: bytes) -> bool:
    """Tell whether both files load to the same memory: all program headers and every mapped byte.

    Left out are file offsets in program headers, which must stay congruent to the addresses, and the section table's
    offset in the ELF header. Raises ``ElfError`` if one of the two is not a sound ELF file.
    """
    old, new = parse(before), parse(after)
    if old.shape != new.shape or len(old.segments) != len(new.segments) or old.segment_table != new.segment_table:
        return False
    free = sorted(_free_to_differ(old))
    if not _equal(before, memoryview(after), 0, 0, old.shape.header.size, free):
        return False
    return all(
        replace(one, offset=0) == replace(two, offset=0)
        and (one.offset - two.offset) % max(one.align, 1) == 0
        and _equal(before, memoryview(after), one.offset, two.offset, one.filesz, free)
        for one, two in zip(old.segments, new.segments, strict=True)
    )


def _free_to_differ(elf: Elf) -> Iterator[tuple[int, int]]:
    shape = elf.shape
    yield shape.section_table_at, shape.offset.size
    for index in range(len(elf.segments)):
        yield elf.segment_table + index * shape.segment.size + shape.segment_offset_at, shape.offset.size


def _equal(
    before: bytes | bytearray, after: memoryview, start: int, new_start: int, size: int, free: Sequence[tuple[int, int]]
) -> bool:
    at, end = start, start + size
    shift = new_start - start
    holes = [] if shift else [hole for hole in free if hole[0] < end and sum(hole) > start]
    for hole, length in [*holes, (end, 0)]:
        if hole > at and not before.startswith(after[at + shift : hole + shift], at):
            return False
        at = max(at, hole + length)
    return True


def _worthwhile(before: int, after: int) -> bool:
    gain = before - after
    return gain >= LEAST_GAIN_BYTES and gain >= before * LEAST_GAIN_RATIO


def _plan(view: memoryview, elf: Elf) -> Layout | None:
    if not _is_candidate(elf, len(view)):
        return None
    going = _going(elf)
    kept = [section for index, section in enumerate(elf.sections) if index not in going]
    pieces = _pieces(elf, kept)
    gone = [_whole(elf.sections[index].offset, elf.sections[index].size) for index in going]
    if pieces is None or pieces[-1].end > len(view) or overlap(pieces, gone):
        return None
    owned = [*pieces, *gone, _whole(elf.section_table, _table_bytes(elf))]
    if not all(_is_former_table(start, end, view, elf) for start, end in strays(view, owned)):
        return None
    layout = compact(pieces)
    return layout if layout.moved(elf.segment_table) == elf.segment_table else None


def _is_former_table(start: int, end: int, view: memoryview, elf: Elf) -> bool:
    """Tell whether bytes that nothing owns are an earlier section table, which patchelf leaves where it was.

    After the inactive entry, all must begin as entries of today's table do: with the same name and type.
    """
    size, word = elf.shape.section.size, elf.shape.offset.size
    if end - start > _LARGEST_HOLE:
        return False
    content = bytes(view[start:end])
    first = (start + len(content) - len(content.lstrip(b"\0"))) // word * word
    entries = range(first, start + len(content.rstrip(b"\0")), size)
    if first - size < start or len(entries) < len(elf.sections) // 2 or entries[-1] + size > end:
        return False
    known = {bytes(view[at : at + _NAME_AND_TYPE]) for at in range(elf.section_table, _section_table_end(elf), size)}
    return all(bytes(view[at : at + _NAME_AND_TYPE]) in known for at in entries)


def _whole(start: int, size: int) -> Piece:
    return Piece(start=start, end=start + size, align=1)


def _is_candidate(elf: Elf, file_size: int) -> bool:
    return (
        elf.machine in _PAGES
        and elf.shape.order == "<"
        and elf.type in (ET_DYN, ET_EXEC)
        and len(elf.segments) <= _MOST_SEGMENTS
        and any(segment.type == PT_LOAD and segment.filesz for segment in elf.segments)
        and len(elf.sections) > 1
        and not elf.sections[0].stored_bytes
        and elf.segment_table >= elf.shape.header.size
        and sum(segment.filesz for segment in elf.segments) <= _MOST_OVERLAP * file_size
        and not any(_covers_headers(section, elf) for section in elf.sections if section.stored_bytes)
    )


def _covers_headers(section: Section, elf: Elf) -> bool:
    in_table = section.offset < _segment_table_end(elf) and section.offset + section.size > elf.segment_table
    return section.offset < elf.shape.header.size or in_table


def _section_table_end(elf: Elf) -> int:
    return elf.section_table + _table_bytes(elf)


def _segment_table_end(elf: Elf) -> int:
    return elf.segment_table + len(elf.segments) * elf.shape.segment.size


def _going(elf: Elf) -> set[int]:
    """Return the numbers of sections that go: removable ones, but for those that a section that stays refers to."""
    going = {index for index, section in enumerate(elf.sections) if _is_removable(section)} - {elf.names_index}
    staying = [section for index, section in enumerate(elf.sections) if index not in going]
    while staying:
        for link in going.intersection(_links(staying.pop())):
            going.remove(link)
            staying.append(elf.sections[link])
    return going


def _is_removable(section: Section) -> bool:
    named = section.name in _EXACT or section.name.startswith(_PREFIXES)
    return named and section.stored_bytes > 0 and not section.flags & SHF_ALLOC


def _links(section: Section) -> tuple[int, ...]:
    return (section.link, section.info) if section.flags & SHF_INFO_LINK else (section.link,)


def _pieces(elf: Elf, kept: Iterable[Section]) -> list[Piece] | None:
    """Return what stays, merged where it touches; ``None`` if an alignment is no power of two."""
    sections = [section for section in kept if section.stored_bytes]
    aligns = [segment.align for segment in elf.segments] + [section.align for section in sections]
    if any(align & (align - 1) for align in aligns):
        return None
    largest = max(_PAGES[elf.machine], *(segment.align for segment in elf.segments))
    ranges = [(0, elf.shape.header.size, largest), (elf.segment_table, _segment_table_end(elf), largest)]
    ranges += [(segment.offset, segment.offset + segment.filesz, largest) for segment in elf.segments]
    ranges += [(section.offset, section.offset + section.size, max(section.align, 1)) for section in sections]
    return merged(ranges)


def _table_bytes(elf: Elf) -> int:
    return len(elf.sections) * elf.shape.section.size


def _section_table_at(elf: Elf, layout: Layout) -> int:
    return layout.end + -layout.end % elf.shape.offset.size


def _written(view: memoryview, elf: Elf, layout: Layout) -> Iterator[bytes | memoryview]:
    patches = sorted(_patches(elf, layout))
    at = 0
    for piece, start in zip(layout.pieces, layout.starts, strict=True):
        yield bytes(start - at)
        done = piece.start
        for position, word in patches[bisect_left(patches, (piece.start,)) : bisect_left(patches, (piece.end,))]:
            yield view[done:position]
            yield word
            done = position + len(word)
        yield view[done : piece.end]
        at = start + piece.end - piece.start
    yield bytes(_section_table_at(elf, layout) - at)
    yield _section_table(view, elf, layout)


def _patches(elf: Elf, layout: Layout) -> Iterator[tuple[int, bytes]]:
    offsets = [_section_table_at(elf, layout), *(layout.moved(segment.offset) for segment in elf.segments)]
    for (position, _), offset in zip(_free_to_differ(elf), offsets, strict=True):
        yield position, elf.shape.offset.pack(offset)


def _section_table(view: memoryview, elf: Elf, layout: Layout) -> bytes:
    shape, going = elf.shape, _going(elf)
    table = bytearray(view[elf.section_table : _section_table_end(elf)])
    for index, section in enumerate(elf.sections):
        at = index * shape.section.size
        if index in going:
            table[at : at + shape.section.size] = bytes(shape.section.size)
        elif index:
            shape.offset.pack_into(table, at + shape.section_offset_at, layout.moved(section.offset))
    return bytes(table)
