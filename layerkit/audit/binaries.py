"""Will binaries load: architecture, Python ABI, versioned symbols and needed libraries against the target."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final

from layerkit.audit.layer_binary import LayerBinary, grouped, paths_of, place_of
from layerkit.audit.libraries import library_findings
from layerkit.audit.other_systems import other_system_findings
from layerkit.audit.symbols import symbol_findings
from layerkit.audit.weight import examples
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.stack import Held, Stack
from layerkit.model.target import PlainTarget, PythonTarget, Target

_VERSIONED_MODULE: Final = re.compile(r"\.(?P<abi>cpython-\d+[a-z]*|pypy\d+-pp\d+)-[^./]+\.so$")
_LOADABLE: Final = frozenset({"dyn", "exec"})
_OPT: Final = "/opt"
_TASK: Final = "/var/task"


def stack_binary_findings(stack: Stack, targets: Sequence[Target]) -> Iterator[Finding]:
    """Yield what keeps binaries from loading, in a stack as Lambda merges it."""
    merged = list(stack.merged().values())
    function = [Held(stack.function, file) for file in stack.function.files] if stack.function is not None else []
    binaries = [*_binaries_of(merged, _OPT), *_binaries_of(function, _TASK)]
    paths = {f"{_OPT}/{held.file.path}" for held in merged} | {f"{_TASK}/{held.file.path}" for held in function}
    yield from other_system_findings(stack)
    yield from binary_findings(binaries, targets, paths=paths)


def binary_findings(
    binaries: Sequence[LayerBinary], targets: Sequence[Target], *, paths: Collection[str]
) -> tuple[Finding, ...]:
    """Return what keeps binaries from loading on any of the targets.

    ``paths`` are all files, absolute on Lambda: a library may be there under the name of a link.
    """
    loadable = [binary for binary in binaries if binary.facts.type in _LOADABLE]
    found = (finding for target in targets for finding in _for_target(loadable, target, paths))
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


def _binaries_of(held: Iterable[Held], root: str) -> Iterator[LayerBinary]:
    for each in held:
        facts = each.part.binaries.get(each.file.path)
        if facts is not None:
            owner = each.file.owner or each.file.path
            yield LayerBinary(name=each.file.path, owner=owner, facts=facts, root=root, label=each.part.where)


def _for_target(binaries: Sequence[LayerBinary], target: Target, paths: Collection[str]) -> Iterator[Finding]:
    native = [binary for binary in binaries if binary.facts.machine == target.architecture.machine]
    yield from _foreign(binaries, target, native_owners={binary.owner for binary in native})
    yield from symbol_findings(native, target, paths)
    match target:
        case PythonTarget():
            yield from _other_python(native, target)
        case PlainTarget():
            pass
    yield from library_findings(native, target, paths)


def _foreign(binaries: Sequence[LayerBinary], target: Target, *, native_owners: set[str]) -> Iterator[Finding]:
    strangers = [binary for binary in binaries if binary.facts.machine != target.architecture.machine]
    for group in grouped(strangers, lambda binary: (binary.label, binary.owner, binary.facts.machine)):
        first = group[0]
        harmless = first.owner in native_owners
        yield Finding(
            code=Code.ELF_ARCHITECTURE,
            severity=Severity.WARNING if harmless else Severity.ERROR,
            where=place_of(group),
            message=f"{first.owner} brings {_binaries(group)} for {first.facts.machine};"
            f" {target.identifier} cannot load {'it' if len(group) == 1 else 'them'}",
            hint=f'leave it out with `--drop "{first.owner}:…/{first.name.rpartition("/")[2]}"`'
            if harmless
            else f"take a wheel of {first.owner} for {target.architecture}",
            paths=paths_of(group),
        )


def _other_python(binaries: Sequence[LayerBinary], target: PythonTarget) -> Iterator[Finding]:
    names = {binary.name for binary in binaries}
    wrong = [binary for binary in binaries if _is_for_other_python(binary, target, names)]
    for group in grouped(wrong, lambda binary: (binary.label, binary.owner, _abi_of(binary))):
        first = group[0]
        modules = "a module" if len(group) == 1 else f"{len(group)} modules, such as {examples([first.name])},"
        yield Finding(
            code=Code.PYTHON_ABI,
            severity=Severity.ERROR,
            where=place_of(group),
            message=f"{first.owner} brings {modules} for {_abi_of(first)}; {target.runtime.name} will not import"
            f" {'it' if len(group) == 1 else 'them'}",
            hint=f"take a wheel of {first.owner} for {target.runtime.name}",
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


def _binaries(group: Sequence[LayerBinary]) -> str:
    if len(group) == 1:
        return "a binary"
    return f"{len(group)} binaries, such as {examples([group[0].name])},"
