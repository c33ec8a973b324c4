"""The rules of pruning, loaded from ``prune.toml``: what cannot matter at run time, and why."""

import functools
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources


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
    data = tomllib.loads(resources.files("layerkit.facts").joinpath("prune.toml").read_text(encoding="utf-8"))
    return tuple(PruneRule(**{key: _value(key, value) for key, value in rule.items()}) for rule in data["rules"])


def words_of_interest() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the folder names and the stub readers that a fragment must look for in a wheel's code."""
    rules = prune_rules()
    folders = tuple(folder for rule in rules for folder in rule.folders)
    return folders, tuple(reader for rule in rules for reader in rule.readers)


def _value(key: str, value: str | list[str]) -> str | tuple[str, ...] | RuleKind:
    if isinstance(value, list):
        return tuple(value)
    return RuleKind(value) if key == "kind" else value
