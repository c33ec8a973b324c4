"""Findings: what an audit has to say about a layer."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """``error``: it will not work; ``warning``: it may surprise; ``note``: good to know."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Code(StrEnum):
    """The codes that scripts may rely on."""

    SIZE_UNZIPPED = "size.unzipped"
    SIZE_ZIPPED_DIRECT = "size.zipped-direct"
    SIZE_BUDGET = "size.budget"
    ELF_ARCHITECTURE = "elf.architecture"
    ELF_GLIBC = "elf.glibc"
    ELF_UNREADABLE = "elf.unreadable"
    PYTHON_ABI = "python.abi"
    PRUNE_UNMATCHED = "prune.unmatched"
    PYTHON_IMPORT = "python.import"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing to say: what (``code``), how bad, where, in words, and how to mend it."""

    code: Code
    severity: Severity
    where: str
    message: str
    hint: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the JSON shape of a finding."""
        return {
            "code": str(self.code),
            "severity": str(self.severity),
            "where": self.where,
            "message": self.message,
            "hint": self.hint,
        }


def errors_in(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return the findings that say that the layer will not work."""
    return tuple(finding for finding in findings if finding.severity is Severity.ERROR)
