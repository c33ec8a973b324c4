"""What the real uv makes of the environment that index settings give it."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from layerkit.index import IndexSettings, IndexSource, resolve
from tests.servers import SimpleIndex

UV = Path(sys.executable).with_name("uv")


def bare_wheel(folder: Path, name: str, version: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{name}.py", f"version = {version!r}\n")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture
def private(tmp_path: Path) -> Iterator[SimpleIndex]:
    bare_wheel(tmp_path / "private", "thing", "1.0")
    with SimpleIndex(tmp_path / "private", credentials=("me", "p@ss/wörd,1")) as index:
        yield index


@pytest.fixture
def public(tmp_path: Path) -> Iterator[SimpleIndex]:
    bare_wheel(tmp_path / "public", "thing", "9.0")
    with SimpleIndex(tmp_path / "public", html_only=True) as index:
        yield index


def settings_of(tmp_path: Path, *sources: IndexSource, **environ: str) -> IndexSettings:
    nobody = {"HOME": str(tmp_path / "home"), "PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1"}
    return resolve(project=sources, environ=nobody | environ, folder=tmp_path)


def compiled(
    settings: IndexSettings, tmp_path: Path, requirement: str = "thing", *, as_others_call_it: bool = False
) -> subprocess.CompletedProcess[str]:
    base = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    misleading = {"UV_INDEX": "http://127.0.0.1:9/simple", "UV_FIND_LINKS": str(tmp_path / "nowhere")}
    environment = settings.environment_for_uv(base | misleading | {"UV_CACHE_DIR": str(tmp_path / "uv-cache")})
    command = [str(UV), "pip", "compile", "-", "--no-header", "--no-annotate", "--no-python-downloads"]
    command += [] if as_others_call_it else ["--no-config", *settings.arguments_for_uv]
    return subprocess.run(
        command,
        cwd=tmp_path,
        input=requirement,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_extra_index_goes_before_the_index_url(private: SimpleIndex, public: SimpleIndex, tmp_path: Path) -> None:
    """The older version wins because its index comes first; its password arrives although it has special characters."""
    source = IndexSource(index_url=public.url, extra_index_urls=(private.url_with_credentials,))
    done = compiled(settings_of(tmp_path, source), tmp_path)
    assert done.stdout == "thing==1.0\n", done.stderr
    assert not [request for request in public.requests if "thing" in request.path]


def test_extra_indexes_are_asked_in_their_order(private: SimpleIndex, public: SimpleIndex, tmp_path: Path) -> None:
    urls = (public.url, private.url_with_credentials)
    settings = settings_of(tmp_path, IndexSource(extra_index_urls=urls, index_url="http://127.0.0.1:9/simple"))
    assert compiled(settings, tmp_path).stdout == "thing==9.0\n"
    settings = settings_of(tmp_path, IndexSource(extra_index_urls=urls[::-1], index_url="http://127.0.0.1:9/simple"))
    assert compiled(settings, tmp_path).stdout == "thing==1.0\n"


def test_the_best_match_of_all_indexes_is_taken_on_demand(
    private: SimpleIndex, public: SimpleIndex, tmp_path: Path
) -> None:
    source = IndexSource(extra_index_urls=(private.url_with_credentials,), index_url=public.url)
    settings = settings_of(tmp_path, source, UV_INDEX_STRATEGY="unsafe-best-match")
    assert compiled(settings, tmp_path).stdout == "thing==9.0\n"


def test_without_credentials_the_index_is_refused(private: SimpleIndex, tmp_path: Path) -> None:
    done = compiled(settings_of(tmp_path, IndexSource(index_url=private.url)), tmp_path)
    assert done.returncode != 0
    assert "401" in done.stderr


def test_netrc_serves_uv_too(private: SimpleIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text('machine 127.0.0.1 login me password "p@ss/wörd,1"\n', encoding="utf-8")
    monkeypatch.setenv("NETRC", str(netrc))
    settings = settings_of(tmp_path, IndexSource(index_url=private.url), NETRC=str(netrc))
    assert compiled(settings, tmp_path).stdout == "thing==1.0\n"


def test_without_an_index_only_find_links_serve(public: SimpleIndex, tmp_path: Path) -> None:
    """Paths with a comma, which separates paths in uv's variable, work as well."""
    bare_wheel(tmp_path / "wheels, local", "thing", "2.0")
    links = (str(tmp_path / "wheels, local"), str(tmp_path / "public"))
    settings = settings_of(tmp_path, IndexSource(no_index=True, find_links=links[:1]))
    assert compiled(settings, tmp_path).stdout == "thing==2.0\n"
    settings = settings_of(tmp_path, IndexSource(no_index=True, find_links=links))
    assert compiled(settings, tmp_path).stdout == "thing==9.0\n"
    assert public.requests == []


def test_the_environment_alone_is_enough(public: SimpleIndex, tmp_path: Path) -> None:
    """A build frontend that calls uv by itself adds no arguments; settings files stay out of it as well."""
    bare_wheel(tmp_path / "wheels", "thing", "2.0")
    (tmp_path / "uv.toml").write_text(f'index-url = "{public.url}"\n', encoding="utf-8")
    settings = settings_of(tmp_path, IndexSource(no_index=True, find_links=(str(tmp_path / "wheels"),)))
    assert compiled(settings, tmp_path, as_others_call_it=True).stdout == "thing==2.0\n"
    assert compiled(settings, tmp_path, "missing", as_others_call_it=True).returncode != 0
    assert public.requests == []


def test_what_uv_prints_about_an_index_can_be_redacted(private: SimpleIndex, tmp_path: Path) -> None:
    settings = settings_of(tmp_path, IndexSource(index_url=private.url_with_credentials))
    done = compiled(settings, tmp_path, requirement="missing")
    assert done.returncode != 0
    assert "p@ss" not in settings.redact(done.stderr + "p@ss/wörd,1 p%40ss%2Fw%C3%B6rd%2C1")
