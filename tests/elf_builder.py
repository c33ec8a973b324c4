"""Makes small ELF files of any class and byte order, with whatever strip must take, keep or refuse."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

X86_64 = 62
AARCH64 = 183
REL, EXEC, DYN = 1, 2, 3
PAGE = 0x1000
ALLOC = 2

_PROGBITS, _SYMTAB, _STRTAB, _DYNAMIC, _VERNEED = 1, 2, 3, 6, 0x6FFFFFFE
_PT_LOAD, _PT_DYNAMIC, _PT_GNU_STACK = 1, 2, 0x6474E551
_DT_STRTAB, _DT_STRSZ, _DT_VERNEED, _DT_VERNEEDNUM = 5, 10, 0x6FFFFFFE, 0x6FFFFFFF
_BASE = 0x10000
_SEGMENTS = 4
_NO_SECTIONS: Mapping[str, bytes] = {}


@dataclass(kw_only=True)
class _Section:
    """A section to be: where it goes, and what its header says."""

    name: str
    content: bytes
    type: int = _PROGBITS
    flags: int = 0
    link: str = ""
    align: int = 8
    offset: int = 0


def make_elf(
    *,
    bits: int = 64,
    order: str = "<",
    machine: int = X86_64,
    kind: int = DYN,
    soname: str | None = "libdemo.so.1",
    needed: Sequence[str] = ("libc.so.6",),
    runpath: str | None = None,
    rpath: str | None = None,
    versions: Sequence[tuple[str, Sequence[tuple[str, bool]]]] = (("libc.so.6", (("GLIBC_2.17", False),)),),
    symbols: int = 4096,
    debug: int = 0,
    others: Mapping[str, bytes] = _NO_SECTIONS,
    keeps_link_to_symbols: bool = False,
    moved_by_patchelf: bool = False,
    former_table: bool = False,
    align: int = PAGE,
    section_table: bool = True,
    footer: bytes = b"",
) -> bytes:
    """Return an ELF file with two loaded segments and, by default, 4 KiB of symbols to strip.

    ``symbols`` and ``debug`` are sizes in bytes of ``.symtab`` and ``.debug_info``; ``others`` are sections that are
    not loaded. ``moved_by_patchelf`` puts what is not loaded between the segments, and the section table into the
    second one, as patchelf does; ``former_table`` leaves an old section table in the hole before that segment.
    ``versions`` are pairs of a library and its (version, weak) pairs.
    """
    form = _Format(bits=bits, order=order)
    strings = _Strings()
    need = _verneed(versions, strings, order)
    entries = _dynamic_entries(soname=soname, needed=needed, runpath=runpath, rpath=rpath, strings=strings)
    loaded = [
        _Section(name=".dynstr", content=strings.content, type=_STRTAB, flags=ALLOC),
        _Section(name=".gnu.version_r", content=need, type=_VERNEED, flags=ALLOC, link=".dynstr"),
        _Section(name=".text", content=bytes(range(256)) * 4, flags=ALLOC),
        _Section(name=".dynamic", content=bytes(form.dynamic_size), type=_DYNAMIC, flags=ALLOC, link=".dynstr"),
    ]
    loose = _loose(symbols=symbols, debug=debug, others=others, link_to_symbols=keeps_link_to_symbols)
    data = _Section(name=".data", content=b"some data" * 100, flags=ALLOC)
    names_section = _Section(name=".shstrtab", content=b"", type=_STRTAB, align=1)
    sections = [_Section(name="", content=b"", type=0, align=0), *loaded, *loose, data, names_section]
    names = _Strings()
    for section in sections:
        names.add(section.name)
    names_section.content = names.content
    places = _place(form, sections, align=align, patchelf=moved_by_patchelf, former_table=former_table)
    values = [(_DT_STRTAB, _BASE + loaded[0].offset), (_DT_STRSZ, len(strings.content))]
    if versions:
        values += [(_DT_VERNEED, _BASE + loaded[1].offset), (_DT_VERNEEDNUM, len(versions))]
    loaded[-1].content = form.dynamic([*entries, *values])
    file = bytearray(places.end)
    for section in sections:
        file[section.offset : section.offset + len(section.content)] = section.content
    if section_table:
        table = form.section_table(sections, names)
        for at in (places.table, places.former)[: 1 + former_table]:
            file[at : at + len(table)] = table
    else:
        places = replace(places, table=0)
    head = form.header(kind=kind, machine=machine, table=places.table, sections=len(sections) if section_table else 0)
    head += form.segments(places, dynamic=loaded[-1], align=align)
    file[: len(head)] = head
    return bytes(file) + footer


@dataclass(frozen=True, kw_only=True)
class _Places:
    """Where in the file everything but sections lies."""

    first_end: int
    second: int
    second_end: int
    table: int
    former: int
    end: int


@dataclass(frozen=True, kw_only=True)
class _Format:
    """How headers are written in one class and byte order."""

    bits: int
    order: str

    @property
    def sizes(self) -> tuple[int, int, int, int]:
        """Bytes of the ELF header, a program header, a section header and a word."""
        return (64, 56, 64, 8) if self.bits == 64 else (52, 32, 40, 4)

    @property
    def dynamic_size(self) -> int:
        return 16 * 2 * self.sizes[3]

    def pack(self, wide: str, narrow: str, *values: int) -> bytes:
        return struct.pack(self.order + (wide if self.bits == 64 else narrow), *values)

    def header(self, *, kind: int, machine: int, table: int, sections: int) -> bytes:
        own, segment, section, _ = self.sizes
        ident = b"\x7fELF" + bytes([1 + (self.bits == 64), 1 + (self.order == ">"), 1]) + bytes(9)
        counts = (own, segment, _SEGMENTS, section, sections, max(sections - 1, 0))
        return ident + self.pack("HHIQQQI6H", "HHIIIII6H", kind, machine, 1, 0, own, table, 0, *counts)

    def segments(self, places: _Places, *, dynamic: _Section, align: int) -> bytes:
        rows = [
            (_PT_LOAD, 5, 0, places.first_end),
            (_PT_LOAD, 6, places.second, places.second_end - places.second),
            (_PT_DYNAMIC, 6, dynamic.offset, len(dynamic.content)),
            (_PT_GNU_STACK, 6, 0, 0),
        ]
        return b"".join(self._segment(*row, align=align if row[0] == _PT_LOAD else 8) for row in rows)

    def _segment(self, kind: int, flags: int, offset: int, size: int, *, align: int) -> bytes:
        address = _BASE + offset
        if self.bits == 64:
            return self.pack("IIQQQQQQ", "", kind, flags, offset, address, address, size, size, align)
        return self.pack("", "8I", kind, offset, address, address, size, size, flags, align)

    def section_table(self, sections: Sequence[_Section], names: "_Strings") -> bytes:
        numbers = {section.name: number for number, section in enumerate(sections)}
        rows = b""
        for one in sections:
            address = _BASE + one.offset if one.flags & ALLOC else 0
            fields = (names.add(one.name), one.type, one.flags, address, one.offset, len(one.content))
            entry = {_SYMTAB: 24 if self.bits == 64 else 16, _DYNAMIC: 2 * self.sizes[3]}.get(one.type, 0)
            rows += self.pack("IIQQQQIIQQ", "10I", *fields, numbers.get(one.link, 0), 0, one.align, entry)
        return rows

    def dynamic(self, entries: Sequence[tuple[int, int]]) -> bytes:
        return b"".join(self.pack("QQ", "II", *entry) for entry in entries).ljust(self.dynamic_size, b"\0")


def _place(form: _Format, sections: Sequence[_Section], *, align: int, patchelf: bool, former_table: bool) -> _Places:
    own, segment, section_size, word = form.sizes
    placer = _Placer(own + _SEGMENTS * segment)
    data = sections[-2]
    loose = [one for one in sections[1:] if not one.flags & ALLOC]
    table_size = len(sections) * section_size
    placer.put([one for one in sections if one.flags & ALLOC and one is not data])
    first_end = placer.end
    if patchelf:
        placer.put(loose)
    former = placer.reserve(table_size, align=word) if former_table else 0
    second = placer.reserve(0, align=align)
    table = placer.reserve(table_size, align=word) if patchelf else 0
    placer.put([data])
    second_end = placer.end
    if not patchelf:
        placer.put(loose)
        table = placer.reserve(table_size, align=word)
    return _Places(
        first_end=first_end, second=second, second_end=second_end, table=table, former=former, end=placer.end
    )


def _loose(*, symbols: int, debug: int, others: Mapping[str, bytes], link_to_symbols: bool) -> list[_Section]:
    found = [_Section(name=name, content=content) for name, content in others.items()]
    if link_to_symbols:
        found.append(_Section(name=".rela.kept", content=bytes(48), link=".symtab"))
    if symbols:
        found.append(_Section(name=".symtab", content=_noise(symbols), type=_SYMTAB, link=".strtab"))
        found.append(_Section(name=".strtab", content=b"\0" + b"a_symbol\0" * 20, type=_STRTAB, align=1))
    if debug:
        found.append(_Section(name=".debug_info", content=_noise(debug), align=1))
    return found


def _noise(size: int) -> bytes:
    return (bytes(range(1, 252)) * (size // 251 + 1))[:size]


class _Strings:
    """A table of strings that grows; each string stands in it once."""

    def __init__(self) -> None:
        self.content = b"\0"
        self.offsets: dict[str, int] = {"": 0}

    def add(self, text: str) -> int:
        if text not in self.offsets:
            self.offsets[text] = len(self.content)
            self.content += text.encode() + b"\0"
        return self.offsets[text]


class _Placer:
    """Gives each section its offset, one after the other."""

    def __init__(self, start: int) -> None:
        self.end = start

    def put(self, sections: Sequence[_Section]) -> None:
        for section in sections:
            section.offset = self.reserve(len(section.content), align=section.align)

    def reserve(self, size: int, *, align: int) -> int:
        start = -(-self.end // align) * align
        self.end = start + size
        return start


def _dynamic_entries(
    *, soname: str | None, needed: Sequence[str], runpath: str | None, rpath: str | None, strings: _Strings
) -> list[tuple[int, int]]:
    texts = [(1, name) for name in needed]
    texts += [(tag, text) for tag, text in ((14, soname), (29, runpath), (15, rpath)) if text is not None]
    return [(tag, strings.add(text)) for tag, text in texts]


def _verneed(versions: Sequence[tuple[str, Sequence[tuple[str, bool]]]], strings: _Strings, order: str) -> bytes:
    parts = []
    for number, (library, wanted) in enumerate(versions, 1):
        following = 0 if number == len(versions) else 16 * (1 + len(wanted))
        parts.append(struct.pack(order + "HHIII", 1, len(wanted), strings.add(library), 16, following))
        for position, (version, weak) in enumerate(wanted, 1):
            step = 0 if position == len(wanted) else 16
            parts.append(struct.pack(order + "IHHII", 0, 2 * weak, position, strings.add(version), step))
    return b"".join(parts)
