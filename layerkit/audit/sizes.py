"""Does it fit: a layer or a stack against Lambda's limits and against a budget."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from layerkit.facts import limits
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.limits import format_mib
from layerkit.model.recipe_parts import Budget

_NAMED: Final = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Sizes:
    """What a layer takes, in bytes; ``beside_bytes`` is what else its stack holds, ``largest`` its biggest parts."""

    where: str
    unzipped_bytes: int
    zipped_bytes: int
    beside_bytes: int
    largest: Sequence[tuple[str, int]]


def size_findings(sizes: Sizes, budget: Budget) -> tuple[Finding, ...]:
    """Return what is to be said about the sizes, the worst first."""
    found = (_unzipped(sizes), *_budget(sizes, budget), _zipped(sizes))
    return tuple(finding for finding in found if finding is not None)


def _unzipped(sizes: Sizes) -> Finding | None:
    limit = limits().unzipped_bytes
    total = sizes.unzipped_bytes + sizes.beside_bytes
    if total < limit:
        return None
    what = f"with the {format_mib(sizes.beside_bytes)} beside it, " if sizes.beside_bytes else ""
    return Finding(
        code=Code.SIZE_UNZIPPED,
        severity=Severity.ERROR,
        where=sizes.where,
        message=f"{what}{format_mib(total)} unzipped, over Lambda's {limit // 2**20} MiB"
        f" by {total - limit + 1:,} bytes; largest: {_largest(sizes)}",
        hint="name what to leave out with `--exclude` or `--drop`; `layerkit audit` shows what takes the room",
    )


def _budget(sizes: Sizes, budget: Budget) -> tuple[Finding | None, ...]:
    pairs = (
        ("unzipped", sizes.unzipped_bytes, budget.unzipped),
        ("zipped", sizes.zipped_bytes, budget.zipped),
    )
    return tuple(
        Finding(
            code=Code.SIZE_BUDGET,
            severity=Severity.WARNING,
            where=sizes.where,
            message=f"{format_mib(size)} {kind}, over its budget of {format_mib(allowed)} by {size - allowed:,} bytes;"
            f" largest: {_largest(sizes)}",
            hint="leave something out, or raise the budget in the recipe",
        )
        for kind, size, allowed in pairs
        if allowed is not None and size > allowed
    )


def _zipped(sizes: Sizes) -> Finding | None:
    limit = limits().zipped_direct_bytes
    if sizes.zipped_bytes <= limit:
        return None
    return Finding(
        code=Code.SIZE_ZIPPED_DIRECT,
        severity=Severity.NOTE,
        where=sizes.where,
        message=f"{format_mib(sizes.zipped_bytes)} zipped, over the {limit // 2**20} MiB of a direct upload:"
        " publishing will stage it through S3",
    )


def _largest(sizes: Sizes) -> str:
    ordered = sorted(sizes.largest, key=lambda part: (-part[1], part[0]))
    return ", ".join(f"{name} {format_mib(size)}" for name, size in ordered[:_NAMED])
