"""Everything that is to be said about a stack."""

import itertools
from collections.abc import Iterable, Sequence
from typing import Final

from layerkit.audit.audit import Audit
from layerkit.audit.binaries import stack_binary_findings
from layerkit.audit.layout import layout_findings
from layerkit.audit.leftovers import leftover_findings
from layerkit.audit.stack import stack_findings
from layerkit.audit.stack_sizes import stack_size_findings
from layerkit.audit.stale_bytecode import bytecode_findings
from layerkit.model.finding import Finding, Severity
from layerkit.model.recipe_parts import Budget
from layerkit.model.stack import Stack
from layerkit.model.target import Target

_ORDER: Final = tuple(Severity)


def judge(
    stack: Stack, targets: Sequence[Target], *, title: str, budget: Budget, known: Iterable[Finding] = ()
) -> Audit:
    """Return the audit of a stack; ``known`` are findings that came up before."""
    found = itertools.chain(
        known,
        *(part.findings for part in stack.parts),
        stack_size_findings(stack, budget),
        stack_findings(stack, targets),
        stack_binary_findings(stack, targets),
        layout_findings(stack, targets),
        bytecode_findings(stack, targets),
        leftover_findings(stack),
    )
    worst_first = sorted(dict.fromkeys(found), key=lambda finding: _ORDER.index(finding.severity))
    return Audit(title=title, stack=stack, targets=tuple(targets), findings=tuple(worst_first))
