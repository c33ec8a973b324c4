"""The content of a zip that nobody vouches for: inflated within bounds, checked, from any thread."""

import threading
from typing import BinaryIO, Final

import deflate

from layerkit.facts import limits
from layerkit.formats.zip import DEFLATED, STORED, ZipEntry, ZipProblem, data_offset
from layerkit.formats.zip_directory import ENCRYPTED
from layerkit.gate import Gate

_IN_FLIGHT: Final = 64 * 1024 * 1024  # bytes of inflated files in memory at once; one larger file goes alone
_BROKEN_PROMISE: Final = "does not have the content that the zip's directory promises"


class ZipContent:
    """Gives the content of entries; safe to share between threads."""

    def __init__(self, stream: BinaryIO, overlapping: frozenset[str] = frozenset()) -> None:
        self._stream = stream
        self._overlapping = overlapping
        self._reading = threading.Lock()
        self.gate = Gate(_IN_FLIGHT)

    def read(self, entry: ZipEntry) -> bytes:
        """Return the content of an entry. Raises ``ZipProblem`` where it is not what the directory says."""
        if entry.flags & ENCRYPTED:
            raise ZipProblem("is encrypted, and Lambda cannot unpack it")
        if entry.method not in {STORED, DEFLATED}:
            raise ZipProblem(f"is compressed by method {entry.method}, which Lambda cannot unpack")
        claimed = max(entry.unzipped_bytes, entry.compressed_bytes)
        if claimed >= limits().unzipped_bytes:
            raise ZipProblem(f"claims {claimed:,} bytes, more than any layer holds; it was not unpacked")
        if entry.name in self._overlapping:
            raise ZipProblem("overlaps what follows it in the zip; it was not unpacked")
        if entry.method == STORED and entry.compressed_bytes != entry.unzipped_bytes:
            raise ZipProblem(_BROKEN_PROMISE)
        content = self._inflate(entry)
        if len(content) != entry.unzipped_bytes or deflate.crc32(content) != entry.crc32:
            raise ZipProblem(_BROKEN_PROMISE)
        return content

    def _inflate(self, entry: ZipEntry) -> bytes:
        with self._reading:
            try:
                start = data_offset(self._stream, entry)
            except ZipProblem as exc:  # which names the entry
                raise ZipProblem("is not where, or not what, the zip's directory says") from exc
            self._stream.seek(start)
            compressed = self._stream.read(entry.compressed_bytes)
        if len(compressed) < entry.compressed_bytes:
            raise ZipProblem("is cut short")
        if entry.method == STORED:
            return compressed
        if not entry.unzipped_bytes:
            return b""
        try:
            return bytes(deflate.deflate_decompress(compressed, entry.unzipped_bytes))
        except deflate.DeflateError as exc:
            raise ZipProblem("cannot be unpacked") from exc
