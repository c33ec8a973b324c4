"""The binaries of a stack, as Lambda merges it: where each lies, and whose it is."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from layerkit.audit.layer_binary import LayerBinary
from layerkit.audit.tree import Tree
from layerkit.model.contents import Contents
from layerkit.model.stack import Held, Stack

_OPT: Final = "/opt"
_TASK: Final = "/var/task"
_ROOT: Final = re.compile(r"python/(?:lib/python\d+\.\d+/site-packages/)?")
_NO_PACKAGES: Final = frozenset({"bin", "lib", "lib64", "share"})


def tree_of(stack: Stack) -> Tree:
    """Return every file of a stack, layers below ``/opt`` and the function's code below ``/var/task``."""
    held = {f"{root}/{each.file.path}": each for root, files in _places(stack) for each in files}
    links = {path: target for path, each in held.items() if (target := _target_of(each)) is not None}
    return Tree.of(held, links)


def binaries_of(stack: Stack) -> Iterator[LayerBinary]:
    """Yield the binaries that are left once later layers have overwritten files of earlier ones."""
    anywhere: dict[int, frozenset[str]] = {id(part): _running_anywhere(part) for part in stack.parts}
    for root, files in _places(stack):
        for each in files:
            file, facts = each.file, each.part.binaries.get(each.file.path)
            if facts is None:
                continue
            yield LayerBinary(
                name=file.path,
                owner=file.owner or _package_of(file.path, is_function=root == _TASK),
                facts=facts,
                root=root,
                label=each.part.where,
                is_owned=file.owner is not None,
                runs_anywhere=file.owner in anywhere[id(each.part)],
            )


def _places(stack: Stack) -> Iterator[tuple[str, Iterable[Held]]]:
    yield _OPT, stack.merged().values()
    if stack.function is not None:
        yield _TASK, [Held(stack.function, file) for file in stack.function.files]


def _target_of(held: Held) -> str | None:
    insides = held.part.insides
    return insides.links.get(held.file.path) if held.file.is_link and insides is not None else None


def _running_anywhere(part: Contents) -> frozenset[str]:
    return frozenset(
        each.name for each in part.distributions if each.tags and all(tag.endswith("-any") for tag in each.tags)
    )


def _package_of(path: str, *, is_function: bool) -> str:
    """Return the folder of the package that a file without an owner belongs to, by its place; else the file."""
    match = None if is_function else _ROOT.match(path)
    if match is None and not is_function:
        return path
    start = match.end() if match else 0
    name, slash, _ = path[start:].partition("/")
    return path[:start] + name.removesuffix(".libs") if slash and name not in _NO_PACKAGES else path
