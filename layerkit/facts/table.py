"""Read the project's own data files strictly: every key known, present and of its type."""

import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final, TypeVar

_Value = TypeVar("_Value")
_FOLDER: Final = Path(__file__).parent


class FactsError(Exception):
    """A data file of layerkit's own is wrong: a bug, not something that a user can mend."""

    def __init__(self, *, file: str, key: str, problem: str) -> None:
        super().__init__(f"{file}: `{key}` {problem}")


class Table:
    """A table of a data file; each ``take`` removes a key, and ``finish`` finds what nobody took."""

    def __init__(self, data: Mapping[str, Any], *, file: str, key: str = "") -> None:
        self._data = dict(data)
        self._file = file
        self._key = key

    @classmethod
    def read(cls, file: str) -> "Table":
        """Read a data file that lies beside this module."""
        return cls(tomllib.loads((_FOLDER / file).read_text(encoding="utf-8")), file=file)

    def take(self, key: str, kind: type[_Value]) -> _Value:
        """Return the value of ``key``, which must be a ``kind``."""
        if key not in self._data:
            raise self.wrong(key, "is missing")
        value = self._data.pop(key)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise self.wrong(key, f"must be a {kind.__name__}, not {value!r}")
        return value

    def take_or(self, key: str, default: _Value) -> _Value:
        """Return the value of ``key``, of the type of ``default``, or ``default`` if it is not there."""
        return self.take(key, type(default)) if key in self._data else default

    def date(self, key: str) -> date | None:
        """Return a date, if it is known."""
        return self.take(key, date) if key in self._data else None

    def version(self, key: str) -> tuple[int, ...]:
        """Return a dotted version as numbers."""
        text = self.take(key, str)
        try:
            return tuple(int(part) for part in text.split("."))
        except ValueError as exc:
            raise self.wrong(key, f"must be a dotted version, not {text!r}") from exc

    def pair(self, key: str) -> tuple[int, int]:
        """Return a dotted version of two numbers."""
        match self.version(key):
            case (major, minor):
                return major, minor
            case other:
                raise self.wrong(key, f"must have two numbers, not {other!r}")

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of strings."""
        values = self.take(key, list)
        if not all(isinstance(value, str) for value in values):
            raise self.wrong(key, f"must hold strings only, not {values!r}")
        return tuple(values)

    def tables(self, key: str) -> "dict[str, Table]":
        """Return a table of tables."""
        return {name: self.child(key, name, entry) for name, entry in self.take(key, dict).items()}

    def table(self, key: str) -> "Table":
        """Return a table within this one."""
        return Table(self.take(key, dict), file=self._file, key=self._path(key))

    def child(self, key: str, name: str, entry: object) -> "Table":
        """Return ``entry``, which must be a table."""
        if not isinstance(entry, dict):
            raise self.wrong(f"{key}.{name}", f"must be a table, not {entry!r}")
        return Table(entry, file=self._file, key=self._path(f"{key}.{name}"))

    def has(self, key: str) -> bool:
        """Whether ``key`` is there and not yet taken."""
        return key in self._data

    def finish(self) -> None:
        """Raise ``FactsError`` if there is a key that nobody took."""
        for key in self._data:
            raise self.wrong(key, "is unknown")

    def wrong(self, key: str, problem: str) -> FactsError:
        """Build the error about ``key``."""
        return FactsError(file=self._file, key=self._path(key), problem=problem)

    def _path(self, key: str) -> str:
        return f"{self._key}.{key}" if self._key else key
