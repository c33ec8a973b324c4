"""What pip-compile writes: pins with hashes, and who asked for them. Pure."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from layerkit.model.names import normalize

_VIA: Final = re.compile(r"(?:^|\s)# via (.*)$")
_HASH: Final = re.compile(r"--hash=(\S+)")
_NAME: Final = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*")
_PINNED: Final = re.compile(r"^\s*(?:\[[^\]]*\])?\s*===?\s*([^\s;,]+)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Pin:
    """A distribution as pip resolved it. ``version`` is ``None`` for a direct reference, whose URL says it all.

    ``via`` are the distributions that need it; ``wanted`` tells whether the requirements themselves name it.
    """

    name: str
    version: str | None
    hashes: frozenset[str] = frozenset()
    via: frozenset[str] = frozenset()
    wanted: bool = False

    @property
    def requirement(self) -> str:
        """The pin as a PEP 508 line, by its name alone if it is a direct reference."""
        return f"{self.name}=={self.version}" if self.version else self.name


@dataclass(kw_only=True)
class _Entry:
    """A pin, as long as lines about it may follow."""

    pin: Pin
    hashes: set[str] = field(default_factory=set)
    via: list[str] = field(default_factory=list)

    def finished(self) -> Pin:
        names = {normalize(match[0]) for each in self.via if (match := _NAME.match(each))}
        wanted = any(each.startswith("-r ") for each in self.via) or not self.via
        return replace(self.pin, hashes=frozenset(self.hashes), via=frozenset(names), wanted=wanted)


def read_pins(text: str) -> tuple[Pin, ...]:
    """Read pip-compile's output, written with annotations in one line."""
    entries: list[_Entry] = []
    for line in text.splitlines():
        said = line.strip().removesuffix("\\").strip()
        if name := _NAME.match(said):
            pinned = _PINNED.match(said[name.end() :])
            pin = Pin(name=normalize(name[0]), version=pinned[1] if pinned else None)
            entries.append(_Entry(pin=pin))
        if entries:
            entries[-1].hashes.update(match[1].lower() for match in _HASH.finditer(said))
            if via := _VIA.search(said):
                entries[-1].via += [each.strip() for each in via[1].split(",")]
    return tuple(entry.finished() for entry in entries)


def without(pins: Iterable[Pin], excluded: Collection[str]) -> tuple[Pin, ...]:
    """Leave out what is excluded, and what is reached only by way of it.

    A distribution stays if something that stays needs it, whichever of its extras asks for it.
    """
    left = {pin.name: pin for pin in pins if pin.name not in excluded}
    kept: set[str] = set()
    reached = {pin.name for pin in left.values() if pin.wanted}
    while reached:
        kept |= reached
        reached = {name for name, pin in left.items() if name not in kept and pin.via & kept}
    return tuple(pin for name, pin in left.items() if name in kept)


def pinned_lines(packages: Iterable[Mapping[str, str]], *, besides: Collection[str]) -> tuple[str, ...]:
    """Return the packages of an earlier lock as lines that pip-compile prefers."""
    return tuple(f"{each['name']}=={each['version']}" for each in packages if each["name"] not in besides)
