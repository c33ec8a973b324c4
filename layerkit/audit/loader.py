"""Where the loader looks for the libraries that a binary needs. Source: ld.so(8), and LD_LIBRARY_PATH on Lambda."""

import posixpath
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from layerkit.audit.layer_binary import LayerBinary
from layerkit.audit.tree import Tree
from layerkit.facts import runtime_libraries, system_libraries
from layerkit.model.target import Target

LATE_FOLDERS: Final = ("/var/task", "/var/task/lib", "/opt/lib")
"""What of LD_LIBRARY_PATH a stack can fill; the runtime's and the system's own folders come before."""

_TOKEN: Final = re.compile(r"\$(?:(ORIGIN|LIB|PLATFORM)\b|\{(ORIGIN|LIB|PLATFORM)\})")
_SYSTEM_FOLDERS: Final = frozenset({"/lib64", "/usr/lib64", "/lib", "/usr/lib", "/var/lang/lib"})
_CURRENT_FOLDER: Final = "/var/task"
_VIRTUAL: Final = frozenset({"linux-vdso.so.1", "linux-gate.so.1"})


def own_folders(binary: LayerBinary) -> tuple[str, ...]:
    """Return the folders of a binary's own search path, as they are on Lambda."""
    values = {"ORIGIN": posixpath.dirname(binary.path), "LIB": "lib64", "PLATFORM": binary.facts.machine}

    def value(token: re.Match[str]) -> str:
        return values[token[1] or token[2]]

    expanded = (_TOKEN.sub(value, folder) for folder in binary.facts.search_path)
    return tuple(posixpath.normpath(posixpath.join(_CURRENT_FOLDER, folder)) for folder in expanded)


@dataclass(frozen=True, kw_only=True, slots=True)
class Loader:
    """Finds libraries for the binaries of a stack on one target.

    A library that any binary of the same distribution finds counts as found for all of them: what is loaded once is
    found by its name afterwards, and search paths are inherited in ways that need the whole chain to tell. For the same
    reason an own search path goes before LD_LIBRARY_PATH, though that is so for DT_RPATH only.
    """

    tree: Tree
    system: frozenset[str]
    folders: Mapping[str, tuple[str, ...]]
    elsewhere: Mapping[str, LayerBinary]

    @classmethod
    def of(cls, binaries: Sequence[LayerBinary], target: Target, tree: Tree) -> "Loader | None":
        """Return the loader of a target; ``None`` where nobody has looked into its system."""
        runtime = target.runtime
        system = system_libraries(runtime.system.name, target.architecture)
        if not system:
            return None
        folders: dict[str, dict[str, None]] = {}
        elsewhere: dict[str, LayerBinary] = {}
        for binary in binaries:
            folders.setdefault(binary.owner, {}).update(dict.fromkeys(own_folders(binary)))
            for name in filter(None, (binary.file_name, binary.facts.soname)):
                elsewhere.setdefault(name, binary)
        return cls(
            tree=tree,
            system=system | runtime_libraries(runtime.name, target.architecture) | _VIRTUAL,
            folders={owner: tuple(found) for owner, found in folders.items()},
            elsewhere=elsewhere,
        )

    def find(self, library: str, binary: LayerBinary) -> str | None:
        """Return the path of a needed library; its bare name where it is the system's; ``None`` if it is nowhere."""
        if "/" in library:
            return self._at(posixpath.normpath(posixpath.join(_CURRENT_FOLDER, library)))
        found = self._among(self.folders.get(binary.owner, ()), library)
        if found is not None:
            return found
        return library if library in self.system else self._among(LATE_FOLDERS, library)

    def beaten(self, library: str) -> str | None:
        """Return the path at which the stack has a library in vain, since the system's of that name comes before."""
        return self._among(LATE_FOLDERS, library) if library in self.system else None

    def _at(self, path: str) -> str | None:
        folder, _, name = path.rpartition("/")
        return name if folder in _SYSTEM_FOLDERS and name in self.system else self.tree.find(path)

    def _among(self, folders: Sequence[str], library: str) -> str | None:
        paths = (self.tree.find(f"{folder}/{library}") for folder in folders)
        return next((path for path in paths if path is not None), None)
