"""What goes before what the runtime brings."""

import pytest

from layerkit.audit.bundled import bundled_findings
from layerkit.model.contents import Contents
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.stack import Stack
from layerkit.model.target import PythonTarget, parse_target
from tests.unit.audit.holding import holding, installed

WARNING, NOTE = Severity.WARNING, Severity.NOTE
TARGET = "python3.12-x86_64"


def found(*layers: Contents, targets: tuple[str, ...] = (TARGET,)) -> list[Finding]:
    return list(bundled_findings(Stack(layers=layers), [parse_target(each) for each in targets]))


def brings(name: str, version: str, where: str = "a.zip", root: str = "python") -> Contents:
    return holding(*installed(root, name, version=version), where=where)


def of_the_runtime(name: str) -> str:
    target = parse_target(TARGET)
    assert isinstance(target, PythonTarget)
    return next(each.version for each in target.runtime.bundled if each.name == name)


def other_patch(version: str, step: int) -> str:
    *series, patch = version.split(".")
    return ".".join([*series, str(int(patch) + step)])


def test_the_very_version_of_the_runtime_is_nothing_to_tell() -> None:
    assert found(brings("six", of_the_runtime("six"))) == []


def test_each_runtime_is_told_once_whatever_the_architecture() -> None:
    findings = found(brings("urllib3", "2.7.0"), targets=("python3.12-x86_64", "python3.12-arm64", "python3.13-arm64"))
    assert [finding.message.split(":")[0] for finding in findings] == [
        "in place of what python3.12 brings",
        "in place of what python3.13 brings",
    ]


def test_what_is_imported_is_named_where_there_are_two() -> None:
    layers = brings("six", "1.1", root="python/lib/python3.12/site-packages"), brings("six", "1.2", "b.zip")
    (finding,) = found(*layers)
    assert (finding.where, finding.severity) == ("a.zip", NOTE)
    assert "six 1.1 for" in finding.message


def test_what_the_runtime_itself_works_with_is_named() -> None:
    (finding,) = found(brings("simplejson", "3.0"))
    assert finding.message.endswith("; the runtime itself works with simplejson")


@pytest.mark.parametrize(("step", "severities"), [(0, []), (1, [NOTE]), (-1, [NOTE, WARNING])])
def test_the_runtimes_boto3_takes_a_later_botocore_of_its_series(step: int, severities: list[Severity]) -> None:
    layer = brings("botocore", other_patch(of_the_runtime("boto3"), step))
    assert [finding.severity for finding in found(layer)] == severities


def test_the_runtimes_boto3_takes_no_botocore_of_another_series() -> None:
    _, finding = found(brings("botocore", "1.99.0"))
    assert (finding.code, finding.severity, finding.where) == (Code.STACK_SHADOWS_RUNTIME, WARNING, "a.zip")
    assert "would run with botocore 1.99.0: these do not go together" in finding.message


def test_boto3_and_botocore_of_one_layer_are_its_own_affair() -> None:
    """Older ones were numbered apart: boto3 1.26 goes with botocore 1.29."""
    files = [*installed("python", "boto3", version="1.26.0"), *installed("python", "botocore", version="1.29.0")]
    assert [finding.severity for finding in found(holding(*files))] == [NOTE]


@pytest.mark.parametrize(
    ("target", "version", "warned"),
    [("python3.9-x86_64", "2.0.7", True), ("python3.9-x86_64", "1.26.20", False), (TARGET, "2.0.7", False)],
)
def test_an_old_python_wants_an_old_urllib3_for_its_botocore(target: str, version: str, warned: bool) -> None:
    severities = [finding.severity for finding in found(brings("urllib3", version), targets=(target,))]
    assert severities == [NOTE, *[WARNING] * warned]


@pytest.mark.parametrize("version", ["unknown", "", "v2"])
def test_odd_versions_are_no_crash(version: str) -> None:
    layer = brings("botocore", version or "0")
    assert found(layer)[0].severity is NOTE
