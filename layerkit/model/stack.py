"""A stack: layers as Lambda merges them at ``/opt``, the function's code beside them, the runtime below."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from layerkit.model.contents import Contents, HeldFile


@dataclass(frozen=True, slots=True)
class Held:
    """A file, and the part of the stack that brings it."""

    part: Contents
    file: HeldFile


@dataclass(frozen=True, slots=True)
class Overwritten:
    """A path of an earlier layer that a later one brings, too; ``differs`` tells whether the content is another.

    ``new`` and ``old`` are the two files.
    """

    path: str
    by: Contents
    of: Contents
    differs: bool
    new: HeldFile
    old: HeldFile


@dataclass(frozen=True, slots=True)
class Blocked:
    """A path that is a file in one layer and a folder in another: no file system holds both.

    ``below`` are the files of ``folder_in`` that need the folder, in order.
    """

    path: str
    file_in: Contents
    folder_in: Contents
    below: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Stack:
    """Layers in the order in which Lambda unpacks them: a later one overwrites an earlier one file by file."""

    layers: tuple[Contents, ...]
    function: Contents | None = None

    @property
    def parts(self) -> tuple[Contents, ...]:
        """Everything that counts against the unzipped limit: the layers, then the function's code."""
        return self.layers if self.function is None else (*self.layers, self.function)

    @property
    def unzipped_bytes(self) -> int:
        """What AWS counts: each part unzipped, added up."""
        return sum(part.unzipped_bytes for part in self.parts)

    @property
    def is_whole(self) -> bool:
        """Whether every part could be read, so that what is nowhere is really missing."""
        return all(part.is_read for part in self.parts)

    def merged(self) -> Mapping[str, Held]:
        """Return what lies below ``/opt`` in the end, by path; of what is ``blocked``, both sides."""
        return {file.path: Held(layer, file) for layer in self.layers for file in layer.files}

    def overwritten(self) -> tuple[Overwritten, ...]:
        """Return every path that a later layer overwrites, in the order of the overwriting layers."""
        return tuple(self._overwritten()) if len(self.layers) > 1 else ()

    def blocked(self) -> tuple[Blocked, ...]:
        """Return every path that is a file in one layer and a folder in another, in order."""
        return tuple(self._blocked()) if len(self.layers) > 1 else ()

    def _overwritten(self) -> Iterator[Overwritten]:
        merged: dict[str, Held] = {}
        for layer in self.layers:
            for file in {file.path: file for file in layer.files}.values():
                before = merged.get(file.path)
                if before is not None:
                    yield Overwritten(
                        file.path,
                        by=layer,
                        of=before.part,
                        differs=not _same(before.file, file),
                        new=file,
                        old=before.file,
                    )
                merged[file.path] = Held(layer, file)

    def _blocked(self) -> Iterator[Blocked]:
        merged = self.merged()
        found: dict[tuple[str, int], list[str]] = {}
        folders = {path.rpartition("/")[0] for path in merged}
        above_in = {folder: files for folder in folders if (files := [up for up in _upwards(folder) if up in merged])}
        for path in sorted(merged) if above_in else ():
            for above in above_in.get(path.rpartition("/")[0], ()):
                if merged[path].part is not merged[above].part:
                    found.setdefault((above, id(merged[path].part)), []).append(path)
        for (above, _), below in sorted(found.items(), key=lambda item: item[1]):
            yield Blocked(above, file_in=merged[above].part, folder_in=merged[below[0]].part, below=tuple(below))


def _same(one: HeldFile, other: HeldFile) -> bool:
    return (one.crc32, one.unzipped_bytes, one.is_link) == (other.crc32, other.unzipped_bytes, other.is_link)


def _upwards(folder: str) -> Iterator[str]:
    """Yield a folder and those that it is in."""
    while folder:
        yield folder
        folder = folder.rpartition("/")[0]
