"""The content-addressed cache: wheels, fragments, built wheels; shared by any number of processes.

An entry is a file, or a folder, named by a key that covers everything it was made from; it appears by atomic rename and
never changes afterwards. A damaged or foreign cache costs time, never a wrong layer: readers verify what they read.
"""

import contextlib
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from layerkit.errors import EnvironmentFailure
from layerkit.files import replacing, translating

_SPREAD: Final = 2
_FOLDER: Final = re.compile(r"\.?[0-9a-f]{64}(\.[0-9a-f-]+\.tmp)?$")  # anybody's folder must not be taken for an entry


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

    def find_folder(self, bucket: str, key: str) -> Path | None:
        """Return the path of an entry that is a folder if it is there."""
        path = self.path(bucket, key)
        return path if _is_folder(path) else None

    @contextlib.contextmanager
    def store_folder(self, bucket: str, key: str) -> Iterator[Path]:
        """Fill a folder; it becomes the entry when the block ends well, unless another process was faster.

        The key is a SHA-256 in hexadecimal digits: what is not named so is never removed with all it holds.
        Raises ``DiskFailure`` where the disk refuses.
        """
        path = self.path(bucket, key)
        temporary = path.parent / f".{key}.{os.getpid()}-{os.urandom(4).hex()}.tmp"
        try:
            with translating(path):
                temporary.mkdir(parents=True)
                yield temporary
                try:
                    temporary.rename(path)
                except OSError:
                    if not _is_folder(path):
                        raise
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

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
                    _remove(path)
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
    files = [file for path in _entries(bucket) for file in _files_of(path)]
    return Usage(bucket=bucket.name, files=len(files), bytes=sum(map(_size_of_file, files)))


def _entries(bucket: Path) -> Iterator[Path]:
    """Yield what is named like entries, or like temporary neighbours of entries, in the folders that spread them."""
    with translating(bucket):
        for folder in sorted(bucket.iterdir()):
            if len(folder.name) == _SPREAD and _is_folder(folder):
                for path in sorted(folder.iterdir()):
                    named = path.name.removeprefix(".").startswith(folder.name)
                    if named and (not _is_folder(path) or _FOLDER.match(path.name)):
                        yield path


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _remove(path: Path) -> None:
    if _is_folder(path):
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _files_of(path: Path) -> Iterator[Path]:
    if _is_folder(path):
        yield from (file for file in path.rglob("*") if not _is_folder(file))
    else:
        yield path


def _size(path: Path) -> int:
    return sum(map(_size_of_file, _files_of(path)))


def _size_of_file(path: Path) -> int:
    try:
        return path.lstat().st_size
    except FileNotFoundError:  # another process was faster
        return 0
