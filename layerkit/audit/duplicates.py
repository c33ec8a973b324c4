"""Distributions that are in a stack more than once: which version is imported, and what of the other stays."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from layerkit.audit.import_roots import Root, reachable
from layerkit.audit.weight import count, examples, weight
from layerkit.model.contents import Contents, HeldDistribution, HeldFile, Kind
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.limits import format_size
from layerkit.model.stack import Stack
from layerkit.model.target import Target


@dataclass(frozen=True, slots=True)
class _Copy:
    part: Contents
    distribution: HeldDistribution
    root: Root
    order: int

    @property
    def text(self) -> str:
        return f"{self.distribution.version} in {self.part.where}"

    @property
    def rank(self) -> tuple[int, int]:
        """The lower, the earlier it is imported: by the search path; in one folder the later layer overwrites."""
        return self.root.rank, -self.order

    def files(self) -> dict[str, HeldFile]:
        """Return its files but for metadata, by path."""
        own = (file for file in self.part.files if file.owner == self.distribution.name)
        start = f"{self.root.folder}/" if self.root.folder else ""
        return {file.path: file for file in own if file.kind is not Kind.METADATA and file.path.startswith(start)}


def duplicate_findings(stack: Stack, targets: Sequence[Target]) -> Iterator[Finding]:
    """Yield the distributions that are there more than once."""
    copies: dict[str, list[_Copy]] = {}
    for order, (part, distribution, root) in enumerate(reachable(stack, targets)):
        copies.setdefault(distribution.name, []).append(_Copy(part, distribution, root, order))
    wasteful: dict[tuple[str, ...], list[Sequence[_Copy]]] = {}
    for name, found in copies.items():
        if len(found) == 1:
            continue
        if len({copy.distribution.version for copy in found}) > 1:
            yield _contradiction(name, sorted(found, key=lambda copy: copy.rank))
        else:
            places = tuple(copy.part.where for copy in found)
            wasteful.setdefault(places, []).append(sorted(found, key=lambda copy: copy.rank))
    for places, groups in wasteful.items():
        yield _waste(places, groups)


def _waste(places: Sequence[str], groups: Sequence[Sequence[_Copy]]) -> Finding:
    """Return what equal copies in the same parts of the stack cost; of each group the first copy is imported."""
    sizes = {f"{group[0].distribution.name} {group[0].distribution.version}": _wasted(group) for group in groups}
    largest_first = sorted(sizes, key=lambda name: (-sizes[name], name))
    are_there = "is there" if len(groups) == 1 else "are each there"
    return Finding(
        code=Code.STACK_DUPLICATE_DISTRIBUTION,
        severity=Severity.NOTE,
        where=groups[0][1].part.where,
        message=f"{examples(largest_first)} {are_there} {len(places)} times, in {', '.join(places)};"
        f" once would save {format_size(sum(sizes.values()))}",
        hint="keep it in one layer" if len(groups) == 1 else "keep each in one layer",
    )


def _wasted(group: Sequence[_Copy]) -> int:
    return sum(weight(copy.files().values()) for copy in group[1:])


def _contradiction(name: str, ordered: Sequence[_Copy]) -> Finding:
    winner, losers = ordered[0], ordered[1:]
    listed = ", ".join(copy.text for copy in sorted(ordered, key=lambda copy: copy.order))
    stale = tuple(path for loser in losers for path in _left_over(winner, loser))
    mixed = f", mixed with {count(len(stale), 'file')} of the other" if stale else ""
    return Finding(
        code=Code.STACK_DUPLICATE_DISTRIBUTION,
        severity=Severity.WARNING,
        where=winner.part.where,
        message=f"{name} is there more than once ({listed}); {winner.text} is imported{mixed}",
        hint="keep it in one layer, or build all of them with one lock",
        paths=stale,
    )


def _left_over(winner: _Copy, loser: _Copy) -> Iterator[str]:
    """Yield the files that only the loser has, in the folder that both are in."""
    if winner.root == loser.root and winner.part is not loser.part:
        yield from (path for path in loser.files() if path not in winner.files() and not path.endswith(".pyc"))
