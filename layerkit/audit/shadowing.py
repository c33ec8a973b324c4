"""Modules and packages that hide, or mix with, others of their name: elsewhere in the stack, or in Python itself."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, TypeAlias

from layerkit.audit.import_roots import Nature, Offer, search_paths
from layerkit.audit.standard_library import STANDARD_LIBRARY, STANDARD_LIBRARY_SINCE
from layerkit.audit.weight import count, examples, place
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.stack import Stack
from layerkit.model.target import PythonTarget, Target

_Pair: TypeAlias = tuple[Offer, Offer]

_JOINED: Final = frozenset({Nature.PACKAGE, Nature.NAMESPACE})


def shadow_findings(stack: Stack, targets: Sequence[Target]) -> Iterator[Finding]:
    """Yield, for each two parts, what of the one hides what of the other; then what hides Python's own modules."""
    own_modules = STANDARD_LIBRARY if all(map(_is_known, targets)) else frozenset[str]()
    for path in search_paths(stack, targets):
        by_name: dict[str, list[Offer]] = {}
        for offer in path.offers():
            by_name.setdefault(offer.name, []).append(offer)
        several = [offers for offers in by_name.values() if len(offers) > 1]
        yield from map(_hidden, _by_places(pair for offers in several for pair in _hidden_in(offers)))
        yield from map(_mixed, _by_places(pair for offers in several for pair in _mixed_in(offers)))
        yield from _of_python(offer for name in by_name.keys() & own_modules for offer in by_name[name])


def _is_known(target: Target) -> bool:
    """Whether it is known which modules a target's Python has; older ones need backports of some."""
    return not isinstance(target, PythonTarget) or target.runtime.python >= STANDARD_LIBRARY_SINCE


def _by_places(pairs: Iterable[_Pair]) -> Iterable[list[_Pair]]:
    """Group pairs by the parts, and the folders in them, that they are about."""
    groups: dict[tuple[int, str, int, str], list[_Pair]] = {}
    for first, other in pairs:
        key = (first.order, first.root.folder, other.order, other.root.folder)
        groups.setdefault(key, []).append((first, other))
    return groups.values()


def _hidden_in(offers: Sequence[Offer]) -> Iterator[_Pair]:
    """Yield each offer that cannot be imported, behind the one that is."""
    found = [offer for offer in offers if offer.nature is not Nature.NAMESPACE]
    if not found:
        return
    first = min(found, key=lambda offer: (offer.root.rank, offer.nature, -offer.order))
    for other in offers:
        if other.root == first.root:
            is_hidden = other.part is not first.part and other.nature > first.nature and not _are_joined(first, other)
        else:
            is_hidden = not first.is_open
        if is_hidden and not _is_told_elsewhere(first, other):
            yield first, other


def _mixed_in(offers: Sequence[Offer]) -> Iterator[_Pair]:
    """Yield the halves of packages that different layers put into one folder."""
    for number, offer in enumerate(offers):
        for other in offers[:number]:
            same_folder = other.root == offer.root and other.part is not offer.part
            if same_folder and _are_joined(other, offer) and not _is_told_elsewhere(other, offer):
                one, more = other.by_path().keys(), offer.by_path().keys()
                if one - more and more - one:
                    yield other, offer


def _are_joined(one: Offer, other: Offer) -> bool:
    """Whether both are one package on Lambda that is more than a namespace."""
    natures = {one.nature, other.nature}
    return natures <= _JOINED and Nature.PACKAGE in natures and not (one.is_open or other.is_open)


def _is_told_elsewhere(first: Offer, other: Offer) -> bool:
    """Whether both are one distribution's, which is there twice; or have the same files, which changes nothing."""
    if first.owners & other.owners:
        return True
    own = first.by_path()
    return all(path in own and own[path].crc32 == file.crc32 for path, file in other.by_path().items())


def _hidden(pairs: Sequence[_Pair]) -> Finding:
    first, other = pairs[0]
    files = tuple(file.path for _, each in pairs for file in each.files)
    names = examples(sorted(each.name for _, each in pairs))
    one = len(pairs) == 1
    return Finding(
        code=Code.STACK_MIXED_PACKAGE,
        severity=Severity.WARNING,
        where=first.part.where,
        message=f"{names} in {first.part.where} ({first.root}) {'comes' if one else 'come'} first on the search path"
        f" and {'hides' if one else 'hide'} {count(len(files), 'file')} of {names if one else 'those'} in"
        f" {other.part.where} ({other.root})",
        hint="keep one of them, or put both into the same folder of one layer",
        paths=files,
    )


def _mixed(pairs: Sequence[_Pair]) -> Finding:
    first, other = pairs[0]
    one = len(pairs) == 1
    return Finding(
        code=Code.STACK_MIXED_PACKAGE,
        severity=Severity.NOTE,
        where=other.part.where,
        message=f"{'package' if one else 'packages'} {examples(sorted(each.name for each, _ in pairs))}"
        f" {'is' if one else 'are'} put together from {first.part.where} and {other.part.where}: neither is complete"
        " without the other, if they were not meant so",
        paths=tuple(file.path for _, each in pairs for file in each.files),
    )


def _of_python(offers: Iterable[Offer]) -> Iterator[Finding]:
    by_part: dict[int, list[Offer]] = {}
    for offer in offers:
        if offer.nature is not Nature.NAMESPACE:
            by_part.setdefault(offer.order, []).append(offer)
    for _, found in sorted(by_part.items()):
        yield _instead_of_python(sorted(found, key=lambda offer: offer.name))


def _instead_of_python(offers: Sequence[Offer]) -> Finding:
    one = len(offers) == 1
    owners = sorted({owner for offer in offers for owner in offer.owners})
    paths = tuple(file.path for offer in offers for file in offer.files)
    by = f", which {examples(owners)} {'brings' if len(owners) == 1 else 'bring'}," if owners else ""
    return Finding(
        code=Code.STACK_SHADOWS_RUNTIME,
        severity=Severity.WARNING,
        where=place(offers[0].part, paths),
        message=f"{examples([offer.name for offer in offers])}{by} {'has' if one else 'have'} the name of"
        f" {'a module' if one else 'modules'} of Python's standard library, which Lambda searches last: every package"
        f" that imports {'it' if one else 'them'} may get {'this' if one else 'these'} instead",
        hint=f"leave out {', '.join(owners)}: Python brings what it is a copy of" if owners else "give it another name",
        paths=paths,
    )
