"""``layerkit lock``: resolve, and keep the result as PEP 751 files."""

import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from layerkit.cli import options as common
from layerkit.cli.options import cache_of, console_of, option

if TYPE_CHECKING:
    from layerkit.cli.console import Console
    from layerkit.order import Job
    from layerkit.places import SupplyOptions


def lock(
    context: typer.Context,
    what: Annotated[
        list[str] | None,
        typer.Argument(metavar="[REQUIREMENT|RECIPE]...", help="PEP 508 requirements, or recipes (folder or .toml)."),
    ] = None,
    requirements: common.RequirementFiles = None,
    group: common.Groups = None,
    extra: common.Extras = None,
    all_recipes: Annotated[Path | None, option("--all", metavar="DIR", help="Every recipe in this folder.")] = None,
    name: common.Name = None,
    runtime: common.Runtimes = None,
    arch: common.Architectures = None,
    builder: common.Builders = None,
    image: common.Image = None,
    network: common.Network = None,
    platform: common.Platform = None,
    system_package: common.SystemPackages = None,
    env: common.Environment = None,
    lock_dir: common.LockDir = None,
    check: Annotated[bool, option("--check", help="Change nothing; exit 1 if a lock is not current.")] = False,
    upgrade: common.Upgrade = False,
    upgrade_package: common.UpgradePackages = None,
    offline: common.Offline = False,
    index_url: common.IndexUrl = None,
    extra_index_url: common.ExtraIndexUrls = None,
    find_links: common.FindLinks = None,
    no_index: common.NoIndex = False,
    index_strategy: common.IndexStrategy = None,
    ca_bundle: common.CaBundle = None,
    proxy: common.Proxy = None,
    keyring: common.Keyring = None,
    exclude_newer: common.ExcludeNewer = None,
    no_binary: common.NoBinary = None,
    no_build: common.NoBuild = False,
    exclude: common.Exclude = None,
    universal: common.Universal = None,
    cache_dir: common.CacheDir = None,
    quiet: common.Quiet = False,
    verbose: common.Verbose = False,
    json: common.Json = False,
) -> int:
    """Resolve requirements into a lock for each target."""
    said = dict(locals())
    from layerkit.cli.again import command_without
    from layerkit.cli.orders import Flags, orders_of
    from layerkit.cli.verbose import tell_of_jobs
    from layerkit.lock.obtain import LockMode
    from layerkit.order import jobs_of
    from layerkit.places import ContainerOptions, SupplyOptions

    orders = orders_of(what or (), folder_of_recipes=all_recipes, flags=Flags.of(said))
    options = SupplyOptions(
        cache=cache_of(cache_dir),
        mode=LockMode(upgrade=upgrade, upgrade_packages=tuple(upgrade_package or ()), offline=offline),
        containers=ContainerOptions(network=network, platform=platform),
    )
    console = console_of(quiet=quiet, verbose=verbose)
    jobs = jobs_of(orders, today=datetime.now(UTC).date())
    tell_of_jobs(jobs, console)
    command = command_without("--check", context.obj)
    if check:
        return _check(jobs, options, console, command=command, json=json)
    return _refresh(jobs, options, console, json=json)


def _refresh(jobs: Sequence["Job"], options: "SupplyOptions", console: "Console", *, json: bool) -> int:
    from layerkit.build import lock_all
    from layerkit.cli.outcome import exit_code_of, show_failures

    began = time.monotonic()
    locked, failures = lock_all(jobs, options, console.progress())
    rows = [
        {
            "name": each.job.order.recipe.layer.name,
            "target": each.job.target.identifier,
            "path": os.fspath(each.path),
            "packages": [{"name": package.name, "version": package.version} for package in each.packages],
        }
        for each in locked
        if each.path is not None
    ]
    if json:
        console.result_json({"version": 1, "locks": rows})
    else:
        for row in rows:
            console.result(f"{row['path']}: {len(row['packages'])} packages")
        targets = "1 target" if len(rows) == 1 else f"{len(rows)} targets"
        console.say(f"Locked {targets} in {time.monotonic() - began:.1f}s")
    show_failures(failures, console, of=len(jobs))
    return exit_code_of((), failures)


def _check(jobs: Sequence["Job"], options: "SupplyOptions", console: "Console", *, command: str, json: bool) -> int:
    from layerkit.supply import stale_locks

    stale = [os.fspath(path) for path in stale_locks(jobs, options, console.progress())]
    if json:
        console.result_json({"version": 1, "stale": stale})
        return 1 if stale else 0
    for path in stale:
        console.result(f"{path} is missing or stale")
    if stale:
        console.hint(f"refresh with `{command}`")
    else:
        console.say("Every lock is current")
    return 1 if stale else 0
