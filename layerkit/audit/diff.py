"""What changed between two layers: distributions, files and bytes that came, went or grew, and the room left."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from layerkit.audit.measure import NO_DISTRIBUTION, Share, by_distribution, by_kind
from layerkit.facts import limits
from layerkit.model.contents import Contents, HeldFile

# What may differ between the paths of one file in two layers: the folder of a Python version, and versions in names.
_HOME: Final = re.compile(r"^python/(?:lib/python\d+\.\d+/site-packages/)?")
_METADATA: Final = re.compile(r"(?<![^/])([^/-]+)-[^/]+\.dist-info(?=/)")
_ABI: Final = re.compile(r"\.cpython-\d+[a-z]*(?=[-.])")


class Change(StrEnum):
    """What became of a distribution or a file; ``moved`` is the same content in another place."""

    ADDED = "added"
    REMOVED = "removed"
    VERSION = "version"
    CONTENT = "content"
    MOVED = "moved"


@dataclass(frozen=True, kw_only=True, slots=True)
class Amount:
    """What a distribution or a kind of file takes on one side; sizes in bytes."""

    version: str | None
    files: int
    unzipped_bytes: int

    def to_json(self) -> dict[str, Any]:
        """Return the JSON shape."""
        return {"version": self.version, "files": self.files, "unzipped_bytes": self.unzipped_bytes}


@dataclass(frozen=True, kw_only=True, slots=True)
class DistributionChange:
    """A distribution that is not on both sides as it was; ``old`` or ``new`` is ``None`` where it is not there."""

    name: str
    change: Change
    old: Amount | None
    new: Amount | None

    @property
    def grown_bytes(self) -> int:
        """By how much it grew."""
        return _bytes(self.new) - _bytes(self.old)

    def to_json(self) -> dict[str, Any]:
        """Return the JSON shape."""
        return {
            "name": self.name,
            "change": str(self.change),
            "old": self.old.to_json() if self.old else None,
            "new": self.new.to_json() if self.new else None,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class FileChange:
    """A file that came, went, changed or moved; at least one of ``old`` and ``new`` is there."""

    change: Change
    old: HeldFile | None
    new: HeldFile | None

    @property
    def held(self) -> HeldFile:
        """The file as it is now, or as it was where it is gone."""
        there = self.new or self.old
        assert there is not None  # noqa: S101
        return there

    @property
    def path(self) -> str:
        """Where it is, or was."""
        return self.held.path

    @property
    def grown_bytes(self) -> int:
        """By how much it grew."""
        return (self.new.unzipped_bytes if self.new else 0) - (self.old.unzipped_bytes if self.old else 0)

    def to_json(self) -> dict[str, Any]:
        """Return the JSON shape; ``old_path`` only where it was elsewhere."""
        shape: dict[str, Any] = {
            "path": self.path,
            "change": str(self.change),
            "distribution": self.held.owner,
            "old_bytes": self.old.unzipped_bytes if self.old else None,
            "new_bytes": self.new.unzipped_bytes if self.new else None,
        }
        return shape if self.old is None or self.old.path == self.path else {**shape, "old_path": self.old.path}


@dataclass(frozen=True, kw_only=True, slots=True)
class KindChange:
    """What one kind of file takes on both sides, in bytes."""

    kind: str
    old_bytes: int
    new_bytes: int

    def to_json(self) -> dict[str, Any]:
        """Return the JSON shape."""
        return {"name": self.kind, "old_bytes": self.old_bytes, "new_bytes": self.new_bytes}


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """One of the two layers in figures; sizes in bytes."""

    where: str
    files: int
    unzipped_bytes: int
    zipped_bytes: int | None
    limit_bytes: int

    @property
    def left_bytes(self) -> int:
        """The bytes that may still be added, for the whole must be smaller than the limit; negative over it."""
        return self.limit_bytes - 1 - self.unzipped_bytes

    def to_json(self) -> dict[str, Any]:
        """Return the JSON shape."""
        return {
            "path": self.where,
            "files": self.files,
            "unzipped_bytes": self.unzipped_bytes,
            "zipped_bytes": self.zipped_bytes,
            "left_bytes": self.left_bytes,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """What changed from one layer to another, the largest changes first; what is as it was is not in it."""

    old: Side
    new: Side
    distributions: tuple[DistributionChange, ...]
    files: tuple[FileChange, ...]
    kinds: tuple[KindChange, ...]

    @property
    def is_empty(self) -> bool:
        """Whether both hold the same files with the same content, and the same distributions."""
        return not self.files and not self.distributions

    def to_json(self) -> dict[str, Any]:
        """Return the JSON shape."""
        return {
            "old": self.old.to_json(),
            "new": self.new.to_json(),
            "limit_bytes": self.new.limit_bytes,
            "distributions": [each.to_json() for each in self.distributions],
            "types": [each.to_json() for each in self.kinds],
            "files": [each.to_json() for each in self.files],
        }


def compare(old: Contents, new: Contents) -> Difference:
    """Return what changed from ``old`` to ``new``; content is told by checksum and size."""
    files = tuple(sorted(_files(old, new), key=lambda each: (-abs(each.grown_bytes), each.path)))
    distributions = sorted(_distributions(old, new, files), key=lambda each: (-abs(each.grown_bytes), each.name))
    return Difference(
        old=_side(old), new=_side(new), distributions=tuple(distributions), files=files, kinds=tuple(_kinds(old, new))
    )


def _side(contents: Contents) -> Side:
    return Side(
        where=contents.where,
        files=len(contents.files),
        unzipped_bytes=contents.unzipped_bytes,
        zipped_bytes=contents.zipped_bytes,
        limit_bytes=limits().unzipped_bytes,
    )


def _files(old: Contents, new: Contents) -> Iterator[FileChange]:
    before = {file.path: file for file in old.files}
    after = {file.path: file for file in new.files}
    for path in before.keys() & after.keys():
        if not _same(before[path], after[path]):
            yield FileChange(change=Change.CONTENT, old=before[path], new=after[path])
    gone = _by_place(file for path, file in before.items() if path not in after)
    came = _by_place(file for path, file in after.items() if path not in before)
    for place in gone.keys() | came.keys():
        yield from _elsewhere(gone.get(place, []), came.get(place, []))


def _elsewhere(gone: list[HeldFile], came: list[HeldFile]) -> Iterator[FileChange]:
    match gone, came:
        case [one], [other]:
            yield FileChange(change=Change.MOVED if _same(one, other) else Change.CONTENT, old=one, new=other)
        case _:
            yield from (FileChange(change=Change.REMOVED, old=file, new=None) for file in gone)
            yield from (FileChange(change=Change.ADDED, old=None, new=file) for file in came)


def _by_place(files: Iterable[HeldFile]) -> dict[str, list[HeldFile]]:
    found: dict[str, list[HeldFile]] = {}
    for file in files:
        place = _ABI.sub(".cpython", _METADATA.sub(r"\1.dist-info", _HOME.sub("python/", file.path)))
        found.setdefault(place, []).append(file)
    return found


def _same(one: HeldFile, other: HeldFile) -> bool:
    return (one.crc32, one.unzipped_bytes, one.is_link) == (other.crc32, other.unzipped_bytes, other.is_link)


def _distributions(old: Contents, new: Contents, files: Iterable[FileChange]) -> Iterator[DistributionChange]:
    before, after = _amounts(old), _amounts(new)
    touched: dict[str, list[FileChange]] = {}
    for file in files:
        for owner in {held.owner for held in (file.old, file.new) if held is not None}:
            touched.setdefault(owner or NO_DISTRIBUTION, []).append(file)
    for name in sorted(before.keys() | after.keys()):
        one, other = before.get(name), after.get(name)
        change = _change(one, other, touched.get(name, []))
        if change is not None:
            yield DistributionChange(name=name, change=change, old=one, new=other)


def _change(old: Amount | None, new: Amount | None, touched: Sequence[FileChange]) -> Change | None:
    if old is None or new is None:
        return Change.ADDED if old is None else Change.REMOVED
    if old.version != new.version:
        return Change.VERSION
    if {each.change for each in touched if not _tells_where(each.path)} == {Change.MOVED}:
        return Change.MOVED
    return Change.CONTENT if touched else None


def _tells_where(path: str) -> bool:
    """Whether an installer writes into the file where the others lie: that changes when they move."""
    return path.startswith("bin/") or path.endswith((".dist-info/RECORD", ".pyc"))


def _amounts(contents: Contents) -> dict[str, Amount]:
    """Return what each distribution takes, also those that own no file because their RECORD is gone."""
    found = {each.name: Amount(version=each.version, files=0, unzipped_bytes=0) for each in contents.distributions}
    return found | {share.name: _amount(share) for share in by_distribution(contents)}


def _amount(share: Share) -> Amount:
    return Amount(version=share.version, files=share.files, unzipped_bytes=share.unzipped_bytes)


def _kinds(old: Contents, new: Contents) -> Iterator[KindChange]:
    before = {share.name: share.unzipped_bytes for share in by_kind(old)}
    after = {share.name: share.unzipped_bytes for share in by_kind(new)}
    for kind in sorted(before.keys() | after.keys(), key=lambda kind: (-_growth(kind, before, after), kind)):
        if _growth(kind, before, after):
            yield KindChange(kind=kind, old_bytes=before.get(kind, 0), new_bytes=after.get(kind, 0))


def _growth(kind: str, before: Mapping[str, int], after: Mapping[str, int]) -> int:
    return abs(after.get(kind, 0) - before.get(kind, 0))


def _bytes(amount: Amount | None) -> int:
    return amount.unzipped_bytes if amount is not None else 0
