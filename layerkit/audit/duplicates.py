"""Distributions that are in a stack more than once: which version is imported, and what of the other stays."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from layerkit.audit.import_roots import Root, reachable
from layerkit.audit.weight import count, weight
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
    for name, found in copies.items():
        if len(found) > 1:
            yield _finding(name, sorted(found, key=lambda copy: copy.rank))


def _finding(name: str, ordered: Sequence[_Copy]) -> Finding:
    winner, losers = ordered[0], ordered[1:]
    versions = {copy.distribution.version for copy in ordered}
    listed = ", ".join(copy.text for copy in sorted(ordered, key=lambda copy: copy.order))
    if len(versions) == 1:
        wasted = sum(weight(copy.files().values()) for copy in losers)
        return Finding(
            code=Code.STACK_DUPLICATE_DISTRIBUTION,
            severity=Severity.NOTE,
            where=losers[0].part.where,
            message=f"{name} {winner.distribution.version} is there {len(ordered)} times, in"
            f" {', '.join(copy.part.where for copy in sorted(ordered, key=lambda copy: copy.order))};"
            f" once would save {format_size(wasted)}",
            hint="keep it in one layer",
        )
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
