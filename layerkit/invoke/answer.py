"""What comes of an invocation: the function's answer, or the error object that Lambda gives in its place."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from layerkit.invoke.runtime_api import MOST_BYTES, Ended

TIMED_OUT: Final = "Sandbox.Timedout"
# Linux's numbers, whatever this machine's are; as Go's os.ProcessState, which Lambda uses, says it
_SIGNALS: Final = {
    1: "hangup",
    2: "interrupt",
    3: "quit",
    4: "illegal instruction",
    5: "trace/breakpoint trap",
    6: "aborted",
    7: "bus error",
    8: "floating point exception",
    9: "killed",
    10: "user defined signal 1",
    11: "segmentation fault",
    12: "user defined signal 2",
    13: "broken pipe",
    14: "alarm clock",
    15: "terminated",
    31: "bad system call",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What Lambda answers. ``kind`` is the type of a failure; ``log`` is what Lambda itself logs about it."""

    body: str = field(repr=False)
    failed: bool = False
    kind: str | None = None
    log: tuple[str, ...] = ()

    @property
    def value(self) -> Any:
        """What it says, as JSON; Lambda takes answers that are no JSON all the same: then it is their text."""
        try:
            return self.json()
        except ValueError:
            return self.body

    def json(self) -> Any:
        """Return what it says as JSON. Raises ``ValueError`` where it is none."""
        try:
            return json.loads(self.body, parse_constant=_refuse)
        except RecursionError as exc:
            raise ValueError(str(exc)) from exc


def raised(body: str) -> Answer:
    """Return the answer for a function that raised, or could not be loaded: the runtime's own error object."""
    try:
        kind = json.loads(body).get("errorType")
    except (ValueError, AttributeError, RecursionError):
        kind = None
    return Answer(body=body, failed=True, kind=str(kind) if kind else "Function.Unknown")


def timed_out(request_id: str, timeout: int, *, now: datetime) -> Answer:
    """Return the answer for a function that took too long; ``timeout`` is in seconds."""
    text = f"Task timed out after {timeout:.2f} seconds"
    moment = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return _failed(TIMED_OUT, f"RequestId: {request_id} Error: {text}", f"{moment} {request_id} {text}")


def too_large() -> Answer:
    """Return the answer for a function whose own is too large."""
    kind = "Function.ResponseSizeTooLarge"
    return _failed(kind, f"Response payload size exceeded maximum allowed payload size ({MOST_BYTES} bytes).")


def exited(request_id: str, ended: Ended) -> Answer:
    """Return the answer for a function whose process ended."""
    if ended.entry:
        kind, message = "Runtime.InvalidEntrypoint", f"RequestId: {request_id} Error: {ended.entry}"
        return _failed(kind, message, message, kind)
    kind = "Runtime.OutOfMemory" if ended.exceeded else "Runtime.ExitError"
    how = _how(ended.status)
    reason = f"Runtime exited with error: {how}" if how else "Runtime exited without providing a reason"
    message = f"RequestId: {request_id} Error: {reason}"
    return _failed(kind, message, message, kind)


def _how(status: int) -> str:
    """Return how a process ended, from its wait status; nothing if it ended well."""
    if number := status & 0x7F:
        return f"signal: {_SIGNALS.get(number, f'signal {number}')}"
    return f"exit status {status >> 8}" if status >> 8 else ""


def _failed(kind: str, message: str, *log: str) -> Answer:
    body = json.dumps({"errorType": kind, "errorMessage": message}, separators=(",", ":"))
    return Answer(body=body, failed=True, kind=kind, log=log)


def _refuse(constant: str) -> None:
    raise ValueError(constant)
