"""On which line of a TOML text each table and key stands.

``tomllib`` does not tell. The scanner is for texts that ``tomllib`` has read without complaint, and trusts their form.
"""

import re
from collections import Counter
from typing import Final

Path = tuple[str | int, ...]

_STRING: Final = r'"""(?:\\.|[^\\])*?"{3,5}' r"|'''.*?'{3,5}" r'|"(?:\\.|[^"\\\n])*"' r"|'[^'\n]*'"
_BLANK: Final = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_HEADER: Final = re.compile(rf"(?P<open>\[\[?)(?P<name>(?:{_STRING}|[^\]\"'#\n])+)\]\]?", re.DOTALL)
_KEY: Final = re.compile(rf"(?P<name>(?:{_STRING}|[^=\"'#\n])+)=", re.DOTALL)
_VALUE_PART: Final = re.compile(rf"{_STRING}|#[^\n]*|[\[\]{{}}\n]|[^\[\]{{}}\n\"'#]+", re.DOTALL)
_NAME_PART: Final = re.compile(r"\"((?:\\.|[^\"\\])*)\"|'([^']*)'|([A-Za-z0-9_-]+)")


class Lines:
    """The lines of a TOML text's tables and keys, by path: ``("files", 0, "target")``."""

    def __init__(self, text: str) -> None:
        self._found = _scan(text)

    def of(self, *path: str | int) -> int:
        """Return the line of a path, or of the nearest thing around it; 1 if there is none."""
        while path and path not in self._found:
            path = path[:-1]
        return self._found.get(path, 1)


def _scan(text: str) -> dict[Path, int]:
    found: dict[Path, int] = {}
    arrays: Counter[Path] = Counter()
    table: Path = ()
    position = _skip(_BLANK, text, 0)
    while position < len(text):
        line = text.count("\n", 0, position) + 1
        if header := _HEADER.match(text, position):
            table = _table(_names(header["name"]), array=header["open"] == "[[", arrays=arrays)
            for depth in range(1, len(table) + 1):
                found.setdefault(table[:depth], line)
            position = header.end()
        elif key := _KEY.match(text, position):
            _note(found, table=table, names=_names(key["name"]), line=line)
            position = _skip_value(text, key.end())
        else:
            break
        position = _skip(_BLANK, text, position)
    return found


def _table(names: list[str], *, array: bool, arrays: Counter[Path]) -> Path:
    path: Path = ()
    for name in names:
        path = (*path, name)
        if path in arrays and (len(path) < len(names) or not array):
            path = (*path, arrays[path] - 1)
    if array:
        arrays[path] += 1
        path = (*path, arrays[path] - 1)
    return path


def _note(found: dict[Path, int], *, table: Path, names: list[str], line: int) -> None:
    for name in names:
        table = (*table, name)
        found.setdefault(table, line)


def _names(text: str) -> list[str]:
    return [quoted or literal or bare for quoted, literal, bare in _NAME_PART.findall(text)]


def _skip(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.match(text, position)
    return match.end() if match else position


def _skip_value(text: str, position: int) -> int:
    depth = 0
    while position < len(text) and (part := _VALUE_PART.match(text, position)):
        if part[0] == "\n" and depth == 0:
            break
        depth += (part[0] in "[{") - (part[0] in "]}")
        position = part.end()
    return position
