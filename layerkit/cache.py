"""The content-addressed cache: wheels, fragments, built wheels; shared by any number of processes.

An entry is a file named by a key that covers everything it was made from; it appears by atomic rename and never
changes afterwards. A damaged or foreign cache costs time, never a wrong layer: readers verify what they read.
"""

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from layerkit.errors import EnvironmentFailure
from layerkit.files import replacing, translating

_SPREAD: Final = 2


class DamagedEntry(EnvironmentFailure):
    """Entries of the cache that are no longer what was put there; they are removed from it."""

    def __init__(self, *, paths: Sequence[Path], of: Sequence[str]) -> None:
        super().__init__(
            f"the cache is damaged where it keeps {', '.join(f'`{name}`' for name in of)}",
            details=[f"`{path}`" for path in paths],
            hint="run the command again: what is damaged was removed and will be fetched or made anew",
        )
        self.paths = tuple(paths)

    def discard(self) -> None:
        """Remove the damaged files where they lie as entries of a cache do: nobody's own files are touched."""
        for path in self.paths:
            if path.parent.name == path.name[:_SPREAD]:
                with contextlib.suppress(OSError):
                    path.unlink()


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """What one kind of entry takes: its name, number of files and bytes on disk."""

    bucket: str
    files: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Cache:
    """A folder of entries, by bucket (kind) and key; ``root`` is absolute, for programs that run elsewhere."""

    root: Path

    def __post_init__(self) -> None:
        """Make ``root`` absolute."""
        object.__setattr__(self, "root", self.root.absolute())

    @classmethod
    def default(cls) -> "Cache":
        """Return the cache in the platform's own place."""
        import platformdirs

        return cls(Path(platformdirs.user_cache_dir("layerkit", appauthor=False)))

    def path(self, bucket: str, key: str) -> Path:
        """Return where the entry is or would be; keys are spread over folders by their first two characters."""
        return self.root / bucket / key[:_SPREAD] / key

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
        """Measure each bucket that has entries, by name. Raises ``DiskFailure`` where the disk refuses."""
        measured = (_measure(bucket) for bucket in self._buckets())
        return tuple(usage for usage in measured if usage.files)

    def clean(self) -> int:
        """Remove every entry and return the bytes freed.

        Whatever is not where entries lie stays: the folder may hold other things than this cache.
        """
        freed = 0
        for bucket in self._buckets():
            for path in list(_entries(bucket)):
                with translating(path):
                    freed += _size(path)
                    path.unlink(missing_ok=True)
            for folder in (*bucket.iterdir(), bucket):
                with contextlib.suppress(OSError):  # not empty, or no folder: not ours
                    folder.rmdir()
        return freed

    def _buckets(self) -> list[Path]:
        if not self.root.is_dir():
            return []
        with translating(self.root):
            return sorted(folder for folder in self.root.iterdir() if _is_folder(folder))


def _measure(bucket: Path) -> Usage:
    sizes = [_size(path) for path in _entries(bucket)]
    return Usage(bucket=bucket.name, files=len(sizes), bytes=sum(sizes))


def _entries(bucket: Path) -> Iterator[Path]:
    """Yield the files named like entries, or like temporary neighbours of entries, in the folders that spread them."""
    with translating(bucket):
        for folder in sorted(bucket.iterdir()):
            if len(folder.name) == _SPREAD and _is_folder(folder):
                for path in sorted(folder.iterdir()):
                    if path.name.removeprefix(".").startswith(folder.name) and not _is_folder(path):
                        yield path


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except FileNotFoundError:  # another process was faster
        return 0
