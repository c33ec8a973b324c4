"""Versioned symbols that binaries ask for, against what the runtime's libraries define."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from layerkit.audit.layer_binary import LayerBinary, by_owner, leave_out, paths_of, place_of, severity_of_unusable, who
from layerkit.audit.loader import Loader
from layerkit.audit.weight import examples
from layerkit.facts import OperatingSystem
from layerkit.formats.elf import RequiredVersion
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.target import Target

_GLIBC: Final = re.compile(r"GLIBC_(\d{1,9})\.(\d{1,9})(?:\.\d+)?")
_ABI: Final = "GLIBC_ABI_"
_ABI_SINCE: Final = (2, 36)  # the first of them, DT_RELR: https://sourceware.org/glibc/wiki/Release/2.36
_NUMBERED: Final = re.compile(r"(?P<family>GLIBCXX|CXXABI|OPENSSL)_(?P<version>\d{1,9}(?:\.\d{1,9})*)")
_MAJOR: Final = 3  # of the OpenSSL whose versions are named like its releases
_FEW: Final = 4

_Required = tuple[RequiredVersion, ...]


def symbol_findings(binaries: Sequence[LayerBinary], target: Target, loader: Loader | None) -> Iterator[Finding]:
    """Yield what binaries ask of glibc, libstdc++ and OpenSSL that the target's system does not have.

    A library that a binary finds on its own search path counts in place of the system's; one in ``/opt/lib`` does not.
    """
    glibc, others = target.runtime.glibc, target.runtime.system
    has = f"{target.runtime.name} has glibc {'.'.join(map(str, glibc))}"
    too_new = {binary: _chosen(binary, lambda required: _is_above_glibc(required, glibc)) for binary in binaries}
    yield from _findings(too_new, Code.ELF_GLIBC, has)
    if loader is None:
        return
    unlike = {binary: _chosen(binary, lambda required: _is_above(required, others)) for binary in binaries}
    loaded = {
        binary: tuple(each for each in lacks if _is_of_the_system(each.library, binary, loader))
        for binary, lacks in unlike.items()
    }
    in_vain = {path for lacks in loaded.values() for each in lacks if (path := loader.beaten(each.library)) is not None}
    beaten = f"; {examples(sorted(in_vain))} comes after it in LD_LIBRARY_PATH, and is not used" if in_vain else ""
    yield from _findings(loaded, Code.ELF_SYMBOL_VERSION, f"{target.runtime.name} has {_has(others)}{beaten}")


def _chosen(binary: LayerBinary, is_above: Callable[[RequiredVersion], bool]) -> _Required:
    return tuple(required for required in binary.facts.versions if not required.weak and is_above(required))


def _findings(missing: Mapping[LayerBinary, _Required], code: Code, has: str) -> Iterator[Finding]:
    for group in by_owner(binary for binary, lacks in missing.items() if lacks):
        yield Finding(
            code=code,
            severity=severity_of_unusable(group),
            where=place_of(group),
            message=f"{_who_asks(group)} for {_listed([each for binary in group for each in missing[binary]])}; {has}",
            hint=_older(group),
            paths=paths_of(group),
        )


def _who_asks(group: Sequence[LayerBinary]) -> str:
    first = group[0]
    if first.is_astray or len(group) == 1:
        return who(group, "asks")
    return f"{first.who} ({len(group)} binaries, such as {examples([first.name])}) asks"


def _older(group: Sequence[LayerBinary]) -> str:
    if severity_of_unusable(group) is not Severity.ERROR:
        return leave_out(group)
    if group[0].is_astray:
        return f"build {'it' if len(group) == 1 else 'them'} on an older system, such as the runtime's image"
    return f"take an older version of {group[0].who}, or one that is built on an older system"


def _listed(required: Sequence[RequiredVersion]) -> str:
    """Name the versions with their libraries, the highest first."""
    unique = sorted({(each.version, each.library) for each in required}, key=lambda pair: (_number(pair[0]), pair[1]))
    named = [f"{version} of {library}" for version, library in reversed(unique)]
    more = f" and {len(named) - _FEW} more" if len(named) > _FEW else ""
    return ", ".join(named[:_FEW]) + more


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d{1,9}", version))


def _is_above_glibc(required: RequiredVersion, ceiling: tuple[int, int]) -> bool:
    if required.version.startswith(_ABI):
        return ceiling < _ABI_SINCE
    match = _GLIBC.fullmatch(required.version)
    return match is not None and (int(match[1]), int(match[2])) > ceiling


def _is_above(required: RequiredVersion, system: OperatingSystem) -> bool:
    match = _NUMBERED.fullmatch(required.version)
    if match is None:
        return False
    match match["family"], required.library:
        case "GLIBCXX", "libstdc++.so.6":
            ceiling = system.glibcxx
        case "CXXABI", "libstdc++.so.6":
            ceiling = system.cxxabi
        case "OPENSSL", "libssl.so.3" | "libcrypto.so.3":
            ceiling = _openssl_of(system)
        case _:
            ceiling = None
    return ceiling is not None and _number(match["version"]) > ceiling


def _is_of_the_system(library: str, binary: LayerBinary, loader: Loader) -> bool:
    """Tell whether the system's library is the one that is loaded, unless the same distribution loads its own first."""
    other = loader.elsewhere.get(library)
    brings_its_own = other is not None and other.owner == binary.owner and other.is_owned
    return not brings_its_own and loader.find(library, binary) == library


def _openssl_of(system: OperatingSystem) -> tuple[int, ...] | None:
    """Return the system's OpenSSL as numbers; ``None`` for one before 3, which has other libraries altogether."""
    version = _number(system.openssl or "")
    return version if version and version[0] >= _MAJOR else None


def _has(system: OperatingSystem) -> str:
    glibcxx = f"libstdc++ up to GLIBCXX_{'.'.join(map(str, system.glibcxx))}" if system.glibcxx else ""
    cxxabi = f"CXXABI_{'.'.join(map(str, system.cxxabi))}" if system.cxxabi else ""
    openssl = f"OpenSSL {system.openssl}" if system.openssl else ""
    return ", ".join(filter(None, (glibcxx, cxxabi, openssl)))
