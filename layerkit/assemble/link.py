"""Write a layer's zip: headers around compressed bytes that are copied, never deflated here.

While one chunk is written, the one before it is hashed in another thread; memory stays at a few chunks.
"""

import base64
import contextlib
import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import deflate

from layerkit.assemble.layout import LayerFile
from layerkit.cache import DamagedEntry
from layerkit.errors import EnvironmentFailure
from layerkit.files import replacing
from layerkit.formats.zip_writer import directory

_CHUNK: Final = 1024 * 1024
_AHEAD: Final = 8  # chunks that writing may be ahead of hashing


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
    """Write the files, which are sorted and unique, to ``path``; it appears when it is whole.

    Raises ``SourceCutShort`` or ``DamagedEntry``, and removes from the cache what is damaged.
    """
    try:
        return _link(files, path)
    except DamagedEntry as exc:
        exc.discard()
        raise


def _link(files: Sequence[LayerFile], path: Path) -> LinkedZip:
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
            checksum = sink.copy(opened[file.source], file.offset, file.header.compressed_bytes)
            if checksum != file.checksum:
                raise DamagedEntry(paths=[file.source], of=[file.owner])
        sink.add(directory([file.header for file in files], offsets, start=sink.position))
    return LinkedZip(path=path, zipped_bytes=sink.position, sha256=sink.sha256)


class _Sink:
    """Writes bytes, gathering small ones, and hashes what was written in another thread."""

    def __init__(self, write: Callable[[bytes], object], pool: ThreadPoolExecutor) -> None:
        self._write = write
        self._pool = pool
        self._digest = hashlib.sha256()
        self._gathered: list[bytes] = []
        self._gathered_bytes = 0
        self._hashing: deque[Future[None]] = deque()
        self.position = 0

    @classmethod
    @contextlib.contextmanager
    def into(cls, stream: BinaryIO) -> Iterator["_Sink"]:
        """Make a sink; when the block ends well, everything is written and hashed."""
        with ThreadPoolExecutor(1) as pool:
            sink = cls(stream.write, pool)
            yield sink
            sink._flush()
            sink._wait(pending=0)

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def add(self, data: bytes) -> None:
        self.position += len(data)
        self._gathered.append(data)
        self._gathered_bytes += len(data)
        if self._gathered_bytes >= _CHUNK:
            self._flush()

    def copy(self, source: BinaryIO, offset: int, length: int) -> int:
        """Copy ``length`` bytes and return their CRC-32."""
        checksum = 0
        source.seek(offset)
        while length:
            data = source.read(min(length, _CHUNK))
            if not data:
                raise SourceCutShort(path=Path(source.name))
            checksum = deflate.crc32(data, checksum)
            self.add(data)
            length -= len(data)
        return checksum

    def _flush(self) -> None:
        chunk = self._gathered[0] if len(self._gathered) == 1 else b"".join(self._gathered)
        self._gathered.clear()
        self._gathered_bytes = 0
        self._wait(pending=_AHEAD)
        self._hashing.append(self._pool.submit(self._digest.update, chunk))
        self._write(chunk)

    def _wait(self, *, pending: int) -> None:
        while len(self._hashing) > pending:
            self._hashing.popleft().result()
