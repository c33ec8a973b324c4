"""Who brought a module that was imported: which folder of the search path has it, and which RECORD there lists it."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from layerkit.formats.metadata import read_metadata, read_record
from layerkit.invoke.import_costs import Owner, Part
from layerkit.invoke.modules import roots
from layerkit.invoke.scenery import Parts
from layerkit.model.names import normalize

_SUFFIXES: Final = (".py", ".pyc", ".so")
_INITIAL: Final = "__init__"
_DIST_INFO: Final = ".dist-info"


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of the search path, and the distributions whose dist-info is in it; each part of it is read once."""

    path: Path
    part: Part
    _recorded: dict[str, Owner] = field(default_factory=dict)
    _read: dict[tuple[str, ...], frozenset[str]] = field(default_factory=dict)

    def owner_of(self, module: str) -> Owner | None:
        """Return who brought a module to this folder; nothing where it has none, or only the folder of a namespace."""
        *parents, name = module.split(".")
        if name not in self._modules_at(*parents) and _INITIAL not in self._modules_at(*parents, name):
            return None
        if not self._recorded:
            self._recorded.update(_recorded_in(self.path, self.part))
        return self._recorded.get(module, Owner(part=self.part))

    def _modules_at(self, *package: str) -> frozenset[str]:
        if package not in self._read:
            self._read[package] = modules_in(self.path.joinpath(*package))
        return self._read[package]


@dataclass(frozen=True, slots=True)
class FoundOwners:
    """Finds owners in the folders of a search path, and takes the rest of what ``library`` names for Python's own."""

    folders: tuple[Folder, ...]
    library: frozenset[str]

    def of(self, module: str) -> Owner | None:
        """Return a module's owner; a module that is no file is its package's."""
        while module:
            for folder in self.folders:
                if owner := folder.owner_of(module):
                    return owner
            if module in self.library:
                return Owner(part=Part.LIBRARY)
            module = module.rpartition(".")[0]
        return None


def find_owners(parts: Parts, *, version: str, library: Path) -> FoundOwners:
    """Return who brought what to a function of a Python ``version``, whose standard library is the folder ``library``.

    The folders are searched in Lambda's order: the function's code, layers, the runtime's own.
    """
    own = modules_in(library) | modules_in(library / "lib-dynload") | _packages_in(library)
    return FoundOwners(
        (
            Folder(parts.code, Part.FUNCTION),
            *(Folder(parts.opt / root, Part.LAYER) for root in roots(version)),
            Folder(parts.bundled, Part.RUNTIME),
        ),
        frozenset(own | sys.stdlib_module_names),
    )


def _packages_in(library: Path) -> frozenset[str]:
    return frozenset(path.parent.name for path in library.glob(f"*/{_INITIAL}.py"))


def modules_in(folder: Path) -> frozenset[str]:
    """Return the names of the files in a folder that are modules; packages below are none."""
    try:
        return frozenset(path.name.partition(".")[0] for path in folder.iterdir() if path.suffix in _SUFFIXES)
    except OSError:
        return frozenset()


def _recorded_in(folder: Path, part: Part) -> dict[str, Owner]:
    """Return the owner of each module that a RECORD in the folder lists."""
    found: dict[str, Owner] = {}
    for place in sorted(folder.glob(f"*{_DIST_INFO}")):
        if owner := _distribution_at(place, part):
            found |= dict.fromkeys(_modules_of(place), owner)
    return found


def _distribution_at(place: Path, part: Part) -> Owner | None:
    """Return the distribution of a dist-info: by what it says, or else by its name."""
    metadata = read_metadata(_content(place / "METADATA"))
    if metadata is not None:
        return Owner(part=part, name=metadata.name, version=metadata.version)
    name, _, version = place.name.removesuffix(_DIST_INFO).partition("-")
    return Owner(part=part, name=normalize(name), version=version or None) if name else None


def _modules_of(place: Path) -> Iterator[str]:
    for path in read_record(_content(place / "RECORD"), root=""):
        if path.endswith(_SUFFIXES):
            folder, _, file = path.rpartition("/")
            name = file.partition(".")[0]
            module = folder if name == _INITIAL else f"{folder}/{name}"
            yield module.strip("/").replace("/", ".")


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
