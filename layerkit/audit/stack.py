"""What the parts of a stack do to each other, and to what the runtime brings."""

from collections.abc import Iterator, Sequence

from layerkit.audit.bundled import bundled_findings
from layerkit.audit.claims import claim_findings
from layerkit.audit.dependencies import dependency_findings
from layerkit.audit.duplicates import duplicate_findings
from layerkit.audit.overlaps import overwritten_findings, shadow_findings
from layerkit.audit.path_files import path_file_findings
from layerkit.model.finding import Finding
from layerkit.model.stack import Stack
from layerkit.model.target import Target


def stack_findings(stack: Stack, targets: Sequence[Target]) -> Iterator[Finding]:
    """Yield everything that is to be said about a stack as a whole, but for its size."""
    yield from claim_findings(stack, targets)
    yield from overwritten_findings(stack)
    yield from duplicate_findings(stack, targets)
    yield from shadow_findings(stack, targets)
    yield from bundled_findings(stack, targets)
    yield from dependency_findings(stack, targets)
    yield from path_file_findings(stack)
