"""Locks by the real pip-compile: on this machine with an index of the tests' own, in containers, and from PyPI."""

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from layerkit.cache import Cache
from layerkit.errors import LayerkitError
from layerkit.index import IndexSettings, IndexSource, resolve
from layerkit.lock.failures import (
    BundledConflictError,
    ConflictError,
    HashMismatchError,
    IndexRefusedError,
    MissingFileError,
    NoSuchVersionError,
    NoWheelError,
    PythonVersionError,
    UnknownDistributionError,
)
from layerkit.lock.in_place import DisagreementError
from layerkit.lock.inputs import RESOLVER_UV, LockRequest, resolver_in
from layerkit.lock.obtain import LockMode, obtain
from layerkit.lock.pip_explain import PipBuildError, UnreachableError
from layerkit.model.lock import Lock
from layerkit.model.target import PythonTarget, parse_target
from layerkit.sandbox.local import local_runner
from layerkit.sandbox.place import look_around
from layerkit.sandbox.workshop import Supplies, Workshop
from tests.engine import rig
from tests.fakes import bare_workshop
from tests.servers import SimpleIndex, unused_port
from tests.workbench import add_sdist, add_wheel

if TYPE_CHECKING:
    from layerkit.lock.pip_compile import OpenWorkshop
    from layerkit.lock.pip_compile import Workshop as AnyWorkshop

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
TARGET = f"python{PYTHON}-x86_64"
TAG = f"cp{PYTHON.replace('.', '')}"
BROKEN = "raise SystemExit('no compiler here')"


@pytest.fixture(autouse=True)
def isolated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of this machine's settings; pip's cache is the test's own, since ports are used again."""
    for name in os.environ:
        if name.startswith(("PIP_", "UV_")) and name != "UV_CACHE_DIR":
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_CACHE_DIR", str(tmp_path / "pip"))
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    folder = tmp_path / "shelf"
    add_wheel(folder, "app", needs=("dep>=1", "sdk"))
    add_wheel(folder, "dep", "1.0")
    add_wheel(folder, "dep", "2.0")
    add_wheel(folder, "sdk", needs=("dep<2", "only-sdk"))
    add_wheel(folder, "only-sdk", needs=("circle",))
    add_wheel(folder, "circle", needs=("only-sdk",))
    return folder


@pytest.fixture
def index(shelf: Path) -> Iterator[SimpleIndex]:
    with SimpleIndex(shelf, credentials=("me", "s3cr:et")) as running:
        yield running


class Locker:
    """Locks with an interpreter of this machine, one lock in one folder; the tools are this interpreter's own."""

    def __init__(self, folder: Path, url: str) -> None:
        self.path = folder / "pylock.toml"
        self.url = url
        self.opened = 0
        self.use(IndexSource(index_url=url))

    def use(self, *sources: IndexSource) -> None:
        folder = self.path.parent
        environ = {"HOME": str(folder / "nobody"), "PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1"}
        self.settings: IndexSettings = resolve(project=sources, environ=environ, folder=folder)

    @contextmanager
    def workshop(self) -> "Iterator[AnyWorkshop]":
        self.opened += 1
        with bare_workshop(self.settings) as workshop:
            yield workshop

    def lock(self, *requirements: str, target: str = TARGET, mode: LockMode | None = None, **more: object) -> Lock:
        parsed = parse_target(target)
        assert isinstance(parsed, PythonTarget)
        request = LockRequest(requirements=requirements, resolver=resolver_in("here"), **more)  # type: ignore[arg-type]
        opening: OpenWorkshop = self.workshop
        return obtain(request, parsed, path=self.path, settings=self.settings, mode=mode, open_workshop=opening)


@pytest.fixture
def locker(tmp_path: Path, index: SimpleIndex) -> Locker:
    return Locker(tmp_path, index.url_with_credentials)


def pins(lock: Lock) -> list[str]:
    return [f"{package.name}=={package.version}" for package in lock.packages]


def files(lock: Lock) -> list[str]:
    return [package.file.name for package in lock.packages]


def test_pips_pins_become_a_lock_with_addresses_and_without_passwords(locker: Locker, index: SimpleIndex) -> None:
    lock = locker.lock("app")
    assert pins(lock) == ["app==1.0", "circle==1.0", "dep==1.0", "only-sdk==1.0", "sdk==1.0"]
    assert lock.packages[0].file.url == index.file_url("app-1.0-py3-none-any.whl")
    assert lock.inputs["resolver"] == "pip-compile here"
    assert "s3cr" not in locker.path.read_text(encoding="utf-8")


def test_a_current_lock_opens_no_workshop(locker: Locker) -> None:
    first = locker.lock("dep")
    assert locker.lock("dep") == first
    assert locker.lock("dep", mode=LockMode(locked=True)) == first
    assert locker.opened == 1


def test_pins_of_the_earlier_lock_are_kept_unless_they_are_to_be_upgraded(locker: Locker, shelf: Path) -> None:
    locker.lock("dep", "circle")
    add_wheel(shelf, "dep", "3.0")
    add_wheel(shelf, "circle", "3.0")
    assert pins(locker.lock("dep", "circle", "sdk>0", constraints=("sdk<9",), exclusions=("sdk",)))[:2] == [
        "circle==1.0",
        "dep==1.0",
    ]
    assert pins(locker.lock("dep", "circle"))[:2] == ["circle==1.0", "dep==1.0"]
    one = locker.lock("dep", "circle", mode=LockMode(upgrade_packages=("Dep",)))
    assert pins(one)[:2] == ["circle==1.0", "dep==3.0"]
    assert pins(locker.lock("dep", "circle", mode=LockMode(upgrade=True)))[:2] == ["circle==3.0", "dep==3.0"]


def test_exclusions_take_along_what_only_they_needed_and_still_count_for_versions(locker: Locker) -> None:
    """``sdk`` wants ``dep<2``; what it needs besides goes, even where that goes in a circle."""
    assert pins(locker.lock("app", exclusions=("sdk",))) == ["app==1.0", "dep==1.0"]


def test_what_the_runtime_bundles_constrains_what_is_excluded(locker: Locker, shelf: Path) -> None:
    parsed = parse_target(TARGET)
    assert isinstance(parsed, PythonTarget)
    bundled = {each.name: each.version for each in parsed.runtime.bundled}["boto3"]
    add_wheel(shelf, "boto3", bundled, needs=("dep<2",))
    add_wheel(shelf, "boto3", "99.0")
    assert pins(locker.lock("boto3", "dep", exclusions=("boto3",))) == ["dep==1.0"]
    with pytest.raises(BundledConflictError, match="boto3"):
        locker.lock("boto3>=99", "dep", exclusions=("boto3",))


def test_a_wheel_beyond_the_targets_glibc_and_no_wheel_at_all_become_sdists(locker: Locker, shelf: Path) -> None:
    """What pip on this machine takes may not be what Lambda can load; finding its sdist builds nothing."""
    add_wheel(shelf, "fast", tags=f"{TAG}-{TAG}-manylinux_2_28_x86_64")
    add_wheel(shelf, "native", tags=f"{TAG}-{TAG}-win_amd64")
    for name, backend in (("fast", BROKEN), ("native", ""), ("source", "")):
        add_sdist(shelf, name, backend=backend)
    lock = locker.lock("fast", "native", "source")
    assert files(lock) == ["fast-1.0.tar.gz", "native-1.0.tar.gz", "source-1.0.tar.gz"]


def test_no_binary_takes_the_sdist_although_there_is_a_wheel(locker: Locker, shelf: Path) -> None:
    add_sdist(shelf, "dep", "2.0")
    assert files(locker.lock("dep", no_binary=("dep",))) == ["dep-2.0.tar.gz"]


def test_without_wheel_and_sdist_for_the_target_the_error_names_who_has_one(locker: Locker, shelf: Path) -> None:
    add_wheel(shelf, "fast", tags=f"{TAG}-{TAG}-manylinux_2_28_x86_64")
    with pytest.raises(NoWheelError, match=r"`fast==1\.0` has no wheel") as caught:
        locker.lock("fast")
    assert "no source distribution" in caught.value.details[1]
    assert "--no-binary" not in str(caught.value.hint)


def test_no_build_refuses_what_has_only_an_sdist(locker: Locker, shelf: Path) -> None:
    add_sdist(shelf, "source")
    with pytest.raises(NoWheelError) as caught:
        locker.lock("source", no_build=True)
    assert "--no-build" in str(caught.value.hint)


def test_direct_references_are_carried_along_with_the_hash_that_pip_saw(locker: Locker, tmp_path: Path) -> None:
    own = add_wheel(tmp_path / "own + more", "own", needs=("dep",))
    built = add_sdist(tmp_path / "own + more", "raw", "2.0")
    lock = locker.lock(f"own @ {own.as_uri()}", f"raw @ {built.as_uri()}")
    assert pins(lock) == ["dep==2.0", "own==1.0", "raw==2.0"]
    assert lock.packages[1].file.path == "own + more/own-1.0-py3-none-any.whl"
    assert lock.packages[2].file.path == "own + more/raw-2.0.tar.gz"
    with pytest.raises(MissingFileError):
        locker.lock(f"own @ {own.as_uri()}x")


def test_hashes_in_the_requirements_are_enforced(locker: Locker) -> None:
    good = locker.lock("dep").packages[0].file.sha256
    assert locker.lock("dep==2.0", hashes={"dep==2.0": (f"sha256:{good}",)}).packages[0].file.sha256 == good
    with pytest.raises(HashMismatchError):
        locker.lock("dep==2.0", hashes={"dep==2.0": ("sha256:" + "0" * 64,)})


def test_what_only_a_later_index_has_in_that_version_is_refused(locker: Locker, tmp_path: Path) -> None:
    """To pip all indexes are one; the lock takes a name from the first index that has it."""
    add_wheel(tmp_path / "other", "dep", "66.6")
    with SimpleIndex(tmp_path / "other") as other:
        locker.use(IndexSource(index_url=other.url, extra_index_urls=(locker.url,)))
        with pytest.raises(DisagreementError, match=r"dep==66\.6"):
            locker.lock("dep")


Failing = Callable[[Locker, Path], object]


def _broken(locker: Locker, shelf: Path) -> object:
    add_sdist(shelf, "broken", backend="")
    _spoil(shelf / "broken-1.0.tar.gz")
    return locker.lock("broken")


def _spoil(sdist: Path) -> None:
    import gzip

    content = gzip.decompress(sdist.read_bytes())
    sdist.write_bytes(gzip.compress(content.replace(b"import os, zipfile", b"raise OSError(12) ")))


def _needs_newer_python(locker: Locker, shelf: Path) -> object:
    wheel = add_wheel(shelf, "newer")
    _rewrite(wheel, b"Version: 1.0\n", b"Version: 1.0\nRequires-Python: >=3.99\n")
    return locker.lock("newer")


def _rewrite(wheel: Path, old: bytes, new: bytes) -> None:
    import zipfile

    with zipfile.ZipFile(wheel) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content.replace(old, new, 1) if name.endswith("METADATA") else content)


@pytest.mark.parametrize(
    ("attempt", "error", "said"),
    [
        (lambda locker, _: locker.lock("no-such-thing"), UnknownDistributionError, "no-such-thing"),
        (lambda locker, _: locker.lock("dep==7"), NoSuchVersionError, r"newest version for this target is 2\.0"),
        (lambda locker, _: locker.lock("sdk", "dep>=2"), ConflictError, "sdk-1.0 needs dep<2"),
        (_needs_newer_python, PythonVersionError, ">=3.99"),
        (_broken, PipBuildError, "OSError"),
    ],
)
def test_pips_refusals_are_told_in_layerkits_words(
    locker: Locker, shelf: Path, attempt: Failing, error: type[LayerkitError], said: str
) -> None:
    with pytest.raises(error) as caught:
        attempt(locker, shelf)
    text = "\n".join((caught.value.message, *caught.value.details, caught.value.hint or ""))
    assert re.search(said, text), text
    assert "Traceback" not in text
    assert not locker.path.exists()


def test_an_index_that_wants_other_credentials_is_not_taken_for_one_that_has_nothing(
    tmp_path: Path, index: SimpleIndex
) -> None:
    wrong = index.url_with_credentials.replace("s3cr%3Aet", "gu3ss3d")
    with pytest.raises(IndexRefusedError, match="401") as caught:
        Locker(tmp_path, wrong).lock("app")
    assert "gu3ss3d" not in str(caught.value.args) + str(caught.value.details)


def test_an_index_that_cannot_be_reached_is_not_taken_for_one_that_has_nothing(tmp_path: Path) -> None:
    with unused_port() as port, pytest.raises(UnreachableError, match=r"from this machine: http://127\.0\.0\.1"):
        Locker(tmp_path, f"http://127.0.0.1:{port}/simple").lock("app")


def test_offline_no_workshop_is_opened(locker: Locker) -> None:
    with pytest.raises(LayerkitError, match="offline"):
        locker.lock("app", mode=LockMode(offline=True))
    assert locker.opened == 0


def test_a_universal_layer_or_uv_never_opens_one(locker: Locker) -> None:
    def never() -> NoReturn:
        raise AssertionError

    parsed = parse_target(TARGET)
    assert isinstance(parsed, PythonTarget)
    lock = obtain(
        LockRequest(requirements=("dep",)), parsed, path=locker.path, settings=locker.settings, open_workshop=never
    )
    assert pins(lock) == ["dep==2.0"]


@contextmanager
def this_machine(settings: IndexSettings, cache: Cache) -> "Iterator[AnyWorkshop]":
    with local_runner() as runner:
        yield Workshop.set_up(runner, look_around(runner, PYTHON), Supplies(cache=cache, settings=settings))


@contextmanager
def trixie(settings: IndexSettings, cache: Cache) -> "Iterator[AnyWorkshop]":
    with rig.connect() as engine, engine.container(rig.TRIXIE) as box:
        yield Workshop.set_up(box, look_around(box, "3.13"), Supplies(cache=cache, settings=settings))


@pytest.mark.network
def test_locks_from_pypi_are_those_of_uv_but_for_their_inputs(tmp_path: Path) -> None:
    locker = Locker(tmp_path, "https://pypi.org/simple")
    wanted = LockRequest(requirements=("requests==2.32.3", "idna==3.10", "certifi==2024.8.30", "urllib3==2.2.3"))
    parsed = parse_target(TARGET)
    assert isinstance(parsed, PythonTarget)
    places = [
        obtain(
            replace(wanted, resolver=resolver),
            parsed,
            path=tmp_path / f"pylock.{number}.toml",
            settings=locker.settings,
            open_workshop=lambda: this_machine(locker.settings, Cache(tmp_path / "cache")),
        )
        for number, resolver in enumerate((RESOLVER_UV, resolver_in("here")))
    ]
    assert places[0].packages == places[1].packages
    assert places[0].inputs != places[1].inputs


@pytest.mark.engine
@pytest.mark.network
def test_in_a_container_the_containers_interpreter_decides(tmp_path: Path, shelf: Path, index: SimpleIndex) -> None:
    """Its version is what markers see, and credentials reach it; an sdist is locked for it to build."""
    add_wheel(shelf, "marked", needs=("dep; python_version == '3.13'", "circle; python_version != '3.13'"))
    add_sdist(shelf, "source")
    locker = Locker(tmp_path, index.url_with_credentials)
    parsed = parse_target("python3.13-x86_64")
    assert isinstance(parsed, PythonTarget)
    lock = obtain(
        LockRequest(requirements=("marked", "source"), resolver=resolver_in("trixie")),
        parsed,
        path=locker.path,
        settings=locker.settings,
        open_workshop=lambda: trixie(locker.settings, Cache(tmp_path / "cache")),
    )
    assert files(lock) == ["dep-2.0-py3-none-any.whl", "marked-1.0-py3-none-any.whl", "source-1.0.tar.gz"]
