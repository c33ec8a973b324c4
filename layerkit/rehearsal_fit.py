"""Whether a layer that nobody describes fits a target, told by the names in it and the first bytes of its binaries.

A cheap look before a function is invoked, which tells no more than that something cannot be found or loaded:
``layerkit audit`` looks at everything.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from layerkit.facts import Architecture, PythonRuntime, runtimes
from layerkit.formats.elf_machine import machine_of
from layerkit.invoke.listing import Listing
from layerkit.model.opt import JUNK, LOOKED_AT
from layerkit.model.tags import abi_tag
from layerkit.model.target import PythonTarget, Target, buildable_runtimes

FOLDERS: Final = LOOKED_AT | {"bootstrap"}
"""What a layer is known by."""

_SELF_DRIVEN: Final = ("bootstrap", "extensions/")  # a program that may look where it likes
_PROGRAMS: Final = ("bin/", "lib/", "extensions/", "bootstrap")
_MOST_BINARIES: Final = 500
_HOME: Final = re.compile(r"python/lib/python(?P<version>\d+\.\d+)/site-packages/")
_TAGGED: Final = re.compile(r"\.(?P<tag>(?:cpython-\d+|pypy\d+-pp\d+|cp\d+-win)[^./]*)\.(?:so|pyd)$")
_VERSION: Final = re.compile(r"(?:cpython-|cp)(?P<major>\d)(?P<minor>\d+)")
_IMPORTABLE: Final = (".py", ".pyc", ".so")
_AT_TOP: Final = re.compile(r"[^/]+\.(?:py|so)|[^/]+/__init__\.py|[^/]+\.(?:dist|egg)-info/.*")
_BY_MACHINE: Final = {each.machine: str(each) for each in Architecture} | {"em_3": "i386", "em_40": "32-bit Arm"}


def misfits(listing: Listing, target: Target) -> Iterator[str]:
    """Yield what in a layer is for other targets alone, where nothing stands in for it."""
    if isinstance(target, PythonTarget):
        files = _PythonFiles.of(listing.sizes)
        yield from _told(files.misfits(target.runtime.python), target.runtime.name)
    yield from _told(_of_other_machine(listing, target), str(target.architecture))


def laid_out_wrong(listing: Listing, target: Target) -> Iterator[str]:
    """Yield what lies where no Python runtime looks, if that goes for the whole layer."""
    names = [name for name in listing.sizes if name.partition("/")[0] not in JUNK]
    tops = {name.partition("/")[0] for name in names}
    if tops & FOLDERS or not isinstance(target, PythonTarget):
        return
    top = min(tops, default="")
    if len(tops) == 1 and any(name.startswith(f"{top}/python/") for name in names):
        yield f"everything lies in the folder `{top}/`, where no runtime looks"
    elif first := next((name for name in names if _AT_TOP.fullmatch(name)), None):
        yield f"`{first}` lies at the top, where no runtime looks"


def suited_runtimes(names: Iterable[str]) -> tuple[str, ...]:
    """Return the Python runtimes that files are for, by their names, the oldest first; none if they do not tell."""
    files = _PythonFiles.of(names)
    pythons = [each for name in buildable_runtimes() if isinstance(each := runtimes()[name], PythonRuntime)]
    suited = tuple(each.name for each in pythons if not any(files.misfits(each.python)))
    return suited if len(suited) < len(pythons) else ()


def _told(found: Iterator[tuple[str, str]], wanted: str) -> Iterator[str]:
    """Say it of the first file, and how many more there are."""
    by_meant: dict[str, list[str]] = {}
    for name, meant in found:
        by_meant.setdefault(meant, []).append(name)
    for meant, names in by_meant.items():
        more = f" (and {len(names) - 1} more like it)" if len(names) > 1 else ""
        yield f"`{names[0]}` is for {meant}, not for {wanted}{more}"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Module:
    """An extension module: where it lies, the package that it belongs to, for which Python (empty: any) it is."""

    name: str
    home: str
    package: str
    tag: str

    def loads(self, python: tuple[int, int]) -> bool:
        """Tell whether a Python looks for a file of that name; which machine it is for does not count."""
        cpython = f"cpython-{abi_tag(python).removeprefix('cp')}-"
        return not self.tag or (self.tag.startswith(cpython) and self.tag.endswith("-linux-gnu"))

    def meant_for(self, python: tuple[int, int]) -> str:
        """Return what it is for, if Python ``python`` does not load it."""
        systems = {"darwin": "macOS", "win": "Windows", "musl": "musl instead of glibc", "pypy": "PyPy"}
        match = _VERSION.match(self.tag)
        version = (int(match["major"]), int(match["minor"])) if match else python
        told = "Python {}.{}".format(*version) if version != python else f"`{self.tag}`"
        return next((system for sign, system in systems.items() if sign in self.tag), told)


@dataclass(frozen=True, kw_only=True, slots=True)
class _PythonFiles:
    """What of a layer Python may import.

    ``homes`` are the folders for one version of Python alone, and the one for all (empty), each with a file in it.
    """

    homes: Mapping[str, str]
    modules: tuple[_Module, ...]
    is_self_driven: bool

    @classmethod
    def of(cls, names: Iterable[str]) -> "_PythonFiles":
        homes: dict[str, str] = {}
        modules: list[_Module] = []
        is_self_driven = False
        for name in names:
            is_self_driven |= name.startswith(_SELF_DRIVEN)
            if not name.startswith("python/") or not name.endswith((*_IMPORTABLE, ".pyd")):
                continue
            home, rest = split_home(name)
            homes.setdefault(home, name)
            module = _module(name, home, rest)
            if module is not None:
                modules.append(module)
        return cls(homes=homes, modules=tuple(modules), is_self_driven=is_self_driven)

    def misfits(self, python: tuple[int, int]) -> Iterator[tuple[str, str]]:
        """Yield files that a Python does not find or load, where nothing stands in for them, and what they are for."""
        version = "{}.{}".format(*python)
        if self.homes and not {"", version} & self.homes.keys() and not self.is_self_driven:
            yield from ((name, f"Python {home}") for home, name in self.homes.items())
        packages: dict[tuple[str, str], list[_Module]] = {}
        for module in self.modules:
            if module.home in {"", version}:
                packages.setdefault((module.home, module.package), []).append(module)
        for modules in packages.values():
            if not any(module.loads(python) for module in modules):
                yield modules[0].name, modules[0].meant_for(python)


def split_home(name: str) -> tuple[str, str]:
    """Return the only version of Python that looks where a file lies (empty: any), and its path from there on."""
    match = _HOME.match(name)
    return (match["version"], name[match.end() :]) if match else ("", name.removeprefix("python/"))


def _module(name: str, home: str, rest: str) -> _Module | None:
    """Return what may be an extension module; a library with a plain name is none."""
    match = _TAGGED.search(name)
    if match is None and (not name.endswith((".so", ".pyd")) or name.rpartition("/")[2].startswith("lib")):
        return None
    tag = match["tag"] if match else "win" if name.endswith(".pyd") else ""
    package, _, below = rest.partition("/")
    return _Module(name=name, home=home, package=package if below else package.partition(".")[0], tag=tag)


def _of_other_machine(listing: Listing, target: Target) -> Iterator[tuple[str, str]]:
    """Yield a binary of each package or folder that has none for the target's machine, and what it is for."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for name, head in listing.heads([*_binaries(listing.sizes, target)][:_MOST_BINARIES]):
        if machine := machine_of(head):
            groups.setdefault(_group(name), []).append((name, machine))
    for found in groups.values():
        if all(machine != target.architecture.machine for _, machine in found):
            name, machine = found[0]
            yield name, _BY_MACHINE.get(machine, f"another machine (`{machine}`)")


def _binaries(names: Iterable[str], target: Target) -> Iterator[str]:
    """Yield the files that may be binaries which the target is to load, by their names."""
    homes = {"", target.python_version} if isinstance(target, PythonTarget) else {""}
    for name in names:
        file = name.rpartition("/")[2]
        is_library = name.startswith("python/") and (file.endswith(".so") or ".so." in file)
        if name.startswith(_PROGRAMS) or (is_library and split_home(name)[0] in homes):
            yield name


def _group(name: str) -> str:
    home, rest = split_home(name)
    return f"{home}/{rest.partition('/')[0]}" if name.startswith("python/") else name.partition("/")[0]
