"""The same functions under AWS's own Runtime Interface Emulator, which AWS's SAM brings: the answers agree.

Where the emulator differs from Lambda (a timeout as plain text, for one), Lambda's own form is expected.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.interpreters import find_python
from tests.workbench import call

pytestmark = [pytest.mark.interpreter, pytest.mark.network]

SAM = "aws-sam-cli==1.170.0"
EMULATOR = "samcli/local/rapid/aws-lambda-rie-x86_64"
FUNCTION = """
import decimal, os, sys, time

def good(event, context): return {"event": event, "text": "\\u00fc\\u2603"}
def nothing(event, context): return None
def not_a_number(event, context): return float("nan")
def prints(event, context):
    print("out")
    print("err", file=sys.stderr)
    return "printed"
class Odd(Exception): pass
def raises(event, context): raise Odd("b\\u00e4d")
def chained(event, context):
    try:
        {}["key"]
    except KeyError as error:
        raise Odd("outer") from error
def asserts(event, context): assert event == 1, "not one"
def exits(event, context): sys.exit(3)
def exits_at_once(event, context): os._exit(4)
def segfaults(event, context):
    import ctypes
    ctypes.string_at(0)
def aborts(event, context): os.abort()
def large(event, context): return "x" * (6 * 1024 * 1024 + 98)
def too_large(event, context): return "x" * (6 * 1024 * 1024 + 99)
def a_set(event, context): return {1}
def a_decimal(event, context): return decimal.Decimal("1.50")
def some_bytes(event, context): return b"x"
def no_arguments(): return 1
def from_layer(event, context):
    import shared
    return shared.WHERE
def slow(event, context): time.sleep(60)
number = 3
"""
BROKEN = {
    "lacks.py": "import nothing_that_exists",
    "divides.py": "1 / 0",
    "syntax.py": "def f(:",
}
HANDLERS = """
app.good app.nothing app.not_a_number app.prints app.raises app.chained app.asserts app.exits app.exits_at_once
app.segfaults app.aborts app.large app.too_large app.a_set app.a_decimal app.some_bytes app.no_arguments app.from_layer
app.number app.missing nowhere.f nodot lacks.f divides.f syntax.f sys.exit
""".split()  # noqa: SIM905 -- a table is what it is


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Take the emulator out of SAM's wheel."""
    folder = tmp_path_factory.mktemp("sam")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", SAM]
    environment = {name: value for name, value in os.environ.items() if name != "PIP_CONFIG_FILE"}
    subprocess.run([*command, "--dest", folder], check=True, env=environment)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        path = Path(wheel.extract(EMULATOR, folder))
    path.chmod(0o755)
    return path


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def function(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write the function's code, and a layer beside it."""
    if not find_python("3.12"):
        pytest.skip("needs Python 3.12")
    monkeypatch.delenv("PIP_CONFIG_FILE")  # where this machine's index is
    code = tmp_path / "code"
    code.mkdir()
    for name, text in {"app.py": FUNCTION, **BROKEN}.items():
        (code / name).write_text(text)
    with zipfile.ZipFile(tmp_path / "layer.zip", "w") as out:
        out.writestr("python/shared.py", "WHERE = 'layer'")
    return code


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Emulated:
    """A function under the emulator."""

    def __init__(self, binary: Path, code: Path, bundled: Path) -> None:
        self.binary, self.code = binary, code
        with zipfile.ZipFile(code.parent / "layer.zip") as layer:
            layer.extractall(code.parent / "opt")
        self.environment = {
            "PATH": os.environ["PATH"],
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.12",
            "AWS_LAMBDA_FUNCTION_TIMEOUT": "1",
            "LAMBDA_TASK_ROOT": str(code),
            "LC_CTYPE": "C.UTF-8",
            "PYTHONPATH": f"{code}:{code.parent / 'opt/python'}:{bundled}",
        }

    @contextmanager
    def running(self, handler: str) -> Iterator[str]:
        """Offer the address to invoke the function at."""
        ports = free_port(), free_port()
        addresses = [f"127.0.0.1:{port}" for port in ports]
        command = [str(self.binary), "--runtime-interface-emulator-address", addresses[0], "--log-level", "error"]
        command += ["--runtime-api-address", addresses[1], str(find_python("3.12")), "-m", "awslambdaric", handler]
        process = subprocess.Popen(
            command,
            env=self.environment,
            cwd=self.code,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            yield f"http://{addresses[0]}/2015-03-31/functions/function/invocations"
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def invoke(self, handler: str) -> str:
        """Return the body of the answer, with Lambda's paths."""
        with self.running(handler) as url:
            body = posted(url)
        for own, name in ((self.code, "/var/task"), (self.code.parent / "opt", "/opt")):
            body = body.replace(str(own), name)
        return body


def posted(url: str) -> str:
    for _ in range(200):
        try:
            with urllib.request.urlopen(url, data=b'{"a": 1}', timeout=60) as answer:  # noqa: S310 -- our own
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return error.read().decode()
        except OSError:
            time.sleep(0.05)
    pytest.fail("the emulator does not answer")


@pytest.fixture
def emulated(emulator: Path, function: Path, cache: Path, capfd: pytest.CaptureFixture[str]) -> Emulated:
    """Prepare the emulator with the runtime client that layerkit itself uses."""
    invoked("app.nothing", function, cache, capfd)
    (client,) = cache.glob("runtimes/*/*/awslambdaric")
    return Emulated(emulator, function, client.parent)


def invoked(handler: str, code: Path, cache: Path, capfd: pytest.CaptureFixture[str]) -> str:
    """Return layerkit's answer."""
    options: list[str | Path] = [
        "--code",
        code,
        "--layer",
        code.parent / "layer.zip",
        "--runtime",
        "python3.12",
        "--cache-dir",
        cache,
    ]
    call("invoke", handler, *options, "--event", '{"a": 1}', "--timeout", "1", "--quiet")
    return capfd.readouterr().out.removesuffix("\n")


def plain(body: str) -> str:
    """Return a body without what differs from one invocation to the next, and from one installation to another."""
    body = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "ID", body)
    return re.sub(r'File \\"[^"]*?/(importlib|awslambdaric)/', r'File \\"\1/', body)


@pytest.mark.parametrize("handler", HANDLERS)
def test_the_answer_is_the_emulators(
    handler: str, emulated: Emulated, function: Path, cache: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert plain(invoked(handler, function, cache, capfd)) == plain(emulated.invoke(handler))


def test_a_timeout_is_told_in_lambdas_words(
    emulated: Emulated, function: Path, cache: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The emulator answers with the text alone."""
    text = emulated.invoke("app.slow")
    answer = json.loads(invoked("app.slow", function, cache, capfd))
    assert text == "Task timed out after 1.00 seconds"
    assert answer["errorType"] == "Sandbox.Timedout"
    assert answer["errorMessage"].endswith(f"Error: {text}")
