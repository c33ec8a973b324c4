"""Index settings as files for a place: what pip will read there, and where passwords stand."""

import configparser
from pathlib import Path

import pytest

from layerkit.index import Credentials, IndexSettings
from layerkit.sandbox.index_files import CertificatesUnreadable, IndexFiles, LocalIndexNotThere, index_files

PASSWORD = "p@ss/word"


def files_for(settings: IndexSettings, **environ: str) -> IndexFiles:
    return index_files(
        settings, environ=environ, secrets="/secret", find_links="/home/links", python="3.13", machine="x86_64"
    )


def pip_conf(files: IndexFiles) -> configparser.SectionProxy:
    parser = configparser.RawConfigParser()
    parser.read_string(files.secret_files["pip.conf"].decode())
    return parser["global"]


def with_password(*urls: str, proxy: str | None = None) -> IndexSettings:
    known = {"index.test": Credentials(username="me", password=PASSWORD)}
    return IndexSettings(urls=urls, known_credentials=known, proxy=proxy)


def test_the_last_index_is_pips_own_and_the_others_are_extra() -> None:
    said = pip_conf(files_for(IndexSettings(urls=("https://a.test/simple", "https://b.test/simple"))))
    assert said["index-url"] == "https://b.test/simple"
    assert said["extra-index-url"].split() == ["https://a.test/simple"]


def test_what_the_places_own_settings_say_is_overridden_even_where_ours_are_empty() -> None:
    said = pip_conf(files_for(IndexSettings(urls=("https://a.test/simple",))))
    assert {"extra-index-url", "find-links", "cert", "proxy", "no-index"} <= set(said)


def test_no_index_is_told() -> None:
    said = pip_conf(files_for(IndexSettings(urls=(), no_index=True)))
    assert said["no-index"] == "true"


def test_passwords_stand_quoted_in_the_secret_file_and_are_known_for_redaction() -> None:
    files = files_for(with_password("https://index.test/simple"))
    assert pip_conf(files)["index-url"] == "https://me:p%40ss%2Fword@index.test/simple"
    assert {PASSWORD, "p%40ss%2Fword"} <= set(files.passwords)
    assert PASSWORD not in repr(files)
    assert "p%40ss" not in repr(files)


def test_variables_name_files_and_hold_no_password_of_an_index() -> None:
    files = files_for(with_password("https://index.test/simple"))
    assert files.environment == {"PIP_CONFIG_FILE": "/secret/pip.conf"}


def test_a_proxy_is_told_to_pip_and_to_everything_else() -> None:
    files = files_for(with_password(proxy="http://proxy.test:3128"))
    assert pip_conf(files)["proxy"] == "http://proxy.test:3128"
    assert files.environment["HTTPS_PROXY"] == files.environment["http_proxy"] == "http://proxy.test:3128"


def test_the_proxies_of_this_machine_hold_in_the_place_unless_the_settings_name_another() -> None:
    here = {"HTTPS_PROXY": "http://here.test:1", "NO_PROXY": "intern.test", "HOME": "/home/me"}
    assert files_for(with_password(), **here).environment == {
        "HTTPS_PROXY": "http://here.test:1",
        "NO_PROXY": "intern.test",
        "PIP_CONFIG_FILE": "/secret/pip.conf",
    }
    named = files_for(with_password(proxy="http://proxy.test:3128"), **here).environment
    assert named["HTTPS_PROXY"] == "http://proxy.test:3128"


def test_certificates_are_carried_and_named_to_whoever_asks(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes(b"CERTIFICATE")
    files = files_for(IndexSettings(urls=(), ca_bundle=bundle))
    assert files.secret_files[".ca.pem"] == b"CERTIFICATE"
    assert files.environment["SSL_CERT_FILE"] == files.environment["PIP_CERT"] == "/secret/.ca.pem"


def test_a_folder_of_certificates_becomes_one_bundle(tmp_path: Path) -> None:
    for name in ("a.pem", "b.crt", "README"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    files = files_for(IndexSettings(urls=(), ca_bundle=tmp_path))
    assert files.secret_files[".ca.pem"] == b"a.pem\nb.crt"


def test_certificates_that_are_not_there_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(CertificatesUnreadable, match="no such file"):
        files_for(IndexSettings(urls=(), ca_bundle=tmp_path / "none.pem"))


def test_an_index_on_this_disk_that_comes_last_is_left_out_and_told() -> None:
    files = files_for(IndexSettings(urls=("https://a.test/simple", "file:///srv/simple")))
    assert files.left_out == ("file:///srv/simple",)
    assert "srv" not in files.secret_files["pip.conf"].decode()


@pytest.mark.parametrize("urls", [("file:///srv/simple", "https://a.test/simple"), ("file:///srv/simple",)])
def test_an_index_on_this_disk_that_shields_its_names_cannot_be_left_out(urls: tuple[str, ...]) -> None:
    with pytest.raises(LocalIndexNotThere, match="file:///srv/simple"):
        files_for(IndexSettings(urls=urls))


def test_a_folder_of_files_is_carried_without_wheels_for_others(tmp_path: Path) -> None:
    names = (
        "pure-1.0-py3-none-any.whl",
        "mine-1.0-cp313-cp313-manylinux_2_17_x86_64.whl",
        "stable-1.0-cp39-abi3-manylinux_2_17_x86_64.whl",
        "source-1.0.tar.gz",
    )
    others = (
        "old-1.0-cp311-cp311-manylinux_2_17_x86_64.whl",
        "arm-1.0-cp313-cp313-manylinux_2_17_aarch64.whl",
        "a.txt",
    )
    for name in (*names, *others):
        (tmp_path / name).touch()
    files = files_for(IndexSettings(urls=(), find_links=(str(tmp_path), tmp_path.as_uri())))
    assert {path.name for path in files.links} == set(names)
    assert pip_conf(files)["find-links"].split() == ["/home/links"]


def test_a_page_of_links_elsewhere_keeps_its_address() -> None:
    files = files_for(IndexSettings(urls=(), find_links=("https://index.test/links.html",)))
    assert pip_conf(files)["find-links"].split() == ["https://index.test/links.html"]
    assert files.links == ()
