"""What this machine is, as far as binaries are concerned."""

import os
import platform
import sys
from dataclasses import dataclass
from typing import Final, Self

from layerkit.facts import Architecture

_ALIASES: Final = {"amd64": Architecture.X86_64, "arm64": Architecture.ARM64}  # Windows and macOS call them so


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """What decides whether binaries built here run elsewhere; ``glibc`` is ``None`` where there is another library."""

    system: str
    machine: str
    glibc: tuple[int, int] | None

    @classmethod
    def this(cls) -> Self:
        """Return what this machine is."""
        return cls(system=sys.platform, machine=platform.machine(), glibc=_glibc())

    @property
    def architecture(self) -> Architecture | None:
        """Lambda's name for its processor, if Lambda has such ones."""
        known = {each.machine: each for each in Architecture} | _ALIASES
        return known.get(self.machine.lower())


def _glibc() -> tuple[int, int] | None:
    try:
        name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
        major, minor, *_ = version.split(".")
        return (int(major), int(minor)) if name == "glibc" else None
    except (AttributeError, ValueError, OSError):
        return None
