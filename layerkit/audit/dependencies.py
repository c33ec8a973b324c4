"""What distributions require, against what the stack and the runtime have."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from layerkit.audit.import_roots import reachable
from layerkit.audit.weight import examples
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.names import normalize
from layerkit.model.stack import Stack
from layerkit.model.target import PythonTarget, Target

if TYPE_CHECKING:
    from packaging.requirements import Requirement


@dataclass(frozen=True, slots=True)
class _Wish:
    name: str
    by: str
    where: str
    specifier: str


def dependency_findings(stack: Stack, targets: Sequence[Target]) -> Iterator[Finding]:
    """Yield what is required and not there, for Python targets, one finding for each missing distribution."""
    for target in {target.runtime.name: target for target in targets if isinstance(target, PythonTarget)}.values():
        held = {each.name: each.version for _, each, _ in reachable(stack, targets)}
        bundled = {each.name: each.version for each in target.runtime.bundled}
        wishes = list(_wishes(stack, target, targets))
        if stack.is_whole:
            yield from _missing(wishes, held, bundled, target)
        yield from _unfitting(wishes, held, bundled, target)


def _wishes(stack: Stack, target: PythonTarget, targets: Sequence[Target]) -> Iterator[_Wish]:
    environment = target.marker_environment
    for part, distribution, _ in reachable(stack, targets):
        for line in distribution.requires:
            requirement = _parsed(line)
            if requirement is not None and _applies(requirement, environment):
                yield _Wish(normalize(requirement.name), distribution.name, part.where, str(requirement.specifier))


def _parsed(line: str) -> "Requirement | None":
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        return Requirement(line)
    except InvalidRequirement:
        return None


def _applies(requirement: "Requirement", environment: Mapping[str, str]) -> bool:
    from packaging.markers import UndefinedComparison, UndefinedEnvironmentName

    try:
        return requirement.marker is None or requirement.marker.evaluate({**environment, "extra": ""})
    except (UndefinedComparison, UndefinedEnvironmentName):
        return False


def _missing(
    wishes: Sequence[_Wish], held: Mapping[str, str], bundled: Mapping[str, str], target: PythonTarget
) -> Iterator[Finding]:
    lacking: dict[str, list[_Wish]] = {}
    for wish in wishes:
        if wish.name not in held and wish.name not in bundled:
            lacking.setdefault(wish.name, []).append(wish)
    for name, wanting in lacking.items():
        yield Finding(
            code=Code.PYTHON_MISSING_DEPENDENCY,
            severity=Severity.WARNING,
            where=wanting[0].where,
            message=f"{examples(list(dict.fromkeys(wish.by for wish in wanting)))} requires"
            f" `{name}{wanting[0].specifier}`, which neither the stack nor {target.runtime.name} has",
            hint=f"add {name} to a layer, unless the function brings it",
        )


def _unfitting(
    wishes: Sequence[_Wish], held: Mapping[str, str], bundled: Mapping[str, str], target: PythonTarget
) -> Iterator[Finding]:
    for wish in dict.fromkeys(wishes):
        version = held.get(wish.name) or bundled.get(wish.name)
        if version is None or _fits(version, wish.specifier):
            continue
        is_bundled = wish.name not in held
        brings = f"{target.runtime.name} brings" if is_bundled else "the stack has"
        drifts = " (as seen; AWS updates it without notice)" if is_bundled else ""
        yield Finding(
            code=Code.PYTHON_MISSING_DEPENDENCY,
            severity=Severity.WARNING,
            where=wish.where,
            message=f"{wish.by} requires `{wish.name}{wish.specifier}`, and {brings} {version}{drifts}",
            hint=f"put a fitting {wish.name} into the layer",
        )


def _fits(version: str, specifier: str) -> bool:
    from packaging.specifiers import SpecifierSet
    from packaging.version import InvalidVersion

    try:
        return SpecifierSet(specifier).contains(version, prereleases=True)
    except InvalidVersion:
        return True
