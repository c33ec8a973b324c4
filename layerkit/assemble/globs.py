"""Patterns over paths inside a layer: ``*`` within one name, ``**`` any depth; a folder takes all below it."""

import functools
import re
from dataclasses import dataclass

from layerkit.model.names import normalize

_DISTRIBUTION = re.compile(r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*):(?P<glob>.+)$")
_TOKEN = re.compile(r"\*\*/|\*\*|\*|\?|\[!?\]?+[^\]/]*\]|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class PathPattern:
    """``GLOB``, or ``DIST:GLOB`` for the files of one distribution."""

    text: str

    @property
    def distribution(self) -> str | None:
        """The normalised name of the only distribution that it speaks of, if it names one."""
        match = _DISTRIBUTION.match(self.text)
        return normalize(match["name"]) if match else None

    def matches(self, path: str, *, distribution: str) -> bool:
        """Tell whether the pattern takes the file at ``path`` of ``distribution``."""
        only, expression = _compiled(self.text)
        return (only is None or only == distribution) and expression.fullmatch(path) is not None


def glob_expression(glob: str) -> str:
    """Return the regular expression for a pattern; who matches a folder matches all below it."""
    return "".join(_translate(token) for token in _TOKEN.findall(glob.rstrip("/"))) + "(?:/.*)?"


@functools.cache
def _compiled(text: str) -> tuple[str | None, re.Pattern[str]]:
    match = _DISTRIBUTION.match(text)
    glob = match["glob"] if match else text
    return (normalize(match["name"]) if match else None), re.compile(glob_expression(glob), re.DOTALL)


def _translate(token: str) -> str:
    match token:
        case "**/":
            return "(?:.*/)?"
        case "**":
            return ".*"
        case "*":
            return "[^/]*"
        case "?":
            return "[^/]"
        case _ if token.startswith("[") and len(token) > 1:
            return _set(token[1:-1])
        case _:
            return re.escape(token)


def _set(content: str) -> str:
    """Return the expression for ``[…]``, where nothing but a leading ``!`` and ``-`` between two has a meaning."""
    negated = content.startswith("!")
    ranges = re.findall(r"(.)-(.)|(.)", content.removeprefix("!"), re.DOTALL)
    parts = [_range(low, high) if low else re.escape(single) for low, high, single in ranges]
    inside = "".join(part for part in parts if part)
    if negated:
        return f"[^/{inside}]"
    return f"(?!/)[{inside}]" if inside else "(?!)"


def _range(low: str, high: str) -> str:
    return f"{re.escape(low)}-{re.escape(high)}" if low <= high else ""
