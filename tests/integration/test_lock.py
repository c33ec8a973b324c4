"""Locks made by the real uv: from an index on this machine, and (marker ``network``) from PyPI."""

import hashlib
import io
import os
import shutil
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from packaging.version import Version

from layerkit.errors import LayerkitError
from layerkit.index import IndexSettings, IndexSource, resolve
from layerkit.lock.failures import (
    BundledConflictError,
    ConflictError,
    ExportError,
    HashMismatchError,
    IndexCertificateError,
    IndexDownError,
    IndexRefusedError,
    NoSuchVersionError,
    NoWheelError,
    UnknownDistributionError,
)
from layerkit.lock.inputs import LockRequest
from layerkit.lock.obtain import LockMode, is_current, lock_file_name, obtain
from layerkit.lock.requirements import read_requirements
from layerkit.lock.selection import Selection
from layerkit.lock.sources import read_source, use_lock
from layerkit.model.lock import Lock
from layerkit.model.target import PythonTarget, parse_target
from layerkit.sandbox.process import run
from layerkit.sandbox.uv import find_uv
from tests.servers import SimpleIndex, unused_port


@pytest.fixture(autouse=True)
def isolated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither this machine's settings nor its proxies; uv's cache is kept for PyPI's sake."""
    for name in os.environ:
        if name.startswith(("PIP_", "UV_")) and name != "UV_CACHE_DIR":
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.chdir(tmp_path)


def target_of(text: str) -> PythonTarget:
    target = parse_target(text)
    assert isinstance(target, PythonTarget)
    return target


def settings_of(tmp_path: Path, *sources: IndexSource) -> IndexSettings:
    environ = {"HOME": str(tmp_path / "nobody"), "PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1"}
    return resolve(project=sources, environ=environ, folder=tmp_path)


def wheel(folder: Path, name: str, version: str, *, needs: tuple[str, ...] = (), tags: str = "py3-none-any") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name.replace('-', '_')}-{version}-{tags}.whl"
    info = f"{name.replace('-', '_')}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n" + "".join(
        f"Requires-Dist: {n}\n" for n in needs
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{info}/METADATA", metadata)
        archive.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: {tags}\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


def sdist(folder: Path, name: str, version: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}.tar.gz"
    project = f'[project]\nname = "{name}"\nversion = "{version}"\n'
    metadata = f"Metadata-Version: 2.2\nName: {name}\nVersion: {version}\n"
    with tarfile.open(path, "w:gz") as archive:
        for file, text in (("pyproject.toml", project), ("PKG-INFO", metadata)):
            member = tarfile.TarInfo(f"{name}-{version}/{file}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return path


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    folder = tmp_path / "shelf"
    wheel(folder, "app", "1.0", needs=("dep>=1", "sdk"))
    wheel(folder, "dep", "1.0")
    wheel(folder, "dep", "2.0")
    wheel(folder, "sdk", "1.0", needs=("dep<2", "only-sdk"))
    wheel(folder, "only-sdk", "1.0")
    return folder


@pytest.fixture
def index(shelf: Path) -> Iterator[SimpleIndex]:
    with SimpleIndex(shelf, credentials=("me", "s3cr:et")) as running:
        yield running


@pytest.fixture
def private(index: SimpleIndex, tmp_path: Path) -> IndexSettings:
    return settings_of(tmp_path, IndexSource(index_url=index.url_with_credentials))


def lock_path(tmp_path: Path, target: str = "python3.12-x86_64") -> Path:
    return tmp_path / "locks" / lock_file_name("app", target_of(target))


def lock(
    tmp_path: Path,
    settings: IndexSettings,
    *requirements: str,
    target: str = "python3.12-x86_64",
    mode: LockMode | None = None,
    **fields: object,
) -> Lock:
    request = LockRequest(requirements=requirements, **fields)  # type: ignore[arg-type]
    return obtain(request, target_of(target), path=lock_path(tmp_path, target), settings=settings, mode=mode)


def pins(found: Lock) -> dict[str, str]:
    return {package.name: package.version for package in found.packages}


def test_a_lock_from_a_private_index_holds_urls_sizes_and_hashes_but_no_password(
    tmp_path: Path, private: IndexSettings, index: SimpleIndex, shelf: Path
) -> None:
    found = lock(tmp_path, private, "dep")
    (package,) = found.packages
    content = (shelf / "dep-2.0-py3-none-any.whl").read_bytes()
    assert (package.file.url, package.file.size) == (index.file_url("dep-2.0-py3-none-any.whl"), len(content))
    assert package.file.sha256 == hashlib.sha256(content).hexdigest()
    assert "s3cr" not in lock_path(tmp_path).read_text(encoding="utf-8")


def test_a_current_lock_asks_no_index(tmp_path: Path, private: IndexSettings, index: SimpleIndex) -> None:
    first = lock(tmp_path, private, "app")
    asked = len(index.requests)
    assert lock(tmp_path, private, "app") == first
    assert len(index.requests) == asked
    assert is_current(
        LockRequest(requirements=("app",)), target_of("python3.12-x86_64"), path=lock_path(tmp_path), settings=private
    )


def test_a_current_lock_is_used_without_loading_a_resolver(tmp_path: Path, private: IndexSettings) -> None:
    lock(tmp_path, private, "app")
    program = f"""
import sys
from pathlib import Path
from layerkit.index import IndexSettings
from layerkit.lock.inputs import LockRequest
from layerkit.lock.obtain import obtain
from layerkit.model.target import parse_target
settings = IndexSettings(urls=(), project={dict(private.project)!r})
request = LockRequest(requirements=("app",))
obtain(request, parse_target("python3.12-x86_64"), path=Path({str(lock_path(tmp_path))!r}), settings=settings)
print(*sorted({{name.split(".")[0] for name in sys.modules}} & {{"packaging", "uv", "requests", "subprocess"}}))
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = run([sys.executable, "-c", program], environment=environment)
    assert (done.stdout.strip(), done.stderr) == ("", "")


def test_versions_stay_when_requirements_change_and_move_when_upgraded(tmp_path: Path, private: IndexSettings) -> None:
    lock(tmp_path, private, "dep<2")
    assert pins(lock(tmp_path, private, "dep", "only-sdk")) == {"dep": "1.0", "only-sdk": "1.0"}
    assert pins(lock(tmp_path, private, "dep", mode=LockMode(upgrade_packages=("only-sdk",))))["dep"] == "1.0"
    assert pins(lock(tmp_path, private, "dep", mode=LockMode(upgrade_packages=("dep",))))["dep"] == "2.0"


def test_an_upgrade_moves_everything(tmp_path: Path, private: IndexSettings) -> None:
    lock(tmp_path, private, "dep<2")
    assert pins(lock(tmp_path, private, "dep", mode=LockMode(upgrade=True))) == {"dep": "2.0"}


def test_an_exclusion_takes_along_what_only_it_needed_and_keeps_what_it_limits(
    tmp_path: Path, private: IndexSettings
) -> None:
    assert pins(lock(tmp_path, private, "app", exclusions=("SDK",))) == {"app": "1.0", "dep": "1.0"}


def test_a_password_in_a_requirement_reaches_the_server_and_not_the_lock(
    tmp_path: Path, index: SimpleIndex, private: IndexSettings
) -> None:
    url = index.file_url("dep-1.0-py3-none-any.whl")
    found = lock(tmp_path, settings_of(tmp_path), f"dep @ {url.replace('://', '://me:s3cr%3Aet@')}")
    assert found.packages[0].file.url == url
    assert "s3cr" not in lock_path(tmp_path).read_text(encoding="utf-8")
    assert private.urls == (index.url,)


def test_a_hash_in_a_url_is_enforced(tmp_path: Path, shelf: Path) -> None:
    with pytest.raises(HashMismatchError):
        lock(
            tmp_path, settings_of(tmp_path), f"dep @ {(shelf / 'dep-1.0-py3-none-any.whl').as_uri()}#sha256={'0' * 64}"
        )


def test_files_from_a_folder_are_recorded_relative_to_the_lock(tmp_path: Path, shelf: Path) -> None:
    settings = settings_of(tmp_path, IndexSource(find_links=(str(shelf),), no_index=True))
    (package,) = lock(tmp_path, settings, "dep").packages
    assert (package.file.url, package.file.path) == (None, "../shelf/dep-2.0-py3-none-any.whl")
    assert package.file.size == (shelf / "dep-2.0-py3-none-any.whl").stat().st_size


def test_versions_from_a_folder_stay_as_well(tmp_path: Path, shelf: Path) -> None:
    settings = settings_of(tmp_path, IndexSource(find_links=(str(shelf),), no_index=True))
    lock(tmp_path, settings, "dep<2")
    assert pins(lock(tmp_path, settings, "dep", "only-sdk"))["dep"] == "1.0"


def test_several_targets_are_locked_at_once(tmp_path: Path, private: IndexSettings) -> None:
    targets = [f"python3.{minor}-{architecture}" for minor in (11, 12, 13) for architecture in ("x86_64", "arm64")]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda target: lock(tmp_path, private, "app", target=target), targets))
    assert [each.target for each in found] == targets
    assert len(list((tmp_path / "locks").iterdir())) == len(targets)


def test_a_poetry_lock_is_read_through_its_export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    poetry = tmp_path / "bin" / "poetry"
    poetry.parent.mkdir()
    digest = "0" * 64
    poetry.write_text(
        f"""#!/bin/sh
for last; do :; done
printf 'dep==1.0 ; python_version >= "3.11" --hash=sha256:{digest}\\n' > "$last"
""",
        encoding="utf-8",
    )
    poetry.chmod(0o755)
    monkeypatch.setenv("PATH", f"{poetry.parent}{os.pathsep}{os.environ['PATH']}")
    (tmp_path / "poetry.lock").write_text("", encoding="utf-8")
    found = read_source(tmp_path / "poetry.lock", environ=os.environ)
    assert found.requirements == ('dep==1.0 ; python_version >= "3.11"',)
    assert found.hashes == {"dep==1.0": (f"sha256:{digest}",)}


def test_a_poetry_without_its_export_plugin_is_told_with_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    poetry = tmp_path / "bin" / "poetry"
    poetry.parent.mkdir()
    poetry.write_text("#!/bin/sh\necho 'The command \"export\" does not exist.' >&2; exit 1\n", encoding="utf-8")
    poetry.chmod(0o755)
    monkeypatch.setenv("PATH", f"{poetry.parent}{os.pathsep}{os.environ['PATH']}")
    (tmp_path / "poetry.lock").write_text("", encoding="utf-8")
    with pytest.raises(ExportError, match="poetry export") as caught:
        read_source(tmp_path / "poetry.lock", environ=os.environ)
    assert "poetry-plugin-export" in (caught.value.hint or "")


def test_only_what_has_no_wheel_becomes_an_sdist(tmp_path: Path, private: IndexSettings, shelf: Path) -> None:
    sdist(shelf, "plain", "1.0")
    sdist(shelf, "dep", "3.0")
    found = lock(tmp_path, private, "plain", "dep")
    assert [package.file.name for package in found.packages] == ["dep-2.0-py3-none-any.whl", "plain-1.0.tar.gz"]
    with pytest.raises(NoWheelError, match=r"`plain==1\.0`"):
        lock(tmp_path, private, "plain", no_build=True)


def test_a_version_without_a_wheel_names_the_targets_that_have_one(
    tmp_path: Path, private: IndexSettings, shelf: Path
) -> None:
    wheel(shelf, "native", "1.0", tags="cp39-cp39-manylinux2014_aarch64")
    sdist(shelf, "native", "1.0")
    with pytest.raises(NoWheelError) as caught:
        lock(tmp_path, private, "native")
    assert caught.value.details == ("wheels exist for python3.9-arm64",)


def test_the_newest_version_that_has_a_wheel_wins_over_a_newer_sdist(
    tmp_path: Path, private: IndexSettings, shelf: Path
) -> None:
    wheel(shelf, "native", "1.0", tags="cp312-cp312-manylinux2014_x86_64")
    sdist(shelf, "native", "2.0")
    assert pins(lock(tmp_path, private, "native")) == {"native": "1.0"}
    assert pins(lock(tmp_path, private, "native", no_binary=("native",))) == {"native": "2.0"}


def test_hashes_from_a_requirements_file_choose_the_file(tmp_path: Path, private: IndexSettings, shelf: Path) -> None:
    wheel(shelf, "native", "1.0", tags="cp312-cp312-manylinux2014_x86_64")
    pure = wheel(shelf, "native", "1.0")
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(
        f"native==1.0 --hash=sha256:{hashlib.sha256(pure.read_bytes()).hexdigest()}\n", encoding="utf-8"
    )
    read = read_requirements(requirements, environ={})
    (package,) = lock(tmp_path, private, *read.requirements, hashes=read.hashes).packages
    assert package.file.name == pure.name
    with pytest.raises(HashMismatchError):
        lock(tmp_path, private, "native==1.0", hashes={"native==1.0": (f"sha256:{'0' * 64}",)})


def test_a_wrong_password_is_told_without_showing_it(tmp_path: Path, index: SimpleIndex) -> None:
    wrong = index.url.replace("://", "://me:wr0ng@")
    with pytest.raises(IndexRefusedError) as caught:
        lock(tmp_path, settings_of(tmp_path, IndexSource(index_url=wrong)), "dep")
    assert caught.value.exit_code == 4
    assert "wr0ng" not in " ".join([caught.value.message, *caught.value.details])


def test_an_index_that_is_down_is_a_failure_to_fetch(tmp_path: Path) -> None:
    with unused_port() as port:
        settings = settings_of(tmp_path, IndexSource(index_url=f"http://127.0.0.1:{port}/simple"))
        with pytest.raises(IndexDownError, match="cannot be reached"):
            lock(tmp_path, settings, "dep")


def test_a_certificate_that_nobody_vouches_for_is_told_as_such(tmp_path: Path, shelf: Path) -> None:
    openssl = shutil.which("openssl")
    assert openssl, "needs openssl to make a certificate"
    pem = tmp_path / "certificate.pem"
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    assert run([*command, "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", pem, "-out", tmp_path / "c.pem"]).ok
    pem.write_text(pem.read_text() + (tmp_path / "c.pem").read_text(), encoding="ascii")
    with SimpleIndex(shelf, certificate=pem) as index, pytest.raises(IndexCertificateError, match="not trusted"):
        lock(tmp_path, settings_of(tmp_path, IndexSource(index_url=index.url)), "dep")


def test_a_slow_index_is_told_as_slow(tmp_path: Path, shelf: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_HTTP_TIMEOUT", "1")
    with SimpleIndex(shelf, delay=4) as index, pytest.raises(IndexDownError, match="too slow"):
        lock(tmp_path, settings_of(tmp_path, IndexSource(index_url=index.url)), "dep")


def test_a_failed_resolution_leaves_no_lock(tmp_path: Path, private: IndexSettings) -> None:
    with pytest.raises(ConflictError):
        lock(tmp_path, private, "dep>=2", "sdk")
    assert not lock_path(tmp_path).exists()


def test_offline_with_an_empty_cache_is_an_error(
    tmp_path: Path, private: IndexSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    with pytest.raises(LayerkitError, match="offline"):
        lock(tmp_path, private, "dep", mode=LockMode(offline=True))


def test_a_uv_lock_is_used_through_its_export(
    tmp_path: Path, shelf: Path, index: SimpleIndex, private: IndexSettings
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    table = '[project]\nname = "mine"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["app"]\n'
    (project / "pyproject.toml").write_text(table, encoding="utf-8")
    environment = private.environment_for_uv(dict(os.environ))
    assert run([find_uv(), "lock", "--no-config", "--project", project], environment=environment).ok
    found = use_lock(
        project / "uv.lock", target_of("python3.12-arm64"), settings=private, selection=Selection(exclusions=("sdk",))
    )
    assert pins(found) == {"app": "1.0", "dep": "1.0"}
    assert found.packages[0].file.url == index.file_url(next(shelf.glob("app-*")).name)


pypi = pytest.mark.network


@pypi
def test_pandas_and_pyarrow_for_amazon_linux_2_stay_below_its_glibc(tmp_path: Path) -> None:
    found = lock(tmp_path, settings_of(tmp_path), "pandas", "pyarrow", target="python3.11-x86_64")
    target = target_of("python3.11-x86_64")
    for package in found.packages:
        assert target.rank("-".join(package.file.name.removesuffix(".whl").split("-")[-3:])) is not None
    assert "manylinux2014" in next(each.file.name for each in found.packages if each.name == "numpy")


@pypi
@pytest.mark.parametrize(("target", "machine"), [("python3.12-x86_64", "x86_64"), ("python3.12-arm64", "aarch64")])
def test_pandas_and_pyarrow_come_for_the_architecture(tmp_path: Path, target: str, machine: str) -> None:
    found = lock(tmp_path, settings_of(tmp_path), "pandas", "pyarrow", target=target)
    native = [each.file.name for each in found.packages if not each.file.name.endswith("-none-any.whl")]
    assert len(native) >= 3
    assert all(name.endswith(f"_{machine}.whl") for name in native)


@pypi
def test_a_real_distribution_without_wheels_becomes_an_sdist(tmp_path: Path) -> None:
    (package,) = lock(tmp_path, settings_of(tmp_path), "docopt").packages
    assert package.file.name == "docopt-0.6.2.tar.gz"


@pypi
def test_what_stays_fits_the_sdk_that_the_runtime_bundles(tmp_path: Path) -> None:
    excluded = ("boto3", "botocore", "s3transfer", "jmespath")
    found = pins(lock(tmp_path, settings_of(tmp_path), "awswrangler", exclusions=excluded))
    assert not {*excluded} & {*found}
    assert Version(found["python-dateutil"]) < Version("3")


@pypi
def test_a_version_newer_than_what_the_runtime_bundles_cannot_be_excluded(tmp_path: Path) -> None:
    with pytest.raises(BundledConflictError, match="boto3"):
        lock(tmp_path, settings_of(tmp_path), "awswrangler", "boto3>=1.43", exclusions=("boto3",))


@pypi
@pytest.mark.parametrize(
    ("requirement", "kind", "part"),
    [
        ("layerkit-nonexistent-distribution", UnknownDistributionError, "on none of the indexes"),
        ("numpy==1.99.0", NoSuchVersionError, "`numpy==1.99.0`"),
        ("numpy==1.21.0", NoWheelError, "no wheel for python3.12-x86_64"),
    ],
)
def test_real_requirements_that_cannot_be_met_are_explained(
    tmp_path: Path, requirement: str, kind: type[LayerkitError], part: str
) -> None:
    with pytest.raises(kind, match=part) as caught:
        lock(tmp_path, settings_of(tmp_path), requirement)
    assert caught.value.exit_code == 3


@pypi
def test_a_real_version_without_a_wheel_names_the_pythons_that_have_one(tmp_path: Path) -> None:
    with pytest.raises(NoWheelError) as caught:
        lock(tmp_path, settings_of(tmp_path), "numpy==1.21.0")
    assert "python3.9-x86_64" in caught.value.details[0]
