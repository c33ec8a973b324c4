"""``layerkit build``: requirements or recipes in, layer zips out."""

import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from layerkit.cli import options as common
from layerkit.cli.options import cache_of, console_of, option

if TYPE_CHECKING:
    from layerkit.build import BuildOptions
    from layerkit.cli.console import Console
    from layerkit.order import Order


def build(
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
    build_timeout: common.BuildTimeout = None,
    out: Annotated[Path, option("--out", "-o", metavar="DIR", help="Where layers are written.")] = Path("dist"),
    lock_dir: common.LockDir = None,
    locked: common.Locked = False,
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
    prune: Annotated[
        Literal["standard", "none"] | None,
        option("--prune", help="What cannot matter at run time goes.", show_default="standard"),
    ] = None,
    keep: Annotated[
        list[str] | None,
        option("--keep", metavar="GLOB", help="Keep these files whatever the rules say."),
    ] = None,
    drop: Annotated[
        list[str] | None,
        option("--drop", metavar="[DIST:]GLOB", help="Leave these files out."),
    ] = None,
    strip: Annotated[
        bool | None,
        option(
            "--strip/--no-strip",
            help="Take symbol tables and debug information out of binaries.",
            show_default="strip",
        ),
    ] = None,
    bytecode: Annotated[
        bool | None,
        option("--bytecode/--no-bytecode", help="Add compiled bytecode."),
    ] = None,
    compress: Annotated[
        Literal["copy", "best"] | None,
        option(
            "--compress",
            help="Copy the wheels' streams, or compress everything anew.",
            show_default="copy",
        ),
    ] = None,
    layout: Annotated[
        Literal["python", "site-packages"] | None,
        option("--layout", help="Where packages lie.", show_default="python"),
    ] = None,
    universal: common.Universal = None,
    stack: Annotated[
        list[str] | None,
        option(
            "--stack",
            metavar="ZIP|DIR|SIZE",
            help="What else the function's stack holds; it counts against the limit.",
        ),
    ] = None,
    verify_imports: Annotated[
        bool, option("--verify-imports", help="Import the layer's modules under the target's interpreter.")
    ] = False,
    jobs: common.Jobs = None,
    force: Annotated[bool, option("--force", help="Write the layer even if it would not work.")] = False,
    cache_dir: common.CacheDir = None,
    quiet: common.Quiet = False,
    verbose: common.Verbose = False,
    json: common.Json = False,
) -> int:
    """Build layers from requirements or recipes."""
    said = dict(locals())
    from layerkit.build import BuildOptions
    from layerkit.cli.again import command_without
    from layerkit.cli.orders import Flags, orders_of
    from layerkit.cli.stack import unzipped_bytes_of
    from layerkit.lock.obtain import LockMode
    from layerkit.places import ContainerOptions, SupplyOptions

    orders = orders_of(what or (), folder_of_recipes=all_recipes, flags=Flags.of(said))
    options = BuildOptions(
        out=out,
        supply=SupplyOptions(
            cache=cache_of(cache_dir),
            mode=LockMode(
                locked=locked,
                upgrade=upgrade,
                upgrade_packages=tuple(upgrade_package or ()),
                offline=offline,
                command=command_without("--locked", context.obj),
            ),
            containers=ContainerOptions(network=network, platform=platform, build_timeout=build_timeout),
            force=force,
        ),
        verify_imports=verify_imports,
        force=force,
        jobs=jobs or os.cpu_count() or 1,
        beside_bytes=unzipped_bytes_of(stack or ()),
    )
    return _run(orders, options, console_of(quiet=quiet, verbose=verbose), json=json)


def _run(orders: Sequence["Order"], options: "BuildOptions", console: "Console", *, json: bool) -> int:
    from layerkit.build import build_all
    from layerkit.cli.outcome import exit_code_of, show_failures, show_layers, warn_of_runtimes
    from layerkit.cli.verbose import tell_of_jobs, tell_of_layers
    from layerkit.order import jobs_of

    began = time.monotonic()
    today = datetime.now(UTC).date()
    jobs = jobs_of(orders, today=today)
    warn_of_runtimes(jobs, today=today, console=console)
    tell_of_jobs(jobs, console)
    layers, failures = build_all(jobs, options, console.progress())
    tell_of_layers(layers, console)
    show_layers(layers, console, seconds=time.monotonic() - began, json=json)
    show_failures(failures, console, of=len(jobs))
    return exit_code_of(layers, failures)
