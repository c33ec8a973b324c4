"""``layerkit invoke``: a function with its layers, or the examples of recipes, as Lambda would run them."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from layerkit.cli import options as common
from layerkit.cli.options import option


def invoke(
    what: Annotated[
        list[str],
        typer.Argument(
            metavar="HANDLER|RECIPE...",
            help="The handler, as in lambda_function.lambda_handler; or recipes, whose examples are to be proven.",
        ),
    ],
    code: Annotated[
        Path | None, option("--code", metavar="DIR|ZIP", help="The function's code.", show_default="this folder")
    ] = None,
    layer: Annotated[
        list[str] | None,
        option("--layer", metavar="ZIP|DIR|ARN", help="A layer, in the order in which the function lists them."),
    ] = None,
    event: Annotated[str | None, option("--event", metavar="FILE|-|JSON", help="The event.", show_default="{}")] = None,
    runtime: Annotated[
        str | None, option("--runtime", help="Lambda runtime.", show_default="what the layers are for, or the newest")
    ] = None,
    timeout: Annotated[int | None, option("--timeout", metavar="SECONDS", help="1 to 900.", show_default="3")] = None,
    memory: Annotated[int | None, option("--memory", metavar="MB", help="128 to 10240.", show_default="128")] = None,
    tmp: Annotated[
        int | None, option("--tmp", metavar="MB", help="Room in /tmp, 512 to 10240.", show_default="512")
    ] = None,
    env: Annotated[
        list[str] | None, option("--env", metavar="K=V", help="Environment variable of the function.")
    ] = None,
    repeat: Annotated[int, option("--repeat", min=1, metavar="N", help="Invoke N times in one environment.")] = 1,
    asynchronous: Annotated[
        bool, option("--async", help="Invoke as event sources do: retry what fails, send a record of it.")
    ] = False,
    retries: Annotated[
        int | None, option("--retries", min=0, max=2, help="How often to retry, with --async.", show_default="2")
    ] = None,
    on_success: Annotated[
        str | None, option("--on-success", metavar="ARN|FILE", help="Where the record goes, with --async.")
    ] = None,
    on_failure: Annotated[
        str | None, option("--on-failure", metavar="ARN|FILE", help="Where it goes if every attempt failed.")
    ] = None,
    profile_imports: Annotated[
        bool, option("--profile-imports", help="Tell what the start goes to: the time of imports, by distribution.")
    ] = False,
    force: Annotated[bool, option("--force", help="Try even what Lambda would refuse.")] = False,
    arch: Annotated[
        Literal["x86_64", "arm64"] | None,
        option("--arch", help="Architecture.", show_default="this machine's, or what the layers are for"),
    ] = None,
    sandbox: Annotated[
        Literal["auto", "local", "container"],
        option("--sandbox", help="Where it runs: on this machine if it can, or in a container."),
    ] = "auto",
    image: Annotated[
        str | None, option("--image", help="Run in a container of this image.", show_default="the manylinux image")
    ] = None,
    network: common.Network = None,
    platform: common.Platform = None,
    offline: common.Offline = False,
    index_url: common.IndexUrl = None,
    extra_index_url: common.ExtraIndexUrls = None,
    find_links: common.FindLinks = None,
    no_index: common.NoIndex = False,
    ca_bundle: common.CaBundle = None,
    proxy: common.Proxy = None,
    keyring: common.Keyring = None,
    cache_dir: common.CacheDir = None,
    quiet: common.Quiet = False,
    verbose: common.Verbose = False,
    json: common.Json = False,
) -> int:
    """Invoke a function with its layers on this machine, as Lambda would.

    Prints the function's answer; its log is stderr. A function that fails makes the exit code 1. Of a recipe the layers
    are built and the examples invoked: the exit code is 1 as well if one does not answer as it should.
    """
    said = dict(locals())
    from layerkit.cli.invoke_end import orderly_end
    from layerkit.cookbook import is_recipe

    with orderly_end():
        if any(map(is_recipe, what)):
            from layerkit.cli.prove import prove_recipes

            return prove_recipes(said)
        from layerkit.cli.invoke_handler import invoke_handler

        return invoke_handler(said)
