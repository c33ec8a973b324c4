"""Modules that hide others of their name."""

from dataclasses import replace

import pytest

from layerkit.audit.shadowing import shadow_findings
from layerkit.model.contents import Contents
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.stack import Stack
from layerkit.model.target import audited_target
from tests.unit.audit.holding import holding, installed

SITE = "python/lib/python3.12/site-packages"
WARNING, NOTE = Severity.WARNING, Severity.NOTE


def found(*layers: Contents, function: Contents | None = None, runtime: str = "python3.12") -> list[Finding]:
    stack = Stack(layers=layers, function=function)
    return list(shadow_findings(stack, [audited_target(runtime, "x86_64")]))


def owned(contents: Contents, owner: str) -> Contents:
    return replace(contents, files=tuple(replace(file, owner=owner) for file in contents.files))


def test_all_that_one_part_hides_of_another_is_one_finding() -> None:
    names = ("one", "two", "three", "four")
    function = holding(*(f"{name}.py" for name in names), where="build")
    (finding,) = found(holding(*(f"python/{name}/__init__.py" for name in names)), function=function)
    assert (finding.code, finding.severity, finding.where) == (Code.STACK_MIXED_PACKAGE, WARNING, "build")
    assert finding.message == (
        "`four`, `one`, `three` and 1 more in build (function) come first on the search path and hide 4 files of those"
        " in layer.zip (python)"
    )
    assert len(finding.paths) == 4


def test_what_a_later_layer_overwrites_wholly_is_hidden_already() -> None:
    one, other = (holding("python/app/__init__.py", where=where) for where in ("a.zip", "b.zip"))
    (finding,) = found(one, other, function=holding("app.py", where="build"))
    assert "of `app` in b.zip (python)" in finding.message


def test_a_package_hides_the_namespace_of_its_name_even_where_that_comes_first() -> None:
    """Python goes on along the path until it meets an ``__init__``."""
    site = holding(f"{SITE}/app/one.py", where="a.zip")
    regular = holding("python/app/__init__.py", "python/app/two.py", where="b.zip")
    (finding,) = found(site, regular)
    assert (finding.severity, finding.where, finding.paths) == (WARNING, "b.zip", (f"{SITE}/app/one.py",))


def test_a_package_hides_a_module_of_its_name_in_the_same_folder() -> None:
    (finding,) = found(holding("python/app.py", where="a.zip"), holding("python/app/__init__.py", where="b.zip"))
    assert (finding.severity, finding.where, finding.paths) == (WARNING, "b.zip", ("python/app.py",))


@pytest.mark.parametrize("start", ["python", SITE])
def test_packages_that_only_hold_others_may_be_in_several_places(start: str) -> None:
    """As with pkgutil and pkg_resources: a few lines in ``__init__.py``, and packages below."""
    one = holding("python/azure/__init__.py", "python/azure/one/__init__.py", where="a.zip")
    other = holding(f"{start}/azure/__init__.py", f"{start}/azure/two/__init__.py", where="b.zip")
    assert found(one, other) == []
    assert found(other, one) == []


def test_a_large_init_is_a_package_of_its_own() -> None:
    one = holding(f"{SITE}/app/one/__init__.py", sizes={f"{SITE}/app/__init__.py": 5000}, where="a.zip")
    other = holding("python/app/__init__.py", "python/app/two/__init__.py", where="b.zip")
    (finding,) = found(one, other)
    assert (finding.severity, finding.where) == (WARNING, "a.zip")


def test_halves_of_a_package_in_one_folder_are_a_note() -> None:
    one = holding("python/app/__init__.py", "python/app/one.py", where="a.zip")
    other = holding("python/app/two.py", where="b.zip")
    (finding,) = found(one, other)
    assert (finding.code, finding.severity) == (Code.STACK_MIXED_PACKAGE, NOTE)
    assert "package `app` is put together from a.zip and b.zip" in finding.message


def test_copies_of_one_distribution_are_told_elsewhere() -> None:
    """Whatever their versions."""
    one, other = (holding(*installed(root, "demo"), f"{root}/demo/{root[-3:]}.py") for root in (SITE, "python"))
    assert found(one, other) == []


def test_the_same_files_elsewhere_change_nothing() -> None:
    function = holding("shared/__init__.py", "shared/more.py", where="build")
    assert found(holding("python/shared/__init__.py", "python/shared/more.py"), function=function) == []


@pytest.mark.parametrize("name", ["tests", "docs", "bin", "__pycache__", "numpy.libs", "demo-1.0.dist-info", "x-stubs"])
def test_folders_that_are_no_packages_hide_nothing(name: str) -> None:
    function = holding(f"{name}/__init__.py", f"{name}/a.py", where="build")
    assert found(holding(f"python/{name}/__init__.py", f"python/{name}/b.py"), function=function) == []


def test_a_folder_without_code_hides_nothing() -> None:
    assert found(holding("python/config/__init__.py"), function=holding("config/app.toml", where="build")) == []


@pytest.mark.parametrize(
    ("path", "name"),
    [("email.py", "email"), ("logging/__init__.py", "logging"), ("queue.cpython-312-x86_64-linux-gnu.so", "queue")],
)
def test_a_module_named_as_one_of_pythons_own_is_a_warning(path: str, name: str) -> None:
    (finding,) = found(function=holding("app.py", path, where="build"))
    assert (finding.code, finding.severity) == (Code.STACK_SHADOWS_RUNTIME, WARNING)
    assert finding.where == f"build: {path}"
    assert finding.message.startswith(f"`{name}` has the name of a module of Python's standard library")


def test_a_backport_that_python_has_outgrown_is_named() -> None:
    layer = owned(holding("python/dataclasses.py", "python/typing.py"), "old-backports")
    (finding,) = found(layer)
    assert finding.message.startswith("`dataclasses`, `typing`, which `old-backports` brings, have the name of modules")
    assert "leave out old-backports" in str(finding.hint)
    assert found(layer, runtime="python3.6") == []


@pytest.mark.parametrize(
    "path", ["python/email/notes.py", "python/app/email.py", "python/zoneinfo/__init__.py", "x/re.py"]
)
def test_what_python_never_takes_for_its_own_is_no_alarm(path: str) -> None:
    """A folder without ``__init__``, a module in a package, a module that only newer Pythons have, another folder."""
    assert found(holding(path)) == []


def test_runtimes_without_python_have_no_modules_to_hide() -> None:
    assert found(holding("python/re.py"), runtime="provided.al2023") == []
