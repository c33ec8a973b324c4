"""Read a user's TOML file one section at a time, and keep every mistake with its line."""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TypeVar

from layerkit.errors import ConfigError, RecipeError, UsageError
from layerkit.model.toml_lines import Lines

_Choice = TypeVar("_Choice", bound=StrEnum)
_Read = TypeVar("_Read")
_PLACE: Final = re.compile(r" \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")
_PASSWORD: Final = re.compile(r"(?<=://)[^/\s]*@")
_KINDS: Final = {
    bool: "true or false", str: "a string", int: "a number", float: "a number", list: "a list", dict: "a table"
}  # fmt: skip


def without_passwords(text: str) -> str:
    """Return ``text`` without ``user:password@`` in its URLs."""
    return _PASSWORD.sub("", text)


class Document:
    """A TOML text, its sections, and the mistakes found in it so far."""

    def __init__(
        self,
        text: str,
        *,
        path: Path,
        root: tuple[str, ...] = (),
        error: type[RecipeError] | type[ConfigError] = RecipeError,
    ) -> None:
        self._path = path
        self._root = root
        self._error = error
        self._lines = Lines("")
        self._problems: list[tuple[int, str]] = []
        self._data: dict[str, Any] = {}
        try:
            self._data = _within(tomllib.loads(text), root)
        except tomllib.TOMLDecodeError as exc:
            raise self._syntax_error(str(exc), last_line=text.count("\n") + 1) from exc
        self._lines = Lines(text)

    def complain(self, problem: str, *where: str | int) -> None:
        """Note a mistake at the line of ``where``."""
        self._problems.append((self._lines.of(*self._root, *where), without_passwords(problem)))

    def finish(self) -> None:
        """Raise the document's error with every mistake, in order of line, if there was one."""
        if self._problems:
            ordered = sorted(dict.fromkeys(self._problems), key=lambda problem: problem[0])
            raise self._error(path=self._path, problems=[f"line {line}: {text}" for line, text in ordered])

    def expect_sections(self, known: Iterable[str]) -> None:
        """Complain about sections that are not among ``known``."""
        known = tuple(known)
        for name in self._data:
            if name not in known:
                self.complain(f"unknown section [{name}]{_suggestion(name, known, form='[{}]')}", name)

    def holds(self, *where: str) -> bool:
        """Whether something that is not empty stands at ``where``."""
        value: Any = self._data
        for key in where:
            value = value.get(key) if isinstance(value, dict) else None
        return bool(value)

    def section(self, name: str) -> "Section":
        """Return a section, empty if it is not there."""
        return self._top().section(name)

    def sections(self, name: str) -> list["Section"]:
        """Return the sections of an array of tables."""
        return self._top().sections(name)

    def one_or_more(self, name: str) -> list["Section"]:
        """Return the sections of an array of tables, or the one section that stands in its place."""
        if isinstance(self._data.get(name), list):
            return self.sections(name)
        return [self.section(name)] if name in self._data else []

    def _top(self) -> "Section":
        return Section(self, self._data, where=(), title=".".join(self._root))

    def _syntax_error(self, message: str, *, last_line: int) -> RecipeError | ConfigError:
        place = _PLACE.search(message)
        line = int(place["line"]) if place and place["line"] else last_line
        text = _PLACE.sub("", message)
        return self._error(path=self._path, problems=[f"line {line}: {text[:1].lower()}{text[1:]}"])


class Section:
    """One table of a document; each getter complains about a wrong value and answers as if it were not there."""

    def __init__(
        self, document: Document, data: Mapping[str, Any], *, where: tuple[str | int, ...], title: str
    ) -> None:
        self._document = document
        self._data = data
        self._where = where
        self._known: list[str] = []
        self.title = title

    def complain(self, problem: str, key: str | None = None) -> None:
        """Note a mistake at the line of ``key``, or of the section."""
        self._document.complain(problem, *self._where, *([] if key is None else [key]))

    def has(self, key: str) -> bool:
        """Whether the section has ``key``."""
        return key in self._data

    def section(self, key: str) -> "Section":
        """Return a section within this one, empty if it is not there."""
        self._known.append(key)
        value, name = self._data.get(key, {}), self._name(key)
        if not isinstance(value, dict):
            self.complain(f"`{key}` must be a section [{name}], not {_kind(value)}", key)
            value = {}
        return Section(self._document, value, where=(*self._where, key), title=f"[{name}]")

    def sections(self, key: str) -> list["Section"]:
        """Return the sections of an array of tables within this one."""
        self._known.append(key)
        value, name = self._data.get(key, []), self._name(key)
        if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
            self.complain(f"`{key}` must be sections [[{name}]]", key)
            return []
        return [
            Section(self._document, entry, where=(*self._where, key, place), title=f"[[{name}]]")
            for place, entry in enumerate(value)
        ]

    def text(self, key: str) -> str | None:
        """Return a string that is not blank."""
        value = self._typed(key, str, "a string")
        if value is not None and not value.strip():
            self.complain(f"`{key}` in {self.title} is empty", key)
            return None
        return value

    def flag(self, key: str) -> bool | None:
        """Return true or false."""
        return self._typed(key, bool, "true or false")

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of strings, none of them blank, none of them twice."""
        values = self._typed(key, list, "a list of strings") or []
        good = [value for value in values if isinstance(value, str) and value.strip()]
        if len(good) < len(values):
            wrong = next(value for value in values if value not in good)
            self.complain(f"`{key}` in {self.title} must hold strings only, not {_kind(wrong)}", key)
        for value in dict.fromkeys(value for value in good if good.count(value) > 1):
            self.complain(f"`{key}` in {self.title} names `{value}` twice", key)
        return tuple(dict.fromkeys(good))

    def text_or_texts(self, key: str) -> tuple[str, ...]:
        """Return a list of strings, or the one string that stands in its place."""
        if isinstance(self._data.get(key), list):
            return self.texts(key)
        text = self.text(key)
        return () if text is None else (text,)

    def mapping(self, key: str) -> dict[str, str]:
        """Return a table of strings."""
        values = self._typed(key, dict, "a table of strings") or {}
        for name, value in values.items():
            if not isinstance(value, str):
                self.complain(f"`{key}.{name}` in {self.title} must be a string, not {_kind(value)}", key)
        return {name: value for name, value in values.items() if isinstance(value, str)}

    def text_or_mapping(self, key: str) -> str | dict[str, str] | None:
        """Return a string or a table of strings."""
        if isinstance(self._data.get(key), dict):
            return self.mapping(key)
        return self._typed(key, str, "a string or a table of strings")

    def text_or_number(self, key: str) -> str | None:
        """Return a string, or a whole number as one."""
        value = self._data.get(key)
        if isinstance(value, int) and not isinstance(value, bool):
            self._known.append(key)
            return str(value)
        return self._typed(key, str, "a string such as `120 MiB`, or a number of bytes")

    def number(self, key: str) -> int | None:
        """Return a whole number."""
        value = self._typed(key, int, "a whole number")
        if isinstance(value, bool):
            self.complain(f"`{key}` in {self.title} must be a whole number, not {_kind(value)}", key)
            return None
        return value

    def choice(self, key: str, kind: type[_Choice], *, what: str) -> _Choice | None:
        """Return one of a fixed set of words."""
        value = self.text(key)
        if value is None:
            return None
        try:
            return kind(value)
        except ValueError:
            words = [str(word) for word in kind]
            self.complain(f"unknown {what} `{value}` in {self.title}; one of {', '.join(words)}", key)
            return None

    def read(self, key: str, value: str, reader: Callable[[str], _Read]) -> _Read | None:
        """Return what ``reader`` makes of ``value``; what it raises for the user's sake becomes a complaint."""
        try:
            return reader(value)
        except UsageError as exc:
            self.complain(exc.message + (f"; {exc.hint}" if exc.hint else ""), key)
            return None

    def finish(self) -> None:
        """Complain about keys that nobody asked for."""
        for key in self._data:
            if key not in self._known:
                self.complain(f"unknown key `{key}` in {self.title}{_suggestion(key, self._known)}", key)

    def _name(self, key: str) -> str:
        outer = self.title.strip("[]")
        return f"{outer}.{key}" if outer else key

    def _typed(self, key: str, kind: type[_Read], expected: str) -> _Read | None:
        self._known.append(key)
        value = self._data.get(key)
        if value is not None and not isinstance(value, kind):
            self.complain(f"`{key}` in {self.title} must be {expected}, not {_kind(value)}", key)
            return None
        return value


def _within(data: dict[str, Any], root: tuple[str, ...]) -> dict[str, Any]:
    for key in root:
        inner = data.get(key, {})
        data = inner if isinstance(inner, dict) else {}
    return data


def _kind(value: object) -> str:
    if isinstance(value, str) and not value.strip():
        return "an empty string"
    return _KINDS.get(type(value), "a date or time")


def _suggestion(name: str, known: Iterable[str], *, form: str = "`{}`") -> str:
    import difflib

    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {form.format(close[0])}?" if close else ""
