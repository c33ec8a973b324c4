"""What .pth files do."""

from dataclasses import replace

import pytest

from layerkit.audit.path_files import path_file_findings
from layerkit.model.contents import Contents, Insides
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.stack import Stack
from layerkit.model.target import parse_target
from tests.unit.audit.holding import holding

SITE = "python/lib/python3.{}/site-packages"
WARNING, NOTE = Severity.WARNING, Severity.NOTE


def found(*layers: Contents, function: Contents | None = None, target: str = "python3.12-x86_64") -> list[Finding]:
    return list(path_file_findings(Stack(layers=layers, function=function), [parse_target(target)]))


def layer(*more: str, where: str = "a.zip", **texts: str) -> Contents:
    """Return a layer with files below ``python/`` that are called as the keywords."""
    files = {f"python/{name}.pth": text for name, text in texts.items()}
    return holding(*files, *more, insides=Insides(path_files=files), where=where)


def test_what_they_import_is_named_but_for_pythons_own() -> None:
    text = "import os; var = 'X'; __import__('_distutils_hack').add_shim()\nimport demo.start, sys\n"
    (finding,) = found(layer(one=text, two="# import nothing\n"))
    assert (finding.code, finding.severity, finding.where) == (Code.PYTHON_PATH_FILE, NOTE, "a.zip")
    assert finding.message == (
        "executed whenever the function starts: `python/one.pth` (imports `_distutils_hack`, `demo`)"
    )
    assert finding.paths == ("python/one.pth",)


@pytest.mark.parametrize(
    ("path", "read"),
    [
        ("python/x.pth", True),
        (f"{SITE.format(12)}/x.pth", True),
        (f"{SITE.format(11)}/x.pth", False),
        ("python/.x.pth", False),
        ("x.pth", False),
    ],
)
def test_python_reads_those_of_its_own_folders(path: str, read: bool) -> None:
    contents = holding(path, "python/a.py", insides=Insides(path_files={path: "import demo\n"}))
    assert bool(found(contents)) is read
    assert found(contents, target="provided.al2023-arm64") == []


def test_a_functions_own_lie_beside_its_code() -> None:
    texts = {"x.pth": "lib\n", "python/y.pth": "import demo\n"}
    assert found(function=holding(*texts, "lib/a.py", insides=Insides(path_files=texts))) == []
    (finding,) = found(function=holding(*texts, insides=Insides(path_files=texts), where="build"))
    assert (finding.severity, finding.where) == (WARNING, "build: x.pth")


@pytest.mark.parametrize(
    "line",
    ["other", "./other", "../python/other", "/opt/python/other", "egg-1.0.egg", "/opt", "/var/task", "/var/runtime"],
)
def test_folders_of_any_layer_and_of_the_runtime_are_there(line: str) -> None:
    other = holding("python/other/deep/a.py", "python/egg-1.0.egg", where="b.zip")
    assert found(layer(x=f"{line}\n"), other) == []


@pytest.mark.parametrize("line", ["oth", "/home/me/src", "C:\\src", "../../etc"])
def test_folders_that_nobody_brings_are_a_warning(line: str) -> None:
    (finding,) = found(layer(x=f"{line}\n"), holding("python/other/a.py", where="b.zip"))
    assert (finding.severity, finding.where) == (WARNING, "a.zip: python/x.pth")
    assert f"`{line}`" in finding.message


def test_what_an_editable_install_leaves_is_a_warning() -> None:
    text = "import __editable___demo_1_0_finder; __editable___demo_1_0_finder.install()"
    (finding,) = found(layer(**{"__editable__.demo-1.0": text}))
    assert (finding.severity, finding.where) == (WARNING, "a.zip: python/__editable__.demo-1.0.pth")
    assert "an editable install left it" in finding.message


def test_only_the_last_of_a_name_is_read() -> None:
    (finding,) = found(layer(x="import one\n"), layer(x="import two\n", where="b.zip"))
    assert finding.where == "b.zip"


def test_a_part_that_could_not_be_read_may_have_the_folder() -> None:
    unread = replace(holding(where="secret.zip"), is_read=False, insides=None)
    assert found(layer(x="other\n"), unread) == []
