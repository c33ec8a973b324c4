"""Functions invoked for real, in namespaces and without, by an interpreter of this machine."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from layerkit.invoke import environment, space
from tests.handlers import HANDLERS
from tests.interpreters import find_python
from tests.workbench import call

pytestmark = [pytest.mark.interpreter, pytest.mark.network]

FUNCTION = (
    HANDLERS
    + """
def context(event, context):
    return {
        "name": context.function_name, "version": context.function_version, "arn": context.invoked_function_arn,
        "memory": context.memory_limit_in_mb, "left": context.get_remaining_time_in_millis(),
    }

def place(event, context):
    return {"cwd": os.getcwd(), "path": sys.path, "executable": sys.executable, "environment": dict(os.environ)}

def segfaults(event, context):
    import ctypes
    ctypes.string_at(0)

def sleeps(event, context):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for _ in range(2):
        if os.fork() == 0:
            os.setsid()
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
    subprocess.Popen(["sleep", event["mark"]], start_new_session=True)
    time.sleep(600)

def forks(event, context):
    subprocess.Popen(["sleep", event["mark"]], start_new_session=True)
    return "gone ahead"

def fills(event, context):
    written = 0
    with open("/tmp/fill", "wb", buffering=0) as stream:
        while written < 2000:
            try:
                stream.write(b"x" * (1 << 20))
            except OSError as error:
                return [written, error.strerror]
            written += 1

def writes(event, context):
    outcome = {}
    for folder in ("/var/task", "/opt", "/var/lang", "/tmp"):
        try:
            open(folder + "/new", "w").close()
            outcome[folder] = "written"
        except OSError as error:
            outcome[folder] = error.strerror
    return outcome

def imports(event, context):
    import boto3, shared
    return [shared.WHERE, boto3.__version__]

def child(event, context):
    program = "import boto3, sys; print(boto3.__file__)"
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd="/").stdout.strip()
"""
)

BOOTSTRAP = """#!/bin/sh
set -eu
api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
while true; do
  head=$(mktemp)
  event=$(curl -sSD "$head" "$api/next")
  id=$(grep -Fi Lambda-Runtime-Aws-Request-Id "$head" | tr -d '[:space:]' | cut -d: -f2)
  echo "$_HANDLER was called" >&2
  curl -sS "$api/$id/response" -d "[$event, \\"$PWD\\", \\"$0\\"]" >/dev/null
done
"""
Invoke = Callable[..., Any]


@pytest.fixture
def invoke(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Invoke:
    """Return how to invoke a handler of the function above: the answer and the log come back."""
    if not find_python("3.12"):
        pytest.skip("needs Python 3.12")
    monkeypatch.delenv("PIP_CONFIG_FILE")  # where this machine's index is
    monkeypatch.chdir(tmp_path)
    code = tmp_path / "code"
    code.mkdir()
    (code / "app.py").write_text(FUNCTION)

    def run(handler: str, *options: str, fails: bool = False, code: Path = code) -> tuple[Any, str]:
        arguments = ["--code", str(code), "--runtime", "python3.12", "--cache-dir", str(cache), *options]
        assert call("invoke", f"app.{handler}", *arguments) == int(fails)
        printed = capfd.readouterr()
        return json.loads(printed.out), printed.err

    return run


def layer(folder: Path, name: str, files: Mapping[str, str]) -> str:
    path = folder / f"{name}.zip"
    with zipfile.ZipFile(path, "w") as out:
        for member, content in files.items():
            out.writestr(member, content)
    return str(path)


def custom(*options: str, expected: int = 0) -> None:
    assert call("invoke", "my.handler", "--runtime", "provided.al2023", "--cache-dir", "cache", *options) == expected


def with_bootstrap(folder: Path, text: str = BOOTSTRAP, *, mode: int = 0o755) -> str:
    folder.mkdir(exist_ok=True)
    (folder / "bootstrap").write_text(text)
    (folder / "bootstrap").chmod(mode)
    return str(folder)


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Stand in a folder with one for code in it, which is empty."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    return "empty"


@pytest.mark.usefixtures("way")
def test_folders_may_be_called_anything(invoke: Invoke, tmp_path: Path) -> None:
    odd = (tmp_path / "code").rename(tmp_path / "# my\\040 c\u00f6de\n")
    assert invoke("echo", "--event", "[1]", code=odd)[0] == [1]


@pytest.mark.usefixtures("way")
def test_a_variable_that_keeps_a_programs_own_folder_off_the_search_path_changes_nothing(invoke: Invoke) -> None:
    usual, unusual = (invoke("place", *options)[0]["path"] for options in ((), ("--env", "PYTHONSAFEPATH=1")))
    assert [Path(each).name for each in unusual] == [Path(each).name for each in usual]


@pytest.mark.usefixtures("way", "empty")
def test_a_functions_own_bootstrap_is_started(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    custom("--code", with_bootstrap(tmp_path / "code"), "--event", "[1]")
    printed = capfd.readouterr()
    assert json.loads(printed.out)[0] == [1]
    assert "my.handler was called" in printed.err


def test_a_custom_runtime_in_a_layer_is_started(
    way: str, empty: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = with_bootstrap(tmp_path / "source")
    with zipfile.ZipFile(tmp_path / "runtime.zip", "w") as out:
        out.write(f"{source}/bootstrap", "bootstrap")
    custom("--code", empty, "--layer", "runtime.zip", "--event", "2")
    answer = json.loads(capfd.readouterr().out)
    assert answer[0] == 2
    if way == "namespaces":
        assert answer == [2, "/var/task", "/opt/bootstrap"]


@pytest.mark.usefixtures("way", "empty")
@pytest.mark.parametrize(
    ("text", "mode", "reason"),
    [
        (None, 0, "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"),
        ("#!/bin/sh", 0o644, "fork/exec /var/task/bootstrap: permission denied"),
        ("#!/no/such/program", 0o755, "fork/exec /var/task/bootstrap: no such file or directory"),
        ("neither program nor script", 0o755, "fork/exec /var/task/bootstrap: exec format error"),
    ],
)
def test_a_bootstrap_that_cannot_be_started_is_told_in_lambdas_words(
    text: str | None, mode: int, reason: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code = with_bootstrap(tmp_path / "code", text, mode=mode) if text is not None else "empty"
    custom("--code", code, expected=1)
    answer = json.loads(capfd.readouterr().out)
    assert answer["errorType"] == "Runtime.InvalidEntrypoint"
    assert answer["errorMessage"].endswith(f" Error: {reason}")


def is_running(mark: str) -> bool:
    """Tell whether a ``sleep`` with that argument is among the processes."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has just ended
            if f"sleep\0{mark}\0".encode() in path.read_bytes():
                return True
    return False


@pytest.mark.usefixtures("way")
def test_the_answer_is_stdout_and_the_log_is_stderr(invoke: Invoke) -> None:
    answer, log = invoke("prints")
    assert answer == "answer"
    lines = [line for line in log.splitlines() if not line.startswith(("note:", "Fetching"))]
    assert [line.split("RequestId")[0].strip() for line in lines] == [
        "START",
        "to stdout",
        "to stderr",
        "END",
        "REPORT",
    ]
    assert "Init Duration: " in lines[-1]


@pytest.mark.usefixtures("way")
def test_the_event_reaches_the_function(invoke: Invoke, tmp_path: Path) -> None:
    event = {"é": [1, None, "\N{SNOWMAN}"]}
    (tmp_path / "event.json").write_text(json.dumps(event))
    assert invoke("echo", "--event", json.dumps(event))[0] == event
    assert invoke("echo", "--event", "event.json")[0] == event


def test_the_context_is_lambdas(invoke: Invoke) -> None:
    answer, _ = invoke("context", "--timeout", "7", "--memory", "256")
    assert 5000 < answer.pop("left") <= 7000
    assert answer == {
        "name": "function",
        "version": "$LATEST",
        "arn": "arn:aws:lambda:us-east-1:123456789012:function:function",
        "memory": "256",
    }


def test_the_place_is_lambdas(way: str, invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The search path is as the runtime's bootstrap leaves it."""
    monkeypatch.setenv("SECRET_OF_THIS_MACHINE", "x")
    one = layer(tmp_path, "one", {"python/a.py": "", "python/lib/python3.12/site-packages/b.py": ""})
    answer, _ = invoke("place", "--layer", one, "--env", "MINE=1")
    assert "SECRET_OF_THIS_MACHINE" not in answer["environment"]
    assert answer["environment"]["MINE"] == "1"
    assert answer["environment"]["_X_AMZN_TRACE_ID"].startswith("Root=1-")
    if way == "namespaces":
        assert answer["path"][:5] == [
            "/var/task",
            "/opt/python/lib/python3.12/site-packages",
            "/opt/python",
            "/var/lang/lib/python3.12/site-packages",
            "/var/runtime",
        ]
        assert (answer["cwd"], answer["executable"]) == ("/var/task", "/var/lang/bin/python3.12")
        assert answer["environment"]["LAMBDA_TASK_ROOT"] == "/var/task"
    else:
        assert [Path(path).name for path in answer["path"][:3]] == ["code", "site-packages", "python"]


@pytest.mark.usefixtures("way")
def test_code_shadows_layers_and_the_last_layer_the_others(invoke: Invoke, tmp_path: Path) -> None:
    one = layer(tmp_path, "one", {"python/shared.py": "WHERE = 'one'"})
    two = layer(tmp_path, "two", {"python/shared.py": "WHERE = 'two'"})
    assert invoke("imports", "--layer", one, "--layer", two)[0][0] == "two"
    assert invoke("imports", "--layer", two, "--layer", one)[0][0] == "one"
    (tmp_path / "code/shared.py").write_text("WHERE = 'code'")
    assert invoke("imports", "--layer", one)[0][0] == "code"


@pytest.mark.usefixtures("way")
def test_layers_shadow_what_the_runtime_brings(invoke: Invoke, tmp_path: Path) -> None:
    shared = {"python/shared.py": "WHERE = 'layer'"}
    plain = layer(tmp_path, "plain", shared)
    own = layer(tmp_path, "own", {**shared, "python/boto3/__init__.py": "__version__ = 'mine'"})
    assert invoke("imports", "--layer", plain)[0][1].startswith("1.")
    assert invoke("imports", "--layer", own)[0][1] == "mine"


@pytest.mark.usefixtures("way")
def test_a_child_process_finds_what_the_runtime_brings(invoke: Invoke) -> None:
    assert invoke("child")[0].endswith("/boto3/__init__.py")


@pytest.mark.usefixtures("way")
def test_code_in_a_zip_does_as_well(invoke: Invoke, tmp_path: Path) -> None:
    path = Path(layer(tmp_path, "code", {"app.py": FUNCTION}))
    assert invoke("echo", "--event", "[1]", code=path)[0] == [1]


@pytest.mark.usefixtures("way")
def test_paths_in_an_error_are_lambdas(invoke: Invoke) -> None:
    answer, log = invoke("raises", fails=True)
    assert (answer["errorType"], answer["errorMessage"]) == ("ValueError", "no good")
    assert 'File "/var/task/app.py"' in answer["stackTrace"][0]
    assert log.rstrip().endswith("Status: error\tError Type: ValueError")


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize(
    ("handler", "reason"), [("exits", "exit status 3"), ("segfaults", "signal: segmentation fault")]
)
def test_a_process_that_ends_is_told(invoke: Invoke, handler: str, reason: str) -> None:
    answer, _ = invoke(handler, fails=True)
    assert answer["errorType"] == "Runtime.ExitError"
    assert answer["errorMessage"].endswith(f" Error: Runtime exited with error: {reason}")


@pytest.mark.usefixtures("way")
def test_nobody_waits_for_what_a_process_that_ended_would_say(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "_PATIENCE", 60.0)
    began = time.monotonic()
    invoke("exits", fails=True)
    assert time.monotonic() - began < 30


@pytest.mark.usefixtures("way", "empty")
def test_the_memory_of_a_process_that_ends_at_once_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    bootstrap = tmp_path / "bootstrap"
    bootstrap.write_text("#!/bin/sh\nexit 3\n")
    bootstrap.chmod(0o755)
    assert call("invoke", "x", "--code", str(tmp_path), "--runtime", "provided.al2023", "--json") == 1
    assert json.loads(capfd.readouterr().out)["invocations"][0]["memory_mib"] > 1


@pytest.mark.parametrize("safe", ["", "1"])
@pytest.mark.usefixtures("way")
def test_a_wrapper_starts_the_runtime_and_may_change_what_it_is_told(safe: str, invoke: Invoke, tmp_path: Path) -> None:
    """As in AWS's own example, which adds arguments before the last one."""
    wrapper = tmp_path / "code" / "wrapper"
    wrapper.write_text('#!/bin/bash\nexport ADDED=yes _HANDLER=app.place\nexec "${@:1:$#-1}" -X utf8 "${@: -1}"\n')
    wrapper.chmod(0o755)
    plain, _ = invoke("place", "--env", f"PYTHONSAFEPATH={safe}")
    named = f"AWS_LAMBDA_EXEC_WRAPPER={plain['cwd']}/wrapper"
    found, _ = invoke("echo", "--env", f"PYTHONSAFEPATH={safe}", "--env", named)
    own = {"ADDED", "_HANDLER", "AWS_LAMBDA_EXEC_WRAPPER", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API"}
    varying = own | {"_X_AMZN_TRACE_ID", "_", "OLDPWD", "LD_LIBRARY_PATH", "TMPDIR", "LC_CTYPE"}
    assert found["environment"]["ADDED"] == "yes"
    assert set(found["environment"]) - varying == set(plain["environment"]) - varying
    assert len(found["path"]) == len(plain["path"])


@pytest.mark.parametrize(("mode", "status", "reason"), [(None, 127, "does not exist"), (0o644, 126, "is not an exec")])
@pytest.mark.usefixtures("way")
def test_a_wrapper_that_cannot_be_started_ends_the_function(
    mode: int | None, status: int, reason: str, invoke: Invoke, tmp_path: Path
) -> None:
    if mode is not None:
        wrapper = tmp_path / "code" / "wrapper"
        wrapper.write_text("#!/bin/sh\n")
        wrapper.chmod(mode)
    here, _ = invoke("place")
    answer, log = invoke("echo", "--env", f"AWS_LAMBDA_EXEC_WRAPPER={here['cwd']}/wrapper", fails=True)
    assert answer["errorMessage"].endswith(f"exit status {status}")
    assert f"/wrapper: {reason}" in log


@pytest.mark.usefixtures("way")
def test_what_is_preloaded_is_the_functions_business_alone(invoke: Invoke) -> None:
    """Where it comes out of a layer, it is not there yet for the programs that make the sandbox."""
    _, log = invoke("echo", "--env", "LD_PRELOAD=/opt/lib/none.so")
    assert log.count("/opt/lib/none.so") == 1


@pytest.mark.usefixtures("way")
def test_a_function_that_takes_too_long_ends_with_all_it_started(invoke: Invoke) -> None:
    answer, log = invoke("sleeps", "--timeout", "1", "--event", '{"mark": "86401"}', fails=True)
    assert answer["errorType"] == "Sandbox.Timedout"
    assert answer["errorMessage"].endswith("Error: Task timed out after 1.00 seconds")
    assert "Duration: 1000.00 ms" in log
    assert not is_running("86401")


@pytest.mark.usefixtures("way")
def test_what_a_function_leaves_running_ends_with_it(invoke: Invoke) -> None:
    assert invoke("forks", "--event", '{"mark": "86402"}')[0] == "gone ahead"
    assert not is_running("86402")


@pytest.mark.usefixtures("way")
def test_too_much_memory_is_the_end(invoke: Invoke) -> None:
    answer, log = invoke("eats", "--memory", "200", "--timeout", "60", fails=True)
    assert answer["errorType"] == "Runtime.OutOfMemory"
    assert "Max Memory Used: 200 MB" in log


def test_only_tmp_can_be_written(invoke: Invoke) -> None:
    if not space.namespaces():
        pytest.skip("needs a system that permits namespaces")
    refused = "Read-only file system"
    assert list(invoke("writes")[0].values()) == [refused, refused, refused, "written"]
    assert not Path(tempfile.gettempdir(), "new").exists()


def test_tmp_has_the_room_that_was_said(invoke: Invoke) -> None:
    if not space.namespaces():
        pytest.skip("needs a system that permits namespaces")
    assert invoke("fills", "--timeout", "60", "--tmp", "600")[0] == [600, "No space left on device"]


@pytest.mark.usefixtures("way")
def test_repeated_invocations_share_one_environment_until_it_ends(invoke: Invoke) -> None:
    answer, log = invoke("counts", "--repeat", "5", "--json", "--event", "3", fails=True)
    found = [(each["answer"], each["init_ms"] is not None) for each in answer["invocations"]]
    assert found[:2] == [(1, True), (2, False)]
    assert found[2][0]["errorType"] == "Runtime.ExitError"
    assert found[3:] == [(1, True), (2, False)]
    assert "2 cold: " in log
    assert "3 warm: " in log


@pytest.mark.usefixtures("way")
def test_a_start_that_takes_too_long_is_tried_again_on_the_invocations_time(
    invoke: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "INIT_SECONDS", 0.5)
    (tmp_path / "code/app.py").write_text("import time\nprint('start')\ntime.sleep(1.5)\ndef f(e, c): return 'there'\n")
    answer, log = invoke("f", "--timeout", "20")
    assert answer == "there"
    assert "INIT_REPORT Init Duration: 500.00 ms\tPhase: init\tStatus: timeout" in log
    assert log.splitlines().count("start") == 2
    assert "\tInit Duration" not in log
    answer, _ = invoke("f", "--timeout", "1", fails=True)
    assert answer["errorType"] == "Sandbox.Timedout"


def test_there_is_no_shared_memory_as_on_lambda(invoke: Invoke, tmp_path: Path) -> None:
    if not space.namespaces():
        pytest.skip("needs a system that permits namespaces")
    (tmp_path / "code/app.py").write_text(
        "import multiprocessing\ndef f(e, c):\n    multiprocessing.Queue()\ndef g(e, c):\n"
        "    ours, theirs = multiprocessing.Pipe()\n"
        "    child = multiprocessing.Process(target=theirs.send, args=('from a child',))\n"
        "    child.start()\n    return ours.recv()\n"
    )
    assert invoke("f", fails=True)[0]["errorType"] == "OSError"
    assert invoke("g")[0] == "from a child"


def test_without_a_network_and_a_cache_it_is_told_what_is_missing(
    invoke: Invoke, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    invoke("echo")
    options = ["--code", "code", "--runtime", "python3.12", "--cache-dir", str(tmp_path / "empty")]
    assert call("invoke", "app.echo", *options, "--offline", "--no-index") == 4
    assert "what python3.12 brings itself" in capfd.readouterr().err
    assert not list((tmp_path / "empty").glob("runtimes/*/*"))


def test_a_cached_layer_is_not_written_by_a_function(
    invoke: Invoke, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where nothing is read-only: it works with a copy."""
    monkeypatch.setattr(space, "namespaces", lambda: ())
    (tmp_path / "code/app.py").write_text(
        "import shared, pathlib\ndef f(e, c):\n    pathlib.Path(shared.__file__).write_text('WHERE = 1')\n"
    )
    path = layer(tmp_path, "one", {"python/shared.py": "WHERE = 'untouched'"})
    invoke("f", "--layer", path)
    contents = [each.read_text() for each in (cache / "unpacked").rglob("shared.py")]
    assert "WHERE = 'untouched'" in contents
    assert "WHERE = 1" not in contents


def test_withoutnamespaces_it_is_said_once_what_that_means(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(space, "namespaces", lambda: ())
    _, log = invoke("echo", "--repeat", "3", "--json")
    assert log.count("note: this system gives the function no namespaces") == 1


def test_nothing_is_said_under_quiet(invoke: Invoke) -> None:
    assert invoke("prints", "--quiet") == ("answer", "")


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_nothing_is_left_when_layerkit_is_interrupted(
    invoke: Invoke, cache: Path, how: signal.Signals, tmp_path: Path
) -> None:
    invoke("echo")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    mark = f"{86_400 + how.value}.{os.getpid()}"  # nobody else on this machine sleeps just so long
    command = [sys.executable, "-m", "layerkit", "invoke", "app.sleeps", "--code", "code", "--runtime", "python3.12"]
    command += ["--timeout", "600", "--event", json.dumps({"mark": mark}), "--cache-dir", str(cache)]
    process = subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(temporary)},
    )
    _wait_until(lambda: is_running(mark))
    process.send_signal(how)
    assert process.wait(30) == (130 if how is signal.SIGINT else -how)
    _wait_until(lambda: not is_running(mark))
    if how is not signal.SIGKILL:  # which leaves nobody who could
        assert [*temporary.iterdir()] == []


def _wait_until(condition: Callable[[], bool], *, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)
