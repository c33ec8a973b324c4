"""Finds other Python interpreters on this machine, however they came here."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_ASK = "import sys; print('%d.%d' % sys.version_info[:2])"


@cache
def find_python(version: str) -> Path | None:
    """Return an interpreter of a minor version such as ``3.12`` that really runs, or ``None``.

    Looks at ``LAYERKIT_PYTHON312``, then asks uv, then ``PATH``, then pyenv.
    """
    return next((path for path in _candidates(version) if _answer(path) == version), None)


def _candidates(version: str) -> Iterator[Path]:
    if chosen := os.environ.get("LAYERKIT_PYTHON" + version.replace(".", "")):
        yield Path(chosen)
    if found := _ask_uv(version):
        yield found
    if on_path := shutil.which(f"python{version}"):
        yield Path(on_path)
    yield from sorted(Path.home().glob(f".pyenv/versions/{version}*/bin/python"), reverse=True)


def _ask_uv(version: str) -> Path | None:
    from uv import find_uv_bin

    command = [find_uv_bin(), "python", "find", version, "--no-python-downloads", "--no-project"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return Path(answer.stdout.strip()) if answer.returncode == 0 else None


def _answer(path: Path) -> str | None:
    try:
        answer = subprocess.run([path, "-c", _ASK], capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None
