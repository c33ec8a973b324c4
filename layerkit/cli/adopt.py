"""``layerkit adopt``: somebody else's layer version, copied into one's own accounts."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from layerkit.cli import life
from layerkit.cli import options as common
from layerkit.cli.options import console_of, option
from layerkit.cli.publish import carry_out_plan, is_agreed, show_plan

if TYPE_CHECKING:
    from layerkit.model.arn import LayerVersionArn
    from layerkit.model.publishing import Publishing
    from layerkit.progress import Progress
    from layerkit.publish.artifact import Artifact
    from layerkit.publish.destinations import Found
    from layerkit.publish.ledger import Ledger
    from layerkit.publish.run import Prepared


def adopt(
    arn: Annotated[str, typer.Argument(metavar="ARN", help="The layer version to copy.")],
    to: life.To = None,
    region: common.Regions = None,
    name: Annotated[str | None, option("--name", help="Layer name.", show_default="its own")] = None,
    create_bucket: Annotated[bool, option("--create-bucket", help="Make staging buckets that are missing.")] = False,
    plan: life.Plan = False,
    yes: life.Yes = False,
    print_policy: life.PrintPolicy = False,
    ledger: common.LedgerFile = None,
    config: common.Config = None,
    quiet: common.Quiet = False,
    verbose: common.Verbose = False,
    json: common.Json = False,
) -> int:
    """Copy a layer version, unchanged, into the configured accounts and regions, before it goes away.

    Its bytes are verified; licence, description, runtimes and architectures stay, and its ARN is kept in the
    description. Whether its licence allows that is for you to know. Running it again publishes nothing.
    """
    from layerkit.cli.config import read_configuration
    from layerkit.cli.publish_outcome import Manner
    from layerkit.model.arn import LayerVersionArn
    from layerkit.model.publishing import UnfitLayerNameError, check_region
    from layerkit.publish.destinations import find_destinations
    from layerkit.publish.named import is_layer_name
    from layerkit.publish.policy import adopting_policy

    console = console_of(quiet=quiet, verbose=verbose)
    origin = LayerVersionArn.parse(arn)
    if name is not None and not is_layer_name(name):
        raise UnfitLayerNameError(name=name)
    publishing = replace(read_configuration(config), signing_profile=None)  # its own signature stays
    found = find_destinations(publishing, only=tuple(to or ()), in_regions=tuple(map(check_region, region or ())))
    if print_policy:
        return life.print_policy(
            found, lambda places: adopting_policy(publishing, places, origin, name or origin.name), console
        )
    manner = Manner(json=json, output=None, console=console)
    kept = life.ledger_of(ledger)
    with TemporaryDirectory(prefix="layerkit-", ignore_cleanup_errors=True) as folder:
        artifact = _brought(origin, publishing, Path(folder), to=to or (), name=name, progress=console.progress())
        prepared = _prepared(artifact, publishing, found, ledger=kept, progress=console.progress())
        if plan:
            return show_plan(prepared, manner)
        if not is_agreed(prepared, console, yes=yes, may_be_public=publishing.share.public):
            return life.CHANGES
        if prepared.plan.changes:
            kept.note(
                "adopting",
                origin=str(origin),
                layer_name=artifact.layer_name,
                code_sha256=artifact.code_sha256,
                content_digest=artifact.content_digest,
            )
        return carry_out_plan(prepared, publishing, manner, ledger=kept, create_bucket=create_bucket)


def _brought(
    origin: "LayerVersionArn",
    publishing: "Publishing",
    folder: Path,
    *,
    to: Sequence[str],
    name: str | None,
    progress: "Progress",
) -> "Artifact":
    from layerkit.http_range import link_client
    from layerkit.publish.adopt import bring, find_origin

    found = find_origin(origin, publishing, first=to)
    with link_client() as client:
        return bring(found, folder, name=name, client=client, progress=progress)


def _prepared(
    artifact: "Artifact", publishing: "Publishing", found: "Found", *, ledger: "Ledger", progress: "Progress"
) -> "Prepared":
    from layerkit.publish.run import prepare
    from layerkit.publish.wanted import wanted_of

    return prepare(
        found,
        lambda destination: [wanted_of(artifact, publishing, destination)],
        ledger=ledger,
        align=False,
        progress=progress,
    )
