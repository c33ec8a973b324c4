"""What a binary is, and what it asks of the system that loads it: needed libraries, versioned symbols.

Read as the loader reads it, through the dynamic segment, so files without a section table answer too; and suspiciously:
whatever lies outside its segment, overlaps itself or is unreasonably long is an ``ElfError``.
Source: System V gABI 4.1, chapter 5; Linux Standard Base Core 5.0, section 10.7 (symbol versions).
"""

import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from layerkit.formats.elf_headers import (
    ET_DYN,
    ET_EXEC,
    PT_DYNAMIC,
    PT_LOAD,
    Elf,
    ElfError,
    Strings,
    is_elf,
    parse,
    read_headers,
)
from layerkit.formats.elf_machine import machine_name

__all__ = ["BinaryFacts", "Elf", "ElfError", "RequiredVersion", "binary_facts", "highest", "is_elf", "parse"]

_DT_NULL, _DT_NEEDED, _DT_STRTAB, _DT_STRSZ, _DT_SONAME, _DT_RPATH, _DT_RUNPATH = 0, 1, 5, 10, 14, 15, 29
_DT_VERNEED, _DT_VERNEEDNUM = 0x6FFFFFFE, 0x6FFFFFFF
_VER_FLG_WEAK: Final = 0x2
_VERNEED_VERSION: Final = 1
_MOST_DYNAMIC_ENTRIES: Final = 65_536  # real files have some dozens; a lie must not keep us busy
_MOST_VERSIONS: Final = 65_536
_TYPES: Final = {0: "none", 1: "rel", ET_EXEC: "exec", ET_DYN: "dyn", 4: "core"}


@dataclass(frozen=True, kw_only=True, slots=True)
class RequiredVersion:
    """A symbol version that a library must define, as ``GLIBC_2.34`` of ``libc.so.6``; weak ones may be missing."""

    library: str
    version: str
    weak: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class BinaryFacts:
    """What a binary is and what it asks of the system that loads it.

    ``machine`` is ``x86_64``, ``aarch64`` or ``em_<number>``; ``type`` is ``dyn``, ``exec``, ``rel``, ``core``,
    ``none`` or ``et_<number>``. ``search_path`` is DT_RUNPATH, else DT_RPATH. Order is the file's.
    """

    machine: str
    bits: int
    type: str
    soname: str | None
    needed: tuple[str, ...]
    search_path: tuple[str, ...]
    versions: tuple[RequiredVersion, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values, without what is empty."""
        facts = {
            "machine": self.machine,
            "bits": self.bits,
            "type": self.type,
            "soname": self.soname,
            "needed": list(self.needed),
            "search_path": list(self.search_path),
            "versions": [[item.library, item.version, item.weak] for item in self.versions],
        }
        return {key: value for key, value in facts.items() if value not in (None, [])}

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> "BinaryFacts":
        """Read what ``to_json`` returned."""
        return cls(
            machine=facts["machine"],
            bits=facts["bits"],
            type=facts["type"],
            soname=facts.get("soname"),
            needed=tuple(facts.get("needed", ())),
            search_path=tuple(facts.get("search_path", ())),
            versions=tuple(
                RequiredVersion(library=library, version=version, weak=weak)
                for library, version, weak in facts.get("versions", ())
            ),
        )


def binary_facts(data: bytes | bytearray | memoryview) -> BinaryFacts:
    """Read what the loader would read; the section table is not looked at. Raises ``ElfError``."""
    view = memoryview(data)
    elf = read_headers(view, with_sections=False)
    dynamic = _Dynamic(view, elf)
    return BinaryFacts(
        machine=machine_name(elf.machine),
        bits=elf.shape.bits,
        type=_TYPES.get(elf.type, f"et_{elf.type}"),
        soname=next(iter(dynamic.strings(_DT_SONAME)), None),
        needed=tuple(dynamic.strings(_DT_NEEDED)),
        search_path=dynamic.search_path(),
        versions=tuple(dynamic.versions()),
    )


def highest(facts: BinaryFacts, prefix: str = "GLIBC_") -> tuple[int, ...] | None:
    """Return the highest numbered version that must be there, as ``(2, 34)``; weak ones do not count."""
    pattern = re.compile(re.escape(prefix) + r"([0-9]{1,9}(?:\.[0-9]{1,9})*)")
    matches = (pattern.fullmatch(item.version) for item in facts.versions if not item.weak)
    return max((tuple(int(part) for part in match[1].split(".")) for match in matches if match), default=None)


class _Dynamic:
    """The dynamic segment: its entries, and what they point at in the mapped part of the file."""

    def __init__(self, view: memoryview, elf: Elf) -> None:
        self._view = view
        self._elf = elf
        self._entries = tuple(self._read())
        self._table: Strings | None = None

    def values(self, tag: int) -> list[int]:
        return [value for entry, value in self._entries if entry == tag]

    def strings(self, tag: int) -> list[str]:
        return [self._string(value) for value in self.values(tag)]

    def search_path(self) -> tuple[str, ...]:
        paths = self.strings(_DT_RUNPATH) or self.strings(_DT_RPATH)
        return tuple(paths[-1].split(":")) if paths and paths[-1] else ()

    def versions(self) -> Iterator[RequiredVersion]:
        addresses, counts = self.values(_DT_VERNEED), self.values(_DT_VERNEEDNUM)
        if not addresses or not counts:
            return
        start, end = self._place(addresses[-1])
        left = _MOST_VERSIONS
        for at, (revision, count, file, first, _) in self._chain(start, end, "HHIII", counts[-1]):
            if revision != _VERNEED_VERSION:
                raise ElfError("required versions of an unknown revision")
            library = self._string(file)
            for _, (_, flags, _, name, _) in self._chain(at + first, end, "IHHII", count):
                left -= 1
                if left < 0:
                    raise ElfError("more required versions than a real file has")
                weak = bool(flags & _VER_FLG_WEAK)
                yield RequiredVersion(library=library, version=self._string(name), weak=weak)

    def _chain(self, at: int, end: int, layout: str, count: int) -> Iterator[tuple[int, tuple[int, ...]]]:
        record = struct.Struct(self._elf.shape.order + layout)
        while count:
            if at + record.size > end:
                raise ElfError("required versions reach beyond their segment")
            fields = record.unpack_from(self._view, at)
            yield at, fields
            step = fields[-1]
            if not step:
                return
            if step < record.size:
                raise ElfError("required versions that overlap")
            at += step
            count -= 1

    def _read(self) -> Iterator[tuple[int, int]]:
        segments = [segment for segment in self._elf.segments if segment.type == PT_DYNAMIC and segment.filesz]
        if len(segments) > 1:
            raise ElfError("more than one dynamic segment")
        for segment in segments:
            start, end = self._place(segment.vaddr)
            if start != segment.offset:
                raise ElfError("a dynamic segment whose address and offset disagree")
            entry = self._elf.shape.dynamic
            count = min(end - start, segment.filesz) // entry.size
            for index in range(count):
                if index == _MOST_DYNAMIC_ENTRIES:
                    raise ElfError("more dynamic entries than a real file has")
                tag, value = entry.unpack_from(self._view, start + index * entry.size)
                if tag == _DT_NULL:
                    return
                yield tag, value

    def _string(self, offset: int) -> str:
        if self._table is None:
            addresses, sizes = self.values(_DT_STRTAB), self.values(_DT_STRSZ)
            if not addresses:
                raise ElfError("names without a table of names")
            start, end = self._place(addresses[-1])
            self._table = Strings(self._view, start, min([end, *(start + size for size in sizes[-1:])]))
        return self._table.at(offset)

    def _place(self, address: int) -> tuple[int, int]:
        """Return where in the file the byte at ``address`` lies, and where its segment ends there."""
        for segment in self._elf.segments:
            if segment.type == PT_LOAD and 0 <= address - segment.vaddr < segment.filesz:
                place = address - segment.vaddr + segment.offset
                if place < self._elf.shape.header.size:
                    raise ElfError("an address within the ELF header")
                return place, segment.offset + segment.filesz
        raise ElfError("an address that no segment maps from the file")
