"""Recipes whose functions speak to a database or a collector, or keep secrets: what they answer, and what was seen."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from uv import find_uv_bin

from tests.interpreters import find_python
from tests.workbench import call

pytestmark = [
    pytest.mark.interpreter,
    pytest.mark.network,
    pytest.mark.skipif(sys.platform != "linux", reason="functions are invoked on Linux"),
]

RECIPES = Path(__file__).parents[2] / "recipes"
RUNTIMES = {
    "cryptography": "3.12",
    "opentelemetry": "3.13",
    "powertools": "3.12",
    "psycopg": "3.13",
    "pymysql": "3.12",
    "sqlalchemy": "3.13",
}


@pytest.fixture(autouse=True)
def index(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take pip's settings back: where this machine's index is."""
    monkeypatch.delenv("PIP_CONFIG_FILE")


@pytest.mark.parametrize(("name", "version"), RUNTIMES.items())
def test_the_function_answers_and_what_it_speaks_to_saw_what_it_should(
    name: str, version: str, cache: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    if not find_python(version):
        pytest.skip(f"needs Python {version}")
    code = call("invoke", RECIPES / name, "--runtime", f"python{version}", "--cache-dir", cache)
    log = capfd.readouterr().err
    assert code == 0, log
    assert "warn" not in log.lower()


@pytest.mark.parametrize(
    ("name", "change", "complaint"),
    [
        (
            "cryptography",
            ("except InvalidSignature:\n        return False", "except InvalidSignature:\n        pass"),
            "tampered",
        ),
        ("opentelemetry", ("provider.force_flush()", "pass"), "services: "),
        ("powertools", ("enable_validation=True", "enable_validation=False"), "powertools (refused)"),
        ("psycopg", ("connection.transaction()", "connection.cursor()"), "InFailedSqlTransaction"),
        ("psycopg", ("connection.transaction()", "connection.transaction(force_rollback=True)"), "services: "),
        ("pymysql", ("connection.rollback()", "connection.commit()"), "ROLLBACK"),
        ("sqlalchemy", ("session.begin()", "session.no_autoflush"), "NoResultFound"),
        ("sqlalchemy", ("year >= 1450", "year >= -1450"), "refused"),
    ],
)
def test_an_example_that_does_without_what_it_shows_fails(
    name: str, change: tuple[str, str], complaint: str, cache: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    if not find_python("3.12"):
        pytest.skip("needs Python 3.12")
    recipe = shutil.copytree(RECIPES / name, tmp_path / name)
    function = recipe / "example/lambda_function.py"
    text = function.read_text(encoding="utf-8")
    assert text.count(change[0]) == 1
    function.write_text(text.replace(*change), encoding="utf-8")
    assert call("invoke", recipe, "--runtime", "python3.12", "--cache-dir", cache) == 1
    printed = capfd.readouterr()
    assert complaint in printed.out + printed.err


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a folder for temporary files which everybody may enter, as ``/tmp`` is and pytest's own is not."""
    found = Path(tempfile.mkdtemp())
    found.chmod(0o755)
    yield found
    shutil.rmtree(found)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("started", [True, False], ids=["started", "starting"])
def test_nothing_is_left_of_the_database_when_what_runs_it_is_ended(
    folder: Path, how: signal.Signals, started: bool
) -> None:
    command = [find_uv_bin(), "run", "--no-project", "--quiet", "--python", sys.executable, "--script"]
    process = subprocess.Popen(
        [*command, RECIPES / "psycopg/example/services.py"],
        env={**os.environ, "TMPDIR": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    with process:
        if started:
            assert process.stdout
            assert "DATABASE_URL" in json.loads(process.stdout.readline())
        _wait_until(lambda: _servers(folder) if started else [*folder.glob("postgresql-*")])
        os.killpg(process.pid, how)
    _wait_until(lambda: not _servers(folder) and not [*folder.glob("postgresql-*")])


def _servers(folder: Path) -> list[Path]:
    """Return the processes whose program is in the folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # it has just ended
            if bytes(folder) in path.read_bytes():
                found.append(path)
    return found


def _wait_until(condition: Callable[[], object], *, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)
