"""Does a stack fit: function and layers together against Lambda's limits, and against a budget."""

import re
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from typing import Final

from layerkit.audit.measure import NO_DISTRIBUTION, by_distribution, without_distribution
from layerkit.audit.weight import count, examples
from layerkit.facts import limits
from layerkit.model.contents import Contents
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.limits import MIB, format_mib, format_size
from layerkit.model.recipe_parts import Budget
from layerkit.model.stack import Stack

_NAMED: Final = 5
_TOO_SMALL_TO_NAME: Final = MIB // 20  # it would read 0.0 MiB
_CLOSE: Final = 0.8
_VERSION: Final = re.compile(r":\d+$")
_HEAD: Final = re.compile(r"(?:python/lib/python\d+\.\d+/site-packages/|[^/]+/)?[^/]+")


def stack_size_findings(stack: Stack, budget: Budget) -> Iterator[Finding]:
    """Yield what is to be said about sizes and numbers."""
    yield from _unzipped(stack)
    yield from _budget(stack, budget)
    yield from _too_many(stack)
    yield from _same_layer(stack)
    for part in stack.parts:
        yield from _zipped(part)


def _unzipped(stack: Stack) -> Iterator[Finding]:
    """Yield one finding for the whole, and before it one for each part that is too large even alone."""
    limit = limits().unzipped_bytes
    if len(stack.parts) > 1:
        yield from (_over((part,), part.where, "alone ") for part in stack.parts if part.unzipped_bytes >= limit)
    used = stack.unzipped_bytes
    if used >= limit:
        yield _over(stack.parts, _where(stack), "")
    elif used >= limit * _CLOSE:
        yield Finding(
            code=Code.SIZE_UNZIPPED,
            severity=Severity.WARNING,
            where=_where(stack),
            message=f"{format_mib(used)} unzipped, {used / limit:.0%} of Lambda's {limit // MIB} MiB;"
            f" room for {count(limit - 1 - used, 'byte')}; largest: {_largest(stack.parts)}",
        )


def _over(parts: Sequence[Contents], where: str, alone: str) -> Finding:
    used, limit = sum(part.unzipped_bytes for part in parts), limits().unzipped_bytes
    return Finding(
        code=Code.SIZE_UNZIPPED,
        severity=Severity.ERROR,
        where=where,
        message=f"{alone}{format_mib(used)} unzipped, over Lambda's {limit // MIB} MiB by"
        f" {count(used - limit + 1, 'byte')}; largest: {_largest(parts)}",
        hint="leave out what is not needed, the largest first, or use a container image for the function",
    )


def _budget(stack: Stack, budget: Budget) -> Iterator[Finding]:
    zipped = sum(part.zipped_bytes or 0 for part in stack.parts)
    for kind, used, allowed in (
        ("unzipped", stack.unzipped_bytes, budget.unzipped),
        ("zipped", zipped, budget.zipped),
    ):
        if allowed is not None and used > allowed:
            yield Finding(
                code=Code.SIZE_BUDGET,
                severity=Severity.ERROR,
                where=_where(stack),
                message=f"{format_size(used)} {kind}, over the budget of {format_size(allowed)}"
                f" by {count(used - allowed, 'byte')}; largest: {_largest(stack.parts)}",
                hint="leave something out, or raise the budget",
            )
    folders = [part.where for part in stack.parts if part.zipped_bytes is None]
    if budget.zipped is not None and folders:
        yield Finding(
            code=Code.SIZE_BUDGET,
            severity=Severity.WARNING,
            where=_where(stack),
            message=f"the budget of {format_size(budget.zipped)} zipped leaves out {examples(folders)}: what a folder"
            " takes zipped is not known",
            hint="audit the zip",
        )


def _too_many(stack: Stack) -> Iterator[Finding]:
    most = limits().layers_per_function
    if len(stack.layers) > most:
        yield Finding(
            code=Code.STACK_TOO_MANY_LAYERS,
            severity=Severity.ERROR,
            where="stack",
            message=f"{len(stack.layers)} layers; Lambda takes {most}: `Cannot reference more than {most} layers.`",
            hint="put some of them together into one layer; if they are no stack, audit them with `--each`",
        )


def _same_layer(stack: Stack) -> Iterator[Finding]:
    seen: dict[Hashable, Contents] = {}
    for layer in stack.layers:
        others = [seen.setdefault(identity, layer) for identity in _identities(layer)]
        other = next((other for other in others if other is not layer and not _are_told_apart(layer, other)), None)
        if other is not None:
            yield Finding(
                code=Code.STACK_SAME_LAYER,
                severity=Severity.ERROR,
                where=layer.where,
                message=f"it is the same layer as `{other.where}`: `Two different versions of the same layer are not"
                " allowed to be referenced in the same function.`",
                hint="keep one of them",
            )


def _identities(layer: Contents) -> Iterator[Hashable]:
    """Yield what makes a layer the same as another: its name, and its content."""
    name = _name(layer)
    if name is not None:
        yield name
    if layer.files:
        yield frozenset((file.path, file.crc32, file.unzipped_bytes, file.mode) for file in layer.files)


def _are_told_apart(one: Contents, other: Contents) -> bool:
    """Whether both have names, and not the same: with equal content, they are still two layers."""
    names = {_name(one), _name(other)}
    return None not in names and len(names) > 1


def _name(layer: Contents) -> tuple[str, ...] | None:
    """Return what Lambda, or a manifest, calls a layer: its ARN but for the version, or its name and target."""
    if layer.arn is not None:
        return (_VERSION.sub("", layer.arn),)
    return (layer.name, *layer.runtimes, *layer.architectures) if layer.name is not None else None


def _zipped(part: Contents) -> Iterator[Finding]:
    limit = limits().zipped_direct_bytes
    if part.arn is None and part.zipped_bytes is not None and part.zipped_bytes > limit:
        yield Finding(
            code=Code.SIZE_ZIPPED_DIRECT,
            severity=Severity.NOTE,
            where=part.where,
            message=f"{format_mib(part.zipped_bytes)} zipped, over the {limit // MIB} MiB of a direct upload:"
            " it goes through S3",
        )


def _where(stack: Stack) -> str:
    return stack.parts[0].where if len(stack.parts) == 1 else "stack"


def _largest(parts: Sequence[Contents]) -> str:
    """Name the largest distributions, each with all its copies, and beside them the largest folders of nobody's."""
    sizes: Counter[str] = Counter()
    for part in parts:
        for share in by_distribution(part):
            if share.name != NO_DISTRIBUTION:
                sizes[share.name] += share.unzipped_bytes
        for file in without_distribution(part):
            sizes[f"{part.where}: {_head(file.path)}"] += file.unzipped_bytes
    return _named(sorted(sizes.items(), key=lambda item: (-item[1], item[0])))


def _head(path: str) -> str:
    """Return the package or folder that a file belongs to: ``python/app``, ``lib/libx.so.1``, ``bin/tool``."""
    match = _HEAD.match(path)
    return match.group() if match else path


def _named(ordered: Sequence[tuple[str, int]]) -> str:
    worth_a_word = [each for each in ordered if each[1] >= _TOO_SMALL_TO_NAME] or ordered[:1]
    return ", ".join(f"{name} {format_mib(size)}" for name, size in worth_a_word[:_NAMED])
