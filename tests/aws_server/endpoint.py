"""The socket: reads requests off it, and answers, truncates or resets."""

import contextlib
import socket
import struct
import threading
from collections.abc import Mapping
from http.client import responses
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from tests.aws_server.exchange import Answer, Exchange
from tests.aws_server.wire import Request

_PIECE: Final = 1 << 18
_NO_CONTENT: Final = 204


class Endpoint(ThreadingHTTPServer):
    """Listens on a free port of this machine."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(("127.0.0.1", 0), type("Handler", (_Handler,), {"exchange": exchange}))
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def close_request(self, request: Any) -> None:
        with self._lock:
            self._open.discard(request)
        super().close_request(request)

    def server_close(self) -> None:
        """Stop listening, and close what clients keep open: nothing answers any more."""
        super().server_close()
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away."""
        import sys

        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    exchange: Exchange
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class's name
        """Print nothing."""

    def _talk(self) -> None:
        raw_path, _, raw_query = self.path.partition("?")
        request = Request(
            method=self.command,
            raw_path=raw_path,
            raw_query=raw_query,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self._body(),
        )
        self._send(self.exchange.answer(request))

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _talk  # noqa: N815 -- the base class's names

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return b"".join(self._chunks())
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionAbortedError  # the client died while it sent: nothing is done
        return body

    def _chunks(self) -> list[bytes]:
        chunks = []
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            chunk = self.rfile.read(size)
            if len(chunk) < size or self.rfile.readline() != b"\r\n":
                raise ConnectionAbortedError
            chunks.append(chunk)
        self.rfile.readline()
        return chunks

    def _send(self, answer: Answer) -> None:
        if answer.reset:
            self._reset()
            return
        response = answer.response
        headers = dict(response.headers)
        bodiless = self.command == "HEAD" or response.status == _NO_CONTENT
        if response.status != _NO_CONTENT:
            headers |= {"Content-Length": str(len(response.body))}
        body = memoryview(b"") if bodiless else memoryview(response.body)
        if answer.truncated:
            body = body[: answer.received]
            self.close_connection = True
        head = _head(response.status, headers)
        self.wfile.write(head + body[:_PIECE])  # in one packet if it fits
        for start in range(_PIECE, len(body), _PIECE):
            self.wfile.write(body[start : start + _PIECE])

    def _reset(self) -> None:
        with contextlib.suppress(OSError):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        self.close_connection = True


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} {responses.get(status, '')}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
