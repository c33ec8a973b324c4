"""Targets: a runtime on an architecture, and what Python and its wheels are like there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeAlias

from layerkit.errors import UnknownArchitectureError, UnknownRuntimeError, UsageError
from layerkit.facts import Architecture, PythonRuntime, Runtime, runtimes
from layerkit.model import tags

__all__ = [
    "Architecture",
    "MalformedTargetError",
    "PlainTarget",
    "PythonTarget",
    "RemovedRuntimeError",
    "Target",
    "audited_target",
    "buildable_runtimes",
    "find_architecture",
    "find_runtime",
    "make_target",
    "parse_target",
]

# What `uv pip compile --python-platform` knows of glibc (uv 0.13); it has nothing between 2.17 and 2.28.
_UV_PLATFORMS: Final[Mapping[tuple[int, int], str]] = {
    (2, 17): "manylinux2014",
    **{(2, minor): f"manylinux_2_{minor}" for minor in (28, *range(31, 41))},
}


class RemovedRuntimeError(UsageError):
    """A runtime that Lambda had, and whose functions it no longer lets anyone update."""

    def __init__(self, *, runtime: str, since: date | None, valid: tuple[str, ...]) -> None:
        when = f" since {since.isoformat()}" if since else ""
        message = (
            f"runtime `{runtime}` is gone: Lambda refuses to update its functions{when}, so no layer can reach them"
        )
        super().__init__(message, hint=f"one of {', '.join(valid)}")


class MalformedTargetError(UsageError):
    """A text that does not name a runtime and an architecture."""

    def __init__(self, *, text: str) -> None:
        super().__init__(f"`{text}` is not a target", hint="a target is RUNTIME-ARCHITECTURE, as in `python3.13-arm64`")


@dataclass(frozen=True, kw_only=True, slots=True)
class PlainTarget:
    """A runtime without Python, on an architecture."""

    runtime: Runtime
    architecture: Architecture

    @property
    def identifier(self) -> str:
        """The name, as in ``provided.al2023-arm64``."""
        return f"{self.runtime.name}-{self.architecture}"


@dataclass(frozen=True, kw_only=True, slots=True)
class PythonTarget:
    """A Python runtime on an architecture: its wheel tags, its markers, its paths."""

    runtime: PythonRuntime
    architecture: Architecture

    @property
    def identifier(self) -> str:
        """The name, as in ``python3.12-x86_64``."""
        return f"{self.runtime.name}-{self.architecture}"

    @property
    def lock_suffix(self) -> str:
        """The part of a lock's file name that tells the target, without dots (PEP 751): ``py312-x86_64``."""
        major, minor = self.runtime.python
        return f"py{major}{minor}-{self.architecture}"

    @property
    def python_version(self) -> str:
        """The version as ``3.12``."""
        return self.runtime.python_version

    @property
    def python_full_version(self) -> str:
        """The lowest patch level that the runtime may have."""
        return self.runtime.python_full_version

    @property
    def glibc(self) -> tuple[int, int]:
        """The highest ``GLIBC_`` symbol version that is there."""
        return self.runtime.glibc

    @property
    def wheel_tags(self) -> tuple[str, ...]:
        """Every wheel tag that runs here, best first (PEP 425)."""
        return tags.wheel_tags(self.runtime.python, self.glibc, self.architecture)

    def rank(self, wheel_tags: str) -> int | None:
        """Return the place of the best of a wheel's tags in ``wheel_tags`` (0 is best), or ``None`` if none runs here.

        Takes the last three parts of a wheel's name as they stand there, such as
        ``cp39-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64``.
        """
        ranks = tags.wheel_ranks(self.runtime.python, self.glibc, self.architecture)
        return min((ranks[tag] for tag in tags.expand(wheel_tags) if tag in ranks), default=None)

    @property
    def marker_environment(self) -> dict[str, str]:
        """The whole PEP 508 marker environment; the kernel's release and version are not known, hence empty."""
        return {
            "implementation_name": "cpython",
            "implementation_version": self.python_full_version,
            "os_name": "posix",
            "platform_machine": self.architecture.machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": self.python_full_version,
            "python_version": self.python_version,
            "sys_platform": "linux",
        }

    @property
    def uv_platform(self) -> str:
        """The highest platform that uv knows at or below the glibc that is there."""
        level = max(known for known in _UV_PLATFORMS if known <= self.glibc)
        return f"{self.architecture.machine}-{_UV_PLATFORMS[level]}"

    @property
    def interpreter(self) -> str:
        """The path of the interpreter on Lambda."""
        return f"/var/lang/bin/python{self.python_version}"

    @property
    def extension_suffixes(self) -> tuple[str, ...]:
        """The file name endings under which the interpreter looks for extension modules, in its order."""
        abi = tags.abi_tag(self.runtime.python).removeprefix("cp")
        return (f".cpython-{abi}-{self.architecture.machine}-linux-gnu.so", ".abi3.so", ".so")


Target: TypeAlias = PythonTarget | PlainTarget


def parse_target(text: str) -> Target:
    """Read ``python3.13-arm64``. Raises as ``make_target`` does, and ``MalformedTargetError``."""
    runtime, dash, architecture = text.rpartition("-")
    if not dash:
        raise MalformedTargetError(text=text)
    return make_target(runtime, architecture)


def make_target(runtime_name: str, architecture_name: str) -> Target:
    """Return the target for which something can be built.

    Raises ``UnknownRuntimeError``, ``RemovedRuntimeError``, or ``UnknownArchitectureError`` for an architecture that
    Lambda, or this runtime, does not have.
    """
    return _target(find_runtime(runtime_name), find_architecture(architecture_name))


def audited_target(runtime_name: str, architecture_name: str) -> Target:
    """Return the target for which a layer can be judged: unlike ``make_target``, also one that is gone.

    Raises ``UnknownRuntimeError`` and ``UnknownArchitectureError``.
    """
    runtime = runtimes().get(runtime_name)
    if runtime is None:
        raise UnknownRuntimeError(name=runtime_name, valid=tuple(runtimes()))
    return _target(runtime, find_architecture(architecture_name))


def buildable_runtimes() -> tuple[str, ...]:
    """Return the names of the runtimes for which layers can be built: all but those that are gone."""
    return tuple(runtime.name for runtime in runtimes().values() if not runtime.removed)


def find_runtime(name: str) -> Runtime:
    """Return a runtime that can be built for. Raises ``UnknownRuntimeError`` or ``RemovedRuntimeError``."""
    runtime = runtimes().get(name)
    if runtime is None:
        raise UnknownRuntimeError(name=name, valid=buildable_runtimes())
    if runtime.removed:
        raise RemovedRuntimeError(runtime=name, since=runtime.update_block, valid=buildable_runtimes())
    return runtime


def find_architecture(name: str) -> Architecture:
    """Return an architecture of Lambda's. Raises ``UnknownArchitectureError``."""
    try:
        return Architecture(name)
    except ValueError:
        raise UnknownArchitectureError(name=name, valid=tuple(Architecture)) from None


def _target(runtime: Runtime, architecture: Architecture) -> Target:
    if architecture not in runtime.architectures:
        raise UnknownArchitectureError(name=architecture, valid=runtime.architectures, runtime=runtime.name)
    if isinstance(runtime, PythonRuntime):
        return PythonTarget(runtime=runtime, architecture=architecture)
    return PlainTarget(runtime=runtime, architecture=architecture)
