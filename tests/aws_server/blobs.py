"""Contents that the server holds: bytes, with what is worth computing about them once."""

import base64
import hashlib
import io
import zipfile
import zlib
from functools import cached_property
from typing import Final

_COULD_NOT: Final = "Could not unzip uploaded file. Please check your file, then try to upload again."


class BadZipError(Exception):
    """A content that Lambda would not unzip; the text is AWS's."""


class Blob:
    """Bytes that never change, shared by all who refer to them."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def __len__(self) -> int:
        return len(self.content)

    @cached_property
    def sha256(self) -> bytes:
        return hashlib.sha256(self.content).digest()

    @property
    def code_sha256(self) -> str:
        """The hash as Lambda gives it."""
        return base64.b64encode(self.sha256).decode()

    @cached_property
    def etag(self) -> str:
        return f'"{hashlib.md5(self.content, usedforsecurity=False).hexdigest()}"'

    @cached_property
    def crc32(self) -> bytes:
        return zlib.crc32(self.content).to_bytes(4, "big")

    @cached_property
    def _unzipped(self) -> int | BadZipError:
        try:
            with zipfile.ZipFile(io.BytesIO(self.content)) as opened:
                entries = opened.infolist()
        except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError):
            return BadZipError(_COULD_NOT)
        if not entries:
            return BadZipError("Uploaded file must be a non-empty zip")
        if any(entry.flag_bits & 1 for entry in entries):
            return BadZipError(_COULD_NOT)
        return sum(entry.file_size for entry in entries)

    def unzipped_size(self) -> int:
        """Return the size of all files in bytes, or raise ``BadZipError``."""
        match self._unzipped:
            case BadZipError() as wrong:
                raise wrong
            case size:
                return size
