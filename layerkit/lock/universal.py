"""What a universal layer asks of a lock: one version of each distribution, whichever runtimes need it."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from layerkit.errors import ResolutionError
from layerkit.model.target import PythonTarget
from layerkit.model.universal import UniversalTarget

if TYPE_CHECKING:
    from packaging.pylock import Package


class NotPureError(ResolutionError):
    """Distributions without a wheel for every platform, in a layer that is to be universal; names them all."""

    def __init__(self, *, names: Sequence[str], problems: Sequence[str]) -> None:
        listed = ", ".join(f"`{name}`" for name in names)
        super().__init__(
            f"{listed} {'prevents' if len(names) == 1 else 'prevent'} a universal layer: no pure wheel",
            details=problems,
            hint="build a layer for each runtime (leave out `--universal`), or require versions that have a pure wheel",
        )


class MixedVersionsError(ResolutionError):
    """A universal layer that would need several versions of one distribution."""

    def __init__(self, *, problems: Sequence[str]) -> None:
        super().__init__(
            "a universal layer holds one version of each distribution, and its runtimes need several",
            details=problems,
            hint="build a layer for each runtime (leave out `--universal`), or require one version for all",
        )


def needed(
    target: UniversalTarget, select: Callable[[PythonTarget], Iterable["Package"]]
) -> list[tuple["Package", UniversalTarget]]:
    """Return every package that a runtime needs, with just those targets that need it.

    ``select`` returns what applies to one target. Raises ``MixedVersionsError``.
    """
    packages: dict[int, Package] = {}
    needing: dict[int, list[PythonTarget]] = {}
    for python in target.pythons:
        for package in select(python):
            packages[id(package)] = package
            needing.setdefault(id(package), []).append(python)
    found = [(package, UniversalTarget(targets=tuple(needing[key]))) for key, package in packages.items()]
    _refuse_mixed(found)
    return found


def lowest_pins(answer: Mapping[str, Any], *, besides: Collection[str]) -> tuple[str, ...]:
    """Return, of every distribution that uv's answer has in several versions, the lowest as a constraint."""
    from packaging.version import Version

    versions: dict[str, set[Version]] = {}
    for package in answer["packages"]:
        if "version" in package and package["name"] not in besides:
            versions.setdefault(package["name"], set()).add(Version(package["version"]))
    return tuple(f"{name}=={min(found)}" for name, found in sorted(versions.items()) if len(found) > 1)


def _refuse_mixed(found: Iterable[tuple["Package", UniversalTarget]]) -> None:
    versions: dict[str, list[str]] = {}
    for package, needing in found:
        runtimes = ", ".join(dict.fromkeys(python.runtime.name for python in needing.pythons))
        versions.setdefault(package.name, []).append(f"{package.version or 'a file'} for {runtimes}")
    problems = [f"`{name}`: {'; '.join(each)}" for name, each in sorted(versions.items()) if len(each) > 1]
    if problems:
        raise MixedVersionsError(problems=problems)
