"""Will binaries load: architecture, Python ABI, versioned symbols and needed libraries against the target."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from layerkit.audit.layer_binary import (
    LayerBinary,
    by_owner,
    leave_out,
    paths_of,
    place_of,
    severity_of_unusable,
    who,
)
from layerkit.audit.libraries import library_findings
from layerkit.audit.loader import Loader
from layerkit.audit.other_systems import other_system_findings
from layerkit.audit.stack_binaries import binaries_of, tree_of
from layerkit.audit.symbols import symbol_findings
from layerkit.audit.tree import Tree
from layerkit.audit.weight import examples
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.stack import Stack
from layerkit.model.target import PlainTarget, PythonTarget, Target

_VERSIONED_MODULE: Final = re.compile(r"\.(?P<abi>cpython-\d+[a-z]*|pypy\d+-pp\d+|graalpy[\d-]+-native)-[^./]+\.so$")
_LOADABLE: Final = frozenset({"dyn", "exec"})
_BITS: Final = 64
_NAMES: Final[Mapping[str, str]] = {
    "em_3": "i386",
    "em_21": "ppc64",
    "em_22": "s390x",
    "em_40": "32-bit Arm",
    "em_243": "RISC-V",
    "em_258": "LoongArch",
}


def stack_binary_findings(stack: Stack, targets: Sequence[Target]) -> Iterator[Finding]:
    """Yield what keeps binaries from loading, in a stack as Lambda merges it."""
    yield from other_system_findings(stack)
    for finding in binary_findings(list(binaries_of(stack)), targets, tree=tree_of(stack)):
        if stack.is_whole or finding.code is not Code.ELF_MISSING_LIBRARY:
            yield finding


def binary_findings(binaries: Sequence[LayerBinary], targets: Sequence[Target], *, tree: Tree) -> tuple[Finding, ...]:
    """Return what keeps binaries from loading on any of the targets; ``tree`` are all files on Lambda."""
    loadable = [binary for binary in binaries if binary.facts.type in _LOADABLE]
    found = (
        finding
        for target in targets
        for finding in _for_target([binary for binary in loadable if binary.concerns(target)], target, tree)
    )
    return tuple(dict.fromkeys(found))


def unreadable_finding(name: str, *, owner: str, why: str) -> Finding:
    """Return what is to be said about a file that begins like a binary and is none."""
    return Finding(
        code=Code.ELF_UNREADABLE,
        severity=Severity.WARNING,
        where=name,
        message=f"{owner} brings a file that begins like a binary, but {why}: nobody can tell whether it loads",
        hint=f'leave it out with `--drop "{owner}:**/{name.rpartition("/")[2]}"` if nothing needs it',
    )


def unreadable_findings(unreadable: Mapping[str, str], owners: Mapping[str, str], where: str) -> Iterator[Finding]:
    """Yield what is to be said about such files of a layer, given why each cannot be read."""
    for path, why in unreadable.items():
        yield unreadable_finding(f"{where}: {path}", owner=owners.get(path, path), why=why)


def _for_target(binaries: Sequence[LayerBinary], target: Target, tree: Tree) -> Iterator[Finding]:
    native = [binary for binary in binaries if _is_for(binary, target)]
    loader = Loader.of(native, target, tree)
    yield from _foreign(binaries, target)
    yield from symbol_findings(native, target, loader)
    match target:
        case PythonTarget():
            yield from _other_python(native, target)
        case PlainTarget():
            pass
    if loader is not None:
        yield from library_findings(native, target, loader)


def _is_for(binary: LayerBinary, target: Target) -> bool:
    return (binary.facts.machine, binary.facts.bits) == (target.architecture.machine, _BITS)


def _foreign(binaries: Sequence[LayerBinary], target: Target) -> Iterator[Finding]:
    strangers = [binary for binary in binaries if not _is_for(binary, target)]
    native_owners = {binary.owner for binary in binaries if _is_for(binary, target)}
    for group in by_owner(strangers, lambda binary: binary.facts.machine):
        first = group[0]
        severity = severity_of_unusable(group, has_others=first.owner in native_owners)
        yield Finding(
            code=Code.ELF_ARCHITECTURE,
            severity=severity,
            where=place_of(group),
            message=f"{_brings(group)} for {_NAMES.get(first.facts.machine, first.facts.machine)};"
            f" {target.identifier} cannot load {'it' if len(group) == 1 else 'them'}",
            hint=_wheel_for(group, str(target.architecture)) if severity is Severity.ERROR else leave_out(group),
            paths=paths_of(group),
        )


def _other_python(binaries: Sequence[LayerBinary], target: PythonTarget) -> Iterator[Finding]:
    names = {binary.name for binary in binaries}
    wrong = [binary for binary in binaries if _is_for_other_python(binary, target, names)]
    for group in by_owner(wrong, _abi_of):
        first = group[0]
        yield Finding(
            code=Code.PYTHON_ABI,
            severity=Severity.ERROR,
            where=place_of(group),
            message=f"{_brings(group, 'module', 'modules')} for {_abi_of(first)}; {target.runtime.name} will not import"
            f" {'it' if len(group) == 1 else 'them'}",
            hint=_wheel_for(group, target.runtime.name),
            paths=paths_of(group),
        )


def _is_for_other_python(binary: LayerBinary, target: PythonTarget, names: set[str]) -> bool:
    match = _VERSIONED_MODULE.search(binary.name)
    if match is None or target.extension_suffixes[0].startswith(f".{match['abi']}-"):
        return False  # it may still be for musl, which its needed libraries tell
    stem = binary.name[: match.start()]
    return not any(stem + suffix in names for suffix in target.extension_suffixes)


def _abi_of(binary: LayerBinary) -> str:
    match = _VERSIONED_MODULE.search(binary.name)
    return match["abi"] if match else ""


def _brings(group: Sequence[LayerBinary], noun: str = "binary", nouns: str = "binaries") -> str:
    """Say whose binaries these are, and how many; of the astray, what they are."""
    first = group[0]
    if len(group) == 1:
        return f"{who(group, 'is' if first.is_astray else 'brings')} a {noun}"
    if first.is_astray:
        return f"{who(group, 'is')} {nouns}"
    return f"{first.who} brings {len(group)} {nouns}, such as {examples([first.name])},"


def _wheel_for(group: Sequence[LayerBinary], target: str) -> str:
    if group[0].is_astray:
        return f"build {'it' if len(group) == 1 else 'them'} for {target}"
    return f"take a wheel of {group[0].who} for {target}"
