"""What the parts of a stack do to each other, and to what the runtime brings."""

import itertools
from collections.abc import Iterator, Sequence

from layerkit.audit.bundled import bundled_findings
from layerkit.audit.claims import claim_findings
from layerkit.audit.dependencies import dependency_findings
from layerkit.audit.duplicates import duplicate_findings
from layerkit.audit.overlaps import overwritten_findings
from layerkit.audit.path_files import path_file_findings
from layerkit.audit.shadowing import shadow_findings
from layerkit.model.finding import Finding
from layerkit.model.stack import Stack
from layerkit.model.target import Target


def stack_findings(stack: Stack, targets: Sequence[Target]) -> Iterator[Finding]:
    """Yield everything that is to be said about a stack as a whole, but for its size; each thing once."""
    found = itertools.chain(
        claim_findings(stack, targets),
        overwritten_findings(stack),
        duplicate_findings(stack, targets),
        shadow_findings(stack, targets),
        bundled_findings(stack, targets),
        dependency_findings(stack, targets),
        path_file_findings(stack, targets),
    )
    yield from dict.fromkeys(found)
