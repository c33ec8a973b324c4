"""``layerkit retire``: old versions away, but none that is in use."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Final

import typer

from layerkit.cli import life
from layerkit.cli import options as common
from layerkit.cli.options import console_of, option

if TYPE_CHECKING:
    from layerkit.cli.console import Console
    from layerkit.publish.destinations import Unreachable
    from layerkit.publish.retention import Retired, Retirement

_HEADS: Final = ("account", "region", "retire", "keep", "in use", "shared")


def retire(
    layer: life.LayerArgument,
    keep: Annotated[
        int,
        typer.Option("--keep", min=1, metavar="N", envvar="LAYERKIT_KEEP_VERSIONS", help="How many versions to keep."),
    ],
    force: Annotated[
        bool, option("--force", help="Also versions that others may use whose functions cannot be seen.")
    ] = False,
    to: life.To = None,
    region: common.Regions = None,
    plan: life.Plan = False,
    yes: life.Yes = False,
    print_policy: life.PrintPolicy = False,
    ledger: common.LedgerFile = None,
    config: common.Config = None,
    quiet: common.Quiet = False,
    verbose: common.Verbose = False,
    json: common.Json = False,
) -> int:
    """Delete all but the newest versions of a layer in every destination.

    Never the newest, and never a version that a function uses, in any of its versions, in any configured account. A
    version that is shared with anybody else, an organisation or everybody stays, too, unless `--force`.
    """
    from layerkit.publish.policy import retiring_policy
    from layerkit.publish.retention import Question, apply, look_again, look_everywhere

    console = console_of(quiet=quiet, verbose=verbose)
    scope = life.scope_of(layer, config=config, to=to, region=region)
    if print_policy:
        return life.print_policy(
            scope.found, lambda places: retiring_policy(scope.publishing, places, scope.layer_name), console
        )
    question = Question(layer_name=scope.layer_name, keep=keep, force=force)
    everyone = scope.everyone
    answers = look_everywhere(question, found=scope.found, everyone=everyone, progress=console.progress())
    steps = [question.step(destination, held) for destination, held in answers.given]
    telling = _Telling(layer_name=scope.layer_name, failed=answers.failed, json=json, console=console)
    count = sum(len(step.go) for step in steps)
    if plan:
        telling.plan(steps)
        return life.FAILED if answers.failed else life.CHANGES if count else 0
    what = f"delete {count} {'version' if count == 1 else 'versions'} of `{scope.layer_name}` for good"
    if count and not life.agreed(_table(steps), what=what, yes=yes, console=console):
        return life.CHANGES
    again = look_again(question, steps, everyone=everyone, progress=console.progress())
    telling = replace(telling, failed=(*telling.failed, *again.failed))
    now = [step for _, step in again.given]
    telling.changes(steps, now)
    code = life.carry_out(now, apply, doing="Retiring", ledger=ledger, tell=telling.outcomes, console=console)
    return code or (life.FAILED if telling.failed else 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Telling:
    """Tells what is planned, or what became of it."""

    layer_name: str
    failed: "tuple[Unreachable, ...]"
    json: bool
    console: "Console"

    def plan(self, steps: "Sequence[Retirement]") -> None:
        from layerkit.publish.retention import Retired

        if self.json:
            self._json([Retired(step=step) for step in steps], planned=True)
        else:
            for line in _table(steps):
                self.console.result(line)
        life.tell_failures(life.errors_of(self.failed), self.layer_name, self.console)

    def changes(self, planned: "Sequence[Retirement]", now: "Sequence[Retirement]") -> None:
        """Say what stays although it was to go: it is in use, or shared, only since the plan was made."""
        going = {version.arn for step in planned for version in step.go}
        for step in now:
            stay = [kept.version.number for kept in step.stay if kept.version.arn in going]
            if stay:
                what = f"version {life.numbers(stay)} of `{self.layer_name}` stays in {step.destination}"
                self.console.warning(f"{what}: something has changed since this was planned")

    def outcomes(self, outcomes: "Sequence[Retired]") -> None:
        if self.json:
            self._json(outcomes, planned=False)
        else:
            heads = ("account", "region", "retired", "not retired", *_HEADS[3:])
            life.show_table(heads, map(_done, outcomes), self.console)
        errors = [(each.step.destination, each.error) for each in outcomes if each.error is not None]
        life.tell_failures([*errors, *life.errors_of(self.failed)], self.layer_name, self.console)

    def _json(self, outcomes: "Sequence[Retired]", *, planned: bool) -> None:
        entries = [entry for outcome in outcomes for entry in outcome.to_json(planned=planned)]
        self.console.result_json(
            {
                "version": 1,
                "layer_name": self.layer_name,
                "retired": entries,
                "failed": life.failed_json(self.failed),
            }
        )


def _table(steps: "Iterable[Retirement]") -> Iterable[str]:
    return life.table_of(_HEADS, map(_planned, steps))


def _planned(step: "Retirement") -> tuple[str, ...]:
    return (*life.place(step.destination), life.numbers(version.number for version in step.go), *_kept(step))


def _done(outcome: "Retired") -> tuple[str, ...]:
    gone = {version.number for version in outcome.gone}
    missing = [version.number for version in outcome.step.go if version.number not in gone]
    return (*life.place(outcome.step.destination), life.numbers(gone), life.numbers(missing), *_kept(outcome.step))


def _kept(step: "Retirement") -> tuple[str, str, str]:
    from layerkit.publish.retention import Reason

    used = [
        f"{kept.version.number} by {', '.join(sorted({use.function for use in kept.version.uses}))}"
        for kept in step.stay
        if kept.reason is Reason.USED
    ]
    shared = [
        f"{kept.version.number} with {life.shared_with(kept.version.unseen)}"
        for kept in step.stay
        if kept.reason is Reason.SHARED
    ]
    newest = (kept.version.number for kept in step.stay if kept.reason is Reason.NEWEST)
    return life.numbers(newest), "; ".join(used) or "-", "; ".join(shared) or "-"
