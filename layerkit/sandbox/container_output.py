"""What a program in a container writes, and how long it may take."""

import codecs
import errno
import struct
import time
from collections.abc import Iterator
from typing import Final, Protocol

from layerkit.sandbox.process import Completed
from layerkit.sandbox.runner import Listener

_HEADER: Final = struct.Struct(">BxxxL")
_STDERR: Final = 2
_PIECE: Final = 1 << 16
_LEAST: Final = 0.001  # seconds


class Output:
    """Both streams, kept and handed to a listener piece by piece, characters never torn apart."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._stdout = _Text()
        self._stderr = _Text()

    @property
    def text(self) -> str:
        """Everything that was written, errors last."""
        return self._stdout.text + self._stderr.text

    def take(self, stream: int, piece: bytes) -> None:
        """Take a piece of a stream, 2 being standard error."""
        if text := (self._stderr if stream == _STDERR else self._stdout).take(piece):
            self._listener(text)

    def finish(self) -> None:
        """Take note that no more comes."""
        for stream in (self._stdout, self._stderr):
            if text := stream.take(b"", final=True):
                self._listener(text)

    def completed(self, status: int) -> Completed:
        """Return the whole with the program's status."""
        return Completed(status=status, stdout=self._stdout.text, stderr=self._stderr.text)


class _Text:
    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._pieces: list[str] = []

    @property
    def text(self) -> str:
        return "".join(self._pieces)

    def take(self, piece: bytes, *, final: bool = False) -> str:
        text = self._decoder.decode(piece, final)
        self._pieces.append(text)
        return text


class Deadline:
    """When a program's time is up; never without ``seconds``."""

    def __init__(self, seconds: float | None) -> None:
        self._end = None if seconds is None else time.monotonic() + seconds

    @property
    def rest(self) -> float | None:
        """The seconds that are left, always some, so that what is there already can be read."""
        return None if self._end is None else max(self._end - time.monotonic(), _LEAST)


class Source(Protocol):
    """Where the bytes of both streams come from."""

    def receive(self, size: int, *, patience: float | None) -> bytes:
        """Return some bytes, or none at the end. Raises ``TimeoutError``."""


def frames(source: Source, deadline: Deadline) -> Iterator[tuple[int, bytes]]:
    """Take the two streams apart: yield which one (1 is standard output) and its bytes, until the end.

    The format is that of the engine API's attach call. Raises ``TimeoutError``, and ``ConnectionError`` if it breaks
    off within a frame.
    """
    while header := _exactly(_HEADER.size, source, deadline):
        stream, size = _HEADER.unpack(header)
        while size:
            piece = source.receive(min(size, _PIECE), patience=deadline.rest)
            if not piece:
                raise ConnectionResetError(errno.ECONNRESET, "the connection broke off")
            size -= len(piece)
            yield stream, piece


def _exactly(size: int, source: Source, deadline: Deadline) -> bytes:
    found = b""
    while len(found) < size:
        piece = source.receive(size - len(found), patience=deadline.rest)
        if not piece and found:
            raise ConnectionResetError(errno.ECONNRESET, "the connection broke off")
        if not piece:
            break
        found += piece
    return found
