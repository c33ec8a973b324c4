"""Which shared libraries Lambda itself provides; loaded only when binaries are looked at."""

import functools
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from layerkit.facts.architecture import Architecture
from layerkit.facts.table import Table

FILE: Final = "system_libraries.toml"

_Libraries = Mapping[tuple[str, Architecture], frozenset[str]]
_NONE: Final[frozenset[str]] = frozenset()


def system_libraries(system: str, architecture: Architecture) -> frozenset[str]:
    """Return the file names in ``/usr/lib64`` (and the loader's) of an operating system such as ``AL2023``.

    Empty for a system into which nobody looked (``AL1``): then nothing can be said about what is missing.
    """
    return _load()[0].get((system, architecture), _NONE)


def runtime_libraries(runtime: str, architecture: Architecture) -> frozenset[str]:
    """Return the file names in ``/var/lang/lib`` of a runtime such as ``python3.12``; empty where nobody looked."""
    return _load()[1].get((runtime, architecture), _NONE)


@functools.cache
def _load() -> tuple[_Libraries, _Libraries]:
    return read_libraries(Table.read(FILE))


def read_libraries(table: Table) -> tuple[_Libraries, _Libraries]:
    """Turn the file into libraries by system and by runtime. Raises ``FactsError`` at the first key that is wrong."""
    found = _section(table, "systems"), _section(table, "runtimes")
    table.finish()
    return found


def _section(table: Table, key: str) -> _Libraries:
    found: dict[tuple[str, Architecture], frozenset[str]] = {}
    for name, entry in table.tables(key).items():
        common = entry.texts("common")
        for architecture in Architecture:
            found[name, architecture] = frozenset(common + entry.texts(architecture.value))
        entry.finish()
    return MappingProxyType(found)
