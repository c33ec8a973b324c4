"""What distributions require and nobody brings."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from layerkit.audit.dependencies import dependency_findings
from layerkit.model.contents import Contents
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.stack import Stack
from layerkit.model.target import parse_target
from tests.unit.audit.holding import holding, installed

WARNING, NOTE = Severity.WARNING, Severity.NOTE
SITE = "python/lib/python3.12/site-packages"


def found(
    *layers: Contents, function: Contents | None = None, targets: Sequence[str] = ("python3.12-x86_64",)
) -> list[Finding]:
    stack = Stack(layers=layers, function=function)
    return list(dependency_findings(stack, [parse_target(each) for each in targets]))


def wanting(*lines: str, more: Sequence[str] = (), name: str = "demo", root: str = "python") -> Contents:
    return holding(*installed(root, name), *more, requires={name: lines})


def test_without_a_target_nothing_is_required() -> None:
    assert found(wanting("idna"), targets=[]) == []
    assert found(wanting("idna"), targets=["provided.al2023-arm64"]) == []


def test_what_is_missing_is_told_once_with_all_who_want_it() -> None:
    layers = [wanting(line, name=name) for name, line in (("one", "idna>=2"), ("two", "IDNA"), ("three", "idna<9"))]
    (finding,) = found(*layers)
    assert (finding.code, finding.severity) == (Code.PYTHON_MISSING_DEPENDENCY, WARNING)
    assert finding.message == (
        "`one` requires `idna>=2`, which neither the stack nor python3.12 has; so do `two`, `three`"
    )


def test_several_targets_share_a_finding() -> None:
    (finding,) = found(wanting("idna"), targets=["python3.12-x86_64", "python3.12-arm64", "python3.13-arm64"])
    assert "which neither the stack nor python3.12, python3.13 has" in finding.message


def test_markers_are_those_of_each_target() -> None:
    line = "intel-thing; platform_machine == 'x86_64' and python_version < '3.13'"
    assert found(wanting(line), targets=["python3.12-arm64", "python3.13-x86_64"]) == []
    assert len(found(wanting(line), targets=["python3.12-arm64", "python3.12-x86_64"])) == 1


@pytest.mark.parametrize(
    "line",
    [
        "importlib-metadata; python_version < '3.8'",
        "colorama; sys_platform == 'win32'",
        "pypy-thing; implementation_name == 'pypy'",
        "socks; extra == 'socks'",
        "odd; platform_release >= '20.0'",
        "odd; python_version >= 'abc'",
        "odd; unheard_of == 'x'",
        "odd ><= 3",
        "",
        "types-requests",
        "pandas-stubs",
    ],
)
def test_what_need_not_be_there_is_no_alarm(line: str) -> None:
    assert found(wanting(line)) == []


def test_extras_count_where_another_distribution_asks_for_them() -> None:
    """Also those that an extra asks for."""
    http = wanting("h2; extra == 'http2'", "http[brotli]; extra == 'http2'", "br; extra == 'brotli'", name="http")
    assert found(http) == []
    findings = found(http, wanting("http[http2]"))
    assert [finding.message.split(",")[0] for finding in findings] == [
        "`http[http2]` requires `h2`",
        "`http[brotli]` requires `br`",
    ]


@pytest.mark.parametrize(
    ("line", "there"),
    [
        ("psycopg2", "psycopg2-binary"),
        ("psycopg2-binary", "psycopg2"),
        ("opencv-python", "opencv-python-headless"),
        ("tensorflow", "tensorflow-cpu"),
    ],
)
def test_another_making_of_the_same_will_do(line: str, there: str) -> None:
    files = installed("python", there.replace("-", "_"))
    assert found(wanting(line, more=files)) == []


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("certifi", "python/certifi/__init__.py"),
        ("typing-extensions", "python/typing_extensions.py"),
        ("python-magic", f"{SITE}/magic/__init__.py"),
        ("PyYAML", "python/yaml/__init__.py"),
        ("google-auth", "python/google/auth/__init__.py"),
    ],
)
def test_packages_whose_metadata_was_left_out_are_there(line: str, path: str) -> None:
    assert found(wanting(line, more=[path])) == []
    assert len(found(wanting(line, more=[f"etc/{path}"]))) == 1


@pytest.mark.parametrize(
    ("line", "severity"),
    [
        ("boto3>=1.999", NOTE),
        ("boto3~=1.999.0", NOTE),
        ("boto3>=1.999,!=2", NOTE),
        ("boto3<1", WARNING),
        ("boto3==1.0", WARNING),
        ("urllib3>=2", WARNING),  # the next great version does not come by itself
        ("boto3>=1,<99", None),
    ],
)
def test_a_bundled_version_may_be_newer_by_now_but_never_older(line: str, severity: Severity | None) -> None:
    assert [finding.severity for finding in found(wanting(line))] == ([severity] if severity else [])


def test_of_two_versions_the_one_that_is_imported_counts() -> None:
    old, new = installed(SITE, "idna", version="1.0"), installed("python", "idna", version="2.0")
    (finding,) = found(wanting("idna>=2", more=[*old, *new]))
    assert "and the stack has 1.0" in finding.message
    later = holding(*installed("python", "idna", version="2.0"), where="b.zip")
    assert found(wanting("idna>=2", more=installed("python", "idna")), later) == []


def test_where_metadata_of_two_versions_lies_in_one_folder_either_will_do() -> None:
    more = [*installed("python", "idna", version="1.0"), "python/idna-2.0.dist-info/METADATA"]
    assert found(wanting("idna>=2", more=more)) == []


@pytest.mark.parametrize("version", ["2004d", "unknown"])
def test_versions_of_no_known_form_are_taken_to_fit(version: str) -> None:
    assert found(wanting("idna>=2", more=installed("python", "idna", version=version))) == []


def test_a_part_that_could_not_be_read_may_have_what_is_missing() -> None:
    unread = replace(holding(where="secret.zip"), is_read=False, insides=None)
    assert found(unread, wanting("idna", "boto3<1")) == []


def test_an_overwritten_version_requires_nothing() -> None:
    """What it wanted is of no matter: another version of it is imported."""
    old = holding(*installed("python", "demo"), requires={"demo": ("idna==1",)})
    new = holding(*installed("python", "demo"), where="new.zip")
    assert [each.message for each in found(old)] != []
    assert found(old, new) == []
