"""The whole output of a build, in a file of the cache that grows while the build runs."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TextIO

from layerkit.cache import Cache
from layerkit.files import translating

_BUCKET: Final = "logs"


@dataclass(frozen=True, kw_only=True, slots=True)
class BuildLog:
    """A log that is being written; called with pieces of output."""

    path: Path
    stream: TextIO = field(repr=False)

    def __call__(self, text: str) -> None:
        """Append a piece."""
        with translating(self.path):
            self.stream.write(text)
            self.stream.flush()

    def text(self) -> str:
        """Return all that was written."""
        return self.path.read_text(encoding="utf-8")


@contextlib.contextmanager
def build_log(cache: Cache, name: str) -> Iterator[BuildLog]:
    """Begin a log anew; it stays, so that it can be read afterwards."""
    path = cache.path(_BUCKET, f"{name}.log")
    with translating(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        stream = path.open("w", encoding="utf-8")
    with stream:
        yield BuildLog(path=path, stream=stream)
