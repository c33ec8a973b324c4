"""What is in a layer's zip or folder: names, sizes, and the first bytes of a file; nothing is unpacked."""

import contextlib
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from layerkit.formats.zip import STORED, ZipEntry, ZipProblem, data_offset, unsafe_name
from layerkit.formats.zip_directory import list_entries
from layerkit.invoke.unreadable import LayerUnreadable

_HEAD: Final = 64  # bytes
_COMPRESSED_HEAD: Final = 1024  # bytes, with room for the tables that DEFLATE begins with
_MOST_FILES: Final = 250_000  # more than any layer has; whoever names `/` shall not wait for it


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """The files of a layer with their sizes in bytes, by their paths below ``/opt``; ``total`` is their sum."""

    path: Path
    sizes: Mapping[str, int]
    total: int
    entries: Mapping[str, ZipEntry] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, path: Path) -> "Listing":
        """List a zip or a folder. Raises ``LayerUnreadable``."""
        if path.is_dir():
            sizes = {name: status.st_size for name, status in files_in(path)}
            return cls(path=path, sizes=sizes, total=sum(sizes.values()))
        entries = entries_of(path)
        files = {entry.name: entry for entry in entries if not entry.name.endswith("/")}
        return cls(
            path=path,
            sizes={name: entry.unzipped_bytes for name, entry in files.items()},
            total=sum(entry.unzipped_bytes for entry in entries),
            entries=files,
        )

    def heads(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """Yield the first bytes of files; nothing of those that cannot be read."""
        return self._zip_heads(names) if self.entries else self._folder_heads(names)

    def _zip_heads(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        with self.path.open("rb") as stream:
            for name in names:
                entry = self.entries[name]
                with contextlib.suppress(ZipProblem, zlib.error):
                    stream.seek(data_offset(stream, entry))
                    raw = stream.read(min(_COMPRESSED_HEAD, entry.compressed_bytes))
                    yield name, raw[:_HEAD] if entry.method == STORED else _inflated(raw)

    def _folder_heads(self, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        for path in (self.path / name for name in names):
            with contextlib.suppress(OSError):
                if not path.is_symlink():
                    with path.open("rb") as stream:
                        yield path.relative_to(self.path).as_posix(), stream.read(_HEAD)


def _inflated(raw: bytes) -> bytes:
    return zlib.decompressobj(-15).decompress(raw, _HEAD)


def entries_of(path: Path) -> tuple[ZipEntry, ...]:
    """Return what a zip lists, if all of it can be unpacked below one folder. Raises ``LayerUnreadable``."""
    try:
        with path.open("rb") as stream:
            entries = tuple(list_entries(stream))
    except ZipProblem as exc:
        raise LayerUnreadable(path=path, reason=str(exc)) from exc
    except OSError as exc:
        raise LayerUnreadable.because(exc, path=path) from exc
    for entry in entries:
        if why := unsafe_name(entry.name.removesuffix("/")):
            raise LayerUnreadable(path=path, reason=f"the name `{entry.name}` {why}")
    return entries


def files_in(folder: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Yield the files and links in a folder, by their paths below it, following no link. Raises ``LayerUnreadable``."""
    waiting, count = [""], 0
    while waiting:
        below = waiting.pop()
        try:
            found = sorted(os.scandir(folder / below), key=lambda each: each.name)
        except OSError as exc:
            raise LayerUnreadable.because(exc, path=folder / below) from exc
        for each in found:
            if each.is_dir(follow_symlinks=False):
                waiting.append(f"{below}{each.name}/")
            elif each.is_symlink() or each.is_file():
                count += 1
                yield below + each.name, each.stat(follow_symlinks=False)
        if count > _MOST_FILES:
            raise LayerUnreadable(path=folder, reason=f"it holds over {_MOST_FILES:,} files")
