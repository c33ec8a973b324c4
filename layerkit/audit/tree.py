"""The files of a stack as they lie on Lambda, with links followed as the kernel follows them."""

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

_MOST_LINKS: Final = 40  # Linux gives up after as many, with ELOOP
_FILLED: Final = ("/opt/", "/var/task/")  # what a stack fills; of anything else on Lambda nothing is known here


@dataclass(frozen=True, kw_only=True, slots=True)
class Tree:
    """Regular files, and where links point, by absolute path."""

    files: frozenset[str]
    links: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, paths: Iterable[str], links: Mapping[str, str] | None = None) -> "Tree":
        """Return the tree of these paths; ``links`` are those of them that are links."""
        known = links or {}
        return cls(files=frozenset(path for path in paths if path not in known), links=known)

    def find(self, path: str) -> str | None:
        """Return the file that a path leads to: itself, or what links make of it; ``None`` if there is none."""
        for _ in range(_MOST_LINKS):
            if path in self.files:
                return path
            link = next((part for part in _prefixes(path) if part in self.links), None) if self.links else None
            if link is None:
                return None
            target = posixpath.join(posixpath.dirname(link), self.links[link])
            path = posixpath.normpath(target + path[len(link) :])
            if not path.startswith(_FILLED):
                return path
        return None


def _prefixes(path: str) -> Iterator[str]:
    yield from (path[:at] for at, sign in enumerate(path) if sign == "/" and at)
    yield path
