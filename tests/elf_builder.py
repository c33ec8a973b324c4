"""Makes small ELF files of any class and byte order, with whatever strip must take, keep or refuse."""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

X86_64 = 62
AARCH64 = 183
REL, EXEC, DYN = 1, 2, 3
PAGE = 0x1000
ALLOC = 2

_PROGBITS, _SYMTAB, _STRTAB, _DYNAMIC, _VERNEED = 1, 2, 3, 6, 0x6FFFFFFE
_PT_LOAD, _PT_DYNAMIC, _PT_GNU_STACK = 1, 2, 0x6474E551
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

    ``symbols`` and ``debug`` are sizes in bytes of ``.symtab`` and ``.debug_info``; ``others`` are sections that are not
    loaded. ``moved_by_patchelf`` puts what is not loaded between the segments and the section table into the second one,
    as patchelf does; ``former_table`` leaves an old section table behind in the hole before that segment. ``versions``
    are pairs of a library and its (version, weak) pairs.
    """
    word = struct.Struct(order + ("Q" if bits == 64 else "I"))
    strings = _Strings()
    need = _verneed(versions, strings, order)
    entries = _dynamic_entries(soname=soname, needed=needed, runpath=runpath, rpath=rpath, strings=strings)
    first = {
        ".dynstr": _Section(name=".dynstr", content=strings.content, type=_STRTAB, flags=ALLOC),
        ".gnu.version_r": _Section(name=".gnu.version_r", content=need, type=_VERNEED, flags=ALLOC, link=".dynstr"),
        ".text": _Section(name=".text", content=bytes(range(256)) * 4, flags=ALLOC),
        ".dynamic": _Section(
            name=".dynamic", content=bytes(16 * word.size * 2), type=_DYNAMIC, flags=ALLOC, link=".dynstr"
        ),
    }
    loose = _loose(symbols=symbols, debug=debug, others=others, link_to_symbols=keeps_link_to_symbols)
    names = _Strings()
    header_size, segment_size, section_size = (64, 56, 64) if bits == 64 else (52, 32, 40)
    sections = [_Section(name="", content=b"", type=0, align=0), *first.values(), *loose]
    data = _Section(name=".data", content=b"some data" * 100, flags=ALLOC)
    sections += [data, _Section(name=".shstrtab", content=b"", type=_STRTAB, align=1)]
    for section in sections:
        names.add(section.name)
    sections[-1].content = names.content
    table_size = len(sections) * section_size

    place = _Placer(header_size + _SEGMENTS * segment_size)
    for section in first.values():
        place.put(section)
    first_end = place.end
    if moved_by_patchelf:
        for section in [*loose, sections[-1]]:
            place.put(section)
        former = place.reserve(table_size, align=word.size) if former_table else 0
        second = place.reserve(0, align=align)
        table = place.reserve(table_size, align=word.size)
        place.put(data)
        second_end = place.end
    else:
        former = 0
        second = place.reserve(0, align=align)
        place.put(data)
        second_end = place.end
        for section in [*loose, sections[-1]]:
            place.put(section)
        table = place.reserve(table_size, align=word.size)
    base = 0x10000
    values = [
        (10, len(strings.content)),
        (5, base + first[".dynstr"].offset),
        *(((0x6FFFFFFE, base + first[".gnu.version_r"].offset), (0x6FFFFFFF, len(versions))) if versions else ()),
    ]
    dynamic = b"".join(word.pack(tag) + word.pack(value) for tag, value in [*entries, *values, (0, 0)])
    first[".dynamic"].content = dynamic.ljust(len(first[".dynamic"].content), b"\0")
    segments = [
        (_PT_LOAD, 5, 0, first_end),
        (_PT_LOAD, 6, second, second_end - second),
        (_PT_DYNAMIC, 6, first[".dynamic"].offset, len(first[".dynamic"].content)),
        (_PT_GNU_STACK, 6, 0, 0),
    ]
    file = bytearray(place.end)
    counts = (section_size, len(sections), len(sections) - 1) if section_table else (section_size, 0, 0)
    file[:16] = b"\x7fELF" + bytes([1 + (bits == 64), 1 + (order == ">"), 1]) + bytes(9)
    file[16:header_size] = struct.pack(
        order + ("HHIQQQI6H" if bits == 64 else "HHIIIII6H"),
        kind, machine, 1, 0, header_size, table if section_table else 0, 0, header_size, segment_size, _SEGMENTS, *counts,
    )  # fmt: skip
    for index, segment in enumerate(segments):
        at = header_size + index * segment_size
        file[at : at + segment_size] = _segment(*segment, base=base, align=align, bits=bits, order=order)
    for section in sections:
        file[section.offset : section.offset + len(section.content)] = section.content
    numbers = {section.name: number for number, section in enumerate(sections)}
    headers = b"".join(
        struct.pack(
            order + ("IIQQQQIIQQ" if bits == 64 else "10I"),
            names.offsets[one.name],
            one.type,
            one.flags,
            base + one.offset if one.flags & ALLOC else 0,
            one.offset,
            len(one.content),
            numbers.get(one.link, 0),
            0,
            one.align,
            0,
        )  # fmt: skip
        for one in sections
    )
    if section_table:
        file[table : table + table_size] = headers
    if former:
        file[former : former + table_size] = headers
    return bytes(file) + footer


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

    def put(self, section: _Section) -> None:
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


def _segment(kind: int, flags: int, offset: int, size: int, *, base: int, align: int, bits: int, order: str) -> bytes:
    address = base + offset
    if bits == 64:
        return struct.pack(order + "IIQQQQQQ", kind, flags, offset, address, address, size, size, align)
    return struct.pack(order + "8I", kind, offset, address, address, size, size, flags, align)
