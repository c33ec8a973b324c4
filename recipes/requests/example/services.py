# /// script
# requires-python = ">=3.11"
# dependencies = []
# ///
"""A shop's API that is overloaded when it is first asked; tells what it was asked, over how many connections."""

import json
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

AMOUNTS = {"/orders/1001": 19.9, "/orders/1002": 41.5}
SEEN: dict[str, Any] = {"connections": 0, "requests": []}


class Shop(BaseHTTPRequestHandler):
    """One connection to it."""

    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        """Count it."""
        super().setup()
        SEEN["connections"] += 1

    def do_GET(self) -> None:
        """Tell what an order comes to."""
        if not SEEN["requests"]:
            self._answer(HTTPStatus.SERVICE_UNAVAILABLE)
        elif self.path in AMOUNTS:
            self._answer(HTTPStatus.OK, {"amount": AMOUNTS[self.path]})
        else:
            self._answer(HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        """Take a report."""
        report = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer(HTTPStatus.CREATED, report, location=f"{self.path}/1")

    def _answer(self, status: HTTPStatus, value: Any = None, *, location: str | None = None) -> None:
        SEEN["requests"].append(f"{self.command} {self.path} {status.value}")
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
Thread(target=server.serve_forever, daemon=True).start()
print(json.dumps({"SHOP_URL": f"http://127.0.0.1:{server.server_port}"}), flush=True)
sys.stdin.read()
print(json.dumps(SEEN))
