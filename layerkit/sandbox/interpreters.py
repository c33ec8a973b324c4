"""Find an interpreter of a target's Python version on this machine, one that really runs."""

import contextlib
import functools
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from layerkit.cache import Cache
from layerkit.errors import BuildError
from layerkit.sandbox.process import run
from layerkit.sandbox.uv import find_uv

_QUESTION: Final = (
    "import sys, json; print(json.dumps([sys.implementation.name, sys.version, list(sys.version_info[:3])]))"
)
_WHERE: Final = "import os, sys; print(os.path.realpath(sys.executable))"
_BUCKET: Final = "interpreters"
_PATIENCE: Final = 30.0  # seconds for an interpreter to start


@dataclass(frozen=True, kw_only=True, slots=True)
class Interpreter:
    """A CPython that runs here: its path, its version (``3.12.1``) and the whole text of ``sys.version``."""

    path: Path
    version: str
    build: str


def minor_of(version: str) -> str:
    """Return ``3.12`` for ``3.12.1``."""
    return ".".join(version.split(".")[:2])


class InterpreterMissing(BuildError):
    """No interpreter of the needed minor version runs on this machine."""

    def __init__(self, *, version: str, purpose: str) -> None:
        super().__init__(
            f"no Python {version} runs on this machine, and {purpose} needs one",
            hint=f"install it (`uv python install {version}` is one way) so that `python{version}` is on PATH",
        )


@functools.cache
def find_interpreter(version: str) -> Interpreter | None:
    """Return a CPython of the minor version (``3.12``): this one, one on PATH, or one that uv knows."""
    return next((found for path in _candidates(version) if (found := _ask(path, version)) is not None), None)


def recall_interpreter(version: str, cache: Cache) -> Interpreter | None:
    """Return what ``find_interpreter`` does, by its real path, at once if it was found before and has not changed.

    To look for one may take seconds: shims, and whatever else is on PATH, have to be started.
    """
    key = hashlib.sha256(json.dumps([version, sys.executable, os.environ.get("PATH")]).encode()).hexdigest()
    if known := _recalled(cache.find(_BUCKET, key)):
        return known
    found = find_interpreter(version)
    if found is None:
        return None
    answer = run([found.path, "-I", "-c", _WHERE], timeout=_PATIENCE)
    real = Interpreter(path=Path(answer.stdout.strip()), version=found.version, build=found.build)
    if not answer.ok or not real.path.is_file():
        return found
    with cache.store(_BUCKET, key) as stream:
        stream.write(json.dumps([str(real.path), real.version, real.build, _state(real.path)]).encode())
    return real


def _recalled(entry: Path | None) -> Interpreter | None:
    with contextlib.suppress(OSError, ValueError, TypeError):
        path, version, build, state = json.loads(entry.read_bytes()) if entry else (None, "", "", None)
        if path is not None and _state(Path(path)) == state:
            return Interpreter(path=Path(path), version=version, build=build)
    return None


def _state(path: Path) -> list[int]:
    """Return what changes when another program takes a file's place."""
    status = path.stat()
    return [status.st_size, status.st_mtime_ns, status.st_ino]


def _candidates(version: str) -> Iterator[Path]:
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        yield Path(sys.executable)
    if on_path := shutil.which(f"python{version}"):
        yield Path(on_path)
    found = run([find_uv(), "python", "find", "--no-project", "--no-python-downloads", version])
    if found.ok:
        yield Path(found.stdout.strip())
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from sorted(pyenv.glob(f"versions/{version}.*/bin/python"), reverse=True)


def _ask(path: Path, version: str) -> Interpreter | None:
    try:
        answer = run([path, "-I", "-c", _QUESTION], timeout=_PATIENCE)
    except OSError:
        return None
    if not answer.ok:
        return None
    implementation, build, numbers = json.loads(answer.stdout)
    full = ".".join(map(str, numbers))
    if implementation != "cpython" or not full.startswith(f"{version}."):
        return None
    return Interpreter(path=path, version=full, build=build)
