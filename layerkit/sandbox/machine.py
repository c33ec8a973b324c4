"""What this machine is, as far as binaries are concerned."""

import os
import platform
import sys
from dataclasses import dataclass
from typing import Self


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


def _glibc() -> tuple[int, int] | None:
    try:
        name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
        major, minor, *_ = version.split(".")
        return (int(major), int(minor)) if name == "glibc" else None
    except (AttributeError, ValueError, OSError):
        return None
