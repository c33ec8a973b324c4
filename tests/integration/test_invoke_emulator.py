"""The same functions under AWS's own Runtime Interface Emulator, which AWS's SAM brings: the answers agree.

Where the emulator differs from Lambda (a timeout as plain text, for one), Lambda's own form is expected.
"""

import json
import re
import zipfile
from pathlib import Path

import pytest

from tests.emulator import Emulator, take_emulator
from tests.interpreters import find_python
from tests.workbench import call

pytestmark = [pytest.mark.interpreter, pytest.mark.network]

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
def binary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return take_emulator(tmp_path_factory.mktemp("sam"))


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


def answer_of(emulator: Emulator, handler: str) -> str:
    """Return the body of the emulator's answer, with Lambda's paths."""
    body = emulator.invoke(handler, b'{"a": 1}', timeout=1)
    for own, name in ((emulator.code, "/var/task"), (emulator.opt, "/opt")):
        body = body.replace(str(own), name)
    return body


@pytest.fixture
def emulator(binary: Path, function: Path, cache: Path, capfd: pytest.CaptureFixture[str]) -> Emulator:
    """Prepare the emulator with the runtime client that layerkit itself uses."""
    invoked("app.nothing", function, cache, capfd)
    (client,) = cache.glob("runtimes/*/*/awslambdaric")
    opt = function.parent / "opt"
    with zipfile.ZipFile(function.parent / "layer.zip") as layer:
        layer.extractall(opt)
    python = find_python("3.12")
    assert python is not None
    return Emulator(binary=binary, python=python, code=function, opt=opt, bundled=client.parent)


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
    handler: str, emulator: Emulator, function: Path, cache: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert plain(invoked(handler, function, cache, capfd)) == plain(answer_of(emulator, handler))


def test_a_timeout_is_told_in_lambdas_words(
    emulator: Emulator, function: Path, cache: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The emulator answers with the text alone."""
    text = answer_of(emulator, "app.slow")
    answer = json.loads(invoked("app.slow", function, cache, capfd))
    assert text == "Task timed out after 1.00 seconds"
    assert answer["errorType"] == "Sandbox.Timedout"
    assert answer["errorMessage"].endswith(f"Error: {text}")
