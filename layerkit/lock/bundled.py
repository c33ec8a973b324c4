"""What runtimes bring themselves, as constraints for what a layer leaves to them."""

from collections.abc import Collection
from dataclasses import dataclass

from layerkit.model.names import normalize
from layerkit.model.universal import LockTarget, pythons_of


@dataclass(frozen=True, kw_only=True, slots=True)
class BundledPin:
    """A distribution as runtimes bundle it; ``pythons`` are the versions that do, empty where all do."""

    name: str
    version: str
    pythons: tuple[str, ...] = ()

    @property
    def constraint(self) -> str:
        """The pin as a PEP 508 line that holds for just these runtimes."""
        marker = " or ".join(f"python_version == '{python}'" for python in self.pythons)
        return f"{self.name}=={self.version}" + (f" ; {marker}" if marker else "")

    def __str__(self) -> str:
        where = f" (Python {', '.join(self.pythons)})" if self.pythons else ""
        return f"{self.name} {self.version}{where}"


def bundled_pins(target: LockTarget, names: Collection[str]) -> tuple[BundledPin, ...]:
    """Return what the target's runtimes bundle of the distributions named.

    Where the runtimes of a universal layer bundle different versions, each counts under its own Python: what the
    layer holds must get on with all of them.
    """
    runtimes = {python.runtime.name: python.runtime for python in pythons_of(target)}
    bundling: dict[tuple[str, str], list[str]] = {}
    for runtime in runtimes.values():
        for each in runtime.bundled:
            if (name := normalize(each.name)) in names:
                bundling.setdefault((name, each.version), []).append(runtime.python_version)
    return tuple(
        BundledPin(name=name, version=version, pythons=() if len(pythons) == len(runtimes) else tuple(pythons))
        for (name, version), pythons in bundling.items()
    )
