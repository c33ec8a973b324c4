"""What is left in layers by accident, loaded from ``leftovers.toml``: sorts of dead weight, names of secrets."""

import functools
from dataclasses import dataclass
from typing import Final

from layerkit.facts.table import Table

FILE: Final = "leftovers.toml"


@dataclass(frozen=True, kw_only=True, slots=True)
class LeftoverSort:
    """One sort of files that nothing needs; the head of ``leftovers.toml`` explains how it takes them.

    ``always`` is a severity, whatever the size; empty where the size decides.
    """

    name: str
    what: str
    hint: str
    source: str
    folders: frozenset[str]
    holding: tuple[str, ...]
    exceptions: tuple[str, ...]
    beside: frozenset[str]
    files: tuple[str, ...]
    distributions: frozenset[str]
    kinds: frozenset[str]
    least_bytes: int
    always: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SecretNames:
    """Names under which secrets are kept, and what is none in spite of its name."""

    files: tuple[str, ...]
    exceptions: tuple[str, ...]
    except_below: frozenset[str]
    source: str


@functools.cache
def leftover_sorts() -> tuple[LeftoverSort, ...]:
    """Return the sorts in their order; the first that takes a file has it."""
    return _load()[0]


@functools.cache
def secret_names() -> SecretNames:
    """Return the names of files in which secrets are kept."""
    return _load()[1]


@functools.cache
def _load() -> tuple[tuple[LeftoverSort, ...], SecretNames]:
    return read_leftovers(Table.read(FILE))


def read_leftovers(file: Table) -> tuple[tuple[LeftoverSort, ...], SecretNames]:
    """Turn the file into values. Raises ``FactsError`` at the first key that is wrong."""
    sorts = tuple(_sort(name, table) for name, table in file.tables("sorts").items())
    secrets = _secrets(file.table("secrets"))
    file.finish()
    return sorts, secrets


def _sort(name: str, table: Table) -> LeftoverSort:
    always = table.take_or("always", default="")
    if always not in {"", "note", "warning"}:
        raise table.wrong("always", f"must be `note` or `warning`, not {always!r}")
    found = LeftoverSort(
        name=name,
        what=table.take("what", str),
        hint=table.take("hint", str),
        source=table.take("source", str),
        folders=frozenset(_texts(table, "folders")),
        holding=_texts(table, "holding"),
        exceptions=_texts(table, "except"),
        beside=frozenset(_texts(table, "beside")),
        files=_texts(table, "files"),
        distributions=frozenset(_texts(table, "distributions")),
        kinds=frozenset(_texts(table, "kinds")),
        least_bytes=table.take_or("least-bytes", default=0),
        always=always,
    )
    table.finish()
    return found


def _secrets(table: Table) -> SecretNames:
    found = SecretNames(
        files=table.texts("files"),
        exceptions=table.texts("except"),
        except_below=frozenset(table.texts("except-below")),
        source=table.take("source", str),
    )
    table.finish()
    return found


def _texts(table: Table, key: str) -> tuple[str, ...]:
    return table.texts(key) if table.has(key) else ()
