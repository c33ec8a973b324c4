"""``layerkit diff``: what changed between two layers."""

from typing import Annotated

import typer

from layerkit.cli import options as common
from layerkit.cli.options import cache_of, console_of, option, refuse_two_forms


def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="A zip, folder, manifest or layer ARN.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="A zip, folder, manifest or layer ARN.")],
    region: common.Region = None,
    profile: common.Profile = None,
    role: common.Role = None,
    markdown: Annotated[bool, option("--markdown", help="Print Markdown, for the summary of a CI job.")] = False,
    cache_dir: common.CacheDir = None,
    json: common.Json = False,
) -> int:
    """Tell which distributions, files and bytes came, went or grew, and what that means for the limit."""
    from layerkit.audit.diff import compare
    from layerkit.audit.report.difference import render_markdown, render_text
    from layerkit.audit.run import read_layer
    from layerkit.aws.access import Access

    refuse_two_forms(json=json, markdown=markdown)
    access = Access(region=region, profile=profile, role_arn=role)
    cache = cache_of(cache_dir)
    before, after = (read_layer(name, cache=cache, access=access, deep=False) for name in (old, new))
    difference = compare(before, after)
    console = console_of(quiet=False, verbose=False)
    if json:
        console.result_json({"version": 1, **difference.to_json()})
        return 0
    for line in render_markdown(difference) if markdown else render_text(difference):
        console.result(line)
    return 0
