"""The tutorial goes from nothing to an invoked function by pasting: its blocks are pasted, in order, into one shell."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.interpreters import find_python

pytestmark = [pytest.mark.interpreter, pytest.mark.network]

PAGE: Final = Path(__file__).parents[2] / "docs/tutorial/first-layer.md"
FENCE: Final = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
BREAK: Final = "=== next block ==="
DIFFERENT: Final = (  # from run to run, or with every new version of a package
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}", "ID"),
    (r"\b[0-9a-f]{64}\b", "DIGEST"),
    (r"\d+(\.\d+)?( ms| MB| MiB| KiB| bytes|s\b)", r"N\2"),
    (r"(?<=[a-z] )\d+(\.\w+)+(?=,|$)", "VERSION"),
    (r"in \d+ files", "in N files"),
    (r"[█░]+\] +\d+%", "BAR"),
    (r" +", " "),
)


def normalised(text: str) -> list[str]:
    """Return the lines, in whatever order log and answer were written, without what differs."""
    for pattern, replacement in DIFFERENT:
        text = re.sub(pattern, replacement, text, flags=re.MULTILINE)
    return sorted(text.strip().splitlines())


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Stand in for a clone: a virtual environment and an install of the package from it would take a minute each."""
    interpreter = find_python("3.12")
    if not interpreter:
        pytest.skip("needs Python 3.12")
    programs = {
        "python3": '[ "$*" = "-m venv .venv" ] && mkdir -p .venv/bin && touch .venv/bin/activate',
        "pip": '[ "$*" = "install ." ]',
        "layerkit": f'"{sys.executable}" -m layerkit "$@"',
    }
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3.12").symlink_to(interpreter)
    for name, line in programs.items():
        program = tmp_path / "bin" / name
        program.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (tmp_path / "clone").mkdir()
    return tmp_path / "clone"


def test_every_block_does_what_the_page_shows(clone: Path) -> None:
    found = [(block["language"], block["text"]) for block in FENCE.finditer(PAGE.read_text(encoding="utf-8"))]
    pasted = [text for language, text in found if language == "sh"]
    shown: list[str] = []
    for language, text in found:
        shown = [*shown, ""] if language == "sh" else [*shown[:-1], text]
    environment = {name: value for name, value in os.environ.items() if name != "PIP_CONFIG_FILE"}
    environment |= {"PATH": f"{clone.parent / 'bin'}:{os.environ['PATH']}", "HOME": str(clone.parent)}
    environment |= {"LAYERKIT_CACHE_DIR": str(clone.parent / "cache"), "PYTHONPATH": str(PAGE.parents[2])}
    done = subprocess.run(
        ["/bin/bash", "-e"],
        input=f"\necho '{BREAK}'\n".join(pasted),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=clone,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    notes = re.compile(r"^(note: |Fetching ).*\n", re.MULTILINE)
    came = notes.sub("", done.stdout).split(f"{BREAK}\n")
    assert [normalised(each) for each in came] == [normalised(each) for each in shown]
    first, second = came[-1].split()[::2]
    assert first == second
