"""An audit as lines of text for people."""

from collections.abc import Iterator

from layerkit.audit.audit import Audit
from layerkit.audit.report.drawing import aligned, plain
from layerkit.audit.report.pen import Pen
from layerkit.audit.report.tables import By, parts_table, shares_table, targets_text, unknown_target
from layerkit.facts import limits
from layerkit.model.contents import Contents
from layerkit.model.finding import Finding, Severity
from layerkit.model.limits import MIB, format_size


def render_text(audit: Audit, *, by: By, top: int, pen: Pen) -> Iterator[str]:
    """Yield the lines of an audit: sizes, who takes the room, what was found."""
    stack = audit.stack
    targets = targets_text(audit)
    title = plain(audit.title)
    yield f"{title} for {targets}" if targets else f"{title}: {unknown_target(audit)}"
    used, limit = stack.unzipped_bytes, limits().unzipped_bytes
    least = "" if stack.is_whole else "at least "
    yield f"  unzipped  {least}{format_size(used)} of {limit // MIB} MiB {pen.meter(used, limit)}"
    if len(stack.parts) == 1:
        yield f"  {_zipped(stack.parts[0])}"
    else:
        yield ""
        yield from aligned(parts_table(audit))
    for part in stack.parts:
        if not part.is_read:
            continue
        yield ""
        if len(stack.parts) > 1:
            yield plain(part.where)
        yield from aligned(shares_table(part, by, top))
    if audit.findings:
        yield ""
        for finding in audit.findings:
            yield from finding_lines(finding, pen)
    yield ""
    yield f"{title}: {summary(audit)}"


def finding_lines(finding: Finding, pen: Pen) -> Iterator[str]:
    """Yield a finding, its code and the way out."""
    yield f"{pen.label(finding.severity)} {finding.code}: {plain(finding.where)}: {plain(finding.message)}"
    if finding.hint:
        yield f"  hint: {plain(finding.hint)}"


def summary(audit: Audit) -> str:
    """Count the findings: ``2 errors, 1 note``, or ``nothing to report``."""
    counts = ((sum(each.severity is severity for each in audit.findings), severity) for severity in Severity)
    named = [f"{count} {severity}{'s' if count > 1 else ''}" for count, severity in counts if count]
    return ", ".join(named) or "nothing to report"


def _zipped(contents: Contents) -> str:
    files = "1 file" if len(contents.files) == 1 else f"{len(contents.files):,} files"
    if contents.zipped_bytes is None:
        return f"a folder  {files}"
    return f"zipped    {format_size(contents.zipped_bytes)} in {files}"
