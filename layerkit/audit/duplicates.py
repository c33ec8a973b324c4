"""Distributions that are in a stack more than once: which version is imported, and what of the other stays."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from layerkit.audit.import_roots import Placed, Root, SearchPath, search_paths
from layerkit.audit.weight import count, examples, weight
from layerkit.model.contents import HeldFile, Kind
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.limits import format_size
from layerkit.model.stack import Stack
from layerkit.model.target import Target

_CODE: Final = frozenset({Kind.PYTHON, Kind.NATIVE})


_Owned: TypeAlias = Mapping[tuple[int, str], Sequence[HeldFile]]


@dataclass(frozen=True, slots=True)
class _Copy:
    """A distribution in one folder of one part; ``files`` by their path in that folder, but for metadata."""

    placed: Placed
    files: Mapping[str, HeldFile]

    @property
    def version(self) -> str:
        return self.placed.distribution.version

    @property
    def root(self) -> Root:
        return self.placed.root

    @property
    def where(self) -> str:
        return self.placed.part.where

    @property
    def place(self) -> tuple[int, int]:
        """Where it stands when copies are listed."""
        return self.placed.order, self.root.rank


def duplicate_findings(stack: Stack, targets: Sequence[Target]) -> Iterator[Finding]:
    """Yield the distributions that are there more than once."""
    for path in search_paths(stack, targets):
        often = _placed_often(path)
        if often:
            yield from _duplicates(often, _owned(stack, often.keys()))


def _duplicates(often: Mapping[str, Sequence[Placed]], owned: _Owned) -> Iterator[Finding]:
    wasteful: dict[tuple[tuple[int, int], ...], list[Sequence[_Copy]]] = {}
    for name, placed in often.items():
        folders = _by_folder(placed)
        yield from (_stray_metadata(name, each) for each in folders if len(_versions(each)) > 1)
        if len(folders) == 1:
            continue
        copies = [_copy(each[-1], owned) for each in folders]
        ordered = sorted(copies, key=lambda copy: copy.placed.rank)
        if len(_versions(copy.placed for copy in copies)) > 1 or _differ(ordered):
            yield _contradiction(name, ordered)
        else:
            wasteful.setdefault(tuple(copy.place for copy in copies), []).append(ordered)
    yield from map(_waste, wasteful.values())


def _placed_often(path: SearchPath) -> Mapping[str, Sequence[Placed]]:
    """Return each distribution that is there more than once, in the order of the parts."""
    found: dict[str, list[Placed]] = {}
    for placed in path.placed():
        found.setdefault(placed.distribution.name, []).append(placed)
    return {name: each for name, each in found.items() if len(each) > 1}


def _owned(stack: Stack, names: Collection[str]) -> _Owned:
    """Return the files of some distributions, by part and name."""
    found: dict[tuple[int, str], list[HeldFile]] = {}
    for order, part in enumerate(stack.parts):
        for file in part.files:
            if file.owner is not None and file.owner in names and file.kind is not Kind.METADATA:
                found.setdefault((order, file.owner), []).append(file)
    return found


def _by_folder(placed: Iterable[Placed]) -> Sequence[Sequence[Placed]]:
    folders: dict[tuple[int, Root], list[Placed]] = {}
    for each in placed:
        folders.setdefault((each.order, each.root), []).append(each)
    return list(folders.values())


def _versions(placed: Iterable[Placed]) -> frozenset[str]:
    return frozenset(each.distribution.version for each in placed)


def _copy(placed: Placed, owned: _Owned) -> _Copy:
    start = placed.root.start
    files = owned.get((placed.order, placed.distribution.name), ())
    return _Copy(
        placed,
        {
            file.path.removeprefix(start): file
            for file in files
            if file.path.startswith(start) and not (start == "python/" and file.path.startswith("python/lib/python"))
        },
    )


def _differ(ordered: Sequence[_Copy]) -> bool:
    """Whether copies in different folders have other code; in one folder, that is told as overwriting."""
    first = ordered[0]
    return any(
        path in copy.files and copy.files[path].crc32 != file.crc32
        for copy in ordered[1:]
        if copy.root != first.root
        for path, file in first.files.items()
        if file.kind in _CODE
    )


def _waste(groups: Sequence[Sequence[_Copy]]) -> Finding:
    """Return what equal copies in the same places cost; a group's first copy is the one that is imported."""
    sizes = {f"{group[0].placed.distribution.name} {group[0].version}": _wasted(group) for group in groups}
    largest_first = sorted(sizes, key=lambda name: (-sizes[name], name))
    are_there = "is there" if len(groups) == 1 else "are each there"
    places = _places(groups[0])
    return Finding(
        code=Code.STACK_DUPLICATE_DISTRIBUTION,
        severity=Severity.NOTE,
        where=groups[0][1].where,
        message=f"{examples(largest_first)} {are_there} {len(places)} times, in {', '.join(places)};"
        f" once would save {format_size(sum(sizes.values()))}",
        hint="keep it in one layer" if len(groups) == 1 else "keep each in one layer",
    )


def _places(group: Sequence[_Copy]) -> list[str]:
    """Name the parts in their order; the folders, too, where one part has several."""
    several = len({copy.placed.order for copy in group}) < len(group)
    return [_place(copy, several=several) for copy in sorted(group, key=lambda copy: copy.place)]


def _place(copy: _Copy, *, several: bool) -> str:
    return f"{copy.where}: {copy.root}" if several else copy.where


def _wasted(group: Sequence[_Copy]) -> int:
    return sum(weight(copy.files.values()) for copy in group[1:])


def _contradiction(name: str, ordered: Sequence[_Copy]) -> Finding:
    winner, losers = ordered[0], ordered[1:]
    several = len({copy.placed.order for copy in ordered}) < len(ordered)
    told = {copy.place: f"{copy.version} in {_place(copy, several=several)}" for copy in ordered}
    stale = tuple(path for loser in losers for path in _left_over(winner, loser))
    mixed = f", mixed with {count(len(stale), 'file')} of the other" if stale else ""
    built = "" if len(_versions(copy.placed for copy in ordered)) > 1 else " with other code"
    return Finding(
        code=Code.STACK_DUPLICATE_DISTRIBUTION,
        severity=Severity.WARNING,
        where=winner.where,
        message=f"{name} is there more than once{built} ({', '.join(told[place] for place in sorted(told))});"
        f" {told[winner.place]} is imported{mixed}",
        hint="keep it in one layer, or build all of them with one lock",
        paths=stale,
    )


def _left_over(winner: _Copy, loser: _Copy) -> Iterator[str]:
    """Yield the files that only the loser has, in the folder that both are in."""
    if winner.root == loser.root:
        left = (file for path, file in loser.files.items() if path not in winner.files)
        yield from (file.path for file in left if file.kind is not Kind.BYTECODE)


def _stray_metadata(name: str, placed: Sequence[Placed]) -> Finding:
    first = placed[0]
    versions = sorted(_versions(placed))
    return Finding(
        code=Code.STACK_DUPLICATE_DISTRIBUTION,
        severity=Severity.WARNING,
        where=first.part.where,
        message=f"`{first.root}` has metadata of {name} {' and '.join(versions)}, and files of one of them only can be"
        " there: Python tells either version",
        hint="install into an empty folder: `pip install --target … --upgrade` leaves old metadata behind",
        paths=tuple(each.distribution.folder for each in placed),
    )
