"""What is taken of a project, and which files are locks already. Light: every build asks."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PYLOCK: Final = re.compile(r"^pylock(\.[^.]+)?\.toml$")


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """What of a project is wanted besides its dependencies, and what not."""

    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    exclusions: tuple[str, ...] = ()
    no_binary: tuple[str, ...] = ()


def is_lock(path: Path) -> bool:
    """Tell whether the file is a lock that is used as it is: nothing is resolved, no lock is written."""
    return path.name == "uv.lock" or _PYLOCK.match(path.name) is not None
