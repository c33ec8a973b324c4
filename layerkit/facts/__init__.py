"""What AWS and the PEPs say, loaded from data files and checked."""

from layerkit.facts.architecture import Architecture
from layerkit.facts.libraries import runtime_libraries, system_libraries
from layerkit.facts.quotas import Limits, Range, limits
from layerkit.facts.runtime import (
    BundledDistribution,
    OperatingSystem,
    PythonRuntime,
    Runtime,
    RuntimeStatus,
    newest_python,
    runtimes,
)

__all__ = [
    "Architecture",
    "BundledDistribution",
    "Limits",
    "OperatingSystem",
    "PythonRuntime",
    "Range",
    "Runtime",
    "RuntimeStatus",
    "limits",
    "newest_python",
    "runtime_libraries",
    "runtimes",
    "system_libraries",
]
