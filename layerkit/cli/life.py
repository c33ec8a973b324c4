"""What the commands about published layers have in common: where they look, how they ask, how they tell failures."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Protocol, TypeAlias, TypeVar

import typer

from layerkit.cli.options import option
from layerkit.errors import UsageError

if TYPE_CHECKING:
    from layerkit.cli.console import Console
    from layerkit.errors import LayerkitError
    from layerkit.model.publishing import Publishing
    from layerkit.publish.destinations import Found, Unreachable
    from layerkit.publish.ledger import Ledger
    from layerkit.publish.named import Named
    from layerkit.publish.plan import Destination, Grant
    from layerkit.publish.policy import Place

_Step = TypeVar("_Step")
_Done = TypeVar("_Done", bound="Done")

CHANGES: Final = 1
FAILED: Final = 7
INTERRUPTED: Final = 130

LayerArgument: TypeAlias = Annotated[
    str, typer.Argument(metavar="NAME|ZIP|MANIFEST", help="Published name of a layer, or what was published.")
]
To: TypeAlias = Annotated[
    list[str] | None,
    option("--to", metavar="NAME", help="Only this account.", show_default="all of the configuration"),
]
Plan: TypeAlias = Annotated[bool, option("--plan", help="Show what would change, and exit with 1 if anything would.")]
Yes: TypeAlias = Annotated[bool, option("--yes", "-y", help="Do not ask.")]
PrintPolicy: TypeAlias = Annotated[
    bool, option("--print-policy", help="Print the least IAM policy for this command, and do nothing.")
]


class Unconfirmed(UsageError):
    """Something that cannot be undone, without the user having confirmed it."""

    def __init__(self, *, what: str) -> None:
        super().__init__(f"this would {what}", hint="say `--yes`; `--plan` shows it without doing it")


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """A layer, and where it is looked at; ``is_partial`` tells that ``--to`` leaves accounts out."""

    publishing: "Publishing"
    named: "Named"
    regions: tuple[str, ...]
    found: "Found"
    is_partial: bool

    @property
    def layer_name(self) -> str:
        """The layer's published name."""
        return self.named.layer_name

    @property
    def everyone(self) -> "Found":
        """All accounts of the configuration that can be in these regions, whether or not they are looked at."""
        from layerkit.publish.destinations import find_destinations
        from layerkit.publish.named import in_partition

        if not self.is_partial:
            return self.found
        publishing = in_partition(self.publishing, self.regions[0]) if self.regions else self.publishing
        return find_destinations(publishing, in_regions=self.regions)


def scope_of(layer: str, *, config: Path | None, to: Sequence[str] | None, region: Sequence[str] | None) -> Scope:
    """Read the configuration, find out which layer is meant, and ask the accounts who they are."""
    from layerkit.cli.config import read_configuration
    from layerkit.model.publishing import check_region
    from layerkit.publish.destinations import find_destinations
    from layerkit.publish.named import layer_named

    publishing = read_configuration(config)
    named = layer_named(layer, template=publishing.layer_name)
    regions = tuple(map(check_region, region or ()))
    return Scope(
        publishing=publishing,
        named=named,
        regions=regions,
        found=find_destinations(publishing, only=tuple(to or ()), in_regions=regions),
        is_partial=bool(to),
    )


def ledger_of(path: Path | None) -> "Ledger":
    """Return the ledger for ``--ledger``."""
    from layerkit.publish.ledger import Ledger

    return Ledger(path=path) if path is not None else Ledger.default()


class Done(Protocol):
    """What became of a step."""

    @property
    def error(self) -> "LayerkitError | None":
        """Why it failed, if it did."""


def carry_out(
    steps: "Sequence[_Step]",
    apply: "Callable[..., _Done]",
    *,
    doing: str,
    ledger: Path | None,
    tell: "Callable[[Sequence[_Done]], object]",
    console: "Console",
) -> int:
    """Apply each step with the ledger, tell what came of them, and return the exit code."""
    import threading
    from functools import partial

    from layerkit.publish.everywhere import do_everywhere

    stop, kept = threading.Event(), ledger_of(ledger)
    outcomes = do_everywhere(
        steps, partial(apply, ledger=kept, stop=stop), stop=stop, doing=doing, progress=console.progress()
    )
    tell(outcomes)
    warn_of_ledger(kept, console)
    if stop.is_set():
        return INTERRUPTED
    return FAILED if any(outcome.error is not None for outcome in outcomes) else 0


def warn_of_ledger(ledger: "Ledger", console: "Console") -> None:
    """Say that what was done is not written down, if it is not."""
    if ledger.failure is not None:
        console.warning(f"{ledger.failure.message}: the next run will ask AWS what this one knew")


def print_policy(found: "Found", policy: "Callable[[Sequence[Place]], dict[str, Any]]", console: "Console") -> int:
    """Print a policy for the destinations, and return the exit code."""
    from layerkit.publish.policy import places_of

    console.result_json(policy(places_of(found)))
    return 0


def agreed(table: Iterable[str], *, what: str, yes: bool, console: "Console") -> bool:
    """Show what is to be done and ask; where nobody can be asked, ``--yes`` must say so. Raises ``Unconfirmed``."""
    import sys

    if yes:
        return True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Unconfirmed(what=what)
    for line in table:
        console.say(line, least=-1)
    return typer.confirm(f"{what[:1].upper()}{what[1:]}?", err=True)


def show_table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]], console: "Console") -> None:
    """Print a table of words."""
    for line in table_of(heads, rows):
        console.result(line)


def table_of(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterable[str]:
    """Return the lines of a table of words."""
    from layerkit.audit.report.drawing import Table, aligned

    return aligned(Table(heads=heads, rows=tuple(rows), texts=len(heads)))


def place(destination: "Destination") -> tuple[str, str]:
    """Return the cells that say where something is."""
    return f"{destination.account.name} {destination.number}", destination.region


def shared_with(grants: "Iterable[Grant]") -> str:
    """Return the cell that says who may use a version."""
    names = ["everybody" if grant.is_public else grant.organization or grant.principal for grant in grants]
    return " ".join(names) or "-"


def numbers(found: Iterable[int]) -> str:
    """Return version numbers in as few words as possible: ``1-4, 7``."""
    ranges: list[list[int]] = []
    for number in sorted(found):
        if ranges and number == ranges[-1][-1] + 1:
            ranges[-1][1:] = [number]
        else:
            ranges.append([number])
    return ", ".join("-".join(map(str, each)) for each in ranges) or "-"


def tell_failures(failed: "Iterable[tuple[Destination, LayerkitError]]", layer: str, console: "Console") -> None:
    """Tell what failed where."""
    for destination, error in failed:
        console.say(f"{layer} in {destination}:", least=-1)
        console.error(error)


def errors_of(failed: "Iterable[Unreachable]") -> "list[tuple[Destination, LayerkitError]]":
    """Return destinations that could not be asked, and why."""
    return [(gone.destination, gone.error) for gone in failed]


def failed_json(failed: "Iterable[Unreachable]") -> list[dict[str, Any]]:
    """Return destinations that could not be asked, in the JSON of all commands."""
    from layerkit.publish.versions import place_json

    return [{**place_json(gone.destination), "status": "failed", "error": gone.error.message} for gone in failed]
