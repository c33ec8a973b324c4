"""Files that later layers overwrite."""

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from layerkit.audit.weight import count, examples, place
from layerkit.model.contents import Contents, Kind
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.stack import Blocked, Overwritten, Stack

_NAMED: Final = 3
_SCRIPTS: Final = "python/bin/"  # a first line of whoever installed them; Lambda does not look there


def overwritten_findings(stack: Stack) -> Iterator[Finding]:
    """Yield, for each pair of layers, what the later one overwrites; then what cannot be there beside each other."""
    pairs: dict[tuple[int, int], list[Overwritten]] = {}
    for each in stack.overwritten():
        pairs.setdefault((id(each.by), id(each.of)), []).append(each)
    for paths in pairs.values():
        if not all(map(_is_a_copy, paths)):
            yield _overwritten(paths)
    yield from map(_blocked, stack.blocked())


def _is_a_copy(each: Overwritten) -> bool:
    """Whether it is the same file of a distribution that is there twice, which is told elsewhere; or an empty one."""
    one, other = each.new, each.old
    return not each.differs and (one.unzipped_bytes == 0 or (one.owner is not None and one.owner == other.owner))


def _overwritten(paths: Sequence[Overwritten]) -> Finding:
    differing = [each for each in paths if each.differs]
    twins = {name for name, _ in _versions(paths[0].by) & _versions(paths[0].of)}
    telling = [each for each in differing if _is_telling(each, twins)]
    named = telling or differing or list(paths)
    first = named[0]
    return Finding(
        code=Code.STACK_OVERWRITTEN,
        severity=Severity.WARNING if telling else Severity.NOTE,
        where=first.by.where,
        message=f"it overwrites {count(len(paths), 'file')} of {first.of.where}, {_contents(differing, paths)}"
        f"{_mattering(telling, differing)}:"
        f" {examples([each.path for each in named])}{_owners(named)}",
        hint="change the order of the layers, or leave one of the two out" if telling else None,
        paths=tuple(each.path for each in paths),
    )


def _versions(part: Contents) -> frozenset[tuple[str, str]]:
    return frozenset((each.name, each.version) for each in part.distributions)


def _is_telling(each: Overwritten, twins: Collection[str]) -> bool:
    """Whether other content of a file means other behaviour, as far as its name tells.

    Installers write metadata, bytecode and scripts anew each time; of one version of a distribution (``twins``) the
    rest, as stripped binaries, is equivalent, unless somebody changed its sources.
    """
    kind, owner = each.new.kind, each.new.owner
    if kind is Kind.METADATA or "__pycache__/" in each.path:
        return False
    is_twin = owner is not None and owner == each.old.owner and owner in twins
    return not is_twin or (kind is Kind.PYTHON and not each.path.startswith(_SCRIPTS))


def _contents(differing: Sequence[Overwritten], paths: Sequence[Overwritten]) -> str:
    if not differing:
        return "with the same content"
    return "with other content" if len(differing) == len(paths) else f"{len(differing):,} of them with other content"


def _mattering(telling: Sequence[Overwritten], differing: Sequence[Overwritten]) -> str:
    """Say how many of those that differ are listed, where it is not all of them."""
    return f", of which {len(telling):,} may matter" if 0 < len(telling) < len(differing) else ""


def _owners(shown: Sequence[Overwritten]) -> str:
    """Name the distributions of both sides; nothing where the files are nobody's."""
    sides = dict.fromkeys((each.new.owner, each.old.owner) for each in shown)
    named = [f"{by or 'no distribution'} over {of or 'no distribution'}" for by, of in sides if by or of]
    more = ["…"] if len(named) > _NAMED else []
    return f" ({', '.join([*named[:_NAMED], *more])})" if named else ""


def _blocked(blocked: Blocked) -> Finding:
    paths = (blocked.path, *blocked.below)
    one, other = blocked.file_in.where, blocked.folder_in.where
    return Finding(
        code=Code.STACK_OVERWRITTEN,
        severity=Severity.WARNING,
        where=place(blocked.file_in, paths[:1]),
        message=f"`{blocked.path}` is a file in {one} and a folder in {other}, with"
        f" {count(len(blocked.below), 'file')}: one of them is lost",
        hint="rename one of them",
        paths=paths,
    )
