"""Which binaries of a stack need which, and what becomes useless when some of them cannot be loaded."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from layerkit.audit.layer_binary import LayerBinary, grouped
from layerkit.audit.loader import Loader
from layerkit.model.finding import Severity


@dataclass(frozen=True, kw_only=True, slots=True)
class Damage:
    """How many of an owner's ``entries`` (what Python imports or loads of it) cannot be loaded, and how bad that is.

    Half of the modules are too much to go without, or more than half of the binaries where there are no modules: such a
    distribution may well bring libraries that nobody opens on most machines. Libraries of nobody's are never too much.
    """

    owner: str
    what: str
    lost: int
    entries: int
    severity: Severity


@dataclass(frozen=True, kw_only=True, slots=True)
class Needs:
    """What the loader finds: for an owner's binaries, where each needed library is; and by path, who needs it."""

    binaries: Sequence[LayerBinary]
    found: Mapping[tuple[str, str], str | None]
    users: Mapping[str, Sequence[LayerBinary]]
    owned: Mapping[str, Sequence[LayerBinary]]

    @classmethod
    def of(cls, binaries: Sequence[LayerBinary], loader: Loader) -> "Needs":
        """Ask the loader for everything once."""
        found: dict[tuple[str, str], str | None] = {}
        users: dict[str, list[LayerBinary]] = {}
        for binary in binaries:
            for name in dict.fromkeys(binary.facts.needed):
                key = binary.owner, name
                if key not in found:
                    found[key] = loader.find(name, binary)
                place = found[key]
                if place is not None:
                    users.setdefault(place, []).append(binary)
        owned = {group[0].owner: group for group in grouped(binaries, lambda binary: binary.owner)}
        return cls(binaries=binaries, found=found, users=users, owned=owned)

    def missing(self, binary: LayerBinary) -> tuple[str, ...]:
        """Return the needed libraries that are not found."""
        return tuple(name for name in dict.fromkeys(binary.facts.needed) if self.found[binary.owner, name] is None)

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
        own = [binary for binary in self.owned[owner] if not binary.is_optional]
        modules = [binary for binary in own if binary.is_module]
        entries = modules or self._tops(own)
        lost = sum(entry.path in broken for entry in entries)
        too_much = lost * 2 >= len(entries) if modules else lost * 2 > len(entries)
        is_loose = not modules and not all(binary.is_owned for binary in own)
        return Damage(
            owner=owner,
            what="extension modules" if modules else "binaries",
            lost=lost,
            entries=len(entries),
            severity=Severity.ERROR if lost and too_much and not is_loose else Severity.WARNING,
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
