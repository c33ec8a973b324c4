"""One invocation that is done, with its times and its memory, and the lines that Lambda logs about it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from layerkit.invoke.answer import TIMED_OUT, Answer

VERSION: Final = "$LATEST"
_MIB: Final = 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Invocation:
    """An invocation. Times are in milliseconds, ``init_ms`` is ``None`` where the environment was warm.

    ``memory_mib`` is the most that the environment has used so far, ``limit_mib`` the most that it may use.
    """

    request_id: str
    answer: Answer
    duration_ms: float
    init_ms: float | None
    memory_mib: int
    limit_mib: int

    @property
    def billed_ms(self) -> int:
        """What AWS bills: the start counts, as it does since August 2025."""
        return math.ceil(self.duration_ms + (self.init_ms or 0))

    def log(self) -> Iterator[str]:
        """Yield the lines that follow what the function logs."""
        yield from self.answer.log
        yield f"END RequestId: {self.request_id}"
        parts = [
            f"REPORT RequestId: {self.request_id}",
            f"Duration: {self.duration_ms:.2f} ms",
            f"Billed Duration: {self.billed_ms} ms",
            f"Memory Size: {self.limit_mib} MB",
            f"Max Memory Used: {self.memory_mib} MB",
            *([f"Init Duration: {self.init_ms:.2f} ms"] if self.init_ms is not None else []),
        ]
        if self.answer.kind == TIMED_OUT:
            parts.append("Status: timeout")
        elif self.answer.failed:
            parts += ["Status: error", f"Error Type: {self.answer.kind}"]
        yield "\t".join(parts)

    def as_json(self) -> dict[str, Any]:
        """Return it for ``--json``; ``body`` is there where the answer is no JSON, which Lambda takes all the same."""
        try:
            found = {"answer": self.answer.json()}
        except ValueError:
            found = {"answer": None, "body": self.answer.body}
        return {
            "request_id": self.request_id,
            "status": "failed" if self.answer.failed else "succeeded",
            "error_type": self.answer.kind,
            **found,
            "duration_ms": round(self.duration_ms, 2),
            "billed_ms": self.billed_ms,
            "init_ms": None if self.init_ms is None else round(self.init_ms, 2),
            "memory_mib": self.memory_mib,
        }


def mib(size: int) -> int:
    """Return bytes as whole MiB, as REPORT lines tell it: at least 1."""
    return max(1, math.ceil(size / _MIB))
