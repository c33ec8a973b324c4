"""Which binaries of a stack need which, and what becomes useless when some of them cannot be loaded."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from layerkit.audit.layer_binary import LayerBinary
from layerkit.audit.loader import Loader
from layerkit.model.finding import Severity


@dataclass(frozen=True, kw_only=True, slots=True)
class Damage:
    """How many of an owner's ``entries`` (what Python imports or loads of it) cannot be loaded, and how bad that is."""

    owner: str
    what: str
    lost: int
    entries: int
    severity: Severity


@dataclass(frozen=True, kw_only=True, slots=True)
class Needs:
    """What the loader finds for each binary: by its path, each needed library and where it is."""

    binaries: Sequence[LayerBinary]
    found: Mapping[str, Mapping[str, str | None]]
    users: Mapping[str, Sequence[LayerBinary]]

    @classmethod
    def of(cls, binaries: Sequence[LayerBinary], loader: Loader) -> "Needs":
        """Ask the loader for everything once."""
        found = {each.path: {name: loader.find(name, each) for name in each.facts.needed} for each in binaries}
        users: dict[str, list[LayerBinary]] = {}
        for binary in binaries:
            for place in found[binary.path].values():
                if place is not None:
                    users.setdefault(place, []).append(binary)
        return cls(binaries=binaries, found=found, users=users)

    def missing(self, binary: LayerBinary) -> tuple[str, ...]:
        """Return the needed libraries that are not found."""
        return tuple(name for name, place in self.found[binary.path].items() if place is None)

    def damage(self, lost: Iterable[LayerBinary]) -> Damage:
        """Return the worst that comes of it when these binaries cannot be loaded."""
        broken = self._broken_by(lost)
        damages = (self._damage_to(owner, broken) for owner in dict.fromkeys(each.owner for each in broken.values()))
        return max(damages, key=lambda damage: damage.severity is Severity.ERROR)

    def _broken_by(self, lost: Iterable[LayerBinary]) -> Mapping[str, LayerBinary]:
        """Return the binaries, by path, that cannot be loaded then: what needs a broken one is broken, too."""
        broken: dict[str, LayerBinary] = {}
        waiting = list(lost)[::-1]
        while waiting:
            binary = waiting.pop()
            if binary.path not in broken:
                broken[binary.path] = binary
                waiting += self.users.get(binary.path, ())
        return broken

    def _damage_to(self, owner: str, broken: Mapping[str, LayerBinary]) -> Damage:
        own = [binary for binary in self.binaries if binary.owner == owner]
        modules = [binary for binary in own if binary.is_module]
        entries = modules or self._tops(own)
        lost = sum(entry.path in broken for entry in entries)
        return Damage(
            owner=own[0].who,
            what="extension modules" if modules else "binaries",
            lost=lost,
            entries=len(entries),
            severity=_severity(own[0], lost=lost, entries=len(entries), has_modules=bool(modules)),
        )

    def _tops(self, own: Sequence[LayerBinary]) -> Sequence[LayerBinary]:
        """Return what no other binary of the same owner needs: what is loaded for its own sake."""
        paths = {binary.path for binary in own}
        tops = [
            binary
            for binary in own
            if not any(user.path in paths and user.path != binary.path for user in self.users.get(binary.path, ()))
        ]
        return tops or own


def _severity(one: LayerBinary, *, lost: int, entries: int, has_modules: bool) -> Severity:
    """Rate what is lost: half of the modules, or more than half of what else there is, is too much to go without.

    A distribution without modules may well bring libraries that nobody opens on most machines.
    """
    if one.runs_anywhere or not lost or (not one.is_owned and not has_modules):
        return Severity.WARNING
    too_much = lost * 2 >= entries if has_modules else lost * 2 > entries
    return Severity.ERROR if too_much else Severity.WARNING
