"""The bytes around the files of a layer zip: headers and directory, the same for the same entries everywhere.

Names sorted by the caller, 1980-01-01, 0644 or 0755, no data descriptors, no extra fields, zip64 only where a number
does not fit otherwise. Source: PKWARE APPNOTE.TXT 6.3.10, sections 4.3 and 4.4.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

_LOCAL: Final = struct.Struct("<4s5H3L2H")
_CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
_END: Final = struct.Struct("<4s4H2LH")
_END64: Final = struct.Struct("<4sQ2H2L4Q")
_END64_LOCATOR: Final = struct.Struct("<4sLQL")
_VERSION: Final = 20
_VERSION64: Final = 45
_MADE_BY_UNIX: Final = 3 << 8
_UTF8: Final = 0x800
_TIME: Final = 0
_DATE_1980: Final = (0 << 9) | (1 << 5) | 1
_MAX16: Final = 0xFFFF
_MAX32: Final = 0xFFFFFFFF
_REGULAR: Final = 0o100000


@dataclass(frozen=True, kw_only=True, slots=True)
class ZipHeader:
    """What the headers of one entry tell; sizes in bytes, each below 4 GiB (a layer holds at most 250 MiB)."""

    name: str
    executable: bool
    method: int
    crc32: int
    compressed_bytes: int
    unzipped_bytes: int

    @property
    def mode(self) -> int:
        """Permission bits: 0755 or 0644, as Lambda wants them."""
        return 0o755 if self.executable else 0o644

    def local(self) -> bytes:
        """Return the bytes that come before the entry's data."""
        name, flags = _encoded(self.name)
        sizes = (self.crc32, self.compressed_bytes, self.unzipped_bytes)
        return _LOCAL.pack(b"PK\x03\x04", _VERSION, flags, self.method, _TIME, _DATE_1980, *sizes, len(name), 0) + name

    def central(self, offset: int) -> bytes:
        """Return the entry's record in the central directory; ``offset`` is where ``local()`` was written."""
        name, flags = _encoded(self.name)
        extra = b"" if offset < _MAX32 else struct.pack("<2HQ", 1, 8, offset)
        version = _VERSION if offset < _MAX32 else _VERSION64
        record = _CENTRAL.pack(
            *(b"PK\x01\x02", _MADE_BY_UNIX | version, version, flags, self.method, _TIME, _DATE_1980),
            *(self.crc32, self.compressed_bytes, self.unzipped_bytes),
            *(len(name), len(extra), 0, 0, 0),
            *((_REGULAR | self.mode) << 16, min(offset, _MAX32)),
        )
        return record + name + extra


def directory(headers: Sequence[ZipHeader], offsets: Sequence[int], *, start: int) -> bytes:
    """Return all that follows the last entry: the central directory, which begins at ``start``, and its end records."""
    records = b"".join(header.central(offset) for header, offset in zip(headers, offsets, strict=True))
    count, length = len(headers), len(records)
    wide = count >= _MAX16 or start >= _MAX32 or length >= _MAX32
    end = _END.pack(
        b"PK\x05\x06", 0, 0, min(count, _MAX16), min(count, _MAX16), min(length, _MAX32), min(start, _MAX32), 0
    )
    return records + (_end64(count, length, start) if wide else b"") + end


def zip_size(headers: Sequence[ZipHeader]) -> int:
    """Return the bytes that a zip of these entries takes."""
    offsets = []
    position = 0
    for header in headers:
        offsets.append(position)
        position += len(header.local()) + header.compressed_bytes
    return position + len(directory(headers, offsets, start=position))


def _end64(count: int, length: int, start: int) -> bytes:
    size = _END64.size - 12  # of what follows the size field itself
    versions = (_MADE_BY_UNIX | _VERSION64, _VERSION64)
    record = _END64.pack(b"PK\x06\x06", size, *versions, 0, 0, count, count, length, start)
    return record + _END64_LOCATOR.pack(b"PK\x06\x07", 0, start + length, 1)


def _encoded(name: str) -> tuple[bytes, int]:
    return name.encode(), 0 if name.isascii() else _UTF8
