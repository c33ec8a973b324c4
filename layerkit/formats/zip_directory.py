"""The central directory of a zip file: where it lies, and what its entries say.

One disk, zip64 where needed. What makes the directory itself unreadable is a ``ZipProblem``; whether what it says can
be trusted is for the reader to judge. Source: PKWARE APPNOTE.TXT 6.3.10, sections 4.3 and 4.4.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO, Final

STORED: Final = 0
DEFLATED: Final = 8
ENCRYPTED: Final = 0x1 | 0x40 | 0x2000
UTF8: Final = 0x800

_END: Final = struct.Struct("<4s4H2LH")
_END_SIGNATURE: Final = b"PK\x05\x06"
_END64_LOCATOR: Final = struct.Struct("<4sLQL")
_LOCATOR_SIGNATURE: Final = b"PK\x06\x07"
_END64: Final = struct.Struct("<4sQ2H2L4Q")
_END64_UNCOUNTED: Final = 12  # bytes of the record that its own size field leaves out
_CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
_LONGEST_COMMENT: Final = 0xFFFF
_UNIX: Final = 3
_ZIP64_EXTRA: Final = 1
_MAX32: Final = 0xFFFFFFFF
_MAX16: Final = 0xFFFF


class ZipProblem(ValueError):
    """Not a zip file that can be trusted; the message says why."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ZipEntry:
    """One file of a zip as its central directory tells it; a folder's name ends with ``/``.

    ``mode`` holds Unix mode and file type (0 where the zip has none); sizes and positions are in bytes; ``flags`` are
    the general purpose bits. What is not UTF-8 in a name that claims to be stands as U+FFFD.
    """

    name: str
    method: int
    crc32: int
    compressed_bytes: int
    unzipped_bytes: int
    mode: int
    header_offset: int
    flags: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Directory:
    """Where a central directory lies, in bytes, and its number of entries.

    ``shift`` is the length of whatever stands before the zip's own first byte; ``has_trailing`` tells of bytes behind
    its end.
    """

    start: int
    length: int
    count: int
    shift: int
    has_trailing: bool


def list_entries(stream: BinaryIO) -> tuple[ZipEntry, ...]:
    """Return everything that a seekable zip lists, folders too, in the order of its directory, believing nothing.

    Bytes before the zip and behind it are passed over, as unpackers do. Raises ``ZipProblem``.
    """
    directory = find_directory(stream)
    stream.seek(directory.start)
    entries = parse_directory(stream.read(directory.length), directory.count)
    if not directory.shift:
        return tuple(entries)
    return tuple(replace(entry, header_offset=entry.header_offset + directory.shift) for entry in entries)


def decode_name(raw: bytes, flags: int) -> str:
    """Return a name as text: UTF-8 where the flags say so, else code page 437."""
    return raw.decode("utf-8" if flags & UTF8 else "cp437", errors="replace")


def find_directory(stream: BinaryIO) -> Directory:
    """Find the central directory. Raises ``ZipProblem``."""
    size = stream.seek(0, 2)
    tail_start = max(0, size - _END.size - _LONGEST_COMMENT)
    stream.seek(tail_start)
    tail = stream.read()
    at = tail.rfind(_END_SIGNATURE)
    if at < 0 or len(tail) - at < _END.size:
        raise ZipProblem("not a zip file, or cut short: no end of central directory")
    _, disk, start_disk, _, count, length, start, comment = _END.unpack_from(tail, at)
    end = tail_start + at
    trailing = size - end - _END.size - comment
    if trailing < 0:
        raise ZipProblem("cut short, or with bytes behind its end")
    if _MAX16 in (disk, count) or _MAX32 in (length, start):
        just_so_many = count == _MAX16 and not disk and _MAX32 not in (length, start)
        if not just_so_many or _has_locator(stream, end):
            start, length, count, end = _find_directory64(stream, end)
    elif disk or start_disk:
        raise ZipProblem("split over several disks")
    shift = end - length - start
    if shift < 0:
        raise ZipProblem("its central directory is not where the end record says")
    return Directory(start=start + shift, length=length, count=count, shift=shift, has_trailing=trailing > 0)


def _has_locator(stream: BinaryIO, end: int) -> bool:
    stream.seek(max(0, end - _END64_LOCATOR.size))
    return stream.read(_END64_LOCATOR.size).startswith(_LOCATOR_SIGNATURE)


def _find_directory64(stream: BinaryIO, end: int) -> tuple[int, int, int, int]:
    locator_start = max(0, end - _END64_LOCATOR.size)
    stream.seek(locator_start)
    locator = stream.read(_END64_LOCATOR.size)
    if len(locator) < _END64_LOCATOR.size or not locator.startswith(_LOCATOR_SIGNATURE):
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


def parse_directory(data: bytes, count: int) -> Iterator[ZipEntry]:
    """Yield what the bytes of a central directory list. Raises ``ZipProblem``."""
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
    unzipped, compressed, offset = _sizes(fields, extra)
    return ZipEntry(
        name=decode_name(raw_name, fields[3]),
        method=fields[4],
        crc32=fields[7],
        compressed_bytes=compressed,
        unzipped_bytes=unzipped,
        mode=(fields[15] >> 16) & _MAX16 if fields[1] >> 8 == _UNIX else 0,
        header_offset=offset,
        flags=fields[3],
    )


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
