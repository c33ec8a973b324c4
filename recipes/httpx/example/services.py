# /// script
# requires-python = ">=3.11"
# dependencies = []
# ///
"""A catalogue that has moved to another path and gives out two books a page; tells what it was asked."""

import json
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

TITLES = ["Moby-Dick", "Typhoon", "Billy Budd", "Kon-Tiki", "The Compleat Angler"]
KEY = "made-up"
SEEN: list[str] = []


class Catalogue(BaseHTTPRequestHandler):
    """One connection to it."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Give out a page to whom it knows."""
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if self.headers["Authorization"] != f"Bearer {KEY}":
            self._answer(HTTPStatus.FORBIDDEN)
        elif url.path != "/v2/books":
            self._answer(HTTPStatus.PERMANENT_REDIRECT, Location=f"/v2{self.path}")
        elif query.get("about") != "fish & ships":
            self._answer(HTTPStatus.NOT_FOUND)
        else:
            self._page(int(query.get("from", 0)))

    def _page(self, start: int) -> None:
        end = start + 2
        more = {"Link": f'</v2/books?about=fish+%26+ships&from={end}>; rel="next"'} if end < len(TITLES) else {}
        self._answer(HTTPStatus.OK, [{"title": title} for title in TITLES[start:end]], **more)

    def _answer(self, status: HTTPStatus, books: list[dict[str, str]] | None = None, **headers: str) -> None:
        SEEN.append(f"{self.path} {status.value}")
        body = json.dumps({"books": books}).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


server = ThreadingHTTPServer(("127.0.0.1", 0), Catalogue)
Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}"
print(json.dumps({"CATALOGUE_URL": address, "CATALOGUE_KEY": KEY}), flush=True)
sys.stdin.read()
print(json.dumps(SEEN))
