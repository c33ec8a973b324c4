"""What engines and their transports say when they fail, and what that means."""

import shlex
from collections.abc import Iterator, Sequence
from typing import Final

from layerkit.sandbox.container_errors import (
    DiskFull,
    EmulationMissing,
    EngineError,
    EngineLost,
    EngineRefused,
    NetworkMissing,
    OutOfMemory,
    last_lines,
)
from layerkit.sandbox.container_spec import ContainerSpec, Image, machine_of
from layerkit.sandbox.process import Completed

_NO_SPACE: Final = ("no space left on device", "disk quota exceeded")
_TRANSPORTS: Final = {"docker", "requests", "urllib3", "http", "ssl"}


def root_of(error: BaseException) -> BaseException:
    """Return the operating system's own error behind what a transport made of it, or else the error itself."""
    found = [each for each in _behind(error, set()) if isinstance(each, OSError) and each.errno is not None]
    return found[-1] if found else error


def _behind(error: BaseException, seen: set[int]) -> Iterator[BaseException]:
    if id(error) in seen:
        return
    seen.add(id(error))
    yield error
    others = (error.__cause__, error.__context__, getattr(error, "reason", None), *error.args)
    for other in others:
        if isinstance(other, BaseException):
            yield from _behind(other, seen)


def from_refusal(
    reason: str, *, doing: str, spec: ContainerSpec | None = None, image: Image | None = None
) -> EngineError:
    """Tell what an engine's refusal means."""
    said = reason.lower()
    if any(word in said for word in _NO_SPACE):
        return DiskFull(doing=doing)
    if spec is not None and "network" in said and ("not found" in said or "no such" in said):
        return NetworkMissing(network=spec.network, reason=reason)
    if spec is not None and image is not None and "exec format error" in said:
        return EmulationMissing(image=spec.image, machine=machine_of(spec.platform) or image.machine)
    return EngineRefused(doing=doing, reason=reason)


def from_foreign(error: Exception, *, doing: str) -> EngineError | None:
    """Tell what an exception of the SDK or its transports means, or ``None`` if it is none of theirs."""
    if isinstance(error, EngineError):
        return None
    if isinstance(error, OSError) or type(error).__module__.partition(".")[0] in _TRANSPORTS:
        return EngineLost(doing=doing, reason=str(root_of(error)))
    return None


def after_failure(
    command: Sequence[str], done: Completed, *, memory: int | None, out_of_memory: bool
) -> EngineError | None:
    """Return what the engine is to blame for when a program failed, or ``None``."""
    text = done.stdout + done.stderr
    if out_of_memory:
        return OutOfMemory(command=shlex.join(command), limit=memory, output=text)
    if any(word in text.lower() for word in _NO_SPACE):
        return DiskFull(doing=f"running `{shlex.join(command)}`", details=last_lines(text))
    return None
