"""What is taken of a project that requirements, or a lock, are read from."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Selection:
    """What of a project is wanted besides its dependencies, and what not."""

    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    exclusions: tuple[str, ...] = ()
    no_binary: tuple[str, ...] = ()
