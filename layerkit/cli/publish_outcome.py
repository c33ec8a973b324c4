"""What publishing tells: a table of what happened where, or its machine-readable forms."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from layerkit.cli.console import Console
from layerkit.errors import system_reason

if TYPE_CHECKING:
    from layerkit.publish.outcome import Outcome

_STAGED_DAYS: Final = 14


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


def tell_ci(outcomes: Sequence["Outcome"], console: Console) -> None:
    """Write the ARNs to where GitHub Actions takes a step's outputs from, and a table to the job's summary."""
    from layerkit.publish.outputs import step_outputs, summary

    for variable, text in (
        ("GITHUB_OUTPUT", step_outputs(outcomes)),
        ("GITHUB_STEP_SUMMARY", summary(outcomes)),
    ):
        path = os.environ.get(variable)
        if path:
            try:
                with Path(path).open("a", encoding="utf-8") as stream:
                    stream.write(text)
            except OSError as exc:
                console.warning(f"cannot write `{variable}`: {system_reason(exc)}")


def lifecycle_hint(buckets: Sequence[str]) -> str:
    """Return how to let what was staged go away by itself: Lambda has a copy of its own."""
    from layerkit.publish.staging import PREFIX

    rule = {
        "ID": "layerkit",
        "Status": "Enabled",
        "Filter": {"Prefix": f"{PREFIX}/"},
        "Expiration": {"Days": _STAGED_DAYS},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
    }
    made = ", ".join(f"`{name}`" for name in sorted(set(buckets)))
    command = "aws s3api put-bucket-lifecycle-configuration --bucket NAME --lifecycle-configuration"
    return f"made {made}; Lambda keeps its own copy, so let staged zips expire: {command} '{_rules(rule)}'"


def _rules(rule: Mapping[str, object]) -> str:
    import json

    return json.dumps({"Rules": [rule]}, separators=(",", ":"))


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
    return f"{step.version_after} (new)" if step.publications and outcome.error is None else "-"


def _permissions(outcome: "Outcome") -> str:
    from layerkit.publish.plan import OWN

    added = [f"+{grant.statement_id.removeprefix(OWN)}" for grant in outcome.added]
    removed = [f"-{statement.id.removeprefix(OWN)}" for statement in outcome.removed]
    return " ".join([*added, *removed]) or "-"
