"""Lambda's limits, as values."""

import functools
import re
from dataclasses import dataclass
from typing import Final

from layerkit.facts.table import Table

FILE: Final = "limits.toml"


@dataclass(frozen=True, kw_only=True, slots=True)
class Range:
    """The least and the most that Lambda accepts, both included."""

    least: int
    most: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Lambda's limits for layers and functions; bytes where a name says so. The sources stand in ``limits.toml``.

    ``unzipped_bytes`` is the first size that is refused, for a function and all its layers together; up to
    ``zipped_direct_bytes`` a zip can go in the request itself, larger ones go through S3.
    """

    unzipped_bytes: int
    zipped_direct_bytes: int
    request_bytes: int
    layer_name_pattern: str
    layer_name_length: int
    description_length: int
    license_length: int
    compatible_runtimes: int
    compatible_architectures: int
    layers_per_function: int
    memory_mib: Range
    timeout_seconds: Range
    tmp_mib: Range
    environment_bytes: int

    def is_layer_name(self, name: str) -> bool:
        """Whether Lambda accepts ``name`` for a layer."""
        return len(name) <= self.layer_name_length and re.fullmatch(self.layer_name_pattern, name) is not None


@functools.cache
def limits() -> Limits:
    """Return the limits."""
    return read_limits(Table.read(FILE))


def read_limits(table: Table) -> Limits:
    """Turn the file's tables into a value. Raises ``FactsError`` at the first key that is wrong."""
    package, layer, function = table.table("package"), table.table("layer"), table.table("function")
    found = Limits(
        unzipped_bytes=package.take("unzipped-bytes", int),
        zipped_direct_bytes=package.take("zipped-direct-bytes", int),
        request_bytes=package.take("request-bytes", int),
        layer_name_pattern=layer.take("name-pattern", str),
        layer_name_length=layer.take("name-length", int),
        description_length=layer.take("description-length", int),
        license_length=layer.take("license-length", int),
        compatible_runtimes=layer.take("runtimes", int),
        compatible_architectures=layer.take("architectures", int),
        layers_per_function=function.take("layers", int),
        memory_mib=_range(function, "memory-mib"),
        timeout_seconds=_range(function, "timeout-seconds"),
        tmp_mib=_range(function, "tmp-mib"),
        environment_bytes=function.take("environment-bytes", int),
    )
    for each in (package, layer, function, table):
        each.finish()
    return found


def _range(table: Table, key: str) -> Range:
    match table.take(key, list):
        case [int(least), int(most)] if least <= most:
            return Range(least=least, most=most)
        case other:
            raise table.wrong(key, f"must be the least and the most, not {other!r}")
