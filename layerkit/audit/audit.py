"""What an audit has to say about one stack."""

from dataclasses import dataclass

from layerkit.model.finding import Finding
from layerkit.model.stack import Stack
from layerkit.model.target import Target


@dataclass(frozen=True, kw_only=True, slots=True)
class Audit:
    """One stack, judged for ``targets`` (none where nothing tells them); findings come worst first.

    ``title`` is what the user asked about: a file, a deployed function, or ``stack``.
    """

    title: str
    stack: Stack
    targets: tuple[Target, ...]
    findings: tuple[Finding, ...]
