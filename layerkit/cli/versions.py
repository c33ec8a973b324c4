"""``layerkit versions``: one layer in all destinations side by side."""

from typing import TYPE_CHECKING

from layerkit.cli import life
from layerkit.cli import options as common
from layerkit.cli.options import console_of

if TYPE_CHECKING:
    from layerkit.publish.versions import Standing

_DIGITS = 12


def versions(
    layer: life.LayerArgument,
    to: life.To = None,
    region: common.Regions = None,
    print_policy: life.PrintPolicy = False,
    config: common.Config = None,
    quiet: common.Quiet = False,
    verbose: common.Verbose = False,
    json: common.Json = False,
) -> int:
    """Show a layer's newest version in every destination, and which destinations lag behind.

    A destination lags in content unless it holds what the zip holds, or else what was published last anywhere.
    """
    from functools import partial

    from layerkit.publish.everywhere import ask_everywhere
    from layerkit.publish.named import NowhereFound
    from layerkit.publish.policy import versions_policy
    from layerkit.publish.versions import compare, look_at

    console = console_of(quiet=quiet, verbose=verbose)
    scope = life.scope_of(layer, config=config, to=to, region=region)
    if print_policy:
        return life.print_policy(
            scope.found, lambda places: versions_policy(scope.publishing, places, scope.layer_name), console
        )
    answers = ask_everywhere(
        scope.found, partial(look_at, scope.layer_name), doing="Looking", progress=console.progress()
    )
    if not answers.failed and not any(holding.versions for _, holding in answers.given):
        raise NowhereFound(name=scope.layer_name)
    standings = compare(answers.given, wanted=scope.named.artifact)
    if json:
        destinations = [*(each.to_json() for each in standings), *life.failed_json(answers.failed)]
        console.result_json({"version": 1, "layer_name": scope.layer_name, "destinations": destinations})
    else:
        heads = ("account", "region", "version", "versions", "content", "created", "shared with", "lags in")
        life.show_table(heads, map(_row, standings), console)
    life.tell_failures(life.errors_of(answers.failed), scope.layer_name, console)
    return life.FAILED if answers.failed else 0


def _row(standing: "Standing") -> tuple[str, ...]:
    newest = standing.holding.newest
    lags = ", ".join(standing.lags) or "-"
    if newest is None:
        return (*life.place(standing.destination), "-", "0", "-", "-", "-", lags)
    return (
        *life.place(standing.destination),
        str(newest.number),
        str(standing.holding.versions),
        (standing.content or "")[:_DIGITS],
        newest.created[:16].replace("T", " "),
        life.shared_with(statement.grant for statement in newest.statements),
        lags,
    )
