"""The target of a universal layer: several targets that one layer of pure wheels serves."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from layerkit.model import tags
from layerkit.model.target import PlainTarget, PythonTarget, Target


@dataclass(frozen=True, kw_only=True, slots=True)
class UniversalTarget:
    """All targets of a universal layer, oldest Python first; one without Python only where the layer needs none."""

    targets: tuple[Target, ...]

    @classmethod
    def of(cls, targets: Iterable[Target]) -> "UniversalTarget":
        """Return the target that is all of these, in whatever order they come."""
        return cls(targets=tuple(sorted(targets, key=_age)))

    @property
    def identifier(self) -> str:
        """The name, as a lock tells it."""
        return "universal"

    @property
    def lock_suffix(self) -> str:
        """The part of a lock's file name that tells the target."""
        return "universal"

    @property
    def pythons(self) -> tuple[PythonTarget, ...]:
        """The targets that have a Python, oldest first."""
        return tuple(target for target in self.targets if isinstance(target, PythonTarget))

    @property
    def python_version(self) -> str:
        """The oldest Python, as ``3.11``."""
        return self.pythons[0].python_version

    @property
    def python_full_version(self) -> str:
        """The lowest patch level of the oldest Python."""
        return self.pythons[0].python_full_version

    @property
    def uv_platform(self) -> None:
        """No platform: uv is to resolve for all of them."""
        return

    def rank(self, wheel_tags: str) -> int | None:
        """Return the place of a wheel among pure ones (0 is best), ``None`` unless it is pure and runs everywhere here.

        Takes the last three parts of a wheel's name, as ``PythonTarget.rank`` does.
        """
        pure = [tag for tag in tags.expand(wheel_tags) if tag.endswith("-none-any")]
        worst = 0
        for python in self.pythons:
            ranks = [rank for tag in pure if (rank := python.rank(tag)) is not None]
            if not ranks:
                return None
            worst = max(worst, min(ranks))
        return worst


LockTarget: TypeAlias = PythonTarget | UniversalTarget
"""What a lock is made for."""


def pythons_of(target: LockTarget) -> tuple[PythonTarget, ...]:
    """Return the targets with Python that the lock must serve."""
    return target.pythons if isinstance(target, UniversalTarget) else (target,)


def title_of(target: LockTarget) -> str:
    """Return the target as messages tell it."""
    if isinstance(target, UniversalTarget):
        return f"a universal layer from {target.pythons[0].runtime.name}"
    return target.identifier


def _age(target: Target) -> tuple[tuple[int, ...], str, bool]:
    python = (99,) if isinstance(target, PlainTarget) else target.runtime.python
    return python, target.runtime.name, target.architecture != "x86_64"
