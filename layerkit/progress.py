"""How the rooms tell how far they are, without knowing who listens."""

import contextlib
from collections.abc import Iterator
from typing import Protocol


class Task(Protocol):
    """Something that is under way."""

    def advance(self, amount: int) -> None:
        """Tell that ``amount`` more units are done; called from any thread."""


class Progress(Protocol):
    """Whoever shows progress."""

    def task(self, description: str, *, total: int | None, unit: str) -> contextlib.AbstractContextManager[Task]:
        """Begin a task of ``total`` units (``"B"`` for bytes)."""

    def tell(self, text: str) -> None:
        """Say something that takes long, or that is not what one would expect, in one line."""


class Silent:
    """Shows nothing."""

    @contextlib.contextmanager
    def task(self, description: str, *, total: int | None, unit: str) -> Iterator[Task]:
        """Begin a task that nobody sees."""
        del description, total, unit
        yield self

    def tell(self, text: str) -> None:
        """Say nothing."""

    def advance(self, amount: int) -> None:
        """Take note of nothing."""
