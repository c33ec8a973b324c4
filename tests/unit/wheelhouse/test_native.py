"""What decides whether a wheel is built anew: every input, and nothing else."""

from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import pytest

from layerkit.cache import Cache
from layerkit.model.lock import LockedFile, LockedPackage
from layerkit.model.target import PythonTarget, parse_target
from layerkit.wheelhouse.build import store_built
from layerkit.wheelhouse.native import Demand, Sdist, build_native

SHA256 = "a" * 64


def demand(target: str = "python3.13-x86_64", place: str = "sha256:1") -> Demand:
    found = parse_target(target)
    assert isinstance(found, PythonTarget)
    return Demand(target=found, place=place)


def never() -> NoReturn:
    raise AssertionError("a place was opened")


@pytest.mark.parametrize(
    "other",
    [
        demand(place="sha256:2"),
        demand("python3.12-x86_64"),
        demand("python3.13-arm64"),
        replace(demand(), environment={"CFLAGS": "-O3"}),
        replace(demand(), system_packages=("gcc",)),
        replace(demand(), libraries=("libexpat.so.1",)),
        replace(demand(), beside=frozenset({"libmine.so"})),
    ],
)
def test_every_input_is_in_the_key(other: Demand) -> None:
    assert other.key(SHA256) != demand().key(SHA256)


def test_the_sdist_is_in_the_key() -> None:
    assert demand().key(SHA256) != demand().key("b" * 64)


def test_neither_order_nor_patience_is_in_the_key() -> None:
    one = replace(demand(), system_packages=("a", "b"), timeout=1.0)
    two = replace(demand(), system_packages=("b", "a"), timeout=2.0)
    assert one.key(SHA256) == two.key(SHA256)


def test_what_was_built_before_opens_no_place(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    store_built(demand().key(SHA256), cache, name="x-1-py3-none-any.whl", content=b"wheel", built_from={"sdist": "x"})
    file = LockedFile(name="x-1.tar.gz", url=None, path="x-1.tar.gz", size=None, sha256=SHA256)
    sdist = Sdist(package=LockedPackage(name="x", version="1", file=file), path=tmp_path / "x-1.tar.gz")
    made = build_native([sdist], demand(), cache=cache, open_workshop=never)
    assert [wheel.path.read_bytes() for wheel in made.wheels] == [b"wheel"]
    assert made.libraries == ()


@pytest.mark.parametrize(("there", "stays"), [(b"wheel", True), (b"wheeX", False)])
def test_a_built_wheel_that_is_there_is_replaced_only_if_it_is_damaged(
    tmp_path: Path, there: bytes, stays: bool
) -> None:
    cache = Cache(tmp_path)
    path = store_built("k" * 64, cache, name="x-1-py3-none-any.whl", content=b"wheel", built_from={}).path
    path.write_bytes(there)
    before = path.stat()
    store_built("k" * 64, cache, name="x-1-py3-none-any.whl", content=b"wheel", built_from={})
    after = path.stat()
    assert path.read_bytes() == b"wheel"
    assert ((after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)) is stays


def test_a_demand_shows_no_values_of_its_environment() -> None:
    assert "hunter2" not in repr(replace(demand(), environment={"TOKEN": "hunter2"}))
