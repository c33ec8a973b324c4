"""Finding an engine: what is told when it is not there, not allowed, not answering, too old or not one at all."""

import contextlib
import gc
import hashlib
import json
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from layerkit.sandbox import container
from layerkit.sandbox.container import Engine
from layerkit.sandbox.container_errors import (
    BadCertificates,
    EngineNotPermitted,
    EngineTooOld,
    EngineUnreachable,
    NoEngine,
    NoSsh,
)
from tests.engine import rig

# docker-py forgets sockets that could not connect
pytestmark = [
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@contextlib.contextmanager
def daemon(**answers: Any) -> Iterator[str]:
    """Serve ``/version`` and ``/info`` with these answers."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(answers.get(self.path.rpartition("/")[2], [])).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"tcp://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def sockets_are_forgotten_here() -> Iterator[None]:
    """Have the sockets that docker-py forgot collected while that is no error."""
    yield
    gc.collect()


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def test_no_engine_anywhere_tells_what_was_tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(Path, "exists", lambda _: False)
    with pytest.raises(NoEngine) as caught:
        Engine.connect({"XDG_RUNTIME_DIR": "/run/user/7"}, home=tmp_path)
    tried = "\n".join(caught.value.details)
    for place in ("/var/run/docker.sock", "/run/user/7/podman/podman.sock", ".colima/default/docker.sock"):
        assert place in tried
    assert caught.value.exit_code == 5
    assert "DOCKER_HOST" in (caught.value.hint or "")


def test_a_chosen_engine_that_is_not_there_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(EngineUnreachable, match=r"nowhere\.sock \(DOCKER_HOST\) does not answer.*No such file"):
        Engine.connect({"DOCKER_HOST": f"unix://{tmp_path}/nowhere.sock"})


def test_a_port_where_nobody_listens() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        host = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(EngineUnreachable, match="refused"):
            Engine.connect({"DOCKER_HOST": host})


@pytest.mark.parametrize("host", ["nonsense", "tcp://", "http://[bad", "gopher://x"])
def test_an_address_that_is_none(host: str) -> None:
    with pytest.raises(EngineUnreachable):
        Engine.connect({"DOCKER_HOST": host})


def test_an_engine_that_does_not_answer_in_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(container, "_PATIENCE_AT_FIRST", 0.3)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "s"))
        silent.listen()
        with pytest.raises(EngineUnreachable, match="timed out"):
            Engine.connect({"DOCKER_HOST": f"unix://{tmp_path}/s"})


def test_something_that_is_no_engine() -> None:
    with daemon(version={"hello": "world"}) as host, pytest.raises(EngineUnreachable, match="ApiVersion"):
        Engine.connect({"DOCKER_HOST": host})


@pytest.mark.parametrize("version", ["1.18", "1.40"])
def test_an_engine_that_is_too_old(version: str) -> None:
    with daemon(version={"ApiVersion": version}) as host, pytest.raises(EngineTooOld, match=r"1\.41 is the least"):
        Engine.connect({"DOCKER_HOST": host})


def test_an_engine_that_is_new_enough_tells_its_title() -> None:
    answers = {"version": {"ApiVersion": "1.41", "Version": "9", "Platform": {"Name": "Some Engine"}}, "info": {}}
    with daemon(**answers) as host, Engine.connect({"DOCKER_HOST": host}) as engine:
        assert engine.title == "Some Engine 9"


def test_ssh_is_told_how_else_to_go() -> None:
    with pytest.raises(NoSsh) as caught:
        Engine.connect({"DOCKER_HOST": "ssh://me@builder"})
    assert "ssh -NL /tmp/docker.sock:/var/run/docker.sock me@builder" in (caught.value.hint or "")


def test_certificates_that_are_none(tmp_path: Path) -> None:
    environ = {"DOCKER_HOST": "tcp://127.0.0.1:1", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(tmp_path)}
    (tmp_path / "ca.pem").write_text("not a certificate", encoding="utf-8")
    with pytest.raises((BadCertificates, EngineUnreachable)):
        Engine.connect(environ)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become somebody else")
def test_a_socket_of_somebody_else() -> None:
    folder = Path(tempfile.mkdtemp())  # pytest's own may be entered by its user only, which says less
    try:
        folder.chmod(0o755)
        with socket.socket(socket.AF_UNIX) as closed:
            closed.bind(str(folder / "s"))
            closed.listen()
            (folder / "s").chmod(0o600)
            os.seteuid(65534)
            try:
                with pytest.raises(EngineNotPermitted) as caught:
                    Engine.connect({"DOCKER_HOST": f"unix://{folder}/s"}, home=folder)
            finally:
                os.seteuid(0)
        assert "usermod -aG docker" in (caught.value.hint or "")
    finally:
        shutil.rmtree(folder)


@pytest.mark.engine
def test_the_current_context_is_followed(tmp_path: Path) -> None:
    with rig.connect():
        pass
    settings = tmp_path / ".docker"
    meta = settings / "contexts/meta" / hashlib.sha256(b"builder").hexdigest()
    meta.mkdir(parents=True)
    (settings / "config.json").write_text(json.dumps({"currentContext": "builder"}), encoding="utf-8")
    described = {"Name": "builder", "Endpoints": {"docker": {"Host": rig.HOST}}}
    (meta / "meta.json").write_text(json.dumps(described), encoding="utf-8")
    with Engine.connect({}, home=tmp_path) as engine:
        assert engine.endpoint.origin == "docker context `builder`"
