# /// script
# requires-python = ">=3.11"
# dependencies = []
# ///
"""Weather stations that keep everybody waiting until three have asked; tells how many asked, and how many at once."""

import json
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Barrier, BrokenBarrierError, Lock, Thread

CELSIUS = {
    "/stations/berlin": 17.0,
    "/stations/bergen": 11.5,
    "/stations/bilbao": 22.0,
    "/stations/boston": 19.5,
    "/stations/bombay": 31.5,
}
SEEN = {"asked": 0, "at_once": 0}
WAITING = Barrier(3, timeout=3)
LOCK = Lock()
HERE: list[str] = []


class Weather(BaseHTTPRequestHandler):
    """One connection to them."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Tell what a station measures, when others ask as well."""
        with LOCK:
            HERE.append(self.path)
            SEEN["asked"] += 1
            SEEN["at_once"] = max(SEEN["at_once"], len(HERE))
        try:
            WAITING.wait()
        except BrokenBarrierError:
            status = HTTPStatus.SERVICE_UNAVAILABLE
        else:
            status = HTTPStatus.OK if self.path in CELSIUS else HTTPStatus.NOT_FOUND
        with LOCK:
            HERE.remove(self.path)
        self._answer(status)

    def _answer(self, status: HTTPStatus) -> None:
        body = json.dumps({"celsius": CELSIUS.get(self.path)}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


server = ThreadingHTTPServer(("127.0.0.1", 0), Weather)
Thread(target=server.serve_forever, daemon=True).start()
print(json.dumps({"WEATHER_URL": f"http://127.0.0.1:{server.server_port}"}), flush=True)
sys.stdin.read()
print(json.dumps(SEEN))
