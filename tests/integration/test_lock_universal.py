"""One lock, one layer for every runtime: the real uv, an index on this machine, PyPI and other interpreters."""

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from layerkit.errors import ResolutionError
from layerkit.index import IndexSettings, IndexSource, resolve
from layerkit.lock.failures import BundledConflictError, PythonVersionError
from layerkit.lock.inputs import LockRequest
from layerkit.lock.obtain import LockMode, is_current, lock_file_name, obtain
from layerkit.lock.universal import MixedVersionsError, NotPureError
from layerkit.model.lock import Lock
from layerkit.model.target import parse_target
from layerkit.model.universal import UniversalTarget
from tests.interpreters import find_python
from tests.servers import SimpleIndex

ALL = tuple(f"python3.{minor}" for minor in range(9, 15))
pypi = pytest.mark.network


@pytest.fixture(autouse=True)
def isolated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither this machine's settings nor its proxies; uv's cache is kept for PyPI's sake."""
    for name in os.environ:
        if name.startswith(("PIP_", "UV_", "LAYERKIT_")) and name != "UV_CACHE_DIR":
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.chdir(tmp_path)


def universal(*runtimes: str) -> UniversalTarget:
    return UniversalTarget.of(
        parse_target(f"{runtime}-{architecture}") for runtime in runtimes for architecture in ("x86_64", "arm64")
    )


def wheel(folder: Path, name: str, version: str, *, tags: str = "py3-none-any", **metadata: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    info = f"{name}-{version}.dist-info"
    lines = "".join(f"{key.replace('_', '-')}: {value}\n" for key, value in metadata.items())
    with zipfile.ZipFile(folder / f"{name}-{version}-{tags}.whl", "w") as archive:
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{lines}")
        archive.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: {tags}\n")
        archive.writestr(f"{info}/RECORD", "")


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    return tmp_path / "shelf"


@pytest.fixture
def index(shelf: Path) -> Iterator[SimpleIndex]:
    shelf.mkdir()
    with SimpleIndex(shelf) as running:
        yield running


def settings_of(tmp_path: Path, *sources: IndexSource) -> IndexSettings:
    environ = {"HOME": str(tmp_path / "nobody"), "PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1"}
    return resolve(project=sources, environ=environ, folder=tmp_path)


@pytest.fixture
def local(tmp_path: Path, index: SimpleIndex) -> IndexSettings:
    return settings_of(tmp_path, IndexSource(index_url=index.url))


def lock(
    tmp_path: Path,
    settings: IndexSettings,
    *requirements: str,
    runtimes: tuple[str, ...] = ALL,
    mode: LockMode | None = None,
    exclusions: tuple[str, ...] = (),
) -> Lock:
    target = universal(*runtimes)
    request = LockRequest(requirements=requirements, exclusions=exclusions)
    return obtain(request, target, path=tmp_path / lock_file_name("app", target), settings=settings, mode=mode)


def pins(found: Lock) -> dict[str, str]:
    return {package.name: package.version for package in found.packages}


def test_the_version_that_suits_the_oldest_python_is_the_version_for_all(
    tmp_path: Path, shelf: Path, local: IndexSettings
) -> None:
    wheel(shelf, "a", "1.0", Requires_Python=">=3.8")
    wheel(shelf, "a", "2.0", Requires_Python=">=3.12")
    assert pins(lock(tmp_path, local, "a", runtimes=("python3.11", "python3.13"))) == {"a": "1.0"}
    newer = lock(tmp_path, local, "a", runtimes=("python3.12", "python3.13"), mode=LockMode(upgrade=True))
    assert pins(newer) == {"a": "2.0"}


def test_a_version_that_the_oldest_python_cannot_have_is_refused(
    tmp_path: Path, shelf: Path, local: IndexSettings
) -> None:
    wheel(shelf, "a", "2.0", Requires_Python=">=3.12")
    with pytest.raises(PythonVersionError, match=r"Python>=3\.12, which a universal layer from python3\.9 is not"):
        lock(tmp_path, local, "a==2.0")


def test_a_current_lock_asks_no_index_and_other_runtimes_make_it_stale(
    tmp_path: Path, shelf: Path, index: SimpleIndex, local: IndexSettings
) -> None:
    wheel(shelf, "a", "1.0")
    first = lock(tmp_path, local, "a")
    asked = len(index.requests)
    assert lock(tmp_path, local, "a", mode=LockMode(locked=True)) == first
    assert len(index.requests) == asked
    path = tmp_path / "pylock.app-universal.toml"
    request = LockRequest(requirements=("a",))
    assert is_current(request, universal(*ALL), path=path, settings=local)
    assert not is_current(request, universal(*ALL[1:]), path=path, settings=local)


def test_versions_are_kept_until_an_upgrade(tmp_path: Path, shelf: Path, local: IndexSettings) -> None:
    wheel(shelf, "a", "1.0")
    wheel(shelf, "b", "1.0")
    lock(tmp_path, local, "a")
    wheel(shelf, "a", "2.0")
    assert pins(lock(tmp_path, local, "a", "b")) == {"a": "1.0", "b": "1.0"}
    assert pins(lock(tmp_path, local, "a", "b", mode=LockMode(upgrade=True))) == {"a": "2.0", "b": "1.0"}


def test_requirements_that_want_a_version_for_each_python_are_refused(
    tmp_path: Path, shelf: Path, local: IndexSettings
) -> None:
    wheel(shelf, "a", "1.0")
    wheel(shelf, "a", "2.0")
    with pytest.raises(MixedVersionsError, match="one version of each distribution"):
        lock(tmp_path, local, "a<2; python_version < '3.12'", "a>=2; python_version >= '3.12'")
    assert not list(tmp_path.glob("pylock*"))


def test_what_stays_gets_on_with_what_every_runtime_bundles(tmp_path: Path, shelf: Path, local: IndexSettings) -> None:
    for version in ("1.40.4", "1.42.97", "2.0"):  # what 3.13 bundles, what 3.12 bundles, the newest
        wheel(shelf, "boto3", version)
    wheel(shelf, "app", "1.0", Requires_Dist="boto3<1.42")
    wheel(shelf, "tool", "1.0", Requires_Dist="boto3>=1.40")
    wheel(shelf, "tool", "2.0", Requires_Dist="boto3>=1.42")
    two = ("python3.12", "python3.13")
    assert pins(lock(tmp_path, local, "tool", runtimes=two, exclusions=("boto3",))) == {"tool": "1.0"}
    with pytest.raises(BundledConflictError, match=r"boto3 1\.42\.97 \(Python 3\.12\)"):
        lock(tmp_path, local, "app", runtimes=two, exclusions=("boto3",))


@pypi
def test_requests_serves_six_pythons_with_pure_wheels_only(tmp_path: Path) -> None:
    found = lock(tmp_path, settings_of(tmp_path), "requests")
    assert {"requests", "charset-normalizer", "urllib3", "certifi", "idna"} == {*pins(found)}
    assert all(package.file.name.endswith("-none-any.whl") for package in found.packages)
    assert found.target == "universal"


@pypi
def test_what_one_python_needs_is_there_for_all_and_what_windows_needs_is_not(tmp_path: Path) -> None:
    limited = {"importlib-metadata": "python_version < '3.10'", "tomli": "python_version < '3.11'"}
    limited["colorama"] = "os_name == 'nt'"
    wanted = [f"{name}; {marker}" for name, marker in limited.items()]
    assert {*pins(lock(tmp_path, settings_of(tmp_path), *wanted))} == {"importlib-metadata", "tomli", "zipp"}
    newer = lock(tmp_path, settings_of(tmp_path), *wanted, "idna", runtimes=("python3.12", "python3.13"))
    assert {*pins(newer)} == {"idna"}


@pypi
def test_what_is_native_is_refused_by_name_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(ResolutionError) as caught:
        lock(tmp_path, settings_of(tmp_path), "pandas", "requests")
    assert isinstance(caught.value, NotPureError)
    assert caught.value.message == "`numpy`, `pandas` prevent a universal layer: no pure wheel"
    assert "a layer for each runtime" in (caught.value.hint or "")


def build(folder: Path, *arguments: str) -> Path:
    """Run the program in a folder with an empty cache of its own; return the layer's path."""
    folder.mkdir()
    command = [sys.executable, "-m", "layerkit", "build", *arguments, "--cache-dir", str(folder / "cache"), "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return folder / str(json.loads(done.stdout)["layers"][0]["path"])


@pypi
@pytest.mark.interpreter
def test_a_layer_is_the_same_twice_and_imports_under_the_oldest_and_a_new_python(tmp_path: Path) -> None:
    runtimes = [word for runtime in ALL for word in ("--runtime", runtime)]
    one, two = (build(tmp_path / name, "requests", "--universal", *runtimes) for name in ("one", "two"))
    assert (one.name, one.parent.name) == ("requests.zip", "dist")
    assert hashlib.sha256(one.read_bytes()).hexdigest() == hashlib.sha256(two.read_bytes()).hexdigest()
    manifest = json.loads(one.with_name("requests.layer.json").read_text(encoding="utf-8"))
    assert json.dumps(["x86_64", "arm64"]) in json.dumps(manifest)
    with zipfile.ZipFile(one) as layer:
        assert not [name for name in layer.namelist() if layer.read(name).startswith(b"\x7fELF") or name[-4:] == ".pyc"]
        assert layer.read("bin/normalizer").startswith(b"#!/var/lang/bin/python3\n")
        layer.extractall(tmp_path / "opt")
    for version in ("3.9", "3.13"):
        python = find_python(version)
        if python is None:
            pytest.skip(f"no Python {version} here")
        program = "import requests; print(requests.__file__)"
        environment = {"PYTHONPATH": str(tmp_path / "opt" / "python"), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run([python, "-c", program], env=environment, capture_output=True, text=True, check=True)
        assert done.stdout.startswith(str(tmp_path / "opt"))


def test_a_universal_layer_of_files_needs_neither_python_nor_index(tmp_path: Path) -> None:
    (tmp_path / "bootstrap").write_text("#!/bin/sh\n", encoding="utf-8")
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(
        '[layer]\nname = "boot"\nruntimes = ["provided.al2023"]\narchitectures = ["x86_64", "arm64"]\n'
        '[build]\nuniversal = true\n[[files]]\nsource = "bootstrap"\ntarget = "bootstrap"\nexecutable = true\n',
        encoding="utf-8",
    )
    layer = build(tmp_path / "work", str(recipe))
    assert layer.name == "boot.zip"
    assert zipfile.ZipFile(layer).namelist() == ["bootstrap"]


def test_the_pipeline_loads_no_resolver_and_no_network_before_it_needs_them() -> None:
    heavy = (
        "layerkit.lock.resolve",
        "layerkit.lock.foreign",
        "layerkit.lock.requirements",
        "layerkit.lock.selection",
        "layerkit.lock.uv",
        "layerkit.sandbox.process",
        "urllib.request",
        "http.client",
        "ssl",
        "tempfile",
        "packaging",
        "email",
    )
    program = f"import sys, layerkit.build; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
