"""What ``layerkit invoke --profile-imports`` tells: a table of what the start went to, the most expensive first."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

from layerkit.invoke.import_costs import Cost, total_ms
from layerkit.invoke.import_profile import ImportCosts

if TYPE_CHECKING:
    from layerkit.cli.console import Console

_SHOWN: Final = 3  # owners of what the handler imports, heaviest modules of a distribution
_HEAD: Final = ("ms", "with imports", "share", "modules", "distribution")
_Row: TypeAlias = tuple[str, str, str, str, str]


def tell_costs(costs: ImportCosts, console: "Console") -> None:
    """Tell what the start went to; with ``--verbose`` also which modules are the heaviest."""
    for line in _aligned([_HEAD, *_rows(costs, heaviest=console.verbosity > 0)]):
        console.say(line)
    if costs.later:
        console.say(f"Imported later, by the handler: {_brief(costs.later)}")


def _rows(costs: ImportCosts, *, heaviest: bool) -> Iterator[_Row]:
    """Yield the cells of each owner, of the rest of the start, and of the whole."""
    imports = total_ms(costs.init)
    whole = imports if costs.start_ms is None else costs.start_ms
    for cost in costs.init:
        yield _ms(cost.own_ms), _ms(cost.all_ms), _share(cost.own_ms, whole), str(cost.modules), str(cost.owner)
        for module, milliseconds in cost.heaviest[:_SHOWN] if heaviest else ():
            yield _ms(milliseconds), "", "", "", f"  {module}"
    if costs.start_ms is not None:
        rest = whole - imports
        yield _ms(rest), "", _share(rest, whole), "", "no imports: sandbox, Python, the runtime client"
    yield _ms(whole), "", _share(whole, whole), str(sum(cost.modules for cost in costs.init)), "the whole start"


def _ms(milliseconds: float) -> str:
    return f"{milliseconds:.1f}"


def _share(part: float, whole: float) -> str:
    percent = round(100 * part / whole) if whole else 0
    return f"{percent} %" if percent or not part else "<1 %"


def _brief(costs: Sequence[Cost]) -> str:
    """Name the most expensive owners and what all of them took."""
    named = [f"{cost.owner} {cost.own_ms:.1f} ms" for cost in costs[:_SHOWN]]
    more = len(costs) - len(named)
    return f"{total_ms(costs):.1f} ms ({', '.join([*named, *([f'{more} more'] if more > 0 else [])])})"


def _aligned(rows: Sequence[_Row]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for *numbers, name in rows:
        cells = [number.rjust(width) for number, width in zip(numbers, widths, strict=False)]
        yield "  ".join([*cells, name]).rstrip()
