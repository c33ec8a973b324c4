"""How fast AWS is asked: Lambda's control plane takes 15 calls a second per account and region, all callers together.

Source: AWS service quotas, L-B2AA0F47 (not adjustable); GetFunction has a quota of its own, 100 a second.
"""

import threading
import time
from collections.abc import Callable
from typing import Final

_LAMBDA_RATE: Final = 12.0  # calls a second; what is left is for whoever else works in the account
_GET_FUNCTION_RATE: Final = 50.0
_OTHER_RATE: Final = 40.0


class TokenBucket:
    """Lets ``rate`` calls a second pass, after a pause at most ``burst`` at once. Safe to share between threads."""

    def __init__(
        self,
        *,
        rate: float,
        burst: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._sleep = sleep
        self._level = burst
        self._filled = clock()
        self._lock = threading.Lock()

    def take(self) -> None:
        """Wait for a token: each caller in its turn, without holding the others up."""
        with self._lock:
            now = self._clock()
            self._level = min(self._burst, self._level + (now - self._filled) * self._rate)
            self._filled = now
            self._level -= 1
            wait = -self._level / self._rate
        if wait > 0:
            self._sleep(wait)


class Rates:
    """The buckets of one account: one for each region and kind of call."""

    def __init__(self) -> None:
        self._buckets: dict[tuple[str, str, str], TokenBucket] = {}
        self._lock = threading.Lock()

    def take(self, service: str, region: str, operation: str) -> None:
        """Wait until a call may be made."""
        kind, rate = "all", _LAMBDA_RATE if service == "lambda" else _OTHER_RATE
        if (service, operation) == ("lambda", "GetFunction"):
            kind, rate = operation, _GET_FUNCTION_RATE
        with self._lock:
            bucket = self._buckets.setdefault((service, region, kind), TokenBucket(rate=rate, burst=rate))
        bucket.take()
