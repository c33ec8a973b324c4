"""A conversation with a program in a container: the same as with one of this machine, over an engine's connection."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Final

from layerkit.sandbox.container_api import Connection
from layerkit.sandbox.container_errors import EngineError
from layerkit.sandbox.container_output import Deadline, frames

_STDOUT: Final = 1
_GRACE: Final = 3.0  # seconds for a program to end once it was asked to
# Not without end: a connection with a limit is read without holding what a writer of the same TLS connection needs.
_A_DAY: Final = 86400.0  # seconds, more than any function may take


@dataclass(kw_only=True, slots=True)
class ContainerConversation:
    """A program that runs in a container: what is said to it, and what it answers, line by line.

    ``check`` raises if the container is to blame for a program that ended by itself.
    """

    connection: Connection = field(repr=False)
    errors: Callable[[bytes], None] = field(repr=False)
    alive: Callable[[], AbstractContextManager[None]] = field(repr=False)
    check: Callable[[], None] = field(repr=False)
    _sending: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _reading: bool = False
    _ending: bool = False
    _done: threading.Event = field(default_factory=threading.Event, repr=False)

    def say(self, text: str) -> None:
        """Write to the program; one that has ended hears nothing."""
        with self._sending:
            try:
                self.connection.send(text.encode())
            except (OSError, ValueError):
                return

    def lines(self) -> Iterator[str]:
        """Yield what the program writes, until it stops; whoever began to read reads to the end, also after ``end``.

        Raises ``EngineError`` where the container, or the connection to it, broke off.
        """
        self._reading = True
        rest = b""
        try:
            for piece in self._pieces():
                *lines, rest = (rest + piece).split(b"\n")
                yield from (line.decode(errors="replace") + "\n" for line in lines)
            if rest:
                yield rest.decode(errors="replace")
        finally:
            self._done.set()
            self.connection.close()

    def _pieces(self) -> Iterator[bytes]:
        try:
            with self.alive():
                for stream, piece in frames(self.connection, Deadline(_A_DAY)):
                    if stream == _STDOUT:
                        yield piece
                    else:
                        self.errors(piece)
            if not self._ending:
                self.check()
        except EngineError:
            if not self._ending:
                raise

    def end(self) -> None:
        """Wait a moment for the program to end, as it was asked to, and hang up; then it hears the end of its input."""
        self._ending = True
        if self._reading:
            self._done.wait(_GRACE)
        self.connection.hang_up()
        if self._reading:
            self._done.wait(_GRACE)
        self.connection.close()
