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
    STACK_TOO_MANY_LAYERS = "stack.too-many-layers"
    STACK_SAME_LAYER = "stack.same-layer"
    STACK_OVERWRITTEN = "stack.overwritten"
    STACK_DUPLICATE_DISTRIBUTION = "stack.duplicate-distribution"
    STACK_MIXED_PACKAGE = "stack.mixed-package"
    STACK_SHADOWS_RUNTIME = "stack.shadows-runtime"
    STACK_SYSTEM_LIBRARY = "stack.system-library"
    STACK_ARCHITECTURE = "stack.architecture"
    STACK_RUNTIME = "stack.runtime"
    ELF_ARCHITECTURE = "elf.architecture"
    ELF_GLIBC = "elf.glibc"
    ELF_SYMBOL_VERSION = "elf.symbol-version"
    ELF_MISSING_LIBRARY = "elf.missing-library"
    ELF_UNREADABLE = "elf.unreadable"
    PYTHON_ABI = "python.abi"
    PYTHON_IMPORT = "python.import"
    PYTHON_MISSING_DEPENDENCY = "python.missing-dependency"
    PYTHON_PATH_FILE = "python.path-file"
    PYTHON_STALE_BYTECODE = "python.stale-bytecode"
    PRUNE_UNMATCHED = "prune.unmatched"
    LAYOUT_UNREACHABLE = "layout.unreachable"
    LAYOUT_LEFTOVER = "layout.leftover"
    LAYOUT_SECRET = "layout.secret"  # noqa: S105
    ZIP_UNSAFE_PATH = "zip.unsafe-path"
    ZIP_DUPLICATE_PATH = "zip.duplicate-path"
    ZIP_NOT_READABLE = "zip.not-readable"
    ZIP_SYMLINK = "zip.symlink"
    ZIP_DAMAGED = "zip.damaged"
    FUNCTION_PYTHONPATH = "function.pythonpath"
    FUNCTION_UNREADABLE = "function.unreadable"
    RUNTIME_DEPRECATED = "runtime.deprecated"
    LAYER_DELETED = "layer.deleted"
    LAYER_DENIED = "layer.denied"
    LAYER_OUTDATED = "layer.outdated"
    LAYER_REGION = "layer.region"
    LAYER_UNREADABLE = "layer.unreadable"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing to say: what (``code``), how bad, where, in words, and how to mend it.

    ``paths`` names every file that it is about, where it is about several.
    """

    code: Code
    severity: Severity
    where: str
    message: str
    hint: str | None = None
    paths: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the JSON shape of a finding; ``paths`` only where there are any."""
        shape: dict[str, Any] = {
            "code": str(self.code),
            "severity": str(self.severity),
            "where": self.where,
            "message": self.message,
            "hint": self.hint,
        }
        return {**shape, "paths": list(self.paths)} if self.paths else shape


def errors_in(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return the findings that say that the layer will not work."""
    return tuple(finding for finding in findings if finding.severity is Severity.ERROR)
