"""``layerkit publish``: layers out to every account and region that should have them."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from layerkit.cli import life
from layerkit.cli import options as common
from layerkit.cli.options import console_of, option
from layerkit.errors import UsageError

if TYPE_CHECKING:
    from layerkit.cli.console import Console
    from layerkit.cli.publish_outcome import Manner
    from layerkit.model.publishing import Publishing
    from layerkit.publish.ledger import Ledger
    from layerkit.publish.run import Prepared


class PublicUnconfirmed(UsageError):
    """Layers that everybody could use, without the user having confirmed that."""

    def __init__(self) -> None:
        super().__init__(
            "this would let everybody use the layers",
            hint="say `--yes`, or `public = true` in [publish.share]",
        )


class NothingToPublish(UsageError):
    """A command that names no layer."""

    def __init__(self) -> None:
        super().__init__("there is nothing to publish", hint="name zips, for example `layerkit publish dist/*.zip`")


def publish(
    layers: Annotated[list[Path] | None, typer.Argument(metavar="ZIP|MANIFEST...", help="Layers to publish.")] = None,
    to: life.To = None,
    region: common.Regions = None,
    name: Annotated[str | None, option("--name", help="Layer name.", show_default="the manifest's")] = None,
    runtime: Annotated[
        list[str] | None, option("--runtime", help="Compatible runtime.", show_default="the manifest's")
    ] = None,
    arch: Annotated[
        list[str] | None, option("--arch", help="Compatible architecture.", show_default="the manifest's")
    ] = None,
    share_account: Annotated[
        list[str] | None, option("--share-account", metavar="NUMBER", help="Let this account use the layers.")
    ] = None,
    share_org: Annotated[
        list[str] | None, option("--share-org", metavar="ID", help="Let this organisation use the layers.")
    ] = None,
    public: Annotated[bool, option("--public", help="Let everybody use the layers.")] = False,
    prune_permissions: Annotated[
        bool, option("--prune-permissions", help="Remove permissions that others granted, too.")
    ] = False,
    align: Annotated[bool, option("--align", help="Bring every destination to the same version number.")] = False,
    signing_profile: Annotated[
        str | None, option("--signing-profile", metavar="NAME", help="Sign the zips with this profile of AWS Signer.")
    ] = None,
    create_bucket: Annotated[bool, option("--create-bucket", help="Make staging buckets that are missing.")] = False,
    plan: life.Plan = False,
    yes: life.Yes = False,
    output: Annotated[
        Literal["arns.json", "tfvars", "cloudformation", "env"] | None,
        option("--output", help="Print the ARNs in this form."),
    ] = None,
    print_policy: life.PrintPolicy = False,
    ledger: common.LedgerFile = None,
    config: common.Config = None,
    quiet: common.Quiet = False,
    verbose: common.Verbose = False,
    json: common.Json = False,
) -> int:
    """Publish layers as versions to accounts and regions, exactly once.

    What is there already is not published again; permissions and parameters are brought to the wanted state. A
    destination that fails stops no other.
    """
    from layerkit.cli.config import read_configuration
    from layerkit.cli.publish_outcome import Manner
    from layerkit.model.publishing import (
        Share,
        check_account,
        check_organization,
        check_region,
        check_signing_profile,
    )
    from layerkit.publish.artifacts import Labels, read_artifacts
    from layerkit.publish.destinations import find_destinations
    from layerkit.publish.policy import publishing_policy
    from layerkit.publish.run import prepare
    from layerkit.publish.sign import Signing
    from layerkit.publish.wanted import wanted_of

    if not layers:
        raise NothingToPublish
    console = console_of(quiet=quiet, verbose=verbose)
    configured = read_configuration(config)
    share = Share(
        accounts=tuple(dict.fromkeys([*configured.share.accounts, *map(check_account, share_account or ())])),
        organizations=tuple(
            dict.fromkeys([*configured.share.organizations, *map(check_organization, share_org or ())])
        ),
        public=configured.share.public or public,
    )
    profile = check_signing_profile(signing_profile) if signing_profile else configured.signing_profile
    publishing = replace(configured, share=share, signing_profile=profile)
    Signing.of(publishing)
    artifacts = read_artifacts(
        tuple(layers),
        labels=Labels(name=name, runtimes=tuple(runtime or ()), architectures=tuple(arch or ())),
        template=publishing.layer_name,
    )
    found = find_destinations(publishing, only=tuple(to or ()), in_regions=tuple(map(check_region, region or ())))
    if print_policy:
        names = [artifact.layer_name for artifact in artifacts]
        return life.print_policy(found, lambda places: publishing_policy(publishing, places, names), console)
    kept = life.ledger_of(ledger)
    prepared = prepare(
        found,
        lambda destination: [
            wanted_of(artifact, publishing, destination, prune_permissions=prune_permissions) for artifact in artifacts
        ],
        ledger=kept,
        align=align,
        progress=console.progress(),
    )
    manner = Manner(json=json, output=output, console=console)
    if plan:
        return show_plan(prepared, manner)
    if not is_agreed(prepared, console, yes=yes, may_be_public=configured.share.public):
        return life.CHANGES
    return carry_out_plan(prepared, publishing, manner, ledger=kept, create_bucket=create_bucket)


def show_plan(prepared: "Prepared", manner: "Manner") -> int:
    """Tell what is planned, and return the exit code of ``--plan``."""
    from layerkit.publish.run import planned

    manner.show((*planned(prepared.plan.steps), *prepared.failed))
    return life.FAILED if prepared.failed else life.CHANGES if prepared.plan.changes else 0


def is_agreed(prepared: "Prepared", console: "Console", *, yes: bool, may_be_public: bool) -> bool:
    """Show the plan and ask, where there is somebody to ask. Raises ``PublicUnconfirmed``."""
    import sys

    from layerkit.cli.publish_outcome import table
    from layerkit.publish.run import planned

    if prepared.plan.makes_public and not (yes or may_be_public):
        raise PublicUnconfirmed
    if yes or not prepared.plan.changes or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return True
    for line in table((*planned(prepared.plan.steps), *prepared.failed)):
        console.say(line, least=-1)
    return typer.confirm("Do this?", err=True)


def carry_out_plan(
    prepared: "Prepared", publishing: "Publishing", manner: "Manner", *, ledger: "Ledger", create_bucket: bool
) -> int:
    """Do what was planned, tell what came of it, and return the exit code."""
    import threading

    from layerkit.cli.publish_outcome import lifecycle_hint, tell_ci
    from layerkit.publish.apply import Applier
    from layerkit.publish.run import carry_out
    from layerkit.publish.sign import Signing
    from layerkit.publish.staging import Staging

    console = manner.console
    stop = threading.Event()
    signing = Signing.of(publishing, stop=stop)
    staging = Staging(publishing.staging_bucket, create=create_bucket, signing=signing)
    applier = Applier(staging=staging, ledger=ledger, stop=stop)
    done = carry_out(prepared.plan.steps, applier, progress=console.progress())
    outcomes = (*done, *prepared.failed)
    manner.show(outcomes)
    tell_ci(outcomes, console)
    if staging.created:
        console.hint(lifecycle_hint(staging.created))
    life.warn_of_ledger(ledger, console)
    if applier.stop.is_set():
        return life.INTERRUPTED
    return life.FAILED if any(outcome.error is not None for outcome in outcomes) else 0
