"""What publishing tells: a table of what happened where, or its machine-readable forms."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from layerkit.cli.console import Console

if TYPE_CHECKING:
    from layerkit.publish.outcome import Outcome


@dataclass(frozen=True, kw_only=True, slots=True)
class Manner:
    """In which form outcomes are told: JSON, ARNs for another tool, or a table."""

    json: bool
    output: str | None
    console: Console

    def show(self, outcomes: Sequence["Outcome"]) -> None:
        """Print the outcomes as the result, and failures to stderr."""
        if self.json:
            self.console.result_json({"version": 1, "published": [outcome.to_json() for outcome in outcomes]})
        elif self.output is not None:
            from layerkit.publish.outputs import Form, render

            self.console.result(render(Form(self.output), outcomes).rstrip("\n"))
        else:
            for line in table(outcomes):
                self.console.result(line)
        for outcome in outcomes:
            if outcome.error is not None:
                self.console.say(f"{outcome.step.wanted.artifact.layer_name} in {outcome.step.destination}:", least=-1)
                self.console.error(outcome.error)


def table(outcomes: Sequence["Outcome"]) -> Iterator[str]:
    """Yield the lines of a table: what became of each layer in each destination."""
    from layerkit.audit.report.drawing import Table, aligned

    heads = ("layer", "account", "region", "status", "version", "permissions")
    yield from aligned(Table(heads=heads, rows=tuple(map(_row, outcomes)), texts=len(heads)))


def _row(outcome: "Outcome") -> tuple[str, ...]:
    step = outcome.step
    destination = step.destination
    return (
        step.wanted.artifact.layer_name,
        f"{destination.account.name} {destination.number}",
        destination.region,
        str(outcome.status),
        _version(outcome),
        _permissions(outcome),
    )


def _version(outcome: "Outcome") -> str:
    step = outcome.step
    if outcome.version_number is not None:
        return str(outcome.version_number)
    return f"{step.version_after} (new)" if step.publications else "-"


def _permissions(outcome: "Outcome") -> str:
    from layerkit.publish.plan import OWN

    added = [f"+{grant.statement_id.removeprefix(OWN)}" for grant in outcome.step.add]
    removed = [f"-{statement.id.removeprefix(OWN)}" for statement in outcome.step.remove]
    return " ".join([*added, *removed]) or "-"
