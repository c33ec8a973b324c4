"""Packages that were installed on, and for, another system than Linux."""

import pytest

from layerkit.audit.binaries import stack_binary_findings
from layerkit.model.contents import Contents
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.stack import Stack
from layerkit.model.target import parse_target
from tests.unit.audit.holding import holding, installed


def found(*layers: Contents, target: str | None = "python3.12-x86_64") -> list[Finding]:
    return list(stack_binary_findings(Stack(layers=layers), [parse_target(target)] if target else []))


@pytest.mark.parametrize("target", ["python3.12-arm64", "python3.13-x86_64", None])
@pytest.mark.parametrize(
    ("tag", "module", "system"),
    [
        ("cp312-cp312-macosx_14_0_arm64", "core.cpython-312-darwin.so", "macOS"),
        ("cp39-abi3-macosx_10_9_universal2", "core.abi3.so", "macOS"),
        ("cp312-cp312-win_amd64", "core.cp312-win_amd64.pyd", "Windows"),
        ("cp312-cp312-win32", "core.pyd", "Windows"),
    ],
)
def test_a_wheel_for_another_system_is_an_error(tag: str, module: str, system: str, target: str | None) -> None:
    path = f"python/numpy/{module}"
    (finding,) = found(holding(*installed("python", "numpy"), path, tags={"numpy": (tag,)}), target=target)
    assert (finding.code, finding.severity, finding.where) == (Code.ELF_ARCHITECTURE, Severity.ERROR, "layer.zip")
    assert finding.message == f"`numpy` is for {system}, and Lambda runs Linux: 1 file of native code cannot be loaded"
    assert finding.paths == (path,)


def test_one_finding_tells_of_all_packages_of_a_layer() -> None:
    tags = dict.fromkeys(("a", "b", "c", "d"), ("cp312-cp312-macosx_14_0_arm64",))
    modules = [f"python/{name}/x.cpython-312-darwin.so" for name in tags]
    (finding,) = found(holding(*installed("python", *tags), *modules, tags=tags))
    assert finding.message.startswith("`a`, `b`, `c` and 1 more are for macOS, and Lambda runs Linux: 4 files")


@pytest.mark.parametrize("tag", ["py3-none-any", "cp312-cp312-manylinux_2_17_x86_64", "py2.py3-none-macosx_1_0.any"])
def test_a_wheel_that_is_for_linux_too_may_bring_what_it_likes(tag: str) -> None:
    files = ["python/debug/attach.dylib", "python/debug/inject.dll", "python/debug/fast.cp312-win_amd64.pyd"]
    assert found(holding(*installed("python", "debug"), *files, tags={"debug": (tag,)})) == []


def test_modules_without_metadata_are_told_by_their_names() -> None:
    paths = ("python/mine/fast.cpython-312-darwin.so", "python/mine/more.cp312-win_amd64.pyd")
    windows, mac = sorted(found(holding(*paths)), key=lambda finding: "macOS" in finding.message)
    assert (mac.paths, windows.paths) == (paths[:1], paths[1:])
    assert mac.message.startswith("`python/mine/fast.cpython-312-darwin.so` is for macOS")


def test_modules_that_are_there_for_linux_as_well_are_fine() -> None:
    linux = "python/mine/fast.cpython-312-x86_64-linux-gnu.so"
    assert found(holding(linux, "python/mine/fast.cpython-312-darwin.so", "python/mine/fast.cp312-win_amd64.pyd")) == []
