"""What can go wrong when wheels are built in a target's surroundings, and when they do not fit the target."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from layerkit.errors import BuildError, UnfitError
from layerkit.model.lock import LockedPackage
from layerkit.model.target import PythonTarget

_LAST_LINES: Final = 20
_MOST_NAMED: Final = 6


class NativeBuildFailed(BuildError):
    """A build that ended with an error; the details are the last lines of its own output."""

    def __init__(self, *, package: LockedPackage, title: str, output: str, log: Path) -> None:
        super().__init__(
            f"`{package.name}` {package.version} could not be built in {title}",
            details=_last_lines(output, log),
            hint="if a program or header is missing, `system-packages` brings it; else choose a version with a wheel",
        )


class NativeBuildHung(BuildError):
    """A build that did not end in time."""

    def __init__(self, *, package: LockedPackage, title: str, timeout: float, output: str, log: Path) -> None:
        super().__init__(
            f"building `{package.name}` {package.version} in {title} did not end within {timeout:g} seconds",
            details=_last_lines(output, log),
            hint="`--build-timeout` gives it more",
        )


class RepairFailed(BuildError):
    """auditwheel could not take along what a wheel needs; the details are the last lines of its own output."""

    def __init__(self, *, package: LockedPackage, title: str, output: str, log: Path) -> None:
        super().__init__(
            f"`{package.name}` {package.version} was built in {title}, but auditwheel cannot repair the wheel",
            details=_last_lines(output, log),
            hint="if a library is not found, `system-packages` brings it; `libraries` leaves it out of the wheel",
        )


class TooNew(UnfitError):
    """A binary that asks for symbols that the target's libraries do not have, whatever the wheel's tag says."""

    def __init__(self, *, what: str, target: PythonTarget, title: str, symbols: Sequence[tuple[str, str, str]]) -> None:
        glibc = f"{target.glibc[0]}.{target.glibc[1]}"
        lines = [f"{file} asks for {version} of {library}" for file, version, library in symbols]
        super().__init__(
            f"{what}, built in {title}, would not load on {target.runtime.name}, which has glibc {glibc}",
            details=_some(lines),
            hint=f"build it in an image whose glibc is {glibc} or older, such as manylinux's (`--image`)",
        )


class LibraryNotOnLambda(UnfitError):
    """A binary that needs a library which neither its wheel nor Lambda has."""

    def __init__(self, *, what: str, target: PythonTarget, missing: Sequence[tuple[str, str]]) -> None:
        names = list(dict.fromkeys(library for _, library in missing))
        quoted = ", ".join(f'"{name}"' for name in names)
        super().__init__(
            f"{what} needs {', '.join(names)}, which {target.runtime.name} does not have",
            details=_some([f"{file} needs {library}" for file, library in missing]),
            hint=f"`libraries = [{quoted}]` in the recipe's [build] takes it along from the image",
        )


class OtherMachine(UnfitError):
    """A binary for another machine than the target's."""

    def __init__(self, *, what: str, target: PythonTarget, file: str, machine: str) -> None:
        super().__init__(
            f"{what} is for {machine}, and {target.identifier} cannot load it",
            details=[file],
            hint="build in an image of the target's architecture",
        )


class NotTagged(UnfitError):
    """A wheel that auditwheel found to ask for more than the target has."""

    def __init__(self, *, package: LockedPackage, wheel: str, target: PythonTarget, title: str) -> None:
        super().__init__(
            f"`{package.name}` {package.version}, built in {title}, is not for {target.identifier}: auditwheel"
            f" calls it `{wheel}`",
            hint="build it in an image that is no newer than the target, such as manylinux's (`--image`)",
        )


class LibraryNotInPlace(BuildError):
    """A library that is to be taken along and that the place does not have."""

    def __init__(self, *, names: Sequence[str], title: str) -> None:
        super().__init__(
            f"`libraries` names {', '.join(names)}, not found in {title}",
            hint="name the package that has it in `system-packages`, and the library as the loader knows it",
        )


def _last_lines(output: str, log: Path) -> list[str]:
    lines = [line for line in output.splitlines() if line.strip()]
    return [*lines[-_LAST_LINES:], f"the whole output: {log}"]


def _some(lines: Iterable[str]) -> list[str]:
    distinct = list(dict.fromkeys(lines))
    more = len(distinct) - _MOST_NAMED
    return distinct if more <= 1 else [*distinct[:_MOST_NAMED], f"and {more} more"]
