"""``layerkit audit``: is this going to work, and what takes the room."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import typer

from layerkit.cli import options as common
from layerkit.cli.options import cache_of, console_of, option, refuse_two_forms
from layerkit.errors import UsageError
from layerkit.model.finding import Severity

if TYPE_CHECKING:
    from layerkit.audit.audit import Audit
    from layerkit.audit.report.tables import By
    from layerkit.cli.console import Console

_FINDINGS: Final = 1
_AT_LEAST: Final = {"error": (Severity.ERROR,), "warning": (Severity.ERROR, Severity.WARNING), "never": ()}


class ReportOverInput(UsageError):
    """A report that would take the place of what is audited, or of a folder."""

    def __init__(self, *, path: Path) -> None:
        super().__init__(
            f"the report cannot be written to `{path}`: it is a folder, or what is audited",
            hint="name a new file, such as `--report layer.html`",
        )


def audit(
    layers: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ZIP|DIR|MANIFEST|ARN]...", help="Layers, in the order in which the function lists them."
        ),
    ] = None,
    each: Annotated[bool, option("--each", help="The layers are no stack: audit each on its own.")] = False,
    function: Annotated[
        Path | None, option("--function", metavar="ZIP|DIR", help="The function's own code, for the whole stack.")
    ] = None,
    function_name: Annotated[
        str | None, option("--function-name", metavar="NAME|ARN", help="A deployed function and its layers.")
    ] = None,
    all_functions: Annotated[bool, option("--all-functions", help="Every function of the account and region.")] = False,
    region: common.Region = None,
    profile: common.Profile = None,
    role: common.Role = None,
    runtime: Annotated[
        str | None,
        option("--runtime", help="Lambda runtime.", show_default="what manifests and files say"),
    ] = None,
    arch: Annotated[
        str | None, option("--arch", help="x86_64 or arm64.", show_default="what manifests and files say")
    ] = None,
    by: Annotated[
        Literal["distribution", "file", "type"], option("--by", help="What the room is shared out among.")
    ] = "distribution",
    top: Annotated[int, option("--top", min=1, help="How many rows to show.")] = 12,
    budget: Annotated[
        str | None, option("--budget", metavar="SIZE", help="The most that the stack may take unzipped.")
    ] = None,
    budget_zipped: Annotated[
        str | None, option("--budget-zipped", metavar="SIZE", help="The most that the zips may take.")
    ] = None,
    fail_on: Annotated[
        Literal["error", "warning", "never"], option("--fail-on", help="Findings that make the exit code 1.")
    ] = "error",
    report: Annotated[
        Path | None, option("--report", metavar="FILE.html", help="Write a page with a map of the layer.")
    ] = None,
    markdown: Annotated[bool, option("--markdown", help="Print Markdown, for the summary of a CI job.")] = False,
    print_policy: Annotated[
        bool, option("--print-policy", help="Print the least IAM policy for auditing what is deployed, and do nothing.")
    ] = False,
    config: common.Config = None,
    cache_dir: common.CacheDir = None,
    quiet: common.Quiet = False,
    verbose: common.Verbose = False,
    json: common.Json = False,
) -> int:
    """Tell whether layers fit and load, what takes the room, and what overwrites what.

    Any zip or folder will do, whoever built it. Several layers are one stack, as a function would list them, unless
    their manifests share no target, or `--each` says otherwise.
    """
    from layerkit.audit.report.as_json import to_json
    from layerkit.audit.report.tables import By
    from layerkit.audit.run import Question, audits_of
    from layerkit.aws.access import Access
    from layerkit.model.limits import parse_size
    from layerkit.model.recipe_parts import Budget

    refuse_two_forms(json=json, markdown=markdown)
    _refuse_report_over(report, layers or (), function)
    console = console_of(quiet=quiet, verbose=verbose)
    if print_policy:
        return _print_policy(config, region, console)
    question = Question(
        layers=tuple(layers or ()),
        each=each,
        function=function,
        function_name=function_name,
        all_functions=all_functions,
        runtime=runtime,
        architecture=arch,
        budget=Budget(
            unzipped=parse_size(budget) if budget is not None else None,
            zipped=parse_size(budget_zipped) if budget_zipped is not None else None,
        ),
        access=Access(region=region, profile=profile, role_arn=role),
    )
    audits = tuple(audits_of(question, cache=cache_of(cache_dir), progress=console.progress()))
    failing = _AT_LEAST[fail_on]
    if json:
        console.result_json(to_json(audits, top=top))
    elif quiet and not markdown:
        _show_failing(audits, failing, console)
    else:
        _show(audits, console, markdown=markdown, by=By(by), top=top)
    if report is not None:
        _write_report(audits, report, console)
    return _FINDINGS if any(finding.severity in failing for audit in audits for finding in audit.findings) else 0


def _refuse_report_over(report: Path | None, layers: Sequence[str], function: Path | None) -> None:
    read = [Path(name) for name in layers] + ([function] if function is not None else [])
    if report is not None and (report.is_dir() or any(_is_same(report, each) for each in read)):
        raise ReportOverInput(path=report)


def _is_same(one: Path, other: Path) -> bool:
    return one.exists() and other.exists() and one.samefile(other)


def _print_policy(config: Path | None, region: str | None, console: "Console") -> int:
    """Print the policy for the configured accounts and regions, or for one region of all of them."""
    from layerkit.cli import life
    from layerkit.cli.config import read_configuration
    from layerkit.model.publishing import check_region
    from layerkit.publish.destinations import find_destinations
    from layerkit.publish.policy import audit_policy

    publishing = read_configuration(config)
    found = find_destinations(publishing, in_regions=(check_region(region),) if region is not None else ())
    return life.print_policy(found, lambda places: audit_policy(publishing, places), console)


def _show(audits: Sequence["Audit"], console: "Console", *, markdown: bool, by: "By", top: int) -> None:
    from layerkit.audit.report.markdown import render_markdown
    from layerkit.audit.report.text import render_text

    for number, each in enumerate(audits):
        if number:
            console.result("")
        lines = (
            render_markdown(each, by=by, top=top) if markdown else render_text(each, by=by, top=top, pen=console.pen())
        )
        for line in lines:
            console.result(line)


def _show_failing(audits: Sequence["Audit"], failing: Sequence[Severity], console: "Console") -> None:
    """Print, under ``--quiet``, only what makes the exit code 1."""
    from layerkit.audit.report.text import finding_lines

    for finding in (finding for each in audits for finding in each.findings if finding.severity in failing):
        for line in finding_lines(finding, console.pen()):
            console.result(line)


def _write_report(audits: Sequence["Audit"], path: Path, console: "Console") -> None:
    from layerkit.audit.report.html import render_html
    from layerkit.files import write_text

    write_text(path, render_html(audits))
    console.say(f"Wrote {path}")
