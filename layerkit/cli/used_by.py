"""``layerkit used-by``: which functions use a layer."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from layerkit.cli import life
from layerkit.cli import options as common
from layerkit.cli.options import console_of

if TYPE_CHECKING:
    from layerkit.model.arn import LayerVersionArn
    from layerkit.model.publishing import Publishing
    from layerkit.publish.destinations import Found
    from layerkit.publish.used_by import UsedBy


def used_by(
    layer: Annotated[
        str,
        typer.Argument(
            metavar="NAME|ZIP|MANIFEST|ARN",
            help="Published name of a layer, what was published, or the ARN of a layer or of a version.",
        ),
    ],
    to: life.To = None,
    region: common.Regions = None,
    print_policy: life.PrintPolicy = False,
    config: common.Config = None,
    quiet: common.Quiet = False,
    verbose: common.Verbose = False,
    json: common.Json = False,
) -> int:
    """Show which functions of the accounts and regions use which version of a layer.

    Published versions of functions count, too: aliases point at them. By an ARN any layer can be asked for, also
    somebody else's.
    """
    from layerkit.publish.everywhere import ask_everywhere
    from layerkit.publish.policy import used_by_policy
    from layerkit.publish.used_by import by_function, uses_in

    console = console_of(quiet=quiet, verbose=verbose)
    publishing, found, wanted = _question(layer, config=config, to=to or (), region=region or ())
    if print_policy:
        return life.print_policy(found, lambda places: used_by_policy(publishing, places), console)
    answers = ask_everywhere(
        found, lambda destination: uses_in(destination, wanted), doing="Asking", progress=console.progress()
    )
    uses = [use for _, found_there in answers.given for use in found_there]
    if json:
        told = [use.to_json() for use in uses]
        console.result_json({"version": 1, "layer": layer, "used_by": told, "failed": life.failed_json(answers.failed)})
    elif uses:
        heads = ("version", "account", "region", "function", "its versions", "layer")
        life.show_table(heads, map(_row, by_function(uses)), console)
    else:
        places = f"{len(answers.given)} {'destination' if len(answers.given) == 1 else 'destinations'}"
        console.say(f"No function in {places} uses `{layer}`")
    life.tell_failures(life.errors_of(answers.failed), layer, console)
    return life.FAILED if answers.failed else 0


def _question(
    layer: str, *, config: Path | None, to: Sequence[str], region: Sequence[str]
) -> "tuple[Publishing, Found, Callable[[LayerVersionArn], bool]]":
    """Return where to ask, and which layer versions are asked for."""
    if not layer.startswith("arn:"):
        scope = life.scope_of(layer, config=config, to=to, region=region)
        everyone = scope.everyone
        owners = {where.number for where in everyone.reachable}
        owners |= {gone.destination.number for gone in everyone.unreachable}
        return scope.publishing, scope.found, lambda arn: arn.name == scope.layer_name and arn.account in owners
    from layerkit.cli.config import read_configuration
    from layerkit.model.publishing import check_region
    from layerkit.publish.destinations import find_destinations
    from layerkit.publish.named import in_partition
    from layerkit.publish.used_by import Asked, NobodyAsked

    asked = Asked.parse(layer)
    region_of_layer = check_region(asked.region)
    publishing = in_partition(read_configuration(config), region_of_layer)
    if not publishing.accounts:
        raise NobodyAsked(arn=layer)
    return publishing, find_destinations(publishing, only=to, in_regions=(region_of_layer,)), asked.fits


def _row(used: "UsedBy") -> tuple[str, ...]:
    return (
        str(used.layer.version),
        used.account,
        used.layer.region,
        used.function,
        ", ".join(used.function_versions),
        used.layer.layer,
    )
