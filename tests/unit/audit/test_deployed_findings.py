"""What is said about deployed functions and their layers."""

from datetime import date

import pytest

from layerkit.audit.deployed_findings import (
    deleted_finding,
    denied_finding,
    outdated_finding,
    python_path_findings,
    region_finding,
    runtime_findings,
)
from layerkit.aws.functions import FunctionConfiguration
from layerkit.aws.layers import LayerSummary
from layerkit.model.arn import LayerVersionArn
from layerkit.model.contents import Contents
from layerkit.model.finding import Code, Severity
from tests.unit.audit.holding import holding

ARN = LayerVersionArn.parse("arn:aws:lambda:eu-west-1:111111111111:layer:demo:3")
TOP = holding("python/requests/__init__.py", where="top")
SITE = holding("python/lib/python3.12/site-packages/requests/__init__.py", where="site")
EXTENSION = holding("extensions/agent", "lib/libagent.so", where="agent")
UNREAD = holding(where="unread")


def function(runtime: str | None = "python3.12", architecture: str = "x86_64") -> FunctionConfiguration:
    return FunctionConfiguration(
        name="app",
        arn="arn:aws:lambda:eu-west-1:111111111111:function:app",
        runtime=runtime,
        architecture=architecture,
        code_size=1,
        layers=(),
        python_path=None,
        is_image=False,
    )


def newest(number: int, runtimes: tuple[str, ...] = (), architectures: tuple[str, ...] = ()) -> LayerSummary:
    return LayerSummary(
        arn=f"{ARN.layer}:{number}",
        number=number,
        description="",
        license=None,
        runtimes=runtimes,
        architectures=architectures,
        created="2026-11-24T10:14:42.873+0000",
    )


@pytest.mark.parametrize(
    ("name", "today", "severity", "words"),
    [
        ("python3.12", date(2026, 11, 24), None, ""),
        ("python3.15", date(2026, 11, 24), None, ""),
        ("nodejs99.x", date(2026, 11, 24), None, ""),
        (
            "python3.9",
            date(2026, 11, 24),
            Severity.WARNING,
            "functions cannot be created from 2027-02-01, or updated from 2027-03-03",
        ),
        (
            "python3.9",
            date(2027, 3, 3),
            Severity.ERROR,
            "functions cannot be created since 2027-02-01, or updated since 2027-03-03",
        ),
    ],
)
def test_a_runtime_ages(name: str, today: date, severity: Severity | None, words: str) -> None:
    found = list(runtime_findings(name, "app", today))
    message = f"runtime `{name}` is deprecated since 2025-12-15; {words}"
    assert [(finding.severity, finding.message) for finding in found] == ([(severity, message)] if severity else [])


@pytest.mark.parametrize(
    ("python_path", "layers", "hidden"),
    [
        (None, [TOP, SITE], []),
        ("", [TOP], []),
        ("/var/task/vendor", [TOP], ["top"]),
        ("/var/task/vendor", [TOP, SITE, EXTENSION], ["top", "site"]),
        ("/var/task/vendor", [EXTENSION], []),
        ("/var/task/vendor", [], []),
        ("/var/task/vendor:/opt/python/", [TOP], []),
        ("/opt/python", [SITE], ["site"]),
        ("/opt/python/lib/python3.12/site-packages", [TOP, SITE], ["top"]),
        ("/opt/python/lib/python3.12/site-packages:/opt/python", [TOP, SITE, UNREAD], []),
        ("/var/task/vendor", [UNREAD], ["unread"]),
    ],
)
def test_python_path_hides_the_folders_that_it_does_not_name(
    python_path: str | None, layers: list[Contents], hidden: list[str]
) -> None:
    found = list(python_path_findings(python_path, "python3.12", layers, "app"))
    assert [(finding.code, finding.severity) for finding in found] == (
        [(Code.FUNCTION_PYTHONPATH, Severity.ERROR)] if hidden else []
    )
    assert all(f"`{name}`" in finding.message for finding in found for name in hidden)
    assert not any(f"`{layer.where}`" in found[0].message for layer in layers if layer.where not in hidden and found)


@pytest.mark.parametrize("runtime", ["nodejs22.x", "provided.al2023", None])
def test_python_path_means_nothing_to_other_runtimes(runtime: str | None) -> None:
    assert list(python_path_findings("/var/task", runtime, [TOP], "app")) == []


def test_a_newer_version_is_a_note_if_the_function_can_have_it() -> None:
    def codes(summary: LayerSummary) -> list[tuple[Code, Severity]]:
        return [(finding.code, finding.severity) for finding in outdated_finding(ARN, summary, function())]

    note = [(Code.LAYER_OUTDATED, Severity.NOTE)]
    assert codes(newest(4)) == note
    assert codes(newest(9, ("python3.11", "python3.12"), ("arm64", "x86_64"))) == note
    assert codes(newest(3)) == []
    assert codes(newest(2)) == []
    assert codes(newest(4, ("python3.13",))) == []
    assert codes(newest(4, (), ("arm64",))) == []


def test_a_newer_version_is_named_with_its_day() -> None:
    (finding,) = outdated_finding(ARN, newest(4), function())
    assert finding.message == "version 4 of this layer is there, of 2026-11-24; the function has version 3"


def test_a_layer_elsewhere_is_an_error() -> None:
    (finding,) = region_finding(ARN, "us-east-1")
    assert (finding.code, finding.severity) == (Code.LAYER_REGION, Severity.ERROR)
    assert list(region_finding(ARN, "eu-west-1")) == []


def test_what_cannot_be_read_is_said_to_be_missing_from_the_sum() -> None:
    for finding, severity in ((deleted_finding(str(ARN)), "error"), (denied_finding(str(ARN), None), "warning")):
        assert finding.severity == severity
        assert "unzipped size is unknown and not counted" in finding.message
