"""The log of what was asked for and answered."""

from dataclasses import dataclass

from tests.aws_server.faults import Kind


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """A call. ``at`` and ``seconds`` are on the monotonic clock; ``sent`` and ``received`` are the client's bytes.

    ``status`` is 0 if no answer was sent; ``code`` is AWS's error code.
    """

    service: str
    operation: str
    account: str
    region: str
    caller: str
    method: str
    path: str
    range: str | None
    at: float
    seconds: float
    status: int
    code: str | None
    sent: int
    received: int
    fault: Kind | None
