"""The rate at which AWS takes calls: a bucket of tokens per account, region and kind of call."""

import threading
import time
from dataclasses import dataclass, field


@dataclass(kw_only=True, slots=True)
class Bucket:
    """A bucket of tokens, filled at ``rate`` a second up to ``burst``."""

    rate: float
    burst: float
    level: float
    filled: float

    def take(self, now: float) -> bool:
        """Take a token; answer whether there was one."""
        self.level = min(self.burst, self.level + (now - self.filled) * self.rate)
        self.filled = now
        if self.level < 1:
            return False
        self.level -= 1
        return True


@dataclass(kw_only=True)
class Throttle:
    """Lambda's control plane: ``rate`` calls a second for all operations together, GetFunction apart at 100.

    A client that keeps to the rate is never refused, whatever it spent at the start: ``burst`` is twice the rate.
    """

    rate: float = 15
    burst: float = 30
    get_function_rate: float = 100
    _buckets: dict[tuple[str, ...], Bucket] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def allows(self, *, account: str, region: str, operation: str) -> bool:
        """Whether a call may pass; counts it."""
        apart = operation == "GetFunction"
        rate = self.get_function_rate if apart else self.rate
        burst = max(self.burst, rate)
        now = time.monotonic()
        with self._lock:
            bucket = self._buckets.setdefault(
                (account, region, "GetFunction" if apart else "all"),
                Bucket(rate=rate, burst=burst, level=burst, filled=now),
            )
            return bucket.take(now)
