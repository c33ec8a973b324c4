"""AWS regions with Lambda, and the partitions that keep them apart; loaded when layers are published."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from layerkit.facts.table import Table

FILE: Final = "regions.toml"


@dataclass(frozen=True, kw_only=True, slots=True)
class Region:
    """A region: its partition, and whether accounts must enable it before they can use it."""

    name: str
    partition: str
    opt_in: bool


@functools.cache
def regions() -> Mapping[str, Region]:
    """Return every region by name."""
    return read_regions(Table.read(FILE))


def read_regions(table: Table) -> Mapping[str, Region]:
    """Turn the file into regions by name. Raises ``FactsError`` at the first key that is wrong."""
    found: dict[str, Region] = {}
    for partition, entry in table.tables("partitions").items():
        for key in ("default", "opt-in"):
            for name in entry.texts(key):
                if name in found:
                    raise entry.wrong(key, f"names `{name}` twice")
                found[name] = Region(name=name, partition=partition, opt_in=key == "opt-in")
        entry.finish()
    table.finish()
    return MappingProxyType(found)
