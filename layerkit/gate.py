"""How much may be in memory at once, among threads."""

import contextlib
import threading
from collections.abc import Iterator


class Gate:
    """Lets things into memory while their sizes add up to less than a budget; a larger one goes in alone."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._used = 0
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def holding(self, size: int) -> Iterator[None]:
        """Wait until ``size`` bytes have room, and keep it while the block runs."""
        size = min(size, self._budget)
        with self._changed:
            self._changed.wait_for(lambda: self._used + size <= self._budget)
            self._used += size
        try:
            yield
        finally:
            with self._changed:
                self._used -= size
                self._changed.notify_all()
