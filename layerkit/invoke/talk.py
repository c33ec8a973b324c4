"""What a space and an environment have in common: conversations with the process that watches over a function."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from layerkit.sandbox.process import Sieve


class Talk(Protocol):
    """A conversation with a program, wherever it runs."""

    def say(self, text: str) -> None:
        """Write to the program; one that has ended hears nothing."""

    def lines(self) -> Iterator[str]:
        """Yield what the program writes, until it stops; whoever began to read reads to the end, also after ``end``."""

    def end(self) -> None:
        """Ask the program to end, and see to it that it does."""


class Begin(Protocol):
    """Starts what watches over a function, with an environment that may hold secrets."""

    def __call__(self, environment: Mapping[str, str], *, quiet: bool, sieve: Sieve | None) -> Talk:
        """Start it; what it writes to stderr goes to this process's own, or, if ``quiet``, nowhere; see ``Sieve``.

        Raises ``OSError`` if it cannot be started here, and ``EngineError`` where a container cannot.
        """
