"""From which folders Python imports on Lambda, in which order, and what each has to offer there.

Source: the runtimes' bootstrap: the function's code, then site-packages of the layers, then ``/opt/python``.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from layerkit.model.contents import Contents, HeldDistribution, HeldFile
from layerkit.model.stack import Stack
from layerkit.model.target import PythonTarget, Target

_SITE_PACKAGES: Final = re.compile(r"python/lib/python(\d+\.\d+)/site-packages")
_MODULE: Final = re.compile(r"(?P<name>[^/.]+)(?:\.py|\.abi3\.so|\.cpython-[^/]+\.so|\.so)")


@dataclass(frozen=True, slots=True)
class Root:
    """A folder of the stack from which Python imports; the lower its rank, the earlier it is searched."""

    rank: int
    folder: str


@dataclass(frozen=True, slots=True)
class Offer:
    """A module or package at the top of a root, as one part brings it.

    ``is_package`` tells of a folder with an ``__init__``: a folder without is a namespace, which merges with others.
    """

    root: Root
    name: str
    part: Contents
    files: tuple[HeldFile, ...]
    is_package: bool

    @property
    def owners(self) -> frozenset[str | None]:
        """Whose files these are."""
        return frozenset(file.owner for file in self.files)


def root_of(part: Contents, folder: str, stack: Stack, targets: Sequence[Target]) -> Root | None:
    """Return the root that ``folder`` is for a part; ``None`` where no target imports from there."""
    if part is stack.function:
        return Root(0, "") if not folder else None
    match = _SITE_PACKAGES.fullmatch(folder)
    if match:
        pythons = {target.python_version for target in targets if isinstance(target, PythonTarget)}
        return Root(1, folder) if not targets or match[1] in pythons else None
    return Root(2, folder) if folder == "python" else None


def reachable(stack: Stack, targets: Sequence[Target]) -> Iterator[tuple[Contents, HeldDistribution, Root]]:
    """Yield the distributions that can be imported, with the root of each."""
    for part in stack.parts:
        for distribution in part.distributions:
            root = root_of(part, distribution.root, stack, targets)
            if root is not None:
                yield part, distribution, root


def offers(stack: Stack, targets: Sequence[Target]) -> tuple[Offer, ...]:
    """Return what can be imported at the top, by part; of what a later layer overwrites, nothing is left to offer."""
    merged = stack.merged()
    return tuple(
        offer
        for part in stack.parts
        for offer in _offers_of(part, stack, targets)
        if part is stack.function or any(merged[file.path].part is part for file in offer.files)
    )


def _offers_of(part: Contents, stack: Stack, targets: Sequence[Target]) -> Iterator[Offer]:
    found: dict[tuple[Root, str], list[HeldFile]] = {}
    packages: set[tuple[Root, str]] = set()
    for file in part.files:
        folder, name, rest = _split(file.path, is_function=part is stack.function)
        root = root_of(part, folder, stack, targets) if folder is not None else None
        if root is None or not name:
            continue
        module = _MODULE.fullmatch(name) if not rest else None
        if not rest and module is None:
            continue
        key = (root, module["name"] if module else name)
        found.setdefault(key, []).append(file)
        if module is not None or rest == "__init__.py":
            packages.add(key)
    for (root, name), files in found.items():
        yield Offer(root, name, part, tuple(files), is_package=(root, name) in packages)


def _split(path: str, *, is_function: bool) -> tuple[str | None, str, str]:
    """Take a path apart: the root's folder, the name at its top, and what is below that."""
    if is_function:
        return "", *_first(path)
    match = _SITE_PACKAGES.match(path)
    folder = match.group() if match else "python"
    if not path.startswith(f"{folder}/"):
        return None, "", ""
    return folder, *_first(path[len(folder) + 1 :])


def _first(path: str) -> tuple[str, str]:
    name, _, rest = path.partition("/")
    return name, rest
