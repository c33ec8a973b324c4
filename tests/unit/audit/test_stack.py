"""What the parts of a stack do to each other: overwriting, hiding, doubling, lacking."""

from dataclasses import replace

import pytest

from layerkit.audit.stack import stack_findings
from layerkit.model.contents import Contents, Insides
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.stack import Stack
from layerkit.model.target import parse_target
from tests.unit.audit.holding import holding, installed

SITE = "python/lib/python3.12/site-packages"
ERROR, WARNING, NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE


def found(
    *layers: Contents, function: Contents | None = None, target: str | None = "python3.12-x86_64"
) -> list[Finding]:
    targets = [parse_target(target)] if target else []
    return list(stack_findings(Stack(layers=layers, function=function), targets))


def kinds(findings: list[Finding]) -> list[tuple[Code, Severity]]:
    return [(finding.code, finding.severity) for finding in findings]


def demo(where: str, *names: str, root: str = "python", version: str = "1.0", **more: object) -> Contents:
    return holding(*installed(root, *(names or ("demo",)), version=version), where=where, **more)  # type: ignore[arg-type]


def changed(contents: Contents, *paths: str) -> Contents:
    """Return the same layer with other content at some paths."""
    files = tuple(replace(file, crc32=file.crc32 ^ 1) if file.path in paths else file for file in contents.files)
    return replace(contents, files=files)


def test_layers_that_have_nothing_in_common_are_silent() -> None:
    assert found(demo("a.zip", "one"), demo("b.zip", "two")) == []


def test_the_same_file_in_two_layers_is_a_note_and_a_different_one_a_warning() -> None:
    one, other = holding("etc/app.toml", where="a.zip"), holding("etc/app.toml", where="b.zip")
    (finding,) = found(one, other)
    assert (finding.code, finding.severity, finding.where) == (Code.STACK_OVERWRITTEN, NOTE, "b.zip")
    (finding,) = found(one, changed(other, "etc/app.toml"))
    assert (finding.severity, finding.paths) == (WARNING, ("etc/app.toml",))
    assert finding.message == "it overwrites 1 file of a.zip, with other content: `etc/app.toml`"


def test_who_overwrites_whom_is_told_where_somebody_owns_the_file() -> None:
    one, other = demo("a.zip"), holding("python/demo/core.py", where="b.zip")
    (finding, *_) = found(one, changed(other, "python/demo/core.py"))
    assert finding.message.endswith("`python/demo/core.py` (no distribution over demo)")


@pytest.mark.parametrize(
    ("path", "version", "severity"),
    [
        ("python/demo/core.py", "1.0", WARNING),
        ("python/demo/core.so", "1.0", NOTE),  # one was stripped
        ("python/demo/core.so", "2.0", WARNING),
        ("python/demo/__pycache__/core.cpython-312.pyc", "2.0", NOTE),  # holds the time of its source
        ("python/demo-1.0.dist-info/RECORD", "1.0", NOTE),
    ],
)
def test_what_installers_write_anew_each_time_is_no_warning(path: str, version: str, severity: Severity) -> None:
    one, other = (
        holding(*installed("python", "demo", version=each), path, where=name)
        for each, name in (("1.0", "a.zip"), (version, "b.zip"))
    )
    finding = next(each for each in found(one, changed(other, path)) if each.code is Code.STACK_OVERWRITTEN)
    assert finding.severity is severity


def test_copies_of_a_distribution_are_told_once_and_empty_files_not_at_all() -> None:
    lock = {"python/.lock": 0}
    one, other = (holding(*installed("python", "one", "two"), sizes=lock, where=name) for name in ("a.zip", "b.zip"))
    (finding,) = found(one, other)
    assert (finding.code, finding.severity) == (Code.STACK_DUPLICATE_DISTRIBUTION, NOTE)
    assert finding.message.startswith("`one 1.0`, `two 1.0` are each there 2 times, in a.zip, b.zip; once would save ")


def test_a_file_in_one_layer_that_is_a_folder_in_another_is_told() -> None:
    findings = found(holding("etc", where="a.zip"), holding("etc/app.toml", where="b.zip"))
    assert kinds(findings) == [(Code.STACK_OVERWRITTEN, WARNING)]
    assert "is a file in a.zip and a folder in b.zip" in findings[0].message


def test_a_distribution_in_two_layers_wastes_room_where_both_have_one_version() -> None:
    findings = found(demo("a.zip"), demo("b.zip"))
    assert (Code.STACK_DUPLICATE_DISTRIBUTION, NOTE) in kinds(findings)
    assert WARNING not in {finding.severity for finding in findings}


def test_of_two_versions_in_one_folder_the_later_layer_wins_and_stale_modules_stay() -> None:
    old = replace(demo("a.zip", version="1.0"))
    old = holding(*installed("python", "demo", version="1.0"), "python/demo/legacy.py", where="a.zip")
    new = changed(demo("b.zip", version="2.0"), "python/demo/core.py")
    duplicate = next(each for each in found(old, new) if each.code is Code.STACK_DUPLICATE_DISTRIBUTION)
    assert duplicate.severity is WARNING
    assert "demo is there more than once (1.0 in a.zip, 2.0 in b.zip); 2.0 in b.zip is imported" in duplicate.message
    assert duplicate.paths == ("python/demo/legacy.py",)


def test_site_packages_come_before_python_whatever_the_order_of_layers() -> None:
    first = demo("a.zip", root=SITE, version="1.0")
    (finding,) = found(first, demo("b.zip", version="2.0"))
    assert finding.code is Code.STACK_DUPLICATE_DISTRIBUTION
    assert "1.0 in a.zip is imported" in finding.message


def test_site_packages_of_another_python_do_not_count() -> None:
    other = demo("a.zip", root="python/lib/python3.11/site-packages", version="1.0")
    assert found(other, demo("b.zip", version="2.0")) == []


def test_the_functions_code_comes_before_layers() -> None:
    function = demo("build", root="", version="3.0")
    duplicate = next(
        each for each in found(demo("a.zip"), function=function) if each.code is Code.STACK_DUPLICATE_DISTRIBUTION
    )
    assert "3.0 in build is imported" in duplicate.message


def test_a_module_of_the_function_hides_a_package_of_a_layer() -> None:
    function = holding("lambda_function.py", "demo.py", where="build")
    findings = found(demo("a.zip"), function=function)
    assert kinds(findings) == [(Code.STACK_MIXED_PACKAGE, WARNING)]
    assert "`demo` in build (function) comes first on the search path and hides" in findings[0].message


def test_a_package_in_halves_hides_its_other_half_in_another_folder() -> None:
    one = holding(f"{SITE}/app/__init__.py", where="a.zip")
    other = holding("python/app/__init__.py", "python/app/more.py", where="b.zip")
    assert kinds(found(one, other)) == [(Code.STACK_MIXED_PACKAGE, WARNING)]


def test_a_namespace_may_be_shared() -> None:
    one, other = (
        holding("python/google/cloud/one.py", where="a.zip"),
        holding(f"{SITE}/google/cloud/two.py", where="b.zip"),
    )
    assert found(one, other) == []


def test_layers_go_before_what_the_runtime_brings() -> None:
    findings = found(demo("a.zip", "urllib3", version="2.7.0"))
    assert kinds(findings) == [(Code.STACK_SHADOWS_RUNTIME, NOTE)]
    assert "urllib3 2.7.0 for 1.26.19" in findings[0].message


def test_botocore_without_its_boto3_is_a_warning() -> None:
    alone = found(demo("a.zip", "botocore", version="1.30.0"))
    assert (Code.STACK_SHADOWS_RUNTIME, WARNING) in kinds(alone)
    both = [*installed("python", "botocore", version="1.30.0"), *installed("python", "boto3", version="1.30.1")]
    assert WARNING not in {finding.severity for finding in found(holding(*both))}


@pytest.mark.parametrize("code", [Code.STACK_RUNTIME, Code.STACK_ARCHITECTURE])
def test_a_layer_for_something_else_is_a_note_or_with_native_code_a_warning(code: Code) -> None:
    claims = {"runtimes": ("python3.13",), "architectures": ("arm64",)}
    findings = found(holding("python/a.py", **claims))  # type: ignore[arg-type]
    assert (code, NOTE) in kinds(findings)
    native = found(holding("python/a.so", **claims))  # type: ignore[arg-type]
    assert (code, WARNING) in kinds(native)


def test_layers_that_exclude_each_other_are_told_where_nothing_else_tells_the_target() -> None:
    one = holding("python/a.py", runtimes=("python3.12",), where="a.zip")
    other = holding("python/b.py", runtimes=("python3.13",), where="b.zip")
    assert kinds(found(one, other, target=None)) == [(Code.STACK_RUNTIME, NOTE)]


def test_what_is_required_and_nowhere_is_a_warning_that_names_who_wants_it() -> None:
    requires = {"demo": ("idna>=2", "boto3", "colorama; sys_platform == 'win32'", "rich; extra == 'cli'")}
    (finding,) = found(demo("a.zip", requires=requires))
    assert (finding.code, finding.severity) == (Code.PYTHON_MISSING_DEPENDENCY, WARNING)
    assert "`demo` requires `idna>=2`" in finding.message


def test_another_layer_or_the_function_may_bring_what_is_required() -> None:
    wanting = demo("a.zip", requires={"demo": ("idna>=1",)})
    assert found(wanting, demo("b.zip", "idna")) == []
    assert found(wanting, function=demo("build", "idna", root="")) == []


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("idna>=2", "demo requires `idna>=2`, and the stack has 1.0"),
        ("urllib3>=2", "demo requires `urllib3>=2`, and python3.12 brings 1.26.19 (as seen"),
    ],
)
def test_a_version_that_does_not_fit_is_a_warning(line: str, message: str) -> None:
    (finding,) = found(demo("a.zip", "demo", "idna", requires={"demo": (line,)}))
    assert (finding.code, finding.severity) == (Code.PYTHON_MISSING_DEPENDENCY, WARNING)
    assert message in finding.message


@pytest.mark.parametrize(
    "line", ["not a requirement!", "idna @ https://example.com/idna.zip", "idna==1.0.*", "idna>=1.0a1"]
)
def test_odd_requirements_are_no_alarm(line: str) -> None:
    assert found(demo("a.zip", "demo", "idna", requires={"demo": (line,)})) == []


def test_path_files_that_run_are_a_note_and_editable_installs_a_warning() -> None:
    insides = Insides(path_files={"python/x.pth": "import os\n", "python/y.pth": "# nothing\n../lib\n/home/me/src\n"})
    findings = found(holding("python/x.pth", "python/y.pth", "lib/a.txt", insides=insides))
    assert kinds(findings) == [(Code.PYTHON_PATH_FILE, NOTE), (Code.PYTHON_PATH_FILE, WARNING)]
    assert findings[0].message == "executed whenever the function starts: `python/x.pth`"
    assert "`/home/me/src`" in findings[1].message
    assert "../lib" not in findings[1].message


def test_where_a_part_could_not_be_read_nothing_is_called_missing() -> None:
    unread = replace(holding(where="secret.zip"), is_read=False, insides=None)
    assert found(unread, demo("a.zip", requires={"demo": ("idna>=2",)})) == []
