"""Lambda's runtimes that layers are built for: what they are made of, and how long they live."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from layerkit.facts.architecture import Architecture
from layerkit.facts.table import Table

FILE: Final = "runtimes.toml"


class RuntimeStatus(StrEnum):
    """Where a runtime is in its life on a given day."""

    PREVIEW = "preview"  # not yet supported for production
    CURRENT = "current"
    DEPRECATED = "deprecated"  # no more security updates
    BLOCKED = "blocked"  # Lambda refuses to create functions with it
    REMOVED = "removed"  # Lambda refuses to update functions that use it: a layer would reach nobody


@dataclass(frozen=True, kw_only=True, slots=True)
class OperatingSystem:
    """What a runtime stands on, and the highest symbol versions its libraries define; ``None`` where not known."""

    name: str
    glibc: tuple[int, int]
    glibcxx: tuple[int, ...] | None
    cxxabi: tuple[int, ...] | None
    openssl: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class BundledDistribution:
    """A Python distribution that the runtime itself brings."""

    name: str
    version: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Runtime:
    """A Lambda runtime. ``removed`` tells whether updates were already refused on the day the facts were gathered."""

    name: str
    system: OperatingSystem
    architectures: tuple[Architecture, ...]
    deprecated: date | None
    create_block: date | None
    update_block: date | None
    preview: bool
    removed: bool

    @property
    def glibc(self) -> tuple[int, int]:
        """The highest ``GLIBC_`` symbol version that is there."""
        return self.system.glibc

    def status(self, today: date) -> RuntimeStatus:
        """Tell where the runtime is in its life."""
        steps = (
            (self.update_block, RuntimeStatus.REMOVED),
            (self.create_block, RuntimeStatus.BLOCKED),
            (self.deprecated, RuntimeStatus.DEPRECATED),
        )
        reached = (status for since, status in steps if since is not None and since <= today)
        return next(reached, RuntimeStatus.PREVIEW if self.preview else RuntimeStatus.CURRENT)


@dataclass(frozen=True, kw_only=True, slots=True)
class PythonRuntime(Runtime):
    """A runtime with a Python interpreter.

    ``python_full_version`` is a lower bound: Lambda updates the patch level without notice. ``bundled``, in order of
    name, lay in the folder ``bundled_in`` on the day ``bundled_seen``; all three are empty where nobody looked.
    """

    python: tuple[int, int]
    python_full_version: str
    bundled: tuple[BundledDistribution, ...]
    bundled_in: str | None
    bundled_seen: date | None

    @property
    def python_version(self) -> str:
        """The version as ``3.12``."""
        return f"{self.python[0]}.{self.python[1]}"


@functools.cache
def runtimes() -> Mapping[str, Runtime]:
    """Return every runtime by name, oldest Python first, those without Python last."""
    return read_runtimes(Table.read(FILE))


def newest_python(today: date) -> PythonRuntime:
    """Return the newest Python runtime that is neither in preview nor deprecated on that day.

    Once all that these facts know are deprecated, the newest of them that is not in preview is still the best answer.
    """
    pythons = sorted(
        (runtime for runtime in runtimes().values() if isinstance(runtime, PythonRuntime) and not runtime.preview),
        key=lambda runtime: runtime.python,
        reverse=True,
    )
    current = (runtime for runtime in pythons if runtime.status(today) is RuntimeStatus.CURRENT)
    return next(current, pythons[0])


def read_runtimes(table: Table) -> Mapping[str, Runtime]:
    """Turn the file's tables into values. Raises ``FactsError`` at the first key that is wrong."""
    as_of = table.take("as-of", date)
    systems = {name: _system(name, entry) for name, entry in table.tables("systems").items()}
    found = {
        name: _runtime(name, entry, systems=systems, as_of=as_of) for name, entry in table.tables("runtimes").items()
    }
    table.finish()
    return MappingProxyType(found)


def _system(name: str, table: Table) -> OperatingSystem:
    system = OperatingSystem(
        name=name,
        glibc=table.pair("glibc"),
        glibcxx=table.version("glibcxx") if table.has("glibcxx") else None,
        cxxabi=table.version("cxxabi") if table.has("cxxabi") else None,
        openssl=table.take("openssl", str) if table.has("openssl") else None,
    )
    table.finish()
    return system


def _runtime(name: str, table: Table, *, systems: Mapping[str, OperatingSystem], as_of: date) -> Runtime:
    system = table.take("system", str)
    if system not in systems:
        raise table.wrong("system", f"names the unknown system {system!r}")
    update_block = table.date("update-block")
    common: dict[str, Any] = {
        "name": name,
        "system": systems[system],
        "architectures": _architectures(table),
        "deprecated": table.date("deprecated"),
        "create_block": table.date("create-block"),
        "update_block": update_block,
        "preview": table.take_or("preview", default=False),
        "removed": update_block is not None and update_block <= as_of,
    }
    runtime = PythonRuntime(**common, **_python(table)) if table.has("python") else Runtime(**common)
    table.finish()
    return runtime


def _architectures(table: Table) -> tuple[Architecture, ...]:
    names = table.texts("architectures")
    try:
        return tuple(Architecture(name) for name in names)
    except ValueError as exc:
        raise table.wrong("architectures", f"names an unknown architecture: {exc}") from exc


def _python(table: Table) -> dict[str, Any]:
    bundled: dict[str, Any] = table.take_or("bundled", default={})
    if not all(isinstance(version, str) for version in bundled.values()):
        raise table.wrong("bundled", "must map names to versions")
    if bundled and not (table.has("bundled-in") and table.has("bundled-seen")):
        raise table.wrong("bundled", "must say where and when it was seen")
    full = table.take("python-full-version", str)
    version = table.pair("python")
    if not full.startswith(f"{version[0]}.{version[1]}."):
        raise table.wrong("python-full-version", f"is no patch level of {version[0]}.{version[1]}: {full!r}")
    return {
        "python": version,
        "python_full_version": full,
        "bundled": tuple(BundledDistribution(name=name, version=bundled[name]) for name in sorted(bundled)),
        "bundled_in": table.take("bundled-in", str) if table.has("bundled-in") else None,
        "bundled_seen": table.date("bundled-seen"),
    }
