"""Will the layer's binaries load: architecture, Python ABI and glibc symbols against the target."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from layerkit.formats.elf import BinaryFacts
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.target import PlainTarget, PythonTarget, Target

_GLIBC: Final = re.compile(r"^GLIBC_(\d+)\.(\d+)(?:\.\d+)?$")
_RELATIVE_RELOCATIONS: Final = "GLIBC_ABI_DT_RELR"
_RELATIVE_RELOCATIONS_SINCE: Final = (2, 36)  # https://sourceware.org/glibc/wiki/Release/2.36
_VERSIONED_MODULE: Final = re.compile(r"\.(?P<abi>cpython-\d+[a-z]*|pypy\d+-pp\d+)-[^./]+\.so$")
_LOADABLE: Final = frozenset({"dyn", "exec"})


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerBinary:
    """An ELF file of a layer: its path below ``/opt``, the distribution that brings it, what its headers say."""

    name: str
    owner: str
    facts: BinaryFacts


def binary_findings(binaries: Sequence[LayerBinary], targets: Sequence[Target]) -> tuple[Finding, ...]:
    """Return what keeps binaries from loading on any of the targets."""
    found = (finding for target in targets for finding in _for_target(binaries, target))
    return tuple(dict.fromkeys(found))


def unreadable_finding(name: str, *, owner: str, why: str) -> Finding:
    """Return what is to be said about a file that begins like a binary and is none."""
    return Finding(
        code=Code.ELF_UNREADABLE,
        severity=Severity.WARNING,
        where=name,
        message=f"{owner} brings a file that begins like a binary, but {why}: nobody can tell whether it loads",
        hint=f'leave it out with `--drop "{owner}:…/{name.rpartition("/")[2]}"` if nothing needs it',
    )


def _for_target(binaries: Sequence[LayerBinary], target: Target) -> Iterator[Finding]:
    native = {binary.owner for binary in binaries if binary.facts.machine == target.architecture.machine}
    names = {binary.name for binary in binaries}
    for binary in binaries:
        if binary.facts.type not in _LOADABLE:
            continue
        if binary.facts.machine != target.architecture.machine:
            yield _foreign(binary, target, harmless=binary.owner in native)
        else:
            yield from _too_new(binary, target, target.runtime.glibc)
        match target:
            case PythonTarget():
                yield from _other_python(binary, target, names)
            case PlainTarget():
                pass


def _foreign(binary: LayerBinary, target: Target, *, harmless: bool) -> Finding:
    return Finding(
        code=Code.ELF_ARCHITECTURE,
        severity=Severity.WARNING if harmless else Severity.ERROR,
        where=binary.name,
        message=f"{binary.owner} brings a binary for {binary.facts.machine}; {target.identifier} cannot load it",
        hint=f'leave it out with `--drop "{binary.owner}:…/{binary.name.rpartition("/")[2]}"`'
        if harmless
        else f"take a wheel of {binary.owner} for {target.architecture}",
    )


def _too_new(binary: LayerBinary, target: Target, ceiling: tuple[int, int]) -> Iterator[Finding]:
    missing = [
        required
        for required in binary.facts.versions
        if not required.weak and (needed := _glibc_of(required.version)) is not None and needed > ceiling
    ]
    if missing:
        symbols = ", ".join(sorted({f"{required.version} of {required.library}" for required in missing}))
        yield Finding(
            code=Code.ELF_GLIBC,
            severity=Severity.ERROR,
            where=binary.name,
            message=f"{binary.owner} asks for {symbols}; {target.runtime.name} has glibc {ceiling[0]}.{ceiling[1]}",
            hint=f"take an older version of {binary.owner}, or one that is built on an older glibc",
        )


def _other_python(binary: LayerBinary, target: PythonTarget, names: set[str]) -> Iterator[Finding]:
    match = _VERSIONED_MODULE.search(binary.name)
    if match is None or binary.name.endswith(target.extension_suffixes[0]):
        return
    stem = binary.name[: match.start()]
    if any(stem + suffix in names for suffix in target.extension_suffixes):
        return
    yield Finding(
        code=Code.PYTHON_ABI,
        severity=Severity.ERROR,
        where=binary.name,
        message=f"{binary.owner} brings a module for {match['abi']}; {target.runtime.name} will not import it",
        hint=f"take a wheel of {binary.owner} for {target.runtime.name}",
    )


def _glibc_of(version: str) -> tuple[int, int] | None:
    if version == _RELATIVE_RELOCATIONS:
        return _RELATIVE_RELOCATIONS_SINCE
    match = _GLIBC.match(version)
    return (int(match[1]), int(match[2])) if match else None
