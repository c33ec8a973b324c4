"""Does what was built fit the target: the symbols really asked for, and the libraries needed, file by file.

A wheel's tag is what somebody thought of it; this is what the loader will do with it.
"""

import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from layerkit.facts.libraries import runtime_libraries, system_libraries
from layerkit.formats.elf import BinaryFacts, ElfError, binary_facts, is_elf
from layerkit.model.target import PythonTarget
from layerkit.wheelhouse.native_errors import LibraryNotOnLambda, OtherMachine, TooNew

_LOADABLE: Final = frozenset({"dyn", "exec"})
_NUMBERED: Final = re.compile(r"(?P<family>GLIBC|GLIBCXX|CXXABI)_(?P<numbers>\d+(?:\.\d+)+)")
_JUDGED: Final = ("GLIBC_", "GLIBCXX_", "CXXABI_", "GCC_")
_RELATIVE_RELOCATIONS: Final = {"GLIBC_ABI_DT_RELR": (2, 36)}  # https://sourceware.org/glibc/wiki/Release/2.36


@dataclass(frozen=True, kw_only=True, slots=True)
class Binary:
    """An ELF file and what its headers say."""

    name: str
    facts: BinaryFacts


@dataclass(frozen=True, kw_only=True, slots=True)
class Surroundings:
    """What there will be around a binary: the target's own libraries, and others that the layer has."""

    target: PythonTarget
    others: frozenset[str] = frozenset()
    title: str = "this machine"


def binaries_in(wheel: Path) -> tuple[Binary, ...]:
    """Read every ELF file of a wheel; what is none to the loader is left out."""
    with zipfile.ZipFile(wheel) as archive:
        files = ((name, archive.read(name)) for name in sorted(archive.namelist()) if not name.endswith("/"))
        return tuple(binary for name, content in files if (binary := as_binary(name, content)))


def as_binary(name: str, content: bytes) -> Binary | None:
    """Read a file if it is one that the loader would load."""
    if not is_elf(content):
        return None
    try:
        facts = binary_facts(content)
    except ElfError:
        return None
    return Binary(name=name, facts=facts) if facts.type in _LOADABLE else None


def check_fit(binaries: Sequence[Binary], around: Surroundings, *, what: str) -> None:
    """Hold binaries to the target. Raises ``OtherMachine``, ``TooNew`` or ``LibraryNotOnLambda``."""
    check_symbols(binaries, around, what=what)
    missing = list(_missing(binaries, around))
    if missing:
        raise LibraryNotOnLambda(what=what, target=around.target, missing=missing)


def check_symbols(binaries: Sequence[Binary], around: Surroundings, *, what: str) -> None:
    """Hold to the target what binaries themselves are and ask for. Raises ``OtherMachine`` or ``TooNew``."""
    target = around.target
    for binary in binaries:
        if binary.facts.machine != target.architecture.machine:
            raise OtherMachine(what=what, target=target, file=binary.name, machine=binary.facts.machine)
    symbols = [found for binary in binaries for found in _too_new(binary, target)]
    if symbols:
        raise TooNew(what=what, target=target, title=around.title, symbols=symbols)


def unjudged(binaries: Sequence[Binary]) -> tuple[str, ...]:
    """Return the symbol versions of libraries outside the wheel for which the target's ceiling is not known."""
    own = _own(binaries)
    return tuple(
        f"{required.version} of {required.library}"
        for binary in binaries
        for required in binary.facts.versions
        if not (required.weak or required.library in own or required.version.startswith(_JUDGED))
    )


def _own(binaries: Sequence[Binary]) -> set[str | None]:
    return {binary.name.rpartition("/")[2] for binary in binaries} | {binary.facts.soname for binary in binaries}


def _too_new(binary: Binary, target: PythonTarget) -> Iterator[tuple[str, str, str]]:
    system = target.runtime.system
    ceilings = {"GLIBC": target.glibc, "GLIBCXX": system.glibcxx, "CXXABI": system.cxxabi}
    for required in binary.facts.versions:
        family, numbers = _version(required.version)
        ceiling = ceilings.get(family)
        if not required.weak and ceiling is not None and numbers > ceiling:
            yield binary.name, required.version, required.library


def _version(text: str) -> tuple[str, tuple[int, ...]]:
    if text in _RELATIVE_RELOCATIONS:
        return "GLIBC", _RELATIVE_RELOCATIONS[text]
    match = _NUMBERED.fullmatch(text)
    return (match["family"], tuple(int(part) for part in match["numbers"].split("."))) if match else ("", ())


def _missing(binaries: Sequence[Binary], around: Surroundings) -> Iterator[tuple[str, str]]:
    target = around.target
    of_system = system_libraries(target.runtime.system.name, target.architecture)
    if not of_system:
        return  # nobody looked into that system: nothing can be said
    there = of_system | runtime_libraries(target.runtime.name, target.architecture) | _own(binaries) | around.others
    for binary in binaries:
        for library in binary.facts.needed:
            if library not in there and "/" not in library:
                yield binary.name, library
