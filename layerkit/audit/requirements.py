"""What the distributions of a stack require on a target: their ``Requires-Dist`` lines, read leniently."""

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from layerkit.audit.import_roots import Placed, SearchPath
from layerkit.model.names import normalize

if TYPE_CHECKING:
    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet

_AT_LEAST: Final = frozenset({">=", ">", "~="})


@dataclass(frozen=True, slots=True)
class Wish:
    """A requirement that holds on the target: for what, in which versions (PEP 440), by whom, and in which part."""

    name: str
    specifier: str
    by: str
    where: str


def wishes(path: SearchPath, environment: Mapping[str, str]) -> tuple[Wish, ...]:
    """Return what the distributions of a stack require; one that another version of it overwrites has no say.

    Of extras, those count that another distribution of the stack requires, as in ``requests[socks]``.
    """
    imported = path.imported()
    placed = [each for each in path.placed() if each.rank == imported[each.distribution.name].rank]
    extras: dict[str, frozenset[str]] = {}
    while True:
        found = [each for one in placed for each in _wishes_of(one, extras, environment)]
        known = dict(extras)
        for wish, wanted in found:
            if wanted:
                extras[wish.name] = extras.get(wish.name, frozenset()) | wanted
        if extras == known:
            return tuple(dict.fromkeys(wish for wish, _ in found))


def fits(version: str, specifier: str) -> bool:
    """Tell whether a version is as a specifier wants it; a version of no known form is taken to be."""
    from packaging.version import InvalidVersion, Version

    try:
        return _specifiers(specifier).contains(Version(version), prereleases=True)
    except InvalidVersion:
        return True


def only_wants_newer(version: str, specifier: str) -> bool:
    """Tell whether a later version with the same first number may be as a specifier wants it."""
    from packaging.version import InvalidVersion, Version

    try:
        is_now = Version(version)
        failing = [each for each in _specifiers(specifier) if not each.contains(is_now, prereleases=True)]
        return all(each.operator in _AT_LEAST and Version(each.version).major == is_now.major for each in failing)
    except InvalidVersion:
        return False


def _wishes_of(
    placed: Placed, extras: Mapping[str, frozenset[str]], environment: Mapping[str, str]
) -> Iterator[tuple[Wish, frozenset[str]]]:
    """Yield what a distribution requires, and with which extras."""
    name = placed.distribution.name
    for line in placed.distribution.requires:
        requirement = _parsed(line)
        if requirement is None:
            continue
        extra = _extra_for(requirement, extras.get(name, frozenset()), environment)
        if extra is not None:
            by = f"{name}[{extra}]" if extra else name
            wanted = normalize(requirement.name)
            yield Wish(wanted, str(requirement.specifier), by, placed.part.where), frozenset(requirement.extras)


def _extra_for(requirement: "Requirement", extras: frozenset[str], environment: Mapping[str, str]) -> str | None:
    """Return the extra for which a requirement holds, empty where it always does; ``None`` where it does not."""
    from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
    from packaging.version import InvalidVersion

    if requirement.marker is None:
        return ""
    for extra in ("", *sorted(extras)):
        try:
            if requirement.marker.evaluate({**environment, "extra": extra}):
                return extra
        except (UndefinedComparison, UndefinedEnvironmentName, InvalidVersion):
            return None
    return None


@functools.lru_cache(maxsize=4096)
def _parsed(line: str) -> "Requirement | None":
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        return Requirement(line)
    except InvalidRequirement:
        return None


@functools.lru_cache(maxsize=4096)
def _specifiers(text: str) -> "SpecifierSet":
    from packaging.specifiers import SpecifierSet

    return SpecifierSet(text)
