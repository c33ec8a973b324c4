"""What every test stands on: this machine's settings are out of reach, and in CI nothing is skipped."""

import os
from collections.abc import Generator

import pytest

_SETTINGS = ("PIP_", "UV_", "LAYERKIT_")
_KEPT = ("UV_CACHE_DIR", "LAYERKIT_TESTS_MUST_RUN", "LAYERKIT_PYTHON")


@pytest.fixture(autouse=True)
def machine_without_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take pip's, uv's and layerkit's settings away from every test: they differ from machine to machine."""
    for name in list(os.environ):
        if name.startswith(_SETTINGS) and not name.startswith(_KEPT):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("UV_NO_CONFIG", "1")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skipped test into a failed one where everything must run."""
    report = yield
    if os.environ.get("LAYERKIT_TESTS_MUST_RUN") and report.outcome == "skipped":
        report.outcome = "failed"
        report.longrepr = f"skipped where it must run: {call.excinfo and call.excinfo.value}"
    return report
