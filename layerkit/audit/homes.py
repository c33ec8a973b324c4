"""Where a layer, or a function's code, keeps what Python is meant to import, whether or not Lambda looks there."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from layerkit.model.contents import Contents, HeldFile, Kind
from layerkit.model.opt import JUNK, LOOKED_AT

_PACKAGES: Final = re.compile(r"(?:.*?/)?(?:site|dist)-packages(?=/)")
_VERSIONED: Final = re.compile(r"python/lib/python(?P<version>\d+\.\d+)/site-packages")
_ENVIRONMENT: Final = re.compile(r"(?:(?P<prefix>.*)/)?(?P<lib>lib|lib64|Lib)(?:/python\d+\.\d+)?/site-packages")
_LINKED_ROOT: Final = re.compile(r"python(?:/lib(?:/python\d+\.\d+(?:/site-packages)?)?)?")
_IMPORTABLE: Final = frozenset({Kind.PYTHON, Kind.NATIVE, Kind.BYTECODE, Kind.METADATA})


@dataclass(frozen=True, kw_only=True, slots=True)
class Home:
    """A folder from which Python is meant to import (empty: the top), and every file below it."""

    folder: str
    files: tuple[HeldFile, ...]

    @property
    def version(self) -> str | None:
        """The only Python version that looks there, for ``python/lib/python3.12/site-packages``."""
        match = _VERSIONED.fullmatch(self.folder)
        return match["version"] if match else None

    @property
    def environment(self) -> str | None:
        """The root of a virtual environment, or of another installation, whose site-packages this is."""
        match = _ENVIRONMENT.fullmatch(self.folder)
        return (match["prefix"] or "") if match else None

    @property
    def has_metadata(self) -> bool:
        """Whether an installer put something there."""
        return any(file.kind is Kind.METADATA for file in self.files)

    def serves(self, version: str | None) -> bool:
        """Whether Python ``version`` (``None``: any) looks into this folder of a layer."""
        return self.folder == "python" or (self.version is not None and version in {None, self.version})

    def names(self, contents: Contents) -> list[str]:
        """Return what is there: its distributions, or else its modules and packages."""
        held = [each.name for each in contents.distributions if each.root == self.folder]
        if held:
            return sorted(held)
        start = len(self.folder) + 1 if self.folder else 0
        return sorted({file.path[start:].split("/", 1)[0] for file in self.files})


def layer_homes(contents: Contents) -> tuple[Home, ...]:
    """Return the homes in a layer; none where it brings an interpreter of its own, or where links stand for them."""
    if any(file.is_link and _LINKED_ROOT.fullmatch(file.path) for file in contents.files):
        return ()
    roots = _layer_roots(contents)
    return tuple(_homes(contents, roots, top=_top_names(contents) if "" in roots else frozenset()))


def function_homes(contents: Contents) -> tuple[Home, ...]:
    """Return the homes in a function's code; what lies in no other folder is at home at the top."""
    top = frozenset(file.path.split("/", 1)[0] for file in contents.files)
    return tuple(_homes(contents, ["python", ""] if "python" in _installed_roots(contents) else [""], top=top))


def without_junk(contents: Contents) -> tuple[HeldFile, ...]:
    """Return the files but for what desktops leave behind."""
    return tuple(file for file in contents.files if JUNK.isdisjoint(file.path.split("/")))


def _homes(contents: Contents, roots: Sequence[str], *, top: frozenset[str]) -> Iterator[Home]:
    """Yield a home for each folder that holds something importable; ``roots`` are tried in their order."""
    top_owners = {each.name for each in contents.distributions if not each.root} if top else set()
    environments = _environments(contents)
    found: dict[str, list[HeldFile]] = {}
    for file in contents.files:
        match = _PACKAGES.match(file.path)
        if match:
            found.setdefault(match.group(), []).append(file)
        elif not file.path.startswith(environments) and not file.path.startswith("python/bin/"):
            at_top = file.path.split("/", 1)[0] in top or file.owner in top_owners
            for root in roots:
                if file.path.startswith(f"{root}/") if root else at_top:
                    found.setdefault(root, []).append(file)
                    break
    own = _interpreters(contents)
    for folder, files in found.items():
        home = Home(folder=folder, files=tuple(files))
        if home.environment not in own and any(file.kind in _IMPORTABLE or file.is_link for file in files):
            yield home


def _layer_roots(contents: Contents) -> list[str]:
    """Return the folders outside of site-packages that are meant to be imported from, the deepest first."""
    installed = _installed_roots(contents)
    roots = {
        root
        for root in installed
        if not root.startswith("python/") and not any(_is_below(root, other) for other in installed)
    }
    if not any(root == "" for root in roots) and _top_names(contents):
        roots.add("")
    roots |= {"python", *_doubled(contents), *_otherwise_spelled(contents), *_wrapped(contents)}
    return sorted(roots, key=len, reverse=True)


def _installed_roots(contents: Contents) -> frozenset[str]:
    """Return the folders in which a dist-info or egg-info lies, outside of site-packages."""
    folders = {
        file.path[: file.path.index("-info/")].rpartition("/")[0]
        for file in contents.files
        if file.kind is Kind.METADATA and "-info/" in file.path and not _PACKAGES.match(file.path)
    }
    return frozenset(folders)


def _is_below(folder: str, other: str) -> bool:
    return folder not in {other, "python"} and (not other or folder.startswith(f"{other}/"))


def _top_names(contents: Contents) -> frozenset[str]:
    """Return the modules and packages, and what an installer left, at the top of a layer."""
    names = set()
    for file in contents.files:
        first, _, rest = file.path.partition("/")
        if first in LOOKED_AT or (rest and first.casefold() == "python"):
            continue
        module = not rest and first.endswith(".py")
        if module or rest == "__init__.py" or (rest and first.endswith((".dist-info", ".egg-info"))):
            names.add(first)
    return frozenset(names)


def _doubled(contents: Contents) -> Iterator[str]:
    """Yield ``python/python`` where that is a folder for packages, not a package."""
    below = [file for file in contents.files if file.path.startswith("python/") and file.kind in _IMPORTABLE]
    if not below or any(file.path == "python/python/__init__.py" for file in below):
        return
    if all(file.path.startswith("python/python/") for file in below) or "python/python" in _installed_roots(contents):
        yield "python/python"


def _otherwise_spelled(contents: Contents) -> Iterator[str]:
    """Yield ``Python`` and the like."""
    firsts = {file.path.split("/", 1)[0] for file in contents.files if "/" in file.path}
    yield from (first for first in sorted(firsts) if first.casefold() == "python" and first != "python")


def _wrapped(contents: Contents) -> Iterator[str]:
    """Yield ``W/python`` where the whole layer lies in one folder ``W``."""
    firsts = {file.path.split("/", 1)[0] for file in without_junk(contents)}
    if len(firsts) == 1 and not firsts & LOOKED_AT:
        (first,) = firsts
        if any(file.path.startswith(f"{first}/python/") for file in contents.files):
            yield f"{first}/python"


def _environments(contents: Contents) -> tuple[str, ...]:
    """Return the beginnings of paths below virtual environments that hold a ``pyvenv.cfg``, but for ``python/``."""
    configured = (file.path.rpartition("/")[0] for file in contents.files if file.path.endswith("/pyvenv.cfg"))
    return tuple(f"{folder}/" for folder in configured if folder != "python")


def _interpreters(contents: Contents) -> frozenset[str]:
    """Return the prefixes below which a whole Python is installed: its own site-packages are looked at by it."""
    heads = (re.fullmatch(r"(?:(.*)/)?lib/python\d+\.\d+/os\.py", file.path) for file in contents.files)
    return frozenset(match[1] or "" for match in heads if match)
