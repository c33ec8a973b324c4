"""Which modules a layer offers: what lies at the top of its Python folders, told from the names in the zip.

A distribution's public modules, or its private ones if it has no others (``_ruamel_yaml``); of a namespace package the
first real packages and modules in it. Tests, examples and scripts are no modules of the layer's.
"""

import re
import zipfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from layerkit.formats.zip import ZipProblem, read_entries
from layerkit.invoke.unreadable import LayerUnreadable

_EXTENSION: Final = re.compile(r"^(?P<name>[^\W\d]\w*)(?P<tag>\.(?:cpython-|pypy|abi3)[^/]*)?\.so$")
_SOURCE: Final = re.compile(r"^(?P<name>[^\W\d]\w*)\.pyc?$")
_BINARY: Final = re.compile(r"\.so(\.\d+)*$")
_INITIAL: Final = "__init__"
_UNWANTED: Final = frozenset(
    {"test", "tests", "doc", "docs", "example", "examples", "benchmark", "benchmarks", "conftest", "setup", "__main__"}
)
_NEVER_PACKAGES: Final = frozenset({"bin", "etc", "include", "lib", "lib64", "man", "scripts", "share"})


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerContents:
    """The names in a layer's zip, and the text of each RECORD by its name."""

    names: tuple[str, ...]
    records: Mapping[str, str]

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a layer. Raises ``LayerUnreadable``."""
        try:
            with path.open("rb") as stream:
                names = tuple(entry.name for entry in read_entries(stream))
                with zipfile.ZipFile(stream) as archive:
                    records = {
                        name: archive.read(name).decode() for name in names if name.endswith(".dist-info/RECORD")
                    }
        except (ZipProblem, zipfile.BadZipFile, UnicodeDecodeError) as exc:
            raise LayerUnreadable(path=path, reason=str(exc)) from exc
        except OSError as exc:
            raise LayerUnreadable.because(exc, path=path) from exc
        return cls(names=names, records=records)

    @property
    def is_native(self) -> bool:
        """Whether it holds shared libraries, so that only one architecture can import it."""
        return any(_BINARY.search(name) for name in self.names)

    def modules(self, python_version: str) -> dict[str, str]:
        """Return the modules to import under a Python such as ``3.12``, in order of name.

        Each with the RECORD that lists it, empty where none does.
        """
        found: dict[str, str] = {}
        for root in roots(python_version):
            below = {name.removeprefix(root) for name in self.names if name.startswith(root)}
            records = {name.removeprefix(root): text for name, text in self.records.items() if name.startswith(root)}
            for module, record in _modules_at(below, records):
                found.setdefault(module, record)
        return dict(sorted(found.items()))

    def extensions_of(self, module: str, python_version: str) -> tuple[str, ...]:
        """Return the files that hold a module's machine code, for whatever Python they are."""
        stems = tuple(root + module.replace(".", "/") for root in roots(python_version))
        return tuple(name for name in self.names if name.endswith(".so") and name.partition(".")[0] in stems)

    def holds(self, top_level: str, python_version: str) -> bool:
        """Tell whether the layer has a module or package of that name at the top."""
        return any(
            name.removeprefix(root).partition("/")[0].partition(".")[0] == top_level
            for root in roots(python_version)
            for name in self.names
            if name.startswith(root) and ".dist-info/" not in name
        )


def roots(python_version: str) -> tuple[str, str]:
    """Return the folders of a layer that Lambda's Python searches, with a slash at the end."""
    return f"python/lib/python{python_version}/site-packages/", "python/"


def _modules_at(names: Collection[str], records: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the modules of one Python folder, each with its RECORD; names count from there."""
    packages = {folder for name in names if (folder := _package_of(name))}
    for record, group in _by_distribution(names, records).items():
        found = [module for module in _offered(group, packages, prefix="") if not _is_unwanted(module)]
        public = [module for module in found if not _is_private(module)]
        yield from ((module, record) for module in public or found)


def _by_distribution(names: Collection[str], records: Mapping[str, str]) -> dict[str, list[str]]:
    """Group names by the RECORD that lists them, or none."""
    owners = {path: record for record, text in records.items() for path in _recorded(text)}
    groups: dict[str, list[str]] = {}
    for name in sorted(names):
        groups.setdefault(owners.get(name, ""), []).append(name)
    return groups


def _recorded(text: str) -> Iterator[str]:
    for line in text.splitlines():
        path = line.rpartition(",")[0].rpartition(",")[0]
        yield path[1:-1].replace('""', '"') if path.startswith('"') else path


def _package_of(name: str) -> str | None:
    """Return the folder that a file makes a package, if it is its ``__init__``."""
    folder, _, file = name.rpartition("/")
    return folder if folder and _module_in(file) == _INITIAL else None


def _offered(names: Sequence[str], packages: Collection[str], *, prefix: str) -> Iterator[str]:
    """Yield the packages and modules below the folder ``prefix``; of namespaces what they hold."""
    seen: set[str] = set()
    for name in names:
        if not name.startswith(prefix):
            continue
        first, slash, _ = name.removeprefix(prefix).partition("/")
        if not slash:
            if (module := _module_in(first)) and module != _INITIAL:
                yield _dotted(prefix + module)
        elif first.isidentifier() and first not in seen:
            seen.add(first)
            if prefix + first in packages:
                yield _dotted(prefix + first)
            elif prefix or first not in _NEVER_PACKAGES:
                yield from _offered(names, packages, prefix=f"{prefix}{first}/")


def _module_in(file: str) -> str | None:
    if match := _SOURCE.match(file):
        return match["name"]
    match = _EXTENSION.match(file)
    if match is None or (match["tag"] is None and match["name"].startswith("lib")):  # a library, most likely
        return None
    return match["name"]


def _dotted(path: str) -> str:
    return path.replace("/", ".")


def _is_private(module: str) -> bool:
    return any(part.startswith("_") for part in module.split("."))


def _is_unwanted(module: str) -> bool:
    return not _UNWANTED.isdisjoint(module.split("."))
