"""For which runtime and architecture a stack is to be judged: what the user, manifests, Lambda or the files say."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, TypeVar

from layerkit.audit.homes import layer_homes
from layerkit.errors import UnknownArchitectureError, UnknownRuntimeError
from layerkit.facts import Architecture, runtimes
from layerkit.formats.pyc import PycProblem, read_pyc_head
from layerkit.model.contents import Contents, HeldDistribution
from layerkit.model.stack import Stack
from layerkit.model.tags import expand
from layerkit.model.target import Target, audited_target, find_architecture

_Claim = TypeVar("_Claim", bound=str)
_Evidence = frozenset[str]

_NOTHING: Final[_Evidence] = frozenset()
_MODULE: Final = re.compile(r"\.cpython-(?P<major>\d)(?P<minor>\d+)[a-z]*-(?P<machine>x86_64|aarch64)-linux-gnu\.so$")
_CACHED: Final = re.compile(r"__pycache__/[^/]+\.cpython-(?P<major>\d)(?P<minor>\d+)(?:\.opt-[12])?\.pyc$")
_OWN_ABI: Final = re.compile(r"cp(?P<major>\d)(?P<minor>\d+)[a-z]*")
_LINUX: Final = re.compile(r"(?:many|musl)?linux[0-9_]*?_(?P<machine>x86_64|aarch64)")
_BY_MACHINE: Final = {architecture.machine: architecture for architecture in Architecture}


def infer_targets(stack: Stack, *, runtime: str | None, architecture: str | None) -> tuple[Target, ...]:
    """Return the targets that a stack is meant for; none where nothing tells, or where what tells disagrees.

    ``runtime`` and ``architecture`` win over what Lambda and manifests say, and that over the files.
    Raises ``UnknownRuntimeError`` or ``UnknownArchitectureError`` for what the user asked for.
    """
    if architecture is not None:
        find_architecture(architecture)
    names = _runtimes(stack, asked=runtime)
    found: dict[str, Target] = {}
    for name in names:
        for each in _architectures(stack, name, asked=architecture):
            try:
                target = audited_target(name, each)
            except (UnknownRuntimeError, UnknownArchitectureError):
                if name == runtime and each == architecture:
                    raise
                continue
            found[target.identifier] = target
    return tuple(found.values())


def share_a_target(layers: Sequence[Contents]) -> bool:
    """Tell whether layers may be for the same runtime and architecture; one that claims nothing is for all."""
    return (
        _agreed(layers, lambda layer: layer.runtimes) is not None
        and _agreed(layers, lambda layer: layer.architectures) is not None
    )


def _runtimes(stack: Stack, *, asked: str | None) -> Sequence[str]:
    if asked is not None:
        if asked not in runtimes():
            raise UnknownRuntimeError(name=asked, valid=tuple(runtimes()))
        return (asked,)
    if stack.function is not None and stack.function.runtimes:
        return stack.function.runtimes
    claimed = _agreed(stack.layers, lambda layer: layer.runtimes)
    if claimed is None or claimed:
        return claimed or ()
    return tuple(f"python{version}" for version in sorted(_python_versions(stack), key=_numbers))


def _architectures(stack: Stack, runtime: str, *, asked: str | None) -> Sequence[str]:
    if asked is not None:
        return (asked,)
    if stack.function is not None and stack.function.architectures:
        return stack.function.architectures
    claimed = _agreed(stack.layers, lambda layer: layer.architectures)
    if claimed is None or claimed:
        return claimed or ()
    evidence = _machines(stack)
    if evidence:
        return [_BY_MACHINE[machine] for machine in _only(evidence)]
    return runtimes()[runtime].architectures if runtime in runtimes() else ()


def _agreed(layers: Iterable[Contents], claim: Callable[[Contents], Sequence[_Claim]]) -> tuple[_Claim, ...] | None:
    """Return what all layers claim that claim something, empty if none does; ``None`` where they contradict."""
    claims = [claim(layer) for layer in layers if claim(layer)]
    if not claims:
        return ()
    return tuple(each for each in claims[0] if all(each in other for other in claims)) or None


def _python_versions(stack: Stack) -> _Evidence:
    """Return the Python versions that files are for: by folders and native code, else by bytecode alone."""
    folders = _union(_folder_versions(layer) for layer in stack.layers)
    native = _union(_native_versions(part) for part in stack.parts)
    if folders:
        return folders if native <= folders else _NOTHING
    compiled = [_bytecode_versions(layer, root="python/") for layer in stack.layers]
    if stack.function is not None:
        compiled.append(_bytecode_versions(stack.function, root=""))
    return _only(native or _union(compiled))


def _machines(stack: Stack) -> _Evidence:
    """Return the machines that the native code of Python packages is for, else those of any binary that Linux runs."""
    packages = _union(_package_machines(part) for part in stack.parts)
    known = (facts.machine for part in stack.parts for facts in part.binaries.values())
    return packages or frozenset(machine for machine in known if machine in _BY_MACHINE)


def _folder_versions(layer: Contents) -> _Evidence:
    return frozenset(home.version for home in layer_homes(layer) if home.version is not None)


def _native_versions(part: Contents) -> _Evidence:
    named = (_MODULE.search(file.path) for file in part.files)
    modules = {f"{match['major']}.{match['minor']}" for match in named if match}
    return frozenset(modules).union(*(_tag_versions(each) for each in part.distributions))


def _tag_versions(distribution: HeldDistribution) -> _Evidence:
    """Return the version that a wheel's ABI tags name; nothing for ``abi3`` and pure wheels."""
    abis = {tag.split("-")[1] for tag in _tags(distribution)}
    matches = [_OWN_ABI.fullmatch(abi) for abi in abis]
    return _only({f"{match['major']}.{match['minor']}" if match else "" for match in matches} - {""})


def _package_machines(part: Contents) -> _Evidence:
    named = (_MODULE.search(file.path) for file in part.files)
    modules = {match["machine"] for match in named if match}
    return frozenset(modules).union(*(_tag_machines(each) for each in part.distributions))


def _tag_machines(distribution: HeldDistribution) -> _Evidence:
    platforms = {tag.split("-")[2] for tag in _tags(distribution)}
    return _only({match["machine"] for platform in platforms if (match := _LINUX.fullmatch(platform))})


def _tags(distribution: HeldDistribution) -> Iterator[str]:
    yield from (each for tag in distribution.tags if tag.count("-") == 2 for each in expand(tag))  # noqa: PLR2004


def _bytecode_versions(part: Contents, *, root: str) -> _Evidence:
    """Return the Pythons that compiled what lies below ``root``: by name in ``__pycache__``, elsewhere by content."""
    named = (_CACHED.search(file.path) for file in part.files if file.path.startswith(root))
    lone = part.insides.bytecode.items() if part.insides is not None else ()
    return frozenset(f"{match['major']}.{match['minor']}" for match in named if match) | frozenset(
        version
        for path, head in lone
        if path.startswith(root) and "__pycache__/" not in path and (version := _version_of(head))
    )


def _version_of(head: bytes) -> str | None:
    try:
        major, minor = read_pyc_head(head).python
    except PycProblem:
        return None
    return f"{major}.{minor}"


def _only(evidence: Iterable[str]) -> _Evidence:
    """Return evidence that agrees with itself; nothing where it does not."""
    found = frozenset(evidence)
    return found if len(found) == 1 else _NOTHING


def _union(evidence: Iterable[_Evidence]) -> _Evidence:
    return _NOTHING.union(*evidence)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in version.split("."))
