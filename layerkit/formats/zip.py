"""Zip files, read suspiciously: central directories, safe names, where an entry's compressed bytes lie.

Reads what wheels and layers are made of: one disk, stored or DEFLATE, names in UTF-8 or ASCII, zip64 where needed.
Everything that lies (overlaps, sizes, names, positions) is a ``ZipProblem``. Nothing here inflates or writes.
Source: PKWARE APPNOTE.TXT 6.3.10, sections 4.3 and 4.4.
"""

import re
import stat
import struct
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from typing import BinaryIO, Final

from layerkit.formats.zip_directory import (
    DEFLATED,
    ENCRYPTED,
    STORED,
    ZipEntry,
    ZipProblem,
    decode_name,
    find_directory,
    parse_directory,
)

__all__ = ["DEFLATED", "STORED", "ZipEntry", "ZipProblem", "data_offset", "read_entries"]

_LOCAL: Final = struct.Struct("<4s5H3L2H")
_LONGEST_PART: Final = 255
_LONGEST_PATH: Final = 4095
_SURELY_SHORT: Final = 63  # characters of at most 4 bytes
_UNDECODABLE: Final = "\N{REPLACEMENT CHARACTER}"
_MAX_DEFLATE_RATIO: Final = 1032  # RFC 1951 cannot do better: 258 bytes from 2 bits
_UNSAFE: Final = re.compile(r"^/|^[A-Za-z]:|\\|(^|/)\.{0,2}(/|$)|[\x00-\x1f\x7f]")
_RESERVED: Final = re.compile(r"(^|/)(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.[^/]*)?(/|$)", re.IGNORECASE)


def read_entries(stream: BinaryIO) -> tuple[ZipEntry, ...]:
    """Return the files of a seekable zip in the order of its central directory; directories are left out.

    Raises ``ZipProblem`` for anything but a plain, honest zip: truncated, encrypted, split, links, duplicate or
    unsafe names, overlapping or impossible sizes.
    """
    directory = find_directory(stream)
    if directory.has_trailing:
        raise ZipProblem("cut short, or with bytes behind its end")
    if directory.shift:
        raise ZipProblem("its central directory is not where the end record says")
    stream.seek(directory.start)
    entries = tuple(map(_trustworthy, parse_directory(stream.read(directory.length), directory.count)))
    _refuse_duplicates(entries)
    _refuse_overlaps(entries, end=directory.start)
    return tuple(entry for entry in entries if not entry.name.endswith("/"))


def data_offset(stream: BinaryIO, entry: ZipEntry) -> int:
    """Return where the entry's compressed bytes begin; raises ``ZipProblem`` if its local header says otherwise."""
    stream.seek(entry.header_offset)
    header = stream.read(_LOCAL.size)
    if len(header) < _LOCAL.size or header[:4] != b"PK\x03\x04":
        raise ZipProblem(f"`{entry.name}` has no local header where the directory says")
    fields = _LOCAL.unpack(header)
    name_length, extra_length = fields[9], fields[10]
    name = stream.read(name_length)
    if decode_name(name, fields[2]) != entry.name:
        raise ZipProblem(f"`{entry.name}` has another name in its local header")
    if fields[3] != entry.method:
        raise ZipProblem(f"`{entry.name}` has another compression method in its local header")
    return entry.header_offset + _LOCAL.size + int(name_length) + int(extra_length)


def least_bytes(entry: ZipEntry) -> int:
    """Return how many bytes the entry takes in the zip at the least: its local header and its compressed content."""
    return _LOCAL.size + len(entry.name) + entry.compressed_bytes


def unsafe_name(name: str) -> str | None:
    """Say what is wrong with a name that would leave its folder or that no file system should see, else ``None``."""
    if not name:
        return "is empty"
    if _UNSAFE.search(name):
        return "is absolute, climbs out of its folder, or has characters that do not belong in a path"
    return None


def reserved_name(name: str) -> bool:
    """Tell whether a part of the path is a device name on Windows (``aux.py``)."""
    return _RESERVED.search(name) is not None


def too_long(name: str) -> bool:
    """Tell whether Linux cannot hold the path, or a part of it, below ``/opt``: 255 and 4095 bytes are the most."""
    if len(name) <= _SURELY_SHORT:
        return False
    parts = [len(part.encode()) for part in name.split("/")]
    return max(parts) > _LONGEST_PART or sum(parts) + len(parts) + len("/opt") > _LONGEST_PATH


def case_collisions(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield pairs of names, or of their folders, that differ only by case or by how Unicode composes a letter."""
    seen: dict[str, str] = {}
    for name in sorted(names):
        parts = name.split("/")
        for depth in range(1, len(parts) + 1):
            prefix = "/".join(parts[:depth])
            folded = prefix if prefix.isascii() else unicodedata.normalize("NFC", prefix)
            other = seen.setdefault(folded.casefold(), prefix)
            if other != prefix:
                yield other, prefix
                break


def files_that_are_folders(names: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield pairs of a file and another file below it, which no file system can hold both."""
    files = frozenset(names)
    for name in sorted(files):
        at = name.find("/")
        while at >= 0:
            if name[:at] in files:
                yield name[:at], name
            at = name.find("/", at + 1)


def _trustworthy(entry: ZipEntry) -> ZipEntry:
    if _UNDECODABLE in entry.name:
        raise ZipProblem(f"the name {entry.name!r} is not UTF-8")
    if why := unsafe_name(entry.name.removesuffix("/")):
        raise ZipProblem(f"the name `{entry.name}` {why}")
    if entry.flags & ENCRYPTED:
        raise ZipProblem(f"`{entry.name}` is encrypted")
    if entry.method not in {STORED, DEFLATED}:
        raise ZipProblem(f"`{entry.name}` is compressed by method {entry.method}, which Lambda cannot unpack")
    if stat.S_IFMT(entry.mode) not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise ZipProblem(f"`{entry.name}` is a link or a special file")
    least = entry.unzipped_bytes if entry.method == STORED else entry.unzipped_bytes // _MAX_DEFLATE_RATIO
    if entry.compressed_bytes < least:
        raise ZipProblem(f"`{entry.name}` cannot hold the {entry.unzipped_bytes} bytes that it claims")
    return entry


def _refuse_duplicates(entries: tuple[ZipEntry, ...]) -> None:
    seen: set[str] = set()
    for entry in entries:
        if entry.name in seen:
            raise ZipProblem(f"`{entry.name}` is there twice")
        seen.add(entry.name)


def _refuse_overlaps(entries: tuple[ZipEntry, ...], *, end: int) -> None:
    ordered = sorted(entries, key=lambda entry: entry.header_offset)
    limits = [*(entry.header_offset for entry in ordered[1:]), end]
    for entry, limit in zip(ordered, limits, strict=False):
        if entry.header_offset + least_bytes(entry) > limit:
            raise ZipProblem(f"`{entry.name}` overlaps what follows it")
