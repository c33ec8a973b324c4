"""Lambda's Runtime API on this machine: a server that hands events to one runtime and takes its answers.

It speaks https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html as far as a runtime needs it. It decides
nothing: what the runtime does becomes a signal for whoever waits for it.
"""

import contextlib
import json
import queue
import re
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from layerkit.errors import LayerkitError

MOST_BYTES: Final = 6_291_556
"""The most that an answer may have: 6 MiB and 100 bytes, as Lambda and its emulator have it."""

_VERSION: Final = "/2018-06-01/runtime/"
_ANSWER: Final = re.compile(r"invocation/(?P<id>[^/]+)/(?P<what>response|error)")
_LONGEST_LINE: Final = 2 * 1024 * 1024  # X-Ray's cause of an error may be a header of 1 MiB


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """An event for the runtime, with the headers that go with it."""

    request_id: str
    body: bytes = field(repr=False)
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Ready:
    """The runtime asks for the next event."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """The function answered, or raised (``failed``)."""

    request_id: str
    body: bytes = field(repr=False)
    failed: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class TooLarge:
    """The function's answer has more bytes than Lambda takes."""

    request_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class InitFailed:
    """The runtime could not load the function."""

    body: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """The runtime's process ended: ``status`` is its wait status, ``exceeded`` that it used too much memory.

    ``entry`` tells why there was nothing to start, if so.
    """

    status: int
    exceeded: bool = False
    entry: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lost:
    """The place where the runtime ran is gone, which is no fault of the function."""

    error: LayerkitError


Signal: TypeAlias = Ready | Answered | TooLarge | InitFailed | Ended | Lost


class RuntimeApi:
    """The API for one execution environment. ``signals`` is what the runtime did, in order."""

    def __init__(self, server: "_Server") -> None:
        self._server = server

    @classmethod
    @contextlib.contextmanager
    def serving(cls) -> Iterator["RuntimeApi"]:
        """Serve on a free port of this machine, which nobody else can reach, while the block lasts."""
        server = _Server()
        thread = threading.Thread(target=server.serve, daemon=True)
        thread.start()
        try:
            yield cls(server)
        finally:
            server.close()
            thread.join()

    @property
    def address(self) -> str:
        """What ``AWS_LAMBDA_RUNTIME_API`` says."""
        return f"127.0.0.1:{self._server.port}"

    @property
    def signals(self) -> "queue.SimpleQueue[Signal]":
        """What the runtime did."""
        return self._server.signals

    def hand_over(self, event: Event) -> None:
        """Answer the runtime's question for the next event."""
        self._server.current = event.request_id
        self._server.events.put(event)


class _Server:
    """Accepts connections, and answers each in a thread of its own; HTTP as far as runtimes speak it."""

    def __init__(self) -> None:
        self.events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
        self.signals: queue.SimpleQueue[Signal] = queue.SimpleQueue()
        self.current = ""
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._socket.getsockname()[1])
        self._closing = False

    def serve(self) -> None:
        """Accept connections until it is closed."""
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            if self._closing:
                connection.close()
                return
            threading.Thread(target=_Connection(self, connection).serve, daemon=True).start()

    def close(self) -> None:
        """Accept no more, and let go whoever waits for an event."""
        self._closing = True
        self.events.put(None)
        with contextlib.suppress(OSError):  # to wake up whoever accepts
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        self._socket.close()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Request:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class _Connection:
    """One connection: requests are read and answered one after the other."""

    def __init__(self, server: _Server, connection: socket.socket) -> None:
        self._server = server
        self._socket = connection
        self._input = connection.makefile("rb")

    def serve(self) -> None:
        """Answer until the other side has gone, or the server closes."""
        with contextlib.suppress(OSError, ValueError), self._socket, self._input:
            while (request := self._read()) and self._answer(request):
                pass

    def _read(self) -> _Request | None:
        method, _, rest = self._input.readline(_LONGEST_LINE).decode("latin-1").partition(" ")
        if not rest:
            return None
        headers = {name.lower(): value.strip() for name, value in self._header_lines()}
        if headers.get("expect", "").lower() == "100-continue":
            self._socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body = b"".join(self._chunks())
        else:
            body = self._input.read(int(headers.get("content-length", 0)))
        return _Request(method=method, path=rest.split(" ")[0], headers=headers, body=body)

    def _header_lines(self) -> Iterator[tuple[str, str]]:
        while line := self._input.readline(_LONGEST_LINE).decode("latin-1").strip():
            name, _, value = line.partition(":")
            yield name, value

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self._input.readline(_LONGEST_LINE).split(b";")[0], 16):
            yield self._input.read(size)
            self._input.readline(_LONGEST_LINE)
        for _ in self._header_lines():
            pass

    def _answer(self, request: _Request) -> bool:
        """Answer a request; tell whether there may be another."""
        path = request.path.removeprefix(_VERSION) if request.path.startswith(_VERSION) else ""
        match = _ANSWER.fullmatch(path)
        if request.method == "GET" and path == "invocation/next":
            return self._hand_over()
        if request.method == "POST" and path == "init/error":
            self._reply("202 Accepted", _OK)
            self._server.signals.put(InitFailed(body=request.body))
        elif request.method == "POST" and match:
            self._take(match["id"], request.body, failed=match["what"] == "error")
        else:
            self._reply("404 Not Found", _error("InvalidRequest", f"no such path: {request.path}"))
        return request.headers.get("connection", "").lower() != "close"

    def _hand_over(self) -> bool:
        self._server.signals.put(Ready())
        event = self._server.events.get()
        if event is None:
            self._server.events.put(None)  # for whoever else asks
            return False
        self._reply("200 OK", event.body, {"Lambda-Runtime-Aws-Request-Id": event.request_id, **event.headers})
        return True

    def _take(self, request_id: str, body: bytes, *, failed: bool) -> None:
        if request_id != self._server.current:
            self._reply("403 Forbidden", _error("InvalidRequestID", "Invalid request ID"))
        elif len(body) > MOST_BYTES:
            limit = f"Exceeded maximum allowed payload size ({MOST_BYTES} bytes)."
            self._reply("413 Request Entity Too Large", _error("RequestEntityTooLarge", limit))
            self._server.signals.put(TooLarge(request_id=request_id))
        else:
            self._server.signals.put(Answered(request_id=request_id, body=body, failed=failed))
            self._reply("202 Accepted", _OK)

    def _reply(self, status: str, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        given = {"Content-Type": "application/json", "Content-Length": str(len(body)), **(headers or {})}
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in given.items()), "", ""]
        self._socket.sendall("\r\n".join(lines).encode("latin-1") + body)


_OK: Final = b'{"status":"OK"}\n'


def _error(kind: str, message: str) -> bytes:
    return json.dumps({"errorMessage": message, "errorType": kind}).encode() + b"\n"
