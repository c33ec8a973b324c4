"""The content of a zip that nobody vouches for: inflated within bounds, checked, from any thread."""

import threading
from typing import BinaryIO, Final

import deflate

from layerkit.facts import limits
from layerkit.formats.zip import DEFLATED, STORED, ZipEntry, ZipProblem, data_offset
from layerkit.formats.zip_directory import ENCRYPTED
from layerkit.gate import Gate

_IN_FLIGHT: Final = 64 * 1024 * 1024  # bytes of inflated files in memory at once; one larger file goes alone


class ZipContent:
    """Gives the content of entries; safe to share between threads."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._reading = threading.Lock()
        self.gate = Gate(_IN_FLIGHT)

    def read(self, entry: ZipEntry) -> bytes:
        """Return the content of an entry. Raises ``ZipProblem`` where it is not what the directory says."""
        if entry.flags & ENCRYPTED:
            raise ZipProblem("is encrypted, and Lambda cannot unpack it")
        if entry.method not in {STORED, DEFLATED}:
            raise ZipProblem(f"is compressed by method {entry.method}, which Lambda cannot unpack")
        if entry.unzipped_bytes >= limits().unzipped_bytes:
            raise ZipProblem(f"claims {entry.unzipped_bytes:,} bytes, more than any layer holds; it was not unpacked")
        content = self._inflate(entry)
        if len(content) != entry.unzipped_bytes or deflate.crc32(content) != entry.crc32:
            raise ZipProblem("does not have the content that the zip's directory promises")
        return content

    def _inflate(self, entry: ZipEntry) -> bytes:
        with self._reading:
            self._stream.seek(data_offset(self._stream, entry))
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
