"""From which folders Python imports on Lambda, in which order, and what each has to offer there.

Source: the runtimes' bootstrap: the function's code, then site-packages of the layers, then ``/opt/python``, and only
then the standard library and what the runtime brings.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from layerkit.model.contents import Contents, HeldDistribution, HeldFile
from layerkit.model.stack import Stack
from layerkit.model.target import PythonTarget, Target

_SITE_PACKAGES: Final = re.compile(r"python/lib/python(?P<version>\d+\.\d+)/site-packages(?=/)")
_MODULE: Final = re.compile(r"(?P<name>[^/.]+)(?:\.pyc?|\.abi3\.so|\.cpython-[^/]+\.so|\.so)")
_INIT: Final = re.compile(r"__init__(?:\.pyc?|\.[^/]*so)")
_IMPORTABLE: Final = (".py", ".so", ".pyc")
_NO_PACKAGES: Final = frozenset({"__pycache__", "bin", "lib", "share", "include", "docs", "examples", "test", "tests"})
_LONGEST_OPENING: Final = 2000  # bytes: a line or two that extend the path, with a licence above them


class Nature(IntEnum):
    """What a name at the top of a folder is; in one folder, Python prefers the lower."""

    PACKAGE = 0  # a folder with an ``__init__``
    MODULE = 1
    NAMESPACE = 2  # a folder without: it merges with others of its name


@dataclass(frozen=True, slots=True)
class Root:
    """A folder of the stack from which Python imports; the lower its rank, the earlier it is searched."""

    rank: int
    folder: str

    @property
    def start(self) -> str:
        """What paths in it begin with."""
        return f"{self.folder}/" if self.folder else ""

    @property
    def place(self) -> str:
        """Where it lies on Lambda."""
        return f"/opt/{self.folder}" if self.folder else "/var/task"

    def __str__(self) -> str:
        return self.folder or "function"


@dataclass(frozen=True, kw_only=True, slots=True)
class Placed:
    """A distribution that can be imported: the part that brings it, that part's number, and the root it lies in."""

    distribution: HeldDistribution
    part: Contents
    order: int
    root: Root

    @property
    def rank(self) -> tuple[int, int]:
        """The lower, the earlier it is imported: by the search path; in one folder the later layer overwrites."""
        return self.root.rank, -self.order


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """A module or package at the top of a root, as one part brings it.

    ``is_open`` tells of a package that does nothing but let others of its name join it (``pkgutil.extend_path``).
    """

    name: str
    part: Contents
    order: int
    root: Root
    files: tuple[HeldFile, ...]
    nature: Nature
    is_open: bool

    @property
    def owners(self) -> frozenset[str]:
        """Whose files these are, as far as anybody's."""
        return frozenset(file.owner for file in self.files if file.owner is not None)

    def by_path(self) -> Mapping[str, HeldFile]:
        """Return the files by their path in the root."""
        return {file.path.removeprefix(self.root.start): file for file in self.files}


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchPath:
    """The folders from which one Python, or several alike, import; ``site_packages`` where the stack has theirs."""

    stack: Stack
    site_packages: str | None

    def roots_of(self, part: Contents) -> tuple[Root, ...]:
        """Return the roots that lie in a part, in the order of the search."""
        if part is self.stack.function:
            return (Root(0, ""),)
        python = Root(2, "python")
        return (python,) if self.site_packages is None else (Root(1, self.site_packages), python)

    def placed(self) -> Iterator[Placed]:
        """Yield the distributions that can be imported."""
        for order, part in enumerate(self.stack.parts):
            roots = {root.folder: root for root in self.roots_of(part)}
            for distribution in part.distributions:
                root = roots.get(distribution.root)
                if root is not None:
                    yield Placed(distribution=distribution, part=part, order=order, root=root)

    def imported(self) -> Mapping[str, Placed]:
        """Return each distribution as it is imported, by name."""
        found: dict[str, Placed] = {}
        for placed in self.placed():
            other = found.get(placed.distribution.name)
            if other is None or placed.rank < other.rank:
                found[placed.distribution.name] = placed
        return found

    def offers(self) -> Iterator[Offer]:
        """Yield what can be imported at the top, by part and root; nothing of what later layers overwrite wholly."""
        merged = self.stack.merged()
        for order, part in enumerate(self.stack.parts):
            for root in self.roots_of(part):
                for offer in _offers_in(part, order, root):
                    if part is self.stack.function or any(merged[file.path].part is part for file in offer.files):
                        yield offer


def search_paths(stack: Stack, targets: Sequence[Target]) -> tuple[SearchPath, ...]:
    """Return how the targets' Pythons search a stack; without targets, those whose site-packages the stack has.

    Pythons without site-packages of their own in the stack search alike, and there is none for targets without Python.
    """
    there = _site_packages_in(stack)
    if targets:
        versions = [target.python_version for target in targets if isinstance(target, PythonTarget)]
        folders = [there.get(version) for version in versions]
    else:
        folders = [*there.values()] or [None]
    return tuple(SearchPath(stack=stack, site_packages=folder) for folder in dict.fromkeys(folders))


def search_path_of(stack: Stack, target: PythonTarget) -> SearchPath:
    """Return how the target's Python searches a stack."""
    return SearchPath(stack=stack, site_packages=_site_packages_in(stack).get(target.python_version))


def _site_packages_in(stack: Stack) -> Mapping[str, str]:
    """Return the site-packages folders in the layers by version."""
    matches = (_SITE_PACKAGES.match(file.path) for layer in stack.layers for file in layer.files)
    return {match["version"]: match.group() for match in matches if match}


def _offers_in(part: Contents, order: int, root: Root) -> Iterator[Offer]:
    found: dict[str, list[HeldFile]] = {}
    for file in part.files:
        if file.path.startswith(root.start):
            name = _top_name(file.path[len(root.start) :])
            if name is not None:
                found.setdefault(name, []).append(file)
    for name, files in found.items():
        if any(file.path.endswith(_IMPORTABLE) for file in files):
            below = [(file, file.path[len(root.start) :].partition("/")[2]) for file in files]
            yield Offer(
                name=name,
                part=part,
                order=order,
                root=root,
                files=tuple(files),
                nature=_nature([rest for _, rest in below]),
                is_open=_is_open(below),
            )


def _top_name(path: str) -> str | None:
    """Return the name under which a path in a root is imported; ``None`` where it is not."""
    name, slash, _ = path.partition("/")
    if slash:
        return name if name.isidentifier() and name not in _NO_PACKAGES else None
    match = _MODULE.fullmatch(name)
    return match["name"] if match and match["name"].isidentifier() else None


def _nature(below: Sequence[str]) -> Nature:
    """Tell what files are, by their paths below the top name; that is empty for a module."""
    if any(_INIT.fullmatch(rest) for rest in below):
        return Nature.PACKAGE
    return Nature.MODULE if "" in below else Nature.NAMESPACE


def _is_open(below: Sequence[tuple[HeldFile, str]]) -> bool:
    """Guess whether a package only holds others: a short ``__init__.py`` and folders, but no other module beside it."""
    code = [(file, rest) for file, rest in below if rest.endswith(_IMPORTABLE)]
    beside = [(file, rest) for file, rest in code if "/" not in rest]
    inside = any("/" in rest and not rest.startswith("__pycache__/") for _, rest in code)
    match beside:
        case [(file, "__init__.py")]:
            return inside and 0 < file.unzipped_bytes <= _LONGEST_OPENING
        case _:
            return False
