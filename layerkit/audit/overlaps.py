"""What hides what: files that later layers overwrite, modules that come earlier on the search path."""

from collections.abc import Iterator, Sequence

from layerkit.audit.import_roots import Offer, offers
from layerkit.audit.weight import count, examples
from layerkit.formats.zip import files_that_are_folders
from layerkit.model.contents import Contents, HeldFile, Kind
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.stack import Overwritten, Stack
from layerkit.model.target import Target


def overwritten_findings(stack: Stack) -> Iterator[Finding]:
    """Yield, for each pair of layers, what the later one overwrites."""
    pairs: dict[tuple[str, str], list[Overwritten]] = {}
    for each in stack.overwritten():
        pairs.setdefault((each.by.where, each.of.where), []).append(each)
    held = {part.where: {file.path: file for file in part.files} for part in stack.layers}
    for (by, of), paths in pairs.items():
        if not all(_is_a_copy(each, held[by], held[of]) for each in paths):
            yield _overwritten(paths, held[by], held[of])
    yield from _files_and_folders(stack)


def shadow_findings(stack: Stack, targets: Sequence[Target]) -> Iterator[Finding]:
    """Yield modules and packages that hide, or mix with, others of their name elsewhere on the search path."""
    by_name: dict[str, list[Offer]] = {}
    for offer in offers(stack, targets):
        by_name.setdefault(offer.name, []).append(offer)
    for name, found in by_name.items():
        if len(found) > 1:
            yield from _clash(name, sorted(found, key=lambda offer: offer.root.rank))


def _is_a_copy(each: Overwritten, by: dict[str, HeldFile], of: dict[str, HeldFile]) -> bool:
    """Whether it is the same file of a distribution that is there twice, which is told elsewhere; or an empty one."""
    one, other = by[each.path], of[each.path]
    return not each.differs and (one.unzipped_bytes == 0 or (one.owner is not None and one.owner == other.owner))


def _overwritten(paths: Sequence[Overwritten], by: dict[str, HeldFile], of: dict[str, HeldFile]) -> Finding:
    differing = [each for each in paths if each.differs]
    twins = _versions(paths[0].by) & _versions(paths[0].of)
    telling = [each for each in differing if _is_telling(by[each.path], of[each.path], twins)]
    named = telling or differing or list(paths)
    first = named[0]
    return Finding(
        code=Code.STACK_OVERWRITTEN,
        severity=Severity.WARNING if telling else Severity.NOTE,
        where=first.by.where,
        message=f"it overwrites {count(len(paths), 'file')} of {first.of.where}, {_contents(differing, paths)}:"
        f" {examples([each.path for each in named])}{_owners(by[first.path], of[first.path])}",
        hint="change the order of the layers, or leave one of the two out" if telling else None,
        paths=tuple(each.path for each in paths),
    )


def _versions(part: Contents) -> frozenset[tuple[str | None, str]]:
    return frozenset((each.name, each.version) for each in part.distributions)


def _is_telling(by: HeldFile, of: HeldFile, twins: frozenset[tuple[str | None, str]]) -> bool:
    """Whether other content of a file means other behaviour, as far as its name tells.

    Installers write metadata, bytecode and scripts anew each time; of one version of a distribution (``twins``) the
    rest, as stripped binaries, is equivalent, unless somebody changed its sources.
    """
    if by.kind in {Kind.METADATA, Kind.BYTECODE}:
        return False
    is_twin = by.owner == of.owner and any(by.owner == name for name, _ in twins)
    return by.kind is Kind.PYTHON or not is_twin


def _contents(differing: Sequence[Overwritten], paths: Sequence[Overwritten]) -> str:
    if not differing:
        return "with the same content"
    return "with other content" if len(differing) == len(paths) else f"{len(differing):,} of them with other content"


def _owners(by: HeldFile, of: HeldFile) -> str:
    if by.owner is None and of.owner is None:
        return ""
    return f" ({by.owner or 'no distribution'} over {of.owner or 'no distribution'})"


def _files_and_folders(stack: Stack) -> Iterator[Finding]:
    merged = stack.merged()
    for file, below in files_that_are_folders(merged.keys()):
        one, other = merged[file].part, merged[below].part
        if one is not other:
            yield Finding(
                code=Code.STACK_OVERWRITTEN,
                severity=Severity.WARNING,
                where=one.where,
                message=f"`{file}` is a file in {one.where} and a folder in {other.where}: one of them is lost",
                hint="rename one of them",
            )


def _clash(name: str, ordered: Sequence[Offer]) -> Iterator[Finding]:
    first, others = ordered[0], ordered[1:]
    for other in others:
        if _is_told_elsewhere(first, other):
            continue
        if first.root == other.root:
            if first.is_package or other.is_package:
                yield _mixed(name, first, other)
        elif first.is_package:
            yield _hidden(name, first, other)


def _is_told_elsewhere(first: Offer, other: Offer) -> bool:
    """Whether both are one distribution's, which is there twice; or are the same files over each other."""
    if first.owners == other.owners and None not in first.owners:
        return True
    same_root = first.root == other.root
    return same_root and {file.path for file in other.files} <= {file.path for file in first.files}


def _mixed(name: str, first: Offer, other: Offer) -> Finding:
    return Finding(
        code=Code.STACK_MIXED_PACKAGE,
        severity=Severity.NOTE,
        where=other.part.where,
        message=f"package `{name}` is put together from {first.part.where} and {other.part.where}:"
        f" neither is complete without the other, if they were not meant so",
    )


def _hidden(name: str, first: Offer, other: Offer) -> Finding:
    return Finding(
        code=Code.STACK_MIXED_PACKAGE,
        severity=Severity.WARNING,
        where=first.part.where,
        message=f"`{name}` in {first.part.where} ({first.root.folder or 'function'}) comes first on the search path and"
        f" hides {count(len(other.files), 'file')} of `{name}` in {other.part.where} ({other.root.folder})",
        hint="keep one of them, or put both into the same folder of one layer",
        paths=tuple(file.path for file in other.files),
    )
