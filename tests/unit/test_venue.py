"""Where a function is invoked: what this machine can do, what only a container can, and what is told if neither can."""

from pathlib import Path
from typing import NoReturn

import pytest

from layerkit import venue as module
from layerkit.cache import Cache
from layerkit.model.target import parse_target
from layerkit.progress import Silent
from layerkit.sandbox.container import Engine
from layerkit.sandbox.container_errors import EngineError, NoEngine
from layerkit.sandbox.interpreters import Interpreter
from layerkit.sandbox.machine import Machine
from layerkit.venue import Cast, NowhereToInvoke, OnlyForContainers, Sandbox, VenueWish, venue_for

HERE = Interpreter(path=Path("/usr/bin/python3.13"), version="3.13.1", build="main")


class Opened(Exception):
    """Raised where the machine itself was chosen."""


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this an x86_64 machine with Linux and Python 3.13, without a container engine."""

    def no_engine(*_: object) -> NoReturn:
        raise NoEngine(tried=["unix:///x"])

    def chosen(*_: object, **__: object) -> NoReturn:
        raise Opened

    be(monkeypatch)
    monkeypatch.setattr(module, "recall_interpreter", lambda version, _: HERE if version == "3.13" else None)
    monkeypatch.setattr(module, "_this_machine", chosen)
    monkeypatch.setattr(Engine, "connect", no_engine)


def be(monkeypatch: pytest.MonkeyPatch, system: str = "linux", machine: str = "x86_64", *, glibc: bool = True) -> None:
    found = Machine(system=system, machine=machine, glibc=(2, 36) if glibc else None)
    monkeypatch.setattr(Machine, "this", lambda: found)


def open_for(target: str, folder: Path, wish: VenueWish | None = None) -> None:
    cast = Cast(target=parse_target(target), code=folder, opt=folder, tmp=512)
    with venue_for(cast, wish or VenueWish(), cache=Cache(folder / "cache"), progress=Silent()):
        pass


@pytest.mark.parametrize("target", ["python3.13-x86_64", "provided.al2023-x86_64"])
def test_this_machine_comes_first(target: str, tmp_path: Path) -> None:
    with pytest.raises(Opened):
        open_for(target, tmp_path)


@pytest.mark.parametrize(
    ("target", "system", "glibc", "reason"),
    [
        ("python3.12-x86_64", "linux", True, "no Python 3.12 runs on this machine"),
        ("python3.13-arm64", "linux", True, "this machine is x86_64"),
        ("provided.al2023-arm64", "linux", True, "this machine is x86_64"),
        ("python3.13-x86_64", "darwin", False, "this machine does not run Linux"),
        ("python3.13-x86_64", "linux", False, "this machine's C library is not glibc"),
    ],
)
def test_where_it_cannot_and_there_is_no_engine_both_are_told(
    target: str, system: str, glibc: bool, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    be(monkeypatch, system, glibc=glibc)
    with pytest.raises(NowhereToInvoke) as error:
        open_for(target, tmp_path)
    assert error.value.message.startswith(f"a function for {target} cannot be invoked here: {reason}")
    assert error.value.details == ("containers: no container engine found",)
    assert "start Docker" in str(error.value.hint)
    assert "`layerkit doctor`" in str(error.value.hint)


def test_an_interpreter_is_named_as_a_way_out_only_where_it_is_one(tmp_path: Path) -> None:
    with pytest.raises(NowhereToInvoke) as error:
        open_for("python3.12-x86_64", tmp_path)
    assert "`uv python install 3.12`" in str(error.value.hint)
    assert "another `--runtime`" in str(error.value.hint)
    with pytest.raises(NowhereToInvoke) as error:
        open_for("python3.12-arm64", tmp_path)
    assert "uv python install" not in str(error.value.hint)


def test_a_container_is_no_way_out_where_none_is_wanted_but_named_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def engine(*_: object) -> NoReturn:
        pytest.fail("an engine was asked for")

    monkeypatch.setattr(Engine, "connect", engine)
    with pytest.raises(NowhereToInvoke) as error:
        open_for("python3.12-x86_64", tmp_path, VenueWish(sandbox=Sandbox.LOCAL))
    assert error.value.details == ()
    assert "`--sandbox container`" in str(error.value.hint)


@pytest.mark.parametrize(
    "wish",
    [
        VenueWish(sandbox=Sandbox.CONTAINER),
        VenueWish(image="x"),
        VenueWish(network="none"),
        VenueWish(platform="linux/amd64"),
    ],
    ids=str,
)
def test_whoever_says_what_a_container_is_to_be_like_wants_one(wish: VenueWish, tmp_path: Path) -> None:
    """And is told of the engine alone where that is missing."""
    with pytest.raises(EngineError, match="no container engine found"):
        open_for("python3.13-x86_64", tmp_path, wish)


def test_this_machine_has_no_image_and_no_network_of_its_own() -> None:
    with pytest.raises(OnlyForContainers, match="`--image`, `--network` and `--sandbox local` exclude each other"):
        VenueWish(sandbox=Sandbox.LOCAL, image="x", network="none")
