"""Servers of the tests' own, on this machine: a package index that can be told to misbehave."""

import contextlib
import hashlib
import html
import json
import re
import socket
import ssl
import struct
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import quote, unquote

_JSON: Final = "application/vnd.pypi.simple.v1+json"
_PIECE: Final = 1 << 16


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A request as it arrived; ``path`` is unquoted."""

    method: str
    path: str
    headers: dict[str, str]

    @property
    def range(self) -> str | None:
        return self.headers.get("range")

    @property
    def authorization(self) -> str | None:
        return self.headers.get("authorization")


@dataclass(kw_only=True, slots=True)
class Faults:
    """What goes wrong with files (not with the index's pages). Counts go down by one each time; the rest stays."""

    errors: int = 0  # answers ``error_status``
    error_status: int = 503
    retry_after: str | None = None
    truncations: int = 0  # ends the body early, after ``break_at`` bytes
    resets: int = 0  # resets the connection, after ``break_at`` bytes
    break_at: int = 0
    stalls: int = 0  # sends ``break_at`` bytes, then nothing until the server closes
    wrong_bytes: int = 0  # flips bits, keeps the length
    extra_bytes: int = 0  # adds a byte
    missing_bytes: int = 0  # leaves out the last byte, and says so in Content-Length
    no_ranges: bool = False
    content_encoding: str | None = None  # what the header claims; the bytes stay as they are
    status: int | None = None  # answers this to everything, 404 for example
    redirect_to: str | None = None  # sends every file request to this base URL

    def happens(self, fault: str) -> bool:
        """Whether ``fault`` is due; takes it off the count."""
        with _COUNTING:
            left: int = getattr(self, fault)
            if left:
                setattr(self, fault, left - 1)
            return left > 0


_COUNTING: Final = threading.Lock()


@dataclass(kw_only=True)
class _State:
    folder: Path
    authorization: str | None
    delay: float
    faults: Faults
    html_only: bool
    requests: list[Request] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)


class SimpleIndex:
    """A package index (PEP 503 and 691) over a folder of wheels and sdists; a context manager.

    ``credentials`` is ``(user, password)`` for basic authentication; ``delay`` is in seconds, before each answer;
    ``certificate`` is a PEM file with certificate and key, for HTTPS. ``requests`` is the log.
    """

    def __init__(
        self,
        folder: Path,
        *,
        credentials: tuple[str, str] | None = None,
        delay: float = 0,
        faults: Faults | None = None,
        html_only: bool = False,
        certificate: Path | None = None,
    ) -> None:
        basic = f"Basic {b64encode(':'.join(credentials).encode()).decode()}" if credentials else None
        self.faults = faults or Faults()
        self._credentials = credentials
        self._state = _State(folder=folder, authorization=basic, delay=delay, faults=self.faults, html_only=html_only)
        state = self._state
        self._server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"state": state}))
        self._scheme = "http"
        if certificate:
            self._scheme = "https"
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._state.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def netloc(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def root(self) -> str:
        """The server's URL without a path."""
        return f"{self._scheme}://{self.netloc}"

    @property
    def url(self) -> str:
        """The index URL, without credentials."""
        return f"{self.root}/simple"

    @property
    def url_with_credentials(self) -> str:
        user, password = self._credentials or ("", "")
        return f"{self._scheme}://{quote(user, safe='')}:{quote(password, safe='')}@{self.netloc}/simple"

    def file_url(self, name: str) -> str:
        return f"{self.root}/files/{quote(name)}"

    @property
    def requests(self) -> list[Request]:
        return list(self._state.requests)

    def requests_for(self, name: str) -> list[Request]:
        """Return the GET requests for the file called ``name``."""
        return [one for one in self.requests if one.method == "GET" and one.path == f"/files/{name}"]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away."""


class _Handler(BaseHTTPRequestHandler):
    state: _State
    protocol_version = "HTTP/1.1"
    timeout = 30

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class's name
        """Print nothing."""

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        self.path = re.sub(r"^https?://[^/]+", "", self.path)  # as it comes to a proxy
        path = unquote(self.path.partition("?")[0])
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.state.requests.append(Request(method=self.command, path=path, headers=headers))
        if self.state.delay:
            time.sleep(self.state.delay)
        if self.state.authorization and headers.get("authorization") != self.state.authorization:
            self._send(401, b"who are you", {"WWW-Authenticate": 'Basic realm="index"'})
        elif match := re.fullmatch(r"/simple/([^/]+)/?", path):
            self._project(match[1])
        elif match := re.fullmatch(r"/files/([^/]+)", path):
            self._file(match[1])
        else:
            self._send(404, b"nothing here", {})

    def _project(self, project: str) -> None:
        files = [path for path in sorted(self.state.folder.iterdir()) if _project_of(path.name) == project]
        if not files:
            self._send(404, b"no such project", {})
        elif not self.state.html_only and _JSON in self.headers.get("Accept", ""):
            page = {"meta": {"api-version": "1.1"}, "name": project, "files": [_entry(path) for path in files]}
            self._send(200, json.dumps(page).encode(), {"Content-Type": _JSON})
        else:
            links = "".join(
                f'<a href="{html.escape(entry["url"])}#sha256={entry["hashes"]["sha256"]}">{entry["filename"]}</a>\n'
                for entry in map(_entry, files)
            )
            page_text = f"<!DOCTYPE html><html><body>{links}</body></html>"
            self._send(200, page_text.encode(), {"Content-Type": "text/html"})

    def _file(self, name: str) -> None:
        faults = self.state.faults
        path = self.state.folder / name
        if faults.redirect_to:
            self._send(302, b"", {"Location": f"{faults.redirect_to}/files/{quote(name)}"})
        elif faults.status:
            self._send(faults.status, b"as you wish", {})
        elif self.command == "GET" and faults.happens("errors"):
            retry = {"Retry-After": faults.retry_after} if faults.retry_after else {}
            self._send(faults.error_status, b"not now", retry)
        elif not path.is_file():
            self._send(404, b"no such file", {})
        else:
            self._body(self._bytes(path))

    def _bytes(self, path: Path) -> bytes:
        content = path.read_bytes()
        if self.command == "HEAD":
            return content
        faults = self.state.faults
        if faults.happens("wrong_bytes"):
            return bytes(byte ^ 1 for byte in content)
        if faults.happens("extra_bytes"):
            return content + b"!"
        return content[:-1] if faults.happens("missing_bytes") else content

    def _body(self, content: bytes) -> None:
        match = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        if match is None or self.state.faults.no_ranges:
            headers = {} if self.state.faults.no_ranges else {"Accept-Ranges": "bytes"}
            if self.state.faults.content_encoding:
                headers["Content-Encoding"] = self.state.faults.content_encoding
            self._send(200, content, {"Content-Type": "application/octet-stream"} | headers)
            return
        total = len(content)
        start = int(match[1]) if match[1] else total - int(match[2])
        end = min(int(match[2]), total - 1) if match[1] and match[2] else total - 1
        if start >= total:
            self._send(416, b"", {"Content-Range": f"bytes */{total}"})
            return
        self._send(206, content[start : end + 1], {"Content-Range": f"bytes {start}-{end}/{total}"})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "GET":
            return
        if status in {200, 206} and self.path.startswith("/files/"):
            self._send_badly(body)
        else:
            self.wfile.write(body)

    def _send_badly(self, body: bytes) -> None:
        faults = self.state.faults
        if faults.happens("truncations"):
            self.wfile.write(body[: faults.break_at])
            self.close_connection = True
        elif faults.happens("resets"):
            self.wfile.write(body[: faults.break_at])
            self.wfile.flush()
            time.sleep(0.05)  # what was sent arrives before the reset discards it
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
        elif faults.happens("stalls"):
            self.wfile.write(body[: faults.break_at])
            self.wfile.flush()
            self.state.closing.wait()
            self.close_connection = True
        else:
            for start in range(0, len(body), _PIECE):
                self.wfile.write(body[start : start + _PIECE])


def _entry(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    return {
        "filename": path.name,
        "url": f"/files/{quote(path.name)}",
        "size": len(content),
        "hashes": {"sha256": hashlib.sha256(content).hexdigest()},
    }


def _project_of(filename: str) -> str:
    """Return the normalised project name that ``filename`` belongs to."""
    name = filename.partition("-")[0] if filename.endswith(".whl") else filename.rpartition("-")[0]
    return re.sub(r"[-_.]+", "-", name).lower()


@contextlib.contextmanager
def unused_port() -> Iterator[int]:
    """Hold a port of this machine on which nothing listens, so that nobody takes it."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield int(held.getsockname()[1])
