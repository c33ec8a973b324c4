"""Run in a container by its Python, as a file: start a program there, and carry its streams, and connections, out.

Whoever connects to a port of 127.0.0.1 in the container, which the program finds in ``AWS_LAMBDA_RUNTIME_API``, speaks
to a server elsewhere: so a function has the Runtime API whatever network its container is in. What to do comes as a
line of JSON on stdin: ``command``, ``environment`` (the program's whole), ``folder``, and ``user`` and ``group``, the
numbers of whom the program is to be, or ``null``.

From then on, both ways, one line of JSON a piece: ``stream`` and ``data`` (base64; empty for the end). Stream 0 is the
program's stdin and stdout, 1 its stderr, others are connections. What the program wrote to stderr goes out before
anything that it wrote elsewhere later. When it ends, whatever it left behind is killed, and the end of stream 0 is
the last that is said. The end of stdin is the end of everything. Uses nothing but the standard library of Python 3.8.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import os
import selectors
import signal
import socket
import sys
import time
from typing import Any, NoReturn

PROGRAM, COMPLAINTS, FIRST = 0, 1, 2
PIECE = 1 << 16  # which is also what a pipe holds
GRACE = 1.0  # seconds for the program to end once it was asked to
CANNOT_START = 127
VARIABLE = "AWS_LAMBDA_RUNTIME_API"


def tell(stream: int, data: bytes) -> None:
    """Send a piece of a stream."""
    write(1, json.dumps({"stream": stream, "data": base64.b64encode(data).decode()}).encode() + b"\n")


def write(descriptor: int, data: bytes) -> None:
    """Write all of it, unless nobody reads any more."""
    view = memoryview(data)
    with contextlib.suppress(OSError):
        while view:
            view = view[os.write(descriptor, view) :]


def read(descriptor: int) -> bytes:
    """Return what is there, nothing at the end."""
    with contextlib.suppress(OSError):
        return os.read(descriptor, PIECE)
    return b""


class Program:
    """The program, with its three streams."""

    def __init__(self, order: dict[str, Any], port: int) -> None:
        self.user = order["user"] if may_become(order) else None
        self.stdin, self.stdout, self.stderr = -1, -1, -1
        (near, self.stdin), (self.stdout, out), (self.stderr, error) = os.pipe(), os.pipe(), os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            self.become(order, port, near, out, error)
        for each in (near, out, error):
            os.close(each)
        os.set_blocking(self.stderr, False)

    def become(self, order: dict[str, Any], port: int, *streams: int) -> NoReturn:
        """Run the program instead of this one."""
        for number, each in enumerate(streams):
            os.dup2(each, number)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # which Python ignores, and whatever it starts would
        command = order["command"]
        try:
            if self.user is not None:
                change_to(order)
            os.chdir(order["folder"])
            os.execve(command[0], command, {**order["environment"], VARIABLE: f"127.0.0.1:{port}"})  # noqa: S606
        except OSError as error:
            write(2, f"{command[0]}: {error.strerror}\n".encode())
        os._exit(CANNOT_START)

    def hear(self, data: bytes) -> None:
        """Hand over what it is told, or, if that is nothing, that no more comes."""
        if data and self.stdin >= 0:
            write(self.stdin, data)
        elif self.stdin >= 0:
            os.close(self.stdin)
            self.stdin = -1

    def end(self) -> None:
        """Kill it and what it left behind: everything of its user, who is nobody else's."""
        with contextlib.suppress(OSError):
            os.kill(self.pid, signal.SIGKILL)
        if self.user is not None:
            killer = os.fork()
            if killer == 0:
                with contextlib.suppress(OSError):
                    os.setuid(self.user)
                    os.kill(-1, signal.SIGKILL)
                os._exit(0)
            os.waitpid(killer, 0)
        os.waitpid(self.pid, 0)


def may_become(order: dict[str, Any]) -> bool:
    """Tell whether this is root, and whether the user to become can read what the program needs."""
    if order["user"] is None or os.geteuid() != 0:
        return False
    needed = (os.path.realpath(sys.executable), os.__file__, order["folder"])
    try:
        os.seteuid(order["user"])
        return all(os.access(path, os.R_OK, effective_ids=True) for path in needed)
    except OSError:
        return False
    finally:
        os.seteuid(0)


def change_to(order: dict[str, Any]) -> None:
    """Become the user, for good."""
    os.setgroups([])
    os.setgid(order["group"])
    os.setuid(order["user"])


class Connection:
    """A connection of somebody in the container: what waits to be written to it, and how far it has come."""

    def __init__(self, accepted: socket.socket) -> None:
        self.socket = accepted
        self.waiting = bytearray()
        self.readable = True
        self.ending = False
        accepted.setblocking(False)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @property
    def interest(self) -> int:
        """What the selector is to look for."""
        return (selectors.EVENT_READ if self.readable else 0) | (selectors.EVENT_WRITE if self.waiting else 0)

    def receive(self) -> bytes:
        """Return what came, nothing at the end."""
        try:
            return self.socket.recv(PIECE)
        except OSError:
            return b""

    def flush(self) -> None:
        """Write what can be written now."""
        try:
            del self.waiting[: self.socket.send(self.waiting)]
        except BlockingIOError:
            pass
        except OSError:
            self.waiting.clear()


class Relay:
    """Carries everything; one thread for all."""

    def __init__(self, order: dict[str, Any], listener: socket.socket) -> None:
        self.listener = listener
        self.program = Program(order, listener.getsockname()[1])
        self.selector = selectors.DefaultSelector()
        self.connections: dict[int, Connection] = {}
        self.numbers = itertools.count(FIRST)
        self.heard = bytearray()
        self.until: float | None = None

    def run(self) -> None:
        """Go on until the program has ended."""
        for source, action in (
            (0, self.listen),
            (self.listener, self.accept),
            (self.program.stdout, self.tell_more),
            (self.program.stderr, self.tell_complaints),
        ):
            self.selector.register(source, selectors.EVENT_READ, action)
        while self.program.stdout >= 0:
            patience = None if self.until is None else max(0.0, self.until - time.monotonic())
            for key, events in self.selector.select(patience):
                if isinstance(key.data, int):
                    self.serve(key.data, events)
                else:
                    key.data()
            if self.until is not None and time.monotonic() > self.until:
                break
        self.program.end()
        self.tell_rest()

    def listen(self) -> None:
        """Take what comes from outside; see to it that all ends if nothing more can come."""
        data = read(0)
        if not data:
            self.selector.unregister(0)
            self.ask_to_end()
        self.heard += data
        *lines, rest = self.heard.split(b"\n")
        self.heard = rest
        for line in lines:
            piece = json.loads(line)
            self.hand_over(piece["stream"], base64.b64decode(piece["data"]))

    def hand_over(self, stream: int, data: bytes) -> None:
        """Hand a piece to whom it is for."""
        if stream == PROGRAM and data:
            self.program.hear(data)
        elif stream == PROGRAM:
            self.ask_to_end()
        elif stream in self.connections:
            connection = self.connections[stream]
            connection.waiting += data
            connection.ending = connection.ending or not data
            self.look_after(stream, connection)

    def ask_to_end(self) -> None:
        """Let the program know that nobody speaks to it any more."""
        self.program.hear(b"")
        self.until = self.until or time.monotonic() + GRACE

    def accept(self) -> None:
        """Take a connection."""
        with contextlib.suppress(OSError):
            number, connection = next(self.numbers), Connection(self.listener.accept()[0])
            self.connections[number] = connection
            self.look_after(number, connection)

    def serve(self, number: int, events: int) -> None:
        """Carry what a connection has to say, or has still to be told."""
        connection = self.connections.get(number)
        if connection is None:  # closed by what came before in the same selection
            return
        if events & selectors.EVENT_READ:
            data = connection.receive()
            connection.readable = bool(data)
            self.tell_complaints()
            tell(number, data)
        if events & selectors.EVENT_WRITE:
            connection.flush()
        self.look_after(number, connection)

    def look_after(self, number: int, connection: Connection) -> None:
        """Tell the selector what to look for, and close what has come to its end."""
        with contextlib.suppress(KeyError):
            self.selector.unregister(connection.socket)
        if connection.ending and not connection.waiting:
            connection.socket.close()
            del self.connections[number]
        elif connection.interest:
            self.selector.register(connection.socket, connection.interest, number)

    def tell_rest(self) -> None:
        """Carry what was written just before the end, and tell the end."""
        self.tell_complaints()
        for number, connection in self.connections.items():
            while data := connection.receive():
                tell(number, data)
        tell(PROGRAM, b"")

    def tell_more(self) -> None:
        """Carry what the program writes."""
        data = read(self.program.stdout)
        self.tell_complaints()
        if data:
            tell(PROGRAM, data)
        else:
            self.program.stdout = -1

    def tell_complaints(self) -> None:
        """Carry what was written to stderr so far."""
        data = read(self.program.stderr)
        if data:
            tell(COMPLAINTS, data)


def first_line() -> bytes:
    """Read a line from stdin and not a byte more."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            os._exit(0)
        line += byte
    return line


def main() -> None:
    """Relay until the program ends."""
    order = json.loads(first_line())
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        Relay(order, listener).run()
    os._exit(0)


if __name__ == "__main__":
    main()
