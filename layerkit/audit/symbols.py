"""Versioned symbols that binaries ask for, against what the runtime's libraries define."""

import re
from collections.abc import Collection, Iterator, Sequence
from typing import Final

from layerkit.audit.layer_binary import LayerBinary, grouped, paths_of, place_of
from layerkit.audit.loader import own_folders
from layerkit.audit.weight import examples
from layerkit.facts import OperatingSystem
from layerkit.formats.elf import RequiredVersion
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.target import Target

_GLIBC: Final = re.compile(r"^GLIBC_(\d+)\.(\d+)(?:\.\d+)?$")
_RELATIVE_RELOCATIONS: Final = "GLIBC_ABI_DT_RELR"
_RELATIVE_RELOCATIONS_SINCE: Final = (2, 36)  # https://sourceware.org/glibc/wiki/Release/2.36
_NUMBERED: Final = re.compile(r"^(?P<family>GLIBCXX|CXXABI|OPENSSL)_(?P<version>\d+(?:\.\d+)*)$")
_MAJOR: Final = 3  # of the OpenSSL whose versions are named like its releases


def symbol_findings(binaries: Sequence[LayerBinary], target: Target, paths: Collection[str]) -> Iterator[Finding]:
    """Yield what binaries ask of glibc, libstdc++ and OpenSSL that the target's system does not have.

    A library that a binary finds on its own search path counts in place of the system's.
    """
    too_new: dict[LayerBinary, tuple[str, ...]] = {}
    other: dict[LayerBinary, tuple[str, ...]] = {}
    for binary in binaries:
        wanted = [required for required in binary.facts.versions if not required.weak]
        if missing := _above_glibc(wanted, target.runtime.glibc):
            too_new[binary] = missing
        if missing := _above_others(wanted, target.runtime.system, own_folders(binary), paths):
            other[binary] = missing
    glibc = ".".join(map(str, target.runtime.glibc))
    yield from _findings(too_new, Code.ELF_GLIBC, f"{target.runtime.name} has glibc {glibc}")
    yield from _findings(other, Code.ELF_SYMBOL_VERSION, f"{target.runtime.name} has {_has(target.runtime.system)}")


def _findings(missing: dict[LayerBinary, tuple[str, ...]], code: Code, has: str) -> Iterator[Finding]:
    for group in grouped(missing, lambda binary: (binary.label, binary.owner)):
        owner = group[0].owner
        symbols = ", ".join(sorted({symbol for binary in group for symbol in missing[binary]}))
        among = f" ({len(group)} binaries, such as {examples([group[0].name])})" if len(group) > 1 else ""
        yield Finding(
            code=code,
            severity=Severity.ERROR,
            where=place_of(group),
            message=f"{owner}{among} asks for {symbols}; {has}",
            hint=f"take an older version of {owner}, or one that is built on an older system",
            paths=paths_of(group),
        )


def _above_glibc(wanted: Sequence[RequiredVersion], ceiling: tuple[int, int]) -> tuple[str, ...]:
    return tuple(
        f"{required.version} of {required.library}"
        for required in wanted
        if (needed := _glibc_of(required.version)) is not None and needed > ceiling
    )


def _glibc_of(version: str) -> tuple[int, int] | None:
    if version == _RELATIVE_RELOCATIONS:
        return _RELATIVE_RELOCATIONS_SINCE
    match = _GLIBC.match(version)
    return (int(match[1]), int(match[2])) if match else None


def _above_others(
    wanted: Sequence[RequiredVersion], system: OperatingSystem, folders: Sequence[str], paths: Collection[str]
) -> tuple[str, ...]:
    return tuple(
        f"{required.version} of {required.library}"
        for required in wanted
        if _is_above(required, system) and not any(f"{folder}/{required.library}" in paths for folder in folders)
    )


def _is_above(required: RequiredVersion, system: OperatingSystem) -> bool:
    match = _NUMBERED.match(required.version)
    if match is None:
        return False
    version = tuple(map(int, match["version"].split(".")))
    match match["family"], required.library:
        case "GLIBCXX", "libstdc++.so.6":
            ceiling = system.glibcxx
        case "CXXABI", "libstdc++.so.6":
            ceiling = system.cxxabi
        case "OPENSSL", "libssl.so.3" | "libcrypto.so.3":
            ceiling = _openssl_of(system)
        case _:
            ceiling = None
    return ceiling is not None and version > ceiling


def _openssl_of(system: OperatingSystem) -> tuple[int, ...] | None:
    """Return the system's OpenSSL as numbers; ``None`` for one before 3, which has other libraries altogether."""
    numbers = re.match(r"\d+(?:\.\d+)*", system.openssl or "")
    version = tuple(map(int, numbers[0].split("."))) if numbers else ()
    return version if version and version[0] >= _MAJOR else None


def _has(system: OperatingSystem) -> str:
    glibcxx = f"libstdc++ up to GLIBCXX_{'.'.join(map(str, system.glibcxx))}" if system.glibcxx else ""
    cxxabi = f"CXXABI_{'.'.join(map(str, system.cxxabi))}" if system.cxxabi else ""
    openssl = f"OpenSSL {system.openssl}" if system.openssl else ""
    return ", ".join(filter(None, (glibcxx, cxxabi, openssl)))
