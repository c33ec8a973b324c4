"""Where the loader looks for the libraries that a binary needs. Source: ld.so(8), and LD_LIBRARY_PATH on Lambda."""

import posixpath
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from layerkit.audit.layer_binary import LayerBinary
from layerkit.facts import runtime_libraries, system_libraries
from layerkit.model.target import Target

_ORIGIN: Final = re.compile(r"\$(?:ORIGIN\b|\{ORIGIN\})")
_LIB: Final = re.compile(r"\$(?:LIB\b|\{LIB\})")
_ENVIRONMENT: Final = ("/var/task", "/var/task/lib", "/opt/lib")  # what of LD_LIBRARY_PATH a stack can fill
_VIRTUAL: Final = frozenset({"linux-vdso.so.1", "linux-gate.so.1"})


def own_folders(binary: LayerBinary) -> tuple[str, ...]:
    """Return the folders of a binary's own search path, as they are on Lambda."""
    origin = posixpath.dirname(binary.path)
    expanded = (_LIB.sub("lib64", _ORIGIN.sub(lambda _: origin, folder)) for folder in binary.facts.search_path)
    return tuple(posixpath.normpath(folder) for folder in expanded if folder.startswith("/"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Loader:
    """Finds libraries for the binaries of a stack on one target.

    A library that any binary of the same distribution finds counts as found for all of them: what is loaded once is
    found by its name afterwards, and search paths are inherited in ways that need the whole chain to tell.
    """

    paths: Collection[str]
    system: frozenset[str]
    folders: Mapping[str, tuple[str, ...]]
    elsewhere: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, binaries: Sequence[LayerBinary], target: Target, paths: Collection[str]) -> "Loader | None":
        """Return the loader of a target; ``None`` where nobody has looked into its system."""
        runtime = target.runtime
        system = system_libraries(runtime.system.name, target.architecture)
        if not system:
            return None
        folders: dict[str, dict[str, None]] = {}
        elsewhere: dict[str, str] = {}
        for binary in binaries:
            folders.setdefault(binary.owner, {}).update(dict.fromkeys(own_folders(binary)))
            elsewhere.setdefault(binary.name.rpartition("/")[2], binary.path)
            if binary.facts.soname is not None:
                elsewhere.setdefault(binary.facts.soname, binary.path)
        return cls(
            paths=paths,
            system=system | runtime_libraries(runtime.name, target.architecture) | _VIRTUAL,
            folders={owner: tuple(found) for owner, found in folders.items()},
            elsewhere=elsewhere,
        )

    def find(self, library: str, binary: LayerBinary) -> str | None:
        """Return the path of a needed library; its bare name where it is the system's; ``None`` if it is nowhere."""
        if "/" in library:
            return library if posixpath.normpath(library) in self.paths else None
        for folder in self.folders.get(binary.owner, ()):
            if f"{folder}/{library}" in self.paths:
                return f"{folder}/{library}"
        if library in self.system:
            return library
        return next((f"{folder}/{library}" for folder in _ENVIRONMENT if f"{folder}/{library}" in self.paths), None)
