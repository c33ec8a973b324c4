"""The near end of ``relay.py``: a conversation with a program behind it, whose connections come to a server here.

Knows nothing of what is said on them.
"""

import base64
import contextlib
import json
import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from layerkit.invoke.talk import Talk
from layerkit.sandbox.container_errors import EngineLost
from layerkit.sandbox.process import Sieve

_PROGRAM: Final = 0
_COMPLAINTS: Final = 1
_PIECE: Final = 1 << 16
_STDERR: Final = 2


def to_stderr(data: bytes) -> None:
    """Write where this process's own complaints go."""
    with contextlib.suppress(OSError):
        while data:
            data = data[os.write(_STDERR, data) :]


@dataclass(kw_only=True, slots=True)
class Relayed:
    """A conversation with the program; ``line`` leads to its relay, ``port`` is the server's.

    What the program writes to stderr goes through ``sieve``, and then to this process's own, or, if ``quiet``, nowhere.
    """

    line: Talk
    port: int
    quiet: bool = False
    sieve: Sieve | None = field(default=None, repr=False)
    _connections: dict[int, socket.socket] = field(default_factory=dict, repr=False)
    _ending: bool = False

    def say(self, text: str) -> None:
        """Write to the program; one that has ended hears nothing."""
        self._send(_PROGRAM, text.encode())

    def lines(self) -> Iterator[str]:
        """Yield what the program writes, until it stops, and serve its connections meanwhile.

        Raises ``EngineError`` if it breaks off.
        """
        rest = b""
        try:
            for data in self._program():
                *lines, rest = (rest + data).split(b"\n")
                yield from (line.decode(errors="replace") + "\n" for line in lines)
        finally:
            self._complain(b"")
            for connection in self._connections.values():
                _hang_up(connection, socket.SHUT_RDWR)

    def end(self) -> None:
        """Ask for the end, and see to it."""
        self._ending = True
        self._send(_PROGRAM, b"")
        self.line.end()

    def _program(self) -> Iterator[bytes]:
        for text in self.line.lines():
            piece = json.loads(text)
            stream, data = piece["stream"], base64.b64decode(piece["data"])
            if stream == _COMPLAINTS:
                self._complain(data)
            elif stream != _PROGRAM:
                self._carry(stream, data)
            elif data:
                yield data
            else:
                return
        if not self._ending:
            raise EngineLost(doing="running a function in a container", reason="what it says broke off")

    def _complain(self, data: bytes) -> None:
        left = self.sieve(data) if self.sieve else data
        if not self.quiet:
            to_stderr(left)

    def _send(self, stream: int, data: bytes) -> None:
        self.line.say(json.dumps({"stream": stream, "data": base64.b64encode(data).decode()}) + "\n")

    def _carry(self, stream: int, data: bytes) -> None:
        """Carry a piece of a connection to the server."""
        if data and stream not in self._connections:
            self._connect(stream)
        connection = self._connections.get(stream)
        if connection is None:
            self._send(stream, b"")
        elif data:
            with contextlib.suppress(OSError):
                connection.sendall(data)
        else:
            _hang_up(connection, socket.SHUT_WR)

    def _connect(self, stream: int) -> None:
        with contextlib.suppress(OSError):
            self._connections[stream] = connection = socket.create_connection(("127.0.0.1", self.port))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._answer, args=(stream, connection), daemon=True).start()

    def _answer(self, stream: int, connection: socket.socket) -> None:
        """Carry what the server answers, until it has no more to say."""
        with connection:
            while data := _received(connection):
                self._send(stream, data)
        self._send(stream, b"")


def _received(connection: socket.socket) -> bytes:
    try:
        return connection.recv(_PIECE)
    except OSError:
        return b""


def _hang_up(connection: socket.socket, which: int) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(which)
