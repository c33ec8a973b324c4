"""Where results go: a full disk, and a reader that has seen enough."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.workbench import Workbench

FULL = Path("/dev/full")
COMMANDS = pytest.mark.parametrize("argv", [("runtimes",), ("--help",), ("runtimes", "--json"), ("--version",)])
BUFFERING = pytest.mark.parametrize("unbuffered", ["", "1"])


@COMMANDS
@BUFFERING
@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here")
def test_a_full_disk_is_told_without_a_traceback(bench: Workbench, argv: tuple[str, ...], unbuffered: str) -> None:
    with FULL.open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "layerkit", *argv],
            stdout=full,
            stderr=subprocess.PIPE,
            env=bench.settings(PYTHONUNBUFFERED=unbuffered),
            text=True,
            check=False,
        )
    assert done.returncode == 1
    first, *rest = done.stderr.splitlines()
    assert first == "error: the output cannot be written: no space left on device"
    assert [line.partition(":")[0] for line in rest] == ["hint"]


@COMMANDS
@BUFFERING
def test_a_reader_that_goes_away_changes_nothing(bench: Workbench, argv: tuple[str, ...], unbuffered: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "layerkit", *argv],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=bench.settings(PYTHONUNBUFFERED=unbuffered),
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    with process.stderr as stderr:
        said = stderr.read()
    assert (process.wait(), said) == (0, "")


def test_a_stdout_closed_from_the_start_is_no_matter(bench: Workbench) -> None:
    (bench.work / "layer" / "etc").mkdir(parents=True)
    (bench.work / "layer" / "etc" / "app.toml").write_text("a = 1\n", encoding="utf-8")
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-m", "layerkit", "audit", "layer"],
        stderr=subprocess.PIPE,
        env=bench.settings(),
        cwd=bench.work,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
