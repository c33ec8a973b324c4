"""The HTTP client against real sockets: redirects, proxies, certificates."""

import gzip
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from layerkit import __version__
from layerkit.http import Client, Patience
from layerkit.http_errors import CertificateRefused, CertificatesUnusable, IndexUnreachable, NotFound
from layerkit.index import Credentials, IndexSettings
from tests.servers import SimpleIndex, unused_port

CONTENT = bytes(range(256)) * 10


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    served = tmp_path / "served"
    served.mkdir()
    (served / "a.whl").write_bytes(CONTENT)
    return served


@pytest.fixture
def index(folder: Path) -> Iterator[SimpleIndex]:
    with SimpleIndex(folder) as running:
        yield running


@pytest.fixture(autouse=True)
def nobodys_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Make a self-signed certificate for 127.0.0.1, with its key."""
    path = tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(tmp_path / "key.pem"), "-out", str(path)]
    subprocess.run(command, check=True, capture_output=True)
    path.write_text(path.read_text() + (tmp_path / "key.pem").read_text())
    return path


def read(url: str, *, offset: int = 0, **settings: Any) -> bytes:
    patience = Patience(attempts=2, first_pause=0.001, connect=5, read=5)
    with Client(IndexSettings(urls=(), **settings), patience=patience) as client:
        return b"".join(client.get(url, offset=offset))


class TestReading:
    def test_it_says_who_asks_and_wants_nothing_encoded(self, index: SimpleIndex) -> None:
        assert read(index.file_url("a.whl")) == CONTENT
        headers = index.requests[0].headers
        assert headers["user-agent"] == f"layerkit/{__version__}"
        assert headers["accept-encoding"] == "identity"

    @pytest.mark.parametrize("no_ranges", [False, True])
    @pytest.mark.parametrize("offset", [1, 2000, len(CONTENT) - 1, len(CONTENT), len(CONTENT) + 1])
    def test_bytes_from_an_offset_are_the_same_with_and_without_ranges(
        self, index: SimpleIndex, offset: int, *, no_ranges: bool
    ) -> None:
        index.faults.no_ranges = no_ranges
        assert read(index.file_url("a.whl"), offset=offset) == CONTENT[offset:]

    def test_what_a_server_claims_to_have_encoded_stays_as_it_came(self, index: SimpleIndex, folder: Path) -> None:
        """Some label every `.tar.gz` so; its hash is that of the bytes on the way."""
        (folder / "a.tar.gz").write_bytes(gzip.compress(CONTENT))
        index.faults.content_encoding = "gzip"
        assert gzip.decompress(read(index.file_url("a.tar.gz"))) == CONTENT

    def test_a_netrc_that_the_settings_do_not_name_is_left_alone(
        self, index: SimpleIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password geheim\n", encoding="utf-8")
        monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
        read(index.file_url("a.whl"))
        assert index.requests[0].authorization is None

    def test_a_file_url_is_read_from_disk_without_a_client_library(self, folder: Path) -> None:
        assert read((folder / "a.whl").as_uri(), offset=100) == CONTENT[100:]
        with pytest.raises(NotFound, match="missing"):
            read((folder / "missing").as_uri())
        with pytest.raises(IndexUnreachable, match="directory"):
            read(folder.as_uri())

    def test_a_redirect_without_end_is_an_error(self, index: SimpleIndex) -> None:
        index.faults.redirect_to = index.root
        with pytest.raises(IndexUnreachable, match="redirects without end"):
            read(index.file_url("a.whl"))

    def test_an_answer_that_is_no_use_is_not_asked_for_again(self, index: SimpleIndex) -> None:
        index.faults.status = 418
        with pytest.raises(IndexUnreachable, match="it answered 418"):
            read(index.file_url("a.whl"))
        assert len(index.requests) == 1

    def test_a_scheme_that_nobody_knows_is_an_error(self) -> None:
        with pytest.raises(IndexUnreachable, match="gopher"):
            read("gopher://me:geheim@host/a")

    def test_netrc_credentials_are_sent_in_any_alphabet(self, folder: Path, tmp_path: Path) -> None:
        netrc = tmp_path / "netrc"
        netrc.write_text("machine 127.0.0.1 login jörg password пароль\n", encoding="utf-8")
        with SimpleIndex(folder, credentials=("jörg", "пароль")) as private:
            assert read(private.file_url("a.whl"), netrc=netrc) == CONTENT

    def test_credentials_in_the_url_itself_serve(self, folder: Path) -> None:
        with SimpleIndex(folder, credentials=("me", "p@ss")) as private:
            assert read(private.file_url("a.whl").replace("//", "//me:p%40ss@")) == CONTENT


class TestProxy:
    def test_it_is_used_for_every_host(self, index: SimpleIndex) -> None:
        assert read("http://nowhere.invalid/files/a.whl", proxy=index.root) == CONTENT
        assert index.requests[0].headers["host"] == "nowhere.invalid"

    def test_the_environments_serves_where_the_settings_have_none(
        self, index: SimpleIndex, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", index.root)
        assert read("http://nowhere.invalid/files/a.whl") == CONTENT

    def test_no_proxy_goes_around_it(self, index: SimpleIndex, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        with unused_port() as port:
            assert read(index.file_url("a.whl"), proxy=f"http://127.0.0.1:{port}") == CONTENT

    def test_one_that_is_down_is_told_without_its_password(self) -> None:
        with unused_port() as port, pytest.raises(IndexUnreachable, match="proxy") as caught:
            read("http://nowhere.invalid/a", proxy=f"http://p:geheim@127.0.0.1:{port}")
        assert "geheim" not in caught.value.message


class TestCertificates:
    def test_one_that_nobody_vouches_for_is_refused_at_once(self, folder: Path, certificate: Path) -> None:
        with SimpleIndex(folder, certificate=certificate) as index:
            with pytest.raises(CertificateRefused, match="self-signed") as caught:
                read(index.file_url("a.whl"))
            assert index.requests == []
        assert "--ca-bundle" in str(caught.value.hint)

    def test_the_settings_bundle_vouches(self, folder: Path, certificate: Path) -> None:
        with SimpleIndex(folder, certificate=certificate) as index:
            assert read(index.file_url("a.whl"), ca_bundle=certificate) == CONTENT

    @pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
    def test_the_usual_variables_vouch(
        self, folder: Path, certificate: Path, variable: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(variable, str(certificate))
        with SimpleIndex(folder, certificate=certificate) as index:
            assert read(index.file_url("a.whl")) == CONTENT

    def test_a_bundle_that_is_none_is_named(self, tmp_path: Path) -> None:
        (tmp_path / "empty.pem").write_text("nothing")
        with pytest.raises(CertificatesUnusable, match="no certificate"):
            read("https://127.0.0.1/", ca_bundle=tmp_path / "empty.pem")
        with pytest.raises(CertificatesUnusable, match="no such file"):
            read("https://127.0.0.1/", ca_bundle=tmp_path / "missing.pem")

    def test_credentials_never_go_from_https_to_http(self, folder: Path, certificate: Path) -> None:
        """Not even to a host that they belong to."""
        with SimpleIndex(folder) as plain, SimpleIndex(folder, certificate=certificate) as secure:
            secure.faults.redirect_to = plain.root
            known = dict.fromkeys((plain.netloc, secure.netloc), Credentials(username="me", password="geheim"))
            assert read(secure.file_url("a.whl"), ca_bundle=certificate, known_credentials=known) == CONTENT
            assert secure.requests[0].authorization
            assert plain.requests[0].authorization is None
