"""The script that pins images anew, against a registry of the tests' own."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

import pytest

OLD = "0" * 64
NEW = "a" * 64
LINE = f'x86_64 = "quay.io/pypa/manylinux_2_34_x86_64@sha256:{OLD}" # 2026.01.01-1\n'
TOKEN = "anonymous-token"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    path = Path(__file__).parents[2] / ".ci" / "refresh-images"
    loader = SourceFileLoader("refresh_images", str(path))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.fixture
def registry(request: pytest.FixtureRequest) -> Iterator[str]:
    """Serve tags on two pages and the newest one's manifest, to whoever has fetched a token."""
    tags: list[str] = getattr(
        request, "param", ["latest", "2026.2.3-9", "2026.09.30-1", "2026.10.26-2", "2026.10.26-10"]
    )

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            if path == "/token":
                self.answer(200, {"token": TOKEN})
            elif self.headers["Authorization"] != f"Bearer {TOKEN}":
                where = f"http://{self.headers['Host']}/token"
                self.answer(401, {}, **{"WWW-Authenticate": f'Bearer realm="{where}",service="tests"'})
            elif path.endswith("/tags/list") and "last" not in query:
                self.answer(200, {"tags": tags[:2]}, Link=f'<{path}?n=2&last=b>; rel="next"')
            elif path.endswith("/tags/list"):
                self.answer(200, {"tags": tags[2:]})
            elif path == "/v2/pypa/manylinux_2_34_x86_64/manifests/2026.10.26-10":
                assert "application/vnd.oci.image.index.v1+json" in self.headers["Accept"]
                self.answer(200, {}, **{"Docker-Content-Digest": f"sha256:{NEW}"})
            else:
                self.answer(404, {})

        do_HEAD = do_GET  # noqa: N815

        def answer(self, status: int, body: object, **headers: str) -> None:
            content = json.dumps(body).encode() if self.command == "GET" else b""
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_the_newest_dated_tag_is_pinned_and_the_rest_of_the_file_stays(script: ModuleType, registry: str) -> None:
    text = f"# why\nas-of = 2026-01-02\n\n[systems.AL2023]\n{LINE}"
    fresh = script.refresh(text, scheme="http", registry=registry).splitlines()
    assert fresh[-1] == f'x86_64 = "quay.io/pypa/manylinux_2_34_x86_64@sha256:{NEW}" # 2026.10.26-10'
    assert [fresh[0], *fresh[2:4]] == ["# why", "", "[systems.AL2023]"]
    assert fresh[1].startswith("as-of = ")
    assert fresh[1] != "as-of = 2026-01-02"


def test_nothing_new_leaves_the_file_as_it_is(script: ModuleType, registry: str) -> None:
    text = f'as-of = 2026-01-02\nx86_64 = "quay.io/pypa/manylinux_2_34_x86_64@sha256:{NEW}" # 2026.10.26-10\n'
    assert script.refresh(text, scheme="http", registry=registry) == text


@pytest.mark.parametrize("registry", [["latest", "nightly", "2026-10-26"]], indirect=True)
def test_a_repository_without_dated_tags_is_refused(script: ModuleType, registry: str) -> None:
    with pytest.raises(SystemExit, match="has no dated tags"):
        script.refresh(LINE, scheme="http", registry=registry)


def test_every_image_of_the_real_file_is_recognised(script: ModuleType) -> None:
    text = script.FILE.read_text(encoding="utf-8")
    assert len(script.PINNED.findall(text)) == text.count("@sha256:") > 0
