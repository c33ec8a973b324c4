"""What a function's start goes to, told by real interpreters that time their imports."""

import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from layerkit.invoke import environment
from layerkit.invoke.import_log import BEGIN, ImportLog
from layerkit.sandbox.process import start
from tests.interpreters import find_python
from tests.workbench import call

FUNCTION = """
import importlib, os, sys, time
sys.stderr.write("half of ")
import slow, boto3
sys.stderr.write("a line\\n")
importlib.import_module("slow.part")
time.sleep(0.05)

def answers(event, context):
    import wave
    print("to stdout")
    sys.stderr.write("no end")
    return os.environ.get("PYTHONPROFILEIMPORTTIME")

def crashes(event, context):
    import wave
    os._exit(1)
"""
LAYER = {
    "python/slow/__init__.py": "import time; time.sleep(0.2); import xml.etree.ElementTree",
    "python/slow/part.py": "import time; time.sleep(0.1)\ntry:\n    import not_there\nexcept ImportError:\n    pass",
    "python/slow-1.5.dist-info/METADATA": "Metadata-Version: 2.1\nName: slow\nVersion: 1.5\n",
    "python/slow-1.5.dist-info/RECORD": "slow/__init__.py,,\nslow/part.py,,\n",
}
SLOW_MS = 300  # what it sleeps
TABLE = re.compile(r"^( *\d+\.\d .*| +ms .*|Imported later.*)\n", re.MULTILINE)
VARYING = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9.]+ ms|Memory Used: \d+")
Invoke = Callable[..., tuple[Any, str]]


@pytest.fixture
def invoke(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Invoke:
    """Return how to invoke a handler of the function above with the layer above: what is printed comes back."""
    if not find_python("3.12"):
        pytest.skip("needs Python 3.12")
    monkeypatch.delenv("PIP_CONFIG_FILE")  # where this machine's index is
    (tmp_path / "code").mkdir()
    (tmp_path / "code/app.py").write_text(FUNCTION)
    with zipfile.ZipFile(tmp_path / "layer.zip", "w") as out:
        for name, content in LAYER.items():
            out.writestr(name, content)

    def run(handler: str, *options: str, fails: bool = False) -> tuple[Any, str]:
        folders = ["--code", str(tmp_path / "code"), "--layer", str(tmp_path / "layer.zip"), "--cache-dir", str(cache)]
        arguments = ["invoke", f"app.{handler}", *folders, "--runtime", "python3.12", "--timeout", "30", *options]
        assert call(*arguments) == int(fails)
        printed = capfd.readouterr()
        return json.loads(printed.out), printed.err

    return run


def by_owner(imports: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {each["distribution"] or each["part"]: each for each in imports}


@pytest.mark.usefixtures("way")
@pytest.mark.interpreter
@pytest.mark.network
def test_the_start_is_told_by_distribution_and_what_the_handler_imports_is_told_apart(invoke: Invoke) -> None:
    answer, _ = invoke("answers", "--profile-imports", "--json")
    costs = by_owner(answer["imports"])
    slow, own = costs["slow"], costs["function"]
    assert (slow["version"], slow["part"], slow["modules"]) == ("1.5", "layer", 3)
    assert SLOW_MS <= slow["ms"] < slow["cumulative_ms"]
    assert [each["module"] for each in slow["heaviest"]] == ["slow", "slow.part", "not_there"]
    assert (own["modules"], own["heaviest"][0]["module"]) == (1, "app")
    assert own["ms"] >= 50
    assert own["cumulative_ms"] > slow["cumulative_ms"] + costs["boto3"]["cumulative_ms"]
    assert (costs["botocore"]["part"], costs["boto3"]["part"]) == ("runtime", "runtime")
    assert {each["module"] for each in by_owner(answer["imports_later"])["standard-library"]["heaviest"]} >= {"wave"}
    assert sum(each["ms"] for each in answer["imports"]) < answer["invocations"][0]["init_ms"]
    assert answer["invocations"][0]["answer"] is None


@pytest.mark.usefixtures("way")
@pytest.mark.interpreter
@pytest.mark.network
def test_the_functions_log_is_the_same_to_the_byte(invoke: Invoke) -> None:
    invoke("answers")  # what is said once is said
    plain, profiled = invoke("answers")[1], invoke("answers", "--profile-imports")[1]
    assert "half of a line\nto stdout\nno endEND RequestId: " in plain
    assert VARYING.sub("", TABLE.sub("", profiled)) == VARYING.sub("", plain)
    assert profiled.index("REPORT") < profiled.index("slow 1.5") < profiled.index("the whole start")


@pytest.mark.interpreter
@pytest.mark.network
def test_only_the_first_start_counts(invoke: Invoke) -> None:
    options = ("--profile-imports", "--json", "--async", "--retries", "1")
    answer, _ = invoke("crashes", *options, fails=True)
    assert [each["error_type"] for each in answer["invocations"]] == ["Runtime.ExitError"] * 2
    assert by_owner(answer["imports"])["slow"]["modules"] == 3
    assert by_owner(answer["imports"])["slow"]["ms"] < 2 * SLOW_MS
    warm, _ = invoke("answers", "--profile-imports", "--json", "--repeat", "2")
    assert by_owner(warm["imports"])["slow"]["ms"] < 2 * SLOW_MS


@pytest.mark.interpreter
@pytest.mark.network
def test_a_start_that_fails_is_told_as_far_as_it_came(invoke: Invoke, tmp_path: Path) -> None:
    (tmp_path / "code/app.py").write_text("import slow, missing")
    answer, log = invoke("answers", "--profile-imports", "--json", "--quiet", fails=True)
    assert answer["invocations"][0]["error_type"] == "Runtime.ImportModuleError"
    assert by_owner(answer["imports"])["slow"]["ms"] >= 200
    assert (answer["imports_later"], log) == ([], "")


@pytest.mark.interpreter
@pytest.mark.network
def test_a_start_that_takes_too_long_is_not_the_one_that_counts(
    invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "INIT_SECONDS", 0.3)  # the function sleeps longer
    answer, log = invoke("answers", "--profile-imports", "--json")
    assert "INIT_REPORT" in log
    assert by_owner(answer["imports"])["slow"]["modules"] == 3
    assert answer["invocations"][0]["init_ms"] is None


def test_a_runtime_without_python_has_no_imports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--code", str(tmp_path), "--runtime", "provided.al2023", "--profile-imports"]
    assert call("invoke", "my.handler", *options) == 2
    assert "`--profile-imports` is for Python runtimes, and provided.al2023 is none" in capsys.readouterr().err


@pytest.mark.interpreter
def test_every_python_that_is_here_writes_lines_of_that_form() -> None:
    pythons = [*filter(None, map(find_python, ("3.9", "3.10", "3.11", "3.12", "3.13", "3.14")))]
    assert pythons
    for python in pythons:
        command = [str(python), "-X", "importtime", "-c", "import json.tool, wave"]
        written = subprocess.run(command, capture_output=True, check=True).stderr
        log = ImportLog()
        assert log.feed(f"{log.mark}{BEGIN}\n".encode() + written) + log.feed(b"") == b""
        depths = {each.module: each.depth for each in log.init}
        assert (depths["json.tool"], depths["json"], depths["json.decoder"], depths["wave"]) == (0, 1, 2, 0)
        assert all(each.own_us <= each.all_us for each in log.init)


@pytest.mark.parametrize("quiet", [False, True])
def test_what_a_program_writes_to_stderr_goes_through_the_sieve(
    quiet: bool, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    taken: list[bytes] = []

    def sieve(chunk: bytes) -> bytes:
        taken.append(chunk)
        return chunk.replace(b"bad", b"") or b"."

    program = "import os; os.write(2, b'good bad '); os.write(2, b'x' * 200000)"
    conversation = start([sys.executable, "-c", program], environment={}, folder=tmp_path, quiet=quiet, sieve=sieve)
    assert list(conversation.lines()) == []
    conversation.end()
    assert b"".join(taken) == b"good bad " + b"x" * 200000
    assert taken[-1] == b""
    assert capfd.readouterr().err == ("" if quiet else f"good  {'x' * 200000}.")
