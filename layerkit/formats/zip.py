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
from dataclasses import dataclass
from typing import BinaryIO, Final

STORED: Final = 0
DEFLATED: Final = 8

_END: Final = struct.Struct("<4s4H2LH")
_END_SIGNATURE: Final = b"PK\x05\x06"
_END64_LOCATOR: Final = struct.Struct("<4sLQL")
_END64: Final = struct.Struct("<4sQ2H2L4Q")
_END64_UNCOUNTED: Final = 12  # bytes of the record that its own size field leaves out
_CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
_LOCAL: Final = struct.Struct("<4s5H3L2H")
_LONGEST_COMMENT: Final = 0xFFFF
_ENCRYPTED: Final = 0x1 | 0x40 | 0x2000
_UTF8: Final = 0x800
_UNIX: Final = 3
_ZIP64_EXTRA: Final = 1
_MAX32: Final = 0xFFFFFFFF
_MAX16: Final = 0xFFFF
_LONGEST_PART: Final = 255
_LONGEST_PATH: Final = 4095
_MAX_DEFLATE_RATIO: Final = 1032  # RFC 1951 cannot do better: 258 bytes from 2 bits
_UNSAFE: Final = re.compile(r"^/|^[A-Za-z]:|\\|(^|/)\.{0,2}(/|$)|[\x00-\x1f\x7f]")
_RESERVED: Final = re.compile(r"(^|/)(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.[^/]*)?(/|$)", re.IGNORECASE)


class ZipProblem(ValueError):
    """Not a zip file that can be trusted; the message says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ZipEntry:
    """One file of a zip as its central directory tells it.

    ``mode`` holds Unix permission bits (0 where the zip has none); sizes and positions are in bytes.
    """

    name: str
    method: int
    crc32: int
    compressed_bytes: int
    unzipped_bytes: int
    mode: int
    header_offset: int


def read_entries(stream: BinaryIO) -> tuple[ZipEntry, ...]:
    """Return the files of a seekable zip in the order of its central directory; directories are left out.

    Raises ``ZipProblem`` for anything but a plain, honest zip: truncated, encrypted, split, links, duplicate or
    unsafe names, overlapping or impossible sizes.
    """
    size = stream.seek(0, 2)
    start, length, count = _find_directory(stream, size)
    stream.seek(start)
    entries = tuple(_parse_directory(stream.read(length), count))
    _refuse_duplicates(entries)
    _refuse_overlaps(entries, end=start)
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
    if name.decode("utf-8" if fields[2] & _UTF8 else "cp437", errors="replace") != entry.name:
        raise ZipProblem(f"`{entry.name}` has another name in its local header")
    if fields[3] != entry.method:
        raise ZipProblem(f"`{entry.name}` has another compression method in its local header")
    return entry.header_offset + _LOCAL.size + int(name_length) + int(extra_length)


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


def _find_directory(stream: BinaryIO, size: int) -> tuple[int, int, int]:
    tail_start = max(0, size - _END.size - _LONGEST_COMMENT)
    stream.seek(tail_start)
    tail = stream.read()
    at = tail.rfind(_END_SIGNATURE)
    if at < 0 or len(tail) - at < _END.size:
        raise ZipProblem("not a zip file, or cut short: no end of central directory")
    _, disk, start_disk, _, count, length, start, comment = _END.unpack_from(tail, at)
    end = tail_start + at
    if size - end != _END.size + comment:
        raise ZipProblem("cut short, or with bytes behind its end")
    if _MAX16 in (disk, count) or _MAX32 in (length, start):
        start, length, count, end = _find_directory64(stream, end)
    elif disk or start_disk:
        raise ZipProblem("split over several disks")
    if start + length != end:
        raise ZipProblem("its central directory is not where the end record says")
    return start, length, count


def _find_directory64(stream: BinaryIO, end: int) -> tuple[int, int, int, int]:
    locator_start = max(0, end - _END64_LOCATOR.size)
    stream.seek(locator_start)
    locator = stream.read(_END64_LOCATOR.size)
    if len(locator) < _END64_LOCATOR.size or locator[:4] != b"PK\x06\x07":
        raise ZipProblem("its zip64 locator is missing")
    position = _END64_LOCATOR.unpack(locator)[2]
    if position + _END64.size > locator_start:
        raise ZipProblem("its zip64 end record is not where its locator says")
    stream.seek(position)
    record = stream.read(_END64.size)
    if len(record) < _END64.size or record[:4] != b"PK\x06\x06":
        raise ZipProblem("its zip64 end record is missing")
    fields = _END64.unpack(record)
    if position + _END64_UNCOUNTED + fields[1] != locator_start:
        raise ZipProblem("its zip64 end record has another size than it says")
    if fields[4] or fields[5]:
        raise ZipProblem("split over several disks")
    return fields[9], fields[8], fields[7], position


def _parse_directory(data: bytes, count: int) -> Iterator[ZipEntry]:
    position = 0
    for _ in range(count):
        if len(data) - position < _CENTRAL.size or data[position : position + 4] != b"PK\x01\x02":
            raise ZipProblem("its central directory is damaged")
        fields = _CENTRAL.unpack_from(data, position)
        name_end = position + _CENTRAL.size + fields[10]
        extra_end = name_end + fields[11]
        position_next = extra_end + fields[12]
        if position_next > len(data):
            raise ZipProblem("its central directory is damaged")
        yield _entry(fields, data[position + _CENTRAL.size : name_end], data[name_end:extra_end])
        position = position_next
    if position != len(data):
        raise ZipProblem("its central directory has more entries than its end record says")


def _entry(fields: tuple[int, ...], raw_name: bytes, extra: bytes) -> ZipEntry:
    try:
        name = raw_name.decode("utf-8" if fields[3] & _UTF8 else "cp437")
    except UnicodeDecodeError as exc:
        raise ZipProblem(f"the name {raw_name!r} is not UTF-8") from exc
    unzipped, compressed, offset = _sizes(fields, extra)
    entry = ZipEntry(
        name=name,
        method=fields[4],
        crc32=fields[7],
        compressed_bytes=compressed,
        unzipped_bytes=unzipped,
        mode=(fields[15] >> 16) & _MAX16 if fields[1] >> 8 == _UNIX else 0,
        header_offset=offset,
    )
    _refuse_untrustworthy(entry, flags=fields[3])
    return entry


def _sizes(fields: tuple[int, ...], extra: bytes) -> tuple[int, int, int]:
    sizes = [fields[9], fields[8], fields[16]]
    if _MAX32 not in sizes:
        return sizes[0], sizes[1], sizes[2]
    wide = iter(_zip64_values(extra))
    try:
        unzipped, compressed, offset = (next(wide) if size == _MAX32 else size for size in sizes)
    except (StopIteration, RuntimeError) as exc:
        raise ZipProblem("an entry lacks its zip64 sizes") from exc
    return unzipped, compressed, offset


def _zip64_values(extra: bytes) -> tuple[int, ...]:
    position = 0
    while position + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, position)
        if kind == _ZIP64_EXTRA:
            payload = extra[position + 4 : position + 4 + length]
            return struct.unpack_from(f"<{len(payload) // 8}Q", payload)
        position += 4 + length
    return ()


def _refuse_untrustworthy(entry: ZipEntry, *, flags: int) -> None:
    if why := unsafe_name(entry.name.removesuffix("/")):
        raise ZipProblem(f"the name `{entry.name}` {why}")
    if flags & _ENCRYPTED:
        raise ZipProblem(f"`{entry.name}` is encrypted")
    if entry.method not in {STORED, DEFLATED}:
        raise ZipProblem(f"`{entry.name}` is compressed by method {entry.method}, which Lambda cannot unpack")
    if stat.S_IFMT(entry.mode) not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise ZipProblem(f"`{entry.name}` is a link or a special file")
    least = entry.unzipped_bytes if entry.method == STORED else entry.unzipped_bytes // _MAX_DEFLATE_RATIO
    if entry.compressed_bytes < least:
        raise ZipProblem(f"`{entry.name}` cannot hold the {entry.unzipped_bytes} bytes that it claims")


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
        least = _LOCAL.size + len(entry.name) + entry.compressed_bytes
        if entry.header_offset + least > limit:
            raise ZipProblem(f"`{entry.name}` overlaps what follows it")
