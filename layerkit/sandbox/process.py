"""The only caller of subprocess: run another program and tell what it said.

Never a shell. What a program prints is captured, and secrets known to the caller are taken out of it.
"""

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Completed:
    """A program that ended: its exit status and what it wrote, as text."""

    status: int
    stdout: str
    stderr: str

    @property
    def ok(self) -> bool:
        """Whether the program says that it did what it was asked to do."""
        return self.status == 0


def run(
    command: Sequence[str | os.PathLike[str]],
    *,
    stdin: str = "",
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    timeout: float | None = None,
) -> Completed:
    """Run ``command`` to its end; ``timeout`` is in seconds. Raises ``OSError`` if it cannot be started.

    ``environment`` is the whole environment of the program, this process's own if not given.
    """
    try:
        done = subprocess.run(
            [os.fspath(part) for part in command],
            input=stdin.encode(),
            capture_output=True,
            env=None if environment is None else dict(environment),
            cwd=folder,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as exc:
        return Completed(status=-1, stdout="", stderr=f"no answer within {timeout:g} seconds ({exc.cmd[0]})")
    return Completed(
        status=done.returncode,
        stdout=done.stdout.decode(errors="replace"),
        stderr=done.stderr.decode(errors="replace"),
    )
