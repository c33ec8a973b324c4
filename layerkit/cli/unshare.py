"""``layerkit unshare``: permissions taken back from versions that are published already."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final

import typer

from layerkit.cli import life
from layerkit.cli import options as common
from layerkit.cli.options import console_of, option
from layerkit.errors import UsageError

if TYPE_CHECKING:
    from layerkit.cli.console import Console
    from layerkit.model.publishing import Publishing
    from layerkit.publish.destinations import Unreachable
    from layerkit.publish.plan import Grant
    from layerkit.publish.unshare import Removal, Unshared, Unsharing

_ALL: Final = "all"


class NobodyNamed(UsageError):
    """An ``unshare`` that names nobody."""

    def __init__(self) -> None:
        super().__init__("nobody is named", hint="name accounts (`--account`), organisations (`--org`) or `--public`")


class NoVersionNumber(UsageError):
    """A ``--version`` that is neither a number nor ``all``."""

    def __init__(self, *, text: str) -> None:
        super().__init__(f"`{text}` is not a version of a layer", hint="give its number, or `all`")


def unshare(
    layer: life.LayerArgument,
    account: Annotated[
        list[str] | None, option("--account", metavar="NUMBER", help="Take it back from this account.")
    ] = None,
    org: Annotated[list[str] | None, option("--org", metavar="ID", help="Take it back from this organisation.")] = None,
    public: Annotated[bool, typer.Option("--public", help="Take it back from everybody.")] = False,
    version: Annotated[str, typer.Option("--version", metavar="N|all", help="From which version.")] = _ALL,
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
    """Let somebody no longer use a layer, in any destination.

    Removes every permission that grants just what is named, whoever granted it. Functions that use the layer keep
    working; they can no longer be updated with it.
    """
    from functools import partial

    from layerkit.publish.everywhere import ask_everywhere
    from layerkit.publish.policy import unsharing_policy
    from layerkit.publish.unshare import apply, look
    from layerkit.publish.unshare import unshare as unsharing

    console = console_of(quiet=quiet, verbose=verbose)
    scope = life.scope_of(layer, config=config, to=to, region=region)
    if print_policy:
        return life.print_policy(
            scope.found, lambda places: unsharing_policy(scope.publishing, places, scope.layer_name), console
        )
    grants = _grants(account or (), org or (), public=public)
    _warn_of_configuration(scope.publishing, grants, console)
    answers = ask_everywhere(
        scope.found,
        partial(look, scope.layer_name, only=_number(version)),
        doing="Looking",
        progress=console.progress(),
    )
    steps = [unsharing(where, scope.layer_name, shared, grants=grants) for where, shared in answers.given]
    telling = _Telling(layer_name=scope.layer_name, failed=answers.failed, json=json, console=console)
    telling.public(steps)
    count = sum(len(step.remove) for step in steps)
    if plan:
        telling.plan(steps)
        return life.FAILED if answers.failed else life.CHANGES if count else 0
    what = f"remove {count} {'permission' if count == 1 else 'permissions'} from versions of `{scope.layer_name}`"
    if count and not life.agreed(_table(steps), what=what, yes=yes, console=console):
        return life.CHANGES
    code = life.carry_out(steps, apply, doing="Removing", ledger=ledger, tell=telling.outcomes, console=console)
    return code or (life.FAILED if telling.failed else 0)


def _grants(accounts: Sequence[str], organizations: Sequence[str], *, public: bool) -> "tuple[Grant, ...]":
    from layerkit.model.publishing import check_account, check_organization
    from layerkit.publish.plan import Grant

    grants = (
        *(Grant(principal=check_account(number)) for number in accounts),
        *(Grant(principal="*", organization=check_organization(one)) for one in organizations),
        *([Grant(principal="*")] if public else []),
    )
    if not grants:
        raise NobodyNamed
    return grants


def _number(text: str) -> int | None:
    if text == _ALL:
        return None
    if not text.isdecimal() or int(text) < 1:
        raise NoVersionNumber(text=text)
    return int(text)


def _warn_of_configuration(publishing: "Publishing", grants: "Sequence[Grant]", console: "Console") -> None:
    """Say what the next publication would grant again."""
    share = publishing.share
    for grant in grants:
        wanted = grant.principal in share.accounts or grant.organization in share.organizations
        if wanted or (grant.is_public and share.public):
            who = life.shared_with([grant])
            console.warning(f"[publish.share] still names {who}: the next `layerkit publish` grants it again")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Telling:
    """Tells what is planned, or what became of it."""

    layer_name: str
    failed: "tuple[Unreachable, ...]"
    json: bool
    console: "Console"

    def public(self, steps: "Sequence[Unsharing]") -> None:
        still = {number for step in steps if step.remove for number in step.still_public}
        if still:
            self.console.warning(f"everybody may still use `{self.layer_name}`, in version {life.numbers(still)}")

    def plan(self, steps: "Sequence[Unsharing]") -> None:
        from layerkit.publish.unshare import Unshared

        if self.json:
            self._json([Unshared(step=step) for step in steps], planned=True)
        else:
            for line in _table(steps):
                self.console.result(line)
        life.tell_failures(life.errors_of(self.failed), self.layer_name, self.console)

    def outcomes(self, outcomes: "Sequence[Unshared]") -> None:
        if self.json:
            self._json(outcomes, planned=False)
        else:
            rows = ((*life.place(each.step.destination), *_cells(each.gone)) for each in outcomes)
            life.show_table(("account", "region", "versions", "removed"), rows, self.console)
        errors = [(each.step.destination, each.error) for each in outcomes if each.error is not None]
        life.tell_failures([*errors, *life.errors_of(self.failed)], self.layer_name, self.console)

    def _json(self, outcomes: "Sequence[Unshared]", *, planned: bool) -> None:
        entries = [entry for outcome in outcomes for entry in outcome.to_json(planned=planned)]
        failed = life.failed_json(self.failed)
        self.console.result_json({"version": 1, "layer_name": self.layer_name, "removed": entries, "failed": failed})


def _table(steps: "Iterable[Unsharing]") -> Iterable[str]:
    rows = ((*life.place(step.destination), *_cells(step.remove)) for step in steps)
    return life.table_of(("account", "region", "versions", "remove"), rows)


def _cells(removals: "Sequence[Removal]") -> tuple[str, str]:
    versions = {removal.version.number for removal in removals}
    statements = sorted({removal.statement.id for removal in removals})
    return life.numbers(versions), " ".join(statements) or "-"
