"""Programs that run while layerkit speaks with them."""

import os
import sys
import time
from pathlib import Path

import pytest

from layerkit.sandbox.process import start

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs sessions and signals")


def test_what_is_said_is_answered_line_by_line(tmp_path: Path) -> None:
    program = "import sys, os; [print(os.environ['X'], line.strip(), os.getcwd(), flush=True) for line in sys.stdin]"
    conversation = start([sys.executable, "-c", program], environment={"X": "got"}, folder=tmp_path)
    lines = conversation.lines()
    conversation.say("one\n")
    assert next(lines) == f"got one {tmp_path.resolve()}\n"
    conversation.say("two\n")
    assert next(lines) == f"got two {tmp_path.resolve()}\n"
    conversation.end()
    assert list(lines) == []


def test_a_program_that_does_not_end_by_itself_is_killed(tmp_path: Path) -> None:
    program = (
        "import signal, time, os\nfor each in (1, 2, 15): signal.signal(each, signal.SIG_IGN)\n"
        "print(os.getpid(), flush=True)\ntime.sleep(600)"
    )
    conversation = start([sys.executable, "-c", program], environment={}, folder=tmp_path)
    pid = int(next(conversation.lines()))
    began = time.monotonic()
    conversation.end()
    assert time.monotonic() - began < 30
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_one_that_has_ended_hears_nothing_and_nobody_minds(tmp_path: Path) -> None:
    conversation = start([sys.executable, "-c", ""], environment={}, folder=tmp_path)
    assert list(conversation.lines()) == []
    conversation.say("anybody there?\n")
    conversation.end()


def test_what_cannot_be_started_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nothing"):
        start([tmp_path / "nothing"], environment={}, folder=tmp_path)
