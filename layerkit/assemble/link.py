"""Write a layer's zip: headers around compressed bytes that are copied, never deflated here.

While one chunk is written, the one before it is hashed in another thread; memory stays at a few chunks.
"""

import base64
import contextlib
import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from layerkit.assemble.layout import LayerFile
from layerkit.errors import EnvironmentFailure
from layerkit.files import replacing
from layerkit.formats.zip_writer import directory

_CHUNK: Final = 1024 * 1024


class SourceCutShort(EnvironmentFailure):
    """A file that compressed bytes are copied from became shorter under our hands."""

    def __init__(self, *, path: Path) -> None:
        super().__init__(
            f"`{path}` became shorter while it was read",
            hint="run the command again; if that does not help, remove the cache with `layerkit cache clean`",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkedZip:
    """A zip that was written: its size in bytes and its sha256 in hex."""

    path: Path
    zipped_bytes: int
    sha256: str

    @property
    def code_sha256(self) -> str:
        """The hash as Lambda's API gives it: base64."""
        return base64.b64encode(bytes.fromhex(self.sha256)).decode()


def link(files: Sequence[LayerFile], path: Path) -> LinkedZip:
    """Write the files, which are sorted and unique, to ``path``; it appears when it is whole."""
    with replacing(path) as stream, _Sink.into(stream) as sink, contextlib.ExitStack() as sources:
        opened: dict[Path, BinaryIO] = {}
        offsets = []
        for file in files:
            offsets.append(sink.position)
            sink.add(file.header.local())
            if file.source is None:
                sink.add(file.data)
                continue
            if file.source not in opened:
                opened[file.source] = sources.enter_context(file.source.open("rb", buffering=0))
            sink.copy(opened[file.source], file.offset, file.header.compressed_bytes)
        sink.add(directory([file.header for file in files], offsets, start=sink.position))
    return LinkedZip(path=path, zipped_bytes=sink.position, sha256=sink.sha256)


class _Sink:
    """Gathers bytes into chunks, writes them, and hashes them beside the writing."""

    def __init__(self, write: Callable[[bytes], object], pool: ThreadPoolExecutor) -> None:
        self._write = write
        self._pool = pool
        self._digest = hashlib.sha256()
        self._buffer = bytearray()
        self._hashing: Future[None] | None = None
        self.position = 0

    @classmethod
    @contextlib.contextmanager
    def into(cls, stream: BinaryIO) -> Iterator["_Sink"]:
        """Make a sink; when the block ends well, everything is written and hashed."""
        with ThreadPoolExecutor(1) as pool:
            sink = cls(stream.write, pool)
            yield sink
            sink._flush()
            sink._wait()

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def add(self, data: bytes) -> None:
        self._buffer += data
        self.position += len(data)
        if len(self._buffer) >= _CHUNK:
            self._flush()

    def copy(self, source: BinaryIO, offset: int, length: int) -> None:
        source.seek(offset)
        while length:
            data = source.read(min(length, _CHUNK))
            if not data:
                raise SourceCutShort(path=Path(source.name))
            self.add(data)
            length -= len(data)

    def _flush(self) -> None:
        chunk = bytes(self._buffer)
        self._buffer.clear()
        self._wait()
        self._hashing = self._pool.submit(self._digest.update, chunk)
        self._write(chunk)

    def _wait(self) -> None:
        if self._hashing is not None:
            self._hashing.result()
