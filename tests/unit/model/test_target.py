"""Targets, held to what the real runtimes answered."""

import json
from pathlib import Path
from typing import Any

import pytest

from layerkit.errors import UnknownArchitectureError, UnknownRuntimeError
from layerkit.facts import Architecture
from layerkit.model.target import (
    MalformedTargetError,
    PlainTarget,
    PythonTarget,
    RemovedRuntimeError,
    make_target,
    parse_target,
)

CAPTURES = sorted((Path(__file__).parents[2] / "data" / "platforms").glob("*.json"))


def python_target(text: str) -> PythonTarget:
    target = parse_target(text)
    assert isinstance(target, PythonTarget)
    return target


def captured(path: Path) -> tuple[PythonTarget, dict[str, Any]]:
    version, _, architecture = path.stem.removeprefix("complete_platform_").partition("-")
    target = make_target(f"python{version}", architecture or "x86_64")
    assert isinstance(target, PythonTarget)
    return target, json.loads(path.read_text())


def test_there_are_captures_of_seven_pythons_on_both_architectures_and_of_python3_7() -> None:
    assert len(CAPTURES) == 15


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_wheel_tags_are_what_the_runtime_answered_in_its_order_less_linux(path: Path) -> None:
    target, capture = captured(path)
    assert list(target.wheel_tags) == [tag for tag in capture["compatible_tags"] if "-linux_" not in tag]


@pytest.mark.parametrize("path", CAPTURES, ids=lambda path: path.stem)
def test_markers_are_what_the_runtime_answered_but_for_the_kernel(path: Path) -> None:
    target, capture = captured(path)
    kernel = {"platform_release": "", "platform_version": ""}
    assert target.marker_environment == {**capture["marker_environment"], **kernel}


def test_a_wheel_without_a_promise_about_glibc_or_for_musl_never_runs() -> None:
    target = python_target("python3.12-x86_64")
    assert target.rank("cp312-cp312-linux_x86_64") is None
    assert target.rank("cp312-cp312-musllinux_1_2_x86_64") is None


@pytest.mark.parametrize(
    ("tags", "better_than"),
    [
        ("cp312-cp312-manylinux_2_34_x86_64", "cp312-cp312-manylinux_2_28_x86_64"),
        ("cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64", "cp312-abi3-manylinux_2_34_x86_64"),
        ("cp39-abi3-manylinux1_x86_64", "py3-none-manylinux_2_34_x86_64"),
        ("py3-none-manylinux2014_x86_64", "py3-none-any"),
        ("py2.py3-none-any", "py30-none-any"),
    ],
)
def test_the_better_of_two_wheels_has_the_lower_rank(tags: str, better_than: str) -> None:
    target = python_target("python3.12-x86_64")
    better, worse = target.rank(tags), target.rank(better_than)
    assert better is not None
    assert worse is not None
    assert better < worse


def test_a_wheel_with_several_tags_ranks_as_its_best() -> None:
    target = python_target("python3.13-arm64")
    assert target.rank("cp313-cp313-manylinux_2_34_aarch64") == 0
    assert target.rank("py3.cp313-none.cp313-any.manylinux_2_34_aarch64") == 0


@pytest.mark.parametrize(
    "tags",
    [
        "cp312-cp312-manylinux_2_35_x86_64",  # asks for a newer glibc
        "cp313-abi3-manylinux_2_17_x86_64",  # asks for a newer Python
        "cp312-cp312t-manylinux_2_17_x86_64",  # free-threaded
        "cp312-cp312-manylinux_2_17_aarch64",
        "cp311-cp311-manylinux_2_17_x86_64",
        "py2-none-any",
        "nonsense",
        "",
    ],
)
def test_a_wheel_for_something_else_has_no_rank(tags: str) -> None:
    assert python_target("python3.12-x86_64").rank(tags) is None


def test_the_names_of_a_target() -> None:
    target = python_target("python3.12-x86_64")
    assert target.identifier == "python3.12-x86_64"
    assert target.lock_suffix == "py312-x86_64"
    assert (target.python_version, target.python_full_version, target.glibc) == ("3.12", "3.12.3", (2, 34))
    assert target.interpreter == "/var/lang/bin/python3.12"


@pytest.mark.parametrize(
    ("target", "platform"),
    [
        ("python3.7-x86_64", "x86_64-manylinux2014"),
        ("python3.11-x86_64", "x86_64-manylinux2014"),
        ("python3.11-arm64", "aarch64-manylinux2014"),
        ("python3.12-x86_64", "x86_64-manylinux_2_34"),
        ("python3.14-arm64", "aarch64-manylinux_2_34"),
    ],
)
def test_uv_resolves_for_the_highest_platform_it_knows_at_or_below_the_ceiling(target: str, platform: str) -> None:
    assert python_target(target).uv_platform == platform


def test_extension_modules_are_looked_for_as_cpython_does() -> None:
    """As ``importlib.machinery.EXTENSION_SUFFIXES`` on those platforms."""
    x86_64, arm64 = python_target("python3.12-x86_64"), python_target("python3.13-arm64")
    assert x86_64.extension_suffixes == (".cpython-312-x86_64-linux-gnu.so", ".abi3.so", ".so")
    assert arm64.extension_suffixes == (".cpython-313-aarch64-linux-gnu.so", ".abi3.so", ".so")


def test_a_target_without_python_says_so_by_its_type() -> None:
    target = parse_target("provided.al2023-arm64")
    assert isinstance(target, PlainTarget)
    assert target.identifier == "provided.al2023-arm64"
    assert target.architecture is Architecture.ARM64
    assert not hasattr(target, "wheel_tags")


@pytest.mark.parametrize("name", ["python3.99", "Python3.12", "nodejs20.x", "", "python"])
def test_an_unknown_runtime_names_those_that_can_be_built_for(name: str) -> None:
    with pytest.raises(UnknownRuntimeError) as caught:
        make_target(name, "x86_64")
    assert caught.value.message == f"unknown runtime `{name}`"
    assert caught.value.hint == (
        "one of python3.7, python3.8, python3.9, python3.10, python3.11, python3.12, python3.13, python3.14,"
        " python3.15, provided, provided.al2, provided.al2023"
    )


@pytest.mark.parametrize(("name", "day"), [("python2.7", "2022-05-30"), ("python3.6", "2022-08-29")])
def test_a_runtime_that_is_gone_is_refused_with_its_date(name: str, day: str) -> None:
    with pytest.raises(RemovedRuntimeError) as caught:
        make_target(name, "x86_64")
    assert caught.value.message.startswith(f"runtime `{name}` is gone: ")
    assert day in caught.value.message
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("name", ["aarch64", "amd64", "", "X86_64"])
def test_an_unknown_architecture_names_both(name: str) -> None:
    with pytest.raises(UnknownArchitectureError) as caught:
        make_target("python3.12", name)
    assert (caught.value.message, caught.value.hint) == (f"unknown architecture `{name}`", "one of x86_64, arm64")


def test_an_architecture_that_the_runtime_does_not_have_is_refused() -> None:
    with pytest.raises(UnknownArchitectureError) as caught:
        make_target("python3.7", "arm64")
    assert caught.value.message == "unknown architecture `arm64` for runtime `python3.7`"
    assert caught.value.hint == "one of x86_64"


def test_a_target_needs_both_parts() -> None:
    with pytest.raises(MalformedTargetError, match=r"`python3.12` is not a target"):
        parse_target("python3.12")


def test_equal_targets_are_one_in_a_set() -> None:
    assert len({parse_target("python3.12-arm64"), make_target("python3.12", "arm64")}) == 1
