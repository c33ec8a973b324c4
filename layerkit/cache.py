"""The content-addressed cache: wheels, fragments, built wheels; shared by any number of processes.

An entry is a file named by a key that covers everything it was made from; it appears by atomic rename and never
changes afterwards. A damaged or foreign cache costs time, never a wrong layer: readers verify what they read.
"""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from layerkit.files import replacing, translating


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """What one kind of entry takes: its name, number of files and bytes on disk."""

    bucket: str
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Cache:
    """A folder of entries, by bucket (kind) and key."""

    root: Path

    @classmethod
    def default(cls) -> "Cache":
        """Return the cache in the platform's own place."""
        import platformdirs

        return cls(Path(platformdirs.user_cache_dir("layerkit", appauthor=False)))

    def path(self, bucket: str, key: str) -> Path:
        """Return where the entry is or would be; keys are spread over folders by their first two characters."""
        return self.root / bucket / key[:2] / key

    def find(self, bucket: str, key: str) -> Path | None:
        """Return the entry's path if it is there."""
        path = self.path(bucket, key)
        return path if path.is_file() else None

    @contextlib.contextmanager
    def store(self, bucket: str, key: str) -> Iterator[BinaryIO]:
        """Write an entry; it appears when the block ends well. Raises ``DiskFailure`` where the disk refuses."""
        with replacing(self.path(bucket, key)) as stream:
            yield stream

    def discard(self, bucket: str, key: str) -> None:
        """Forget an entry that turned out to be damaged."""
        with contextlib.suppress(FileNotFoundError), translating(self.path(bucket, key)):
            self.path(bucket, key).unlink(missing_ok=True)

    def usage(self) -> tuple[Usage, ...]:
        """Measure each bucket, by name."""
        if not self.root.is_dir():
            return ()
        return tuple(_measure(folder) for folder in sorted(self.root.iterdir()) if folder.is_dir())

    def clean(self) -> int:
        """Remove every entry and return the bytes freed; only files below the known shape are touched."""
        freed = 0
        for bucket in self.usage():
            for path in sorted((self.root / bucket.bucket).rglob("*"), reverse=True):
                with translating(path):
                    if path.is_dir() and not path.is_symlink():
                        with contextlib.suppress(OSError):
                            path.rmdir()
                    else:
                        freed += path.lstat().st_size
                        path.unlink()
        return freed


def _measure(folder: Path) -> Usage:
    sizes = [(Path(where) / name).lstat().st_size for where, _, names in os.walk(folder) for name in names]
    return Usage(bucket=folder.name, files=len(sizes), bytes=sum(sizes))
