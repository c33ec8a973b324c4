"""What imports cost, added up by who brought the modules. Pure: knows lines and owners, and no files."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol

from layerkit.invoke.import_log import Import

_US_PER_MS: Final = 1000
_HEAVIEST: Final = 5


class Part(StrEnum):
    """Where a module lies."""

    FUNCTION = "function"
    LAYER = "layer"
    RUNTIME = "runtime"
    LIBRARY = "standard-library"


_WITHOUT_NAME: Final = {
    Part.FUNCTION: "the function's own code",
    Part.LAYER: "layers, in no distribution",
    Part.RUNTIME: "the runtime, in no distribution",
    Part.LIBRARY: "the standard library",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Owner:
    """Who brought a module: a distribution in one of the parts, or what there is in that part besides."""

    part: Part
    name: str | None = None
    version: str | None = None

    def __str__(self) -> str:
        """Name it, for people."""
        if self.name is None:
            return _WITHOUT_NAME[self.part]
        title = f"{self.name} {self.version}" if self.version else self.name
        return f"{title} (the runtime's)" if self.part is Part.RUNTIME else title


class Owners(Protocol):
    """Knows who brought a module."""

    def of(self, module: str) -> Owner | None:
        """Return the module's owner; nothing where nobody has such a module."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """What one owner's modules cost: by themselves, and with all that they imported before anybody else did.

    ``heaviest`` are the modules that cost the most by themselves, in milliseconds.
    """

    owner: Owner
    own_us: int
    all_us: int
    modules: int
    heaviest: tuple[tuple[str, float], ...]

    @property
    def own_ms(self) -> float:
        """The own time in milliseconds."""
        return self.own_us / _US_PER_MS

    @property
    def all_ms(self) -> float:
        """The time of all in milliseconds."""
        return self.all_us / _US_PER_MS

    def as_json(self) -> dict[str, Any]:
        """Return it for ``--json``."""
        return {
            "distribution": self.owner.name,
            "version": self.owner.version,
            "part": str(self.owner.part),
            "ms": round(self.own_ms, 2),
            "cumulative_ms": round(self.all_ms, 2),
            "modules": self.modules,
            "heaviest": [{"module": name, "ms": round(ms, 2)} for name, ms in self.heaviest],
        }


def costs_of(imports: Sequence[Import], owners: Owners) -> tuple[Cost, ...]:
    """Add up what was imported, the most expensive owner first.

    A module that nobody has, because it is not installed or made by another one, counts for whoever asked for it.
    """
    own: dict[Owner, dict[str, int]] = {}
    everything: dict[Owner, int] = {}
    for each, owner, importers in _owned(imports, owners):
        modules = own.setdefault(owner, {})
        modules[each.module] = modules.get(each.module, 0) + each.own_us
        everything.setdefault(owner, 0)
        if owner not in importers:
            everything[owner] += each.all_us
    costs = [_cost(owner, modules, everything[owner]) for owner, modules in own.items()]
    return tuple(sorted(costs, key=lambda cost: (-cost.own_us, str(cost.owner))))


def total_ms(costs: Iterable[Cost]) -> float:
    """Return what all of them cost together, in milliseconds."""
    return sum(cost.own_us for cost in costs) / _US_PER_MS


def _cost(owner: Owner, modules: Mapping[str, int], all_us: int) -> Cost:
    heaviest = sorted(modules.items(), key=lambda item: (-item[1], item[0]))[:_HEAVIEST]
    own_us = sum(modules.values())
    return Cost(
        owner=owner,
        own_us=own_us,
        all_us=max(all_us, own_us),  # each is rounded by itself
        modules=len(modules),
        heaviest=tuple((name, us / _US_PER_MS) for name, us in heaviest),
    )


def _owned(imports: Sequence[Import], owners: Owners) -> Iterator[tuple[Import, Owner, Sequence[Owner]]]:
    """Yield each import with its owner and those of what imported it: an import ends after all that it asked for."""
    above: list[Owner] = []
    for each in reversed(imports):
        del above[each.depth :]
        asked = above[-1] if above else Owner(part=Part.FUNCTION)
        owner = owners.of(each.module) or asked
        yield each, owner, above
        above.append(owner)
