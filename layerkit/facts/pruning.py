"""The rules of pruning, loaded from ``prune.toml``: what cannot matter at run time, and why."""

import functools
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from layerkit.facts.table import Table

FILE: Final = "prune.toml"


class RuleKind(StrEnum):
    """How a rule finds what it removes; the head of ``prune.toml`` explains each."""

    FILES = "files"
    STUBS = "stubs"
    PACKAGES = "packages"


@dataclass(frozen=True, kw_only=True, slots=True)
class PruneRule:
    """One rule: ``patterns`` for files and stubs, ``folders`` for packages, ``readers`` are words that keep a stub."""

    name: str
    kind: RuleKind
    reason: str
    source: str
    patterns: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    readers: tuple[str, ...] = ()


@functools.cache
def prune_rules() -> tuple[PruneRule, ...]:
    """Return the rules of the ``standard`` profile in their order; the first that matches a file takes it."""
    file = Table.read(FILE)
    rules = tuple(_rule(name, table) for name, table in file.tables("rules").items())
    file.finish()
    return rules


def words_of_interest() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the folder names and the stub readers that a fragment must look for in a wheel's code."""
    rules = prune_rules()
    folders = tuple(folder for rule in rules for folder in rule.folders)
    return folders, tuple(reader for rule in rules for reader in rule.readers)


def _rule(name: str, table: Table) -> PruneRule:
    rule = PruneRule(
        name=name,
        kind=RuleKind(table.take("kind", str)),
        reason=table.take("reason", str),
        source=table.take("source", str),
        patterns=table.texts("patterns") if table.has("patterns") else (),
        folders=table.texts("folders") if table.has("folders") else (),
        readers=table.texts("readers") if table.has("readers") else (),
    )
    table.finish()
    return rule
