"""An audit as Markdown, for the summary of a CI job."""

import html
from collections.abc import Iterator
from typing import Final

from layerkit.audit.audit import Audit
from layerkit.audit.report.drawing import Table, as_markdown, escaped, plain
from layerkit.audit.report.tables import By, parts_table, shares_table, targets_text, unknown_target
from layerkit.audit.report.text import summary
from layerkit.facts import limits
from layerkit.model.finding import Finding, Severity
from layerkit.model.limits import MIB, format_size

_SIGNS: Final = {Severity.ERROR: "❌", Severity.WARNING: "⚠️", Severity.NOTE: "ℹ️"}  # noqa: RUF001


def render_markdown(audit: Audit, *, by: By, top: int) -> Iterator[str]:
    """Yield the lines of an audit in GitHub's Markdown; whatever files are called, it stays text."""
    targets = targets_text(audit)
    yield f"### {escaped(audit.title)}{f' for {targets}' if targets else ''}"
    yield ""
    used, limit = audit.stack.unzipped_bytes, limits().unzipped_bytes
    if not targets:
        why = unknown_target(audit)
        yield f"{why[:1].upper()}{why[1:]}."
        yield ""
    yield f"**{format_size(used)}** unzipped, {used / limit:.0%} of {limit // MIB} MiB: {summary(audit)}"
    if audit.findings:
        yield ""
        rows = tuple(map(_finding, audit.findings))
        yield from as_markdown(Table(heads=("", "where", "what"), rows=rows, texts=3))
    if len(audit.stack.parts) > 1:
        yield ""
        yield from as_markdown(parts_table(audit))
    for part in (part for part in audit.stack.parts if part.is_read):
        yield ""
        yield f"<details><summary>{_as_html(part.where)}</summary>"
        yield ""
        yield from as_markdown(shares_table(part, by, top))
        yield ""
        yield "</details>"


def _finding(finding: Finding) -> tuple[str, str, str]:
    said = finding.message if finding.hint is None else f"{finding.message} ({finding.hint})"
    return f"{_SIGNS[finding.severity]} {finding.code}", finding.where, said


def _as_html(text: str) -> str:
    return html.escape(plain(" ".join(text.split())), quote=False)
