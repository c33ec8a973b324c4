"""Does a stack fit: function and layers together against Lambda's limits, and against a budget."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from layerkit.audit.measure import NO_DISTRIBUTION, by_distribution
from layerkit.facts import limits
from layerkit.model.arn import LayerVersionArn
from layerkit.model.contents import Contents
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.limits import MIB, format_mib
from layerkit.model.recipe_parts import Budget
from layerkit.model.stack import Stack

_NAMED: Final = 5
_TOO_SMALL_TO_NAME: Final = MIB // 20  # it would read 0.0 MiB
_CLOSE: Final = 0.8


def stack_size_findings(stack: Stack, budget: Budget) -> Iterator[Finding]:
    """Yield what is to be said about sizes and numbers."""
    yield from _unzipped(stack)
    yield from _budget(stack, budget)
    yield from _too_many(stack)
    yield from _same_layer(stack)
    for part in stack.parts:
        yield from _zipped(part)


def _unzipped(stack: Stack) -> Iterator[Finding]:
    used, limit = stack.unzipped_bytes, limits().unzipped_bytes
    if used >= limit:
        yield Finding(
            code=Code.SIZE_UNZIPPED,
            severity=Severity.ERROR,
            where=_where(stack),
            message=f"{format_mib(used)} unzipped, over Lambda's {limit // MIB} MiB by {used - limit + 1:,} bytes;"
            f" largest: {_largest(stack)}",
            hint="leave out what is not needed, the largest first, or use a container image for the function",
        )
    elif used >= limit * _CLOSE:
        yield Finding(
            code=Code.SIZE_UNZIPPED,
            severity=Severity.WARNING,
            where=_where(stack),
            message=f"{format_mib(used)} unzipped, {used / limit:.0%} of Lambda's {limit // MIB} MiB;"
            f" room for {limit - 1 - used:,} bytes; largest: {_largest(stack)}",
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
                message=f"{format_mib(used)} {kind}, over the budget of {format_mib(allowed)}"
                f" by {used - allowed:,} bytes; largest: {_largest(stack)}",
                hint="leave something out, or raise the budget",
            )


def _too_many(stack: Stack) -> Iterator[Finding]:
    most = limits().layers_per_function
    if len(stack.layers) > most:
        yield Finding(
            code=Code.STACK_TOO_MANY_LAYERS,
            severity=Severity.ERROR,
            where="stack",
            message=f"{len(stack.layers)} layers; Lambda takes {most}: `Cannot reference more than {most} layers.`",
            hint="put some of them together into one layer",
        )


def _same_layer(stack: Stack) -> Iterator[Finding]:
    seen: dict[str, Contents] = {}
    for layer in stack.layers:
        for identity in _identities(layer):
            other = seen.setdefault(identity, layer)
            if other is not layer:
                yield Finding(
                    code=Code.STACK_SAME_LAYER,
                    severity=Severity.ERROR,
                    where=layer.where,
                    message=f"it is the same layer as `{other.where}`; Lambda takes a layer only once in a function",
                    hint="keep one of them",
                )
                break


def _identities(layer: Contents) -> Iterator[str]:
    if layer.arn is not None:
        yield LayerVersionArn.parse(layer.arn).layer
    elif layer.name is not None:
        yield f"{layer.name} {','.join(layer.runtimes)} {','.join(layer.architectures)}"


def _zipped(part: Contents) -> Iterator[Finding]:
    limit = limits().zipped_direct_bytes
    if part.zipped_bytes is not None and part.zipped_bytes > limit:
        yield Finding(
            code=Code.SIZE_ZIPPED_DIRECT,
            severity=Severity.NOTE,
            where=part.where,
            message=f"{format_mib(part.zipped_bytes)} zipped, over the {limit // MIB} MiB of a direct upload:"
            " it goes through S3",
        )


def _where(stack: Stack) -> str:
    return stack.parts[0].where if len(stack.parts) == 1 else "stack"


def _largest(stack: Stack) -> str:
    sizes: Counter[str] = Counter()
    for part in stack.parts:
        for share in by_distribution(part):
            name = f"{part.where} (no distribution)" if share.name == NO_DISTRIBUTION else share.name
            sizes[name] += share.unzipped_bytes
    return _named(sorted(sizes.items(), key=lambda item: (-item[1], item[0])))


def _named(ordered: Sequence[tuple[str, int]]) -> str:
    worth_a_word = [each for each in ordered if each[1] >= _TOO_SMALL_TO_NAME] or ordered[:1]
    return ", ".join(f"{name} {format_mib(size)}" for name, size in worth_a_word[:_NAMED])
