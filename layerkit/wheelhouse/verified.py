"""Bytes on their way into the cache, held to what the lock says about them."""

import hashlib
from dataclasses import dataclass, field
from typing import BinaryIO

from layerkit.model.lock import LockedFile
from layerkit.progress import Task
from layerkit.wheelhouse.fetch_errors import HashMismatch, SizeMismatch


@dataclass(slots=True)
class Counter:
    """Tells how far one file is, never backwards: what is downloaded a second time counts once."""

    task: Task
    told: int = 0

    def reach(self, position: int) -> None:
        """Tell that the file's first ``position`` bytes are there."""
        if position > self.told:
            self.task.advance(position - self.told)
            self.told = position


@dataclass(kw_only=True, slots=True)
class Verified:
    """Bytes on their way into a file, held to the lock's size and sha256."""

    file: LockedFile
    source: str
    target: BinaryIO
    counter: Counter
    position: int = 0
    digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    def add(self, piece: bytes) -> None:
        """Write ``piece``. Raises ``SizeMismatch`` as soon as there are too many bytes."""
        self.note(piece)
        self.target.write(piece)

    def note(self, piece: bytes) -> None:
        """Take account of bytes that are in the file already."""
        self.position += len(piece)
        self.digest.update(piece)
        if self.file.size is not None and self.position > self.file.size:
            raise self._wrong_size(f"more than {self.file.size:,}")
        self.counter.reach(self.position)

    def finish(self) -> None:
        """Raise ``SizeMismatch`` or ``HashMismatch`` unless the bytes are those of the lock."""
        if self.file.size is not None and self.position < self.file.size:
            raise self._wrong_size(f"{self.position:,}")
        got = self.digest.hexdigest()
        if got != self.file.sha256:
            raise HashMismatch(name=self.file.name, expected=self.file.sha256, got=got, source=self.source)

    def _wrong_size(self, got: str) -> SizeMismatch:
        return SizeMismatch(name=self.file.name, expected=self.file.size or 0, got=got, source=self.source)
