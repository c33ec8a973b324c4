"""The headers of ELF files, read suspiciously: segments, sections and their names.

Reads both classes and both byte orders. Whatever lies outside the file or is unreasonably long is an ``ElfError``.
Nothing here copies the file or writes one. Source: System V gABI 4.1, chapters 4 and 5.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

ET_EXEC: Final = 2
ET_DYN: Final = 3
PT_LOAD: Final = 1
PT_DYNAMIC: Final = 2
SHT_NULL: Final = 0
SHT_NOBITS: Final = 8
SHF_ALLOC: Final = 0x2
SHF_INFO_LINK: Final = 0x40

_MAGIC: Final = b"\x7fELF"
_IDENT_BYTES: Final = 16
_FIRST_RESERVED_INDEX: Final = 0xFF00
_EXTENDED_COUNT: Final = 0xFFFF
_LONGEST_STRING: Final = 65_536
_MOST_TEXT: Final = 16 * 1024 * 1024  # bytes of names; a lie must not fill the memory


class ElfError(ValueError):
    """Not an ELF file that can be trusted; the message says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """How headers lie in a file of one class and byte order; positions are in bytes from a header's start."""

    bits: int
    order: str
    header: struct.Struct
    segment: struct.Struct
    section: struct.Struct
    dynamic: struct.Struct
    offset: struct.Struct
    section_table_at: int
    segment_offset_at: int
    section_offset_at: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Segment:
    """A program header: what of the file is mapped where."""

    type: int
    flags: int
    offset: int
    vaddr: int
    paddr: int
    filesz: int
    memsz: int
    align: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """A section header. ``stored_bytes`` is what it takes in the file."""

    name: str
    type: int
    flags: int
    offset: int
    size: int
    link: int
    info: int
    align: int

    @property
    def stored_bytes(self) -> int:
        """The size in the file; nothing for ``.bss`` and its like."""
        return 0 if self.type in (SHT_NULL, SHT_NOBITS) else self.size


@dataclass(frozen=True, kw_only=True, slots=True)
class Elf:
    """The headers of an ELF file; ``sections`` is empty where there is no section table."""

    shape: Shape
    type: int
    machine: int
    segment_table: int
    section_table: int
    names_index: int
    segments: tuple[Segment, ...]
    sections: tuple[Section, ...]


class Strings:
    """A table of strings that end in NUL; reads no more text in all than any real file has."""

    def __init__(self, view: memoryview, start: int, end: int) -> None:
        self._view = view
        self._start = start
        self._end = end
        self._left = _MOST_TEXT

    def at(self, offset: int) -> str:
        """Return the string that begins ``offset`` bytes into the table."""
        start = self._start + offset
        text = b""
        for step in (256, _LONGEST_STRING):
            text = bytes(self._view[start : min(start + step, self._end)])
            if (length := text.find(0)) >= 0:
                self._left -= length
                if self._left < 0:
                    raise ElfError("more names than a real file has")
                return text[:length].decode("utf-8", errors="backslashreplace")
        raise ElfError("a name that lies outside its table, or does not end")


def is_elf(data: bytes | bytearray | memoryview) -> bool:
    """Tell whether the first bytes are those of an ELF file."""
    return data[:4] == _MAGIC


def parse(data: bytes | bytearray | memoryview) -> Elf:
    """Read all headers; raises ``ElfError`` if any of them is not true of this file."""
    return read_headers(memoryview(data), with_sections=True)


def _shape(bits: int, order: str) -> Shape:
    wide = bits == 64  # noqa: PLR2004 -- the class itself
    return Shape(
        bits=bits,
        order=order,
        header=struct.Struct(order + ("16xHHIQQQI6H" if wide else "16xHHIIIII6H")),
        segment=struct.Struct(order + ("IIQQQQQQ" if wide else "8I")),
        section=struct.Struct(order + ("IIQQQQIIQQ" if wide else "10I")),
        dynamic=struct.Struct(order + ("QQ" if wide else "II")),
        offset=struct.Struct(order + ("Q" if wide else "I")),
        section_table_at=40 if wide else 32,
        segment_offset_at=8 if wide else 4,
        section_offset_at=24 if wide else 16,
    )


_SHAPES: Final = {(1, 1): _shape(32, "<"), (1, 2): _shape(32, ">"), (2, 1): _shape(64, "<"), (2, 2): _shape(64, ">")}


def read_headers(view: memoryview, *, with_sections: bool) -> Elf:
    """Read the headers, those of sections only if asked for; raises ``ElfError``."""
    if not is_elf(view) or len(view) < _IDENT_BYTES:
        raise ElfError("not an ELF file")
    shape = _SHAPES.get((view[4], view[5]))
    if shape is None or view[6] != 1:
        raise ElfError("an ELF class, byte order or version that does not exist")
    if len(view) < shape.header.size:
        raise ElfError("cut short within its header")
    kind, machine, _, _, segment_table, section_table, _, own_size, *tables = shape.header.unpack_from(view)
    segment_size, segment_count, section_size, section_count, names_index = tables
    if own_size != shape.header.size or segment_count == _EXTENDED_COUNT:
        raise ElfError("a header of another size, or more segments than a header can count")
    segments = list(_table(view, shape.segment, at=segment_table, size=segment_size, count=segment_count))
    sections: Sequence[tuple[int, ...]] = ()
    if with_sections:
        sections = list(_table(view, shape.section, at=section_table, size=section_size, count=section_count))
    return Elf(
        shape=shape,
        type=kind,
        machine=machine,
        segment_table=segment_table,
        section_table=section_table,
        names_index=names_index,
        segments=tuple(_segment(fields, shape, len(view)) for fields in segments),
        sections=tuple(_sections(view, sections, names_index)),
    )


def _table(view: memoryview, header: struct.Struct, *, at: int, size: int, count: int) -> Iterator[tuple[int, ...]]:
    if not count:
        return iter(())
    if size != header.size:
        raise ElfError("a table whose entries have another size than its class has")
    return header.iter_unpack(_within(view, at, size * count, "a header table"))


def _within(view: memoryview, start: int, size: int, what: str) -> memoryview:
    if start + size > len(view):
        raise ElfError(f"{what} reaches beyond the end of the file")
    return view[start : start + size]


def _segment(fields: tuple[int, ...], shape: Shape, file_size: int) -> Segment:
    if shape.bits == 64:  # noqa: PLR2004 -- the class itself
        kind, flags, offset, vaddr, paddr, filesz, memsz, align = fields
    else:
        kind, offset, vaddr, paddr, filesz, memsz, flags, align = fields
    if filesz and offset + filesz > file_size:
        raise ElfError("a segment reaches beyond the end of the file")
    return Segment(
        type=kind,
        flags=flags,
        offset=offset,
        vaddr=vaddr,
        paddr=paddr,
        filesz=filesz,
        memsz=memsz,
        align=align,
    )


def _sections(view: memoryview, headers: Sequence[tuple[int, ...]], names_index: int) -> Iterator[Section]:
    if not headers:
        return
    if names_index >= _FIRST_RESERVED_INDEX or names_index >= len(headers):
        raise ElfError("no section holds the names of sections")
    kind, start, size = (headers[names_index][field] for field in (1, 4, 5))
    if kind == SHT_NOBITS:
        raise ElfError("the section that holds the names of sections is empty")
    _within(view, start, size, "the section names")
    names = Strings(view, start, start + size)
    for name, kind, flags, _, offset, section_size, link, info, align, _ in headers:
        section = Section(
            name=names.at(name) if names_index and kind != SHT_NULL else "",
            type=kind,
            flags=flags,
            offset=offset,
            size=section_size,
            link=link,
            info=info,
            align=align,
        )
        _within(view, offset if section.stored_bytes else 0, section.stored_bytes, "a section")
        yield section
