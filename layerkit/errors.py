"""Every failure of layerkit in one tree.

    LayerkitError                      exit code
    ├── UsageError                     2   bad input: options, recipes, requirements files, settings
    │   ├── UnknownRuntimeError
    │   ├── UnknownArchitectureError
    │   ├── RecipeError                    every mistake of one recipe
    │   └── ConfigError                    every mistake of one configuration
    ├── ResolutionError                3   requirements that cannot be locked, locks that are stale or missing
    ├── FetchError                     4   downloads, hashes, wheels that are not what they should be
    ├── BuildError                     5   sdists that cannot be built here
    ├── UnfitError                     6   the layer would not work on Lambda
    ├── AwsError                       7   AWS: credentials, permissions, throttling, what is not there
    └── EnvironmentFailure             1   this machine: disk, permissions, missing interpreters

A subclass takes facts as keywords and builds its own message and hint. Nothing here prints.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar


def system_reason(error: OSError) -> str:
    """Return why the system refused, as a part of a message."""
    return (error.strerror or str(error)).lower()


class LayerkitError(Exception):
    """Something that the user can understand and mend.

    ``message`` is one line without a full stop, ``details`` are further lines, ``hint`` is the way out.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, details: Iterable[str] = (), hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details: tuple[str, ...] = tuple(details)
        self.hint = hint


class UsageError(LayerkitError):
    """Bad input: options, recipes, requirements files, settings."""

    exit_code = 2


class UnknownRuntimeError(UsageError):
    """A runtime identifier that Lambda does not have, or that layerkit has no facts about."""

    def __init__(self, *, name: str, valid: Sequence[str]) -> None:
        super().__init__(f"unknown runtime `{name}`", hint=f"one of {', '.join(valid)}")


class UnknownArchitectureError(UsageError):
    """An architecture that Lambda, or this runtime, does not have."""

    def __init__(self, *, name: str, valid: Sequence[str], runtime: str | None = None) -> None:
        where = f" for runtime `{runtime}`" if runtime else ""
        super().__init__(f"unknown architecture `{name}`{where}", hint=f"one of {', '.join(valid)}")


class RecipeError(UsageError):
    """A recipe with mistakes, all of them at once, each with its line where it is known."""

    def __init__(self, *, path: Path, problems: Sequence[str]) -> None:
        count = f"{len(problems)} mistakes" if len(problems) > 1 else "a mistake"
        super().__init__(f"recipe `{path}` has {count}", details=problems)


class ConfigError(UsageError):
    """A layerkit.toml or pyproject.toml with mistakes, all of them at once, each with its line where it is known."""

    def __init__(self, *, path: Path, problems: Sequence[str]) -> None:
        count = f"{len(problems)} mistakes" if len(problems) > 1 else "a mistake"
        super().__init__(f"configuration `{path}` has {count}", details=problems)


class ResolutionError(LayerkitError):
    """Requirements that cannot be locked, or a lock that is stale, missing or not for this target."""

    exit_code = 3


class FetchError(LayerkitError):
    """A file that could not be downloaded, or is not what it should be."""

    exit_code = 4


class BuildError(LayerkitError):
    """A wheel that could not be built here."""

    exit_code = 5


class UnfitError(LayerkitError):
    """A layer that would not work on Lambda."""

    exit_code = 6


class AwsError(LayerkitError):
    """What AWS refused, or did not answer."""

    exit_code = 7


class EnvironmentFailure(LayerkitError):
    """What the machine does not let layerkit do: disk, permissions, a missing interpreter."""
