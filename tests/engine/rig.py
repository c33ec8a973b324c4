"""The engine that ``.ci/engine`` brings up, a way to it that can be cut, and a registry for it to pull from."""

import contextlib
import gzip
import hashlib
import io
import json
import os
import socket
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

import pytest

from layerkit.sandbox.container import ContainerSpec, Engine
from layerkit.sandbox.container_errors import EngineError

if TYPE_CHECKING:
    from docker import APIClient

HOST: Final = os.environ.get("LAYERKIT_TEST_DOCKER_HOST", "unix:///run/layerkit-engine/docker.sock")
TCP: Final = os.environ.get("LAYERKIT_TEST_DOCKER_TCP", "tcp://127.0.0.1:23751")
ENVIRON: Final = {"DOCKER_HOST": HOST}

BULLSEYE: Final = ContainerSpec(image="layerkit-test/bullseye", platform="linux/amd64", network="host")
BOOKWORM: Final = ContainerSpec(image="layerkit-test/bookworm", platform="linux/amd64", network="host")
TRIXIE: Final = ContainerSpec(image="layerkit-test/trixie", platform="linux/amd64", network="host")
TRIXIE_ARM64: Final = ContainerSpec(image="layerkit-test/trixie-arm64", platform="linux/arm64", network="host")

_PATIENCE: Final = 20.0


@contextlib.contextmanager
def connect(host: str = HOST) -> Iterator[Engine]:
    """Connect to the engine, or skip the test where there is none."""
    try:
        engine = Engine.connect({"DOCKER_HOST": host})
    except EngineError as exc:
        pytest.skip(f"{exc}; `.ci/engine` brings one up")
    with engine:
        yield engine


@contextlib.contextmanager
def client() -> Iterator["APIClient"]:
    """Connect docker's own client to the engine, to look at it from outside."""
    from docker import APIClient

    with contextlib.closing(APIClient(base_url=HOST, version="auto")) as found:
        yield found


def eventually(condition: Callable[[], bool], *, patience: float = _PATIENCE) -> bool:
    """Tell whether the condition comes true in time."""
    end = time.monotonic() + patience
    while not (true := condition()) and time.monotonic() < end:
        time.sleep(0.1)
    return true


class Proxy:
    """A way to the engine's socket that can be cut."""

    def __init__(self, path: Path) -> None:
        self.url = f"unix://{path}"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(64)
        self._open: list[socket.socket] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()

    def cut(self) -> None:
        """Break all connections and take no more."""
        for each in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(HOST.removeprefix("unix://"))
                self._open += [near, far]
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=_pump, args=(source, sink), daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(1 << 16):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)


@dataclass(kw_only=True, slots=True)
class Registry:
    """A registry (OCI distribution specification) of one image, which may ask for a login."""

    address: str = ""
    wants_login: bool = False
    blobs: dict[str, bytes] = field(default_factory=dict)
    manifest: bytes = b""

    @property
    def digest(self) -> str:
        return _digest(self.manifest)

    def offer(self, folder: Path, *, architecture: str) -> None:
        """Make the image from a folder."""
        plain = io.BytesIO()
        with tarfile.open(fileobj=plain, mode="w") as tar:
            tar.add(folder, arcname=".")
        layer = gzip.compress(plain.getvalue(), mtime=0)
        rootfs = {"type": "layers", "diff_ids": [_digest(plain.getvalue())]}
        config = json.dumps({"architecture": architecture, "os": "linux", "config": {}, "rootfs": rootfs}).encode()
        self.blobs = {_digest(blob): blob for blob in (layer, config)}
        kind = "application/vnd.docker"
        self.manifest = json.dumps(
            {
                "schemaVersion": 2,
                "mediaType": f"{kind}.distribution.manifest.v2+json",
                "config": {"mediaType": f"{kind}.container.image.v1+json", **_described(config)},
                "layers": [{"mediaType": f"{kind}.image.rootfs.diff.tar.gzip", **_described(layer)}],
            }
        ).encode()

    def answer(self, path: str) -> tuple[int, str, bytes]:
        """Return the status, the kind and the bytes."""
        if self.wants_login:
            return (
                401,
                "application/json",
                b'{"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}',
            )
        match path.strip("/").split("/"):
            case ["v2"]:
                return 200, "application/json", b"{}"
            case ["v2", "tiny", "manifests", tag] if tag in {"1", self.digest}:
                return 200, "application/vnd.docker.distribution.manifest.v2+json", self.manifest
            case ["v2", "tiny", "blobs", digest] if digest in self.blobs:
                return 200, "application/octet-stream", self.blobs[digest]
        return 404, "application/json", b'{"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}'


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def _described(blob: bytes) -> dict[str, Any]:
    return {"digest": _digest(blob), "size": len(blob)}


@contextlib.contextmanager
def registry() -> Iterator[Registry]:
    """Serve a registry on this machine; engines take those there without TLS."""
    found = Registry()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, kind, body = found.answer(self.path)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Docker-Content-Digest", _digest(body))
            if status == 401:
                self.send_header("WWW-Authenticate", 'Basic realm="tests"')
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    found.address = f"127.0.0.1:{server.server_port}"
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
