"""The only caller of subprocess: run another program and tell what it said, or start one and stay in touch with it.

Never a shell. What a program prints is captured, and secrets known to the caller are taken out of it.
"""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, TypeAlias

Sieve: TypeAlias = Callable[[bytes], bytes]
"""Takes what was read, nothing at the end, and returns what of all that it has taken is to be passed on now."""

_STDERR: Final = 2
_CHUNK: Final = 65536
_GRACE: Final = 2.0  # seconds for a program to end once nobody speaks to it any more


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


@dataclass(frozen=True, slots=True)
class Conversation:
    """A program that runs in a session of its own: what is said to it, and what it answers, line by line."""

    _process: "subprocess.Popen[bytes]"
    _listener: threading.Thread | None = None

    def say(self, text: str) -> None:
        """Write to the program; one that has ended hears nothing."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError, ValueError):
                self._process.stdin.write(text.encode())
                self._process.stdin.flush()

    def lines(self) -> Iterator[str]:
        """Yield what the program writes, until it stops; whoever began to read reads to the end, also after ``end``."""
        with self._process.stdout or contextlib.nullcontext(()) as stream:
            for line in stream:
                yield line.decode(errors="replace")

    def hang_up(self) -> None:
        """Close the program's input: nothing more will be said to it."""
        if self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()

    def end(self) -> None:
        """Close the program's input, and kill what of it and its process group that does not end soon."""
        self.hang_up()
        try:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_GRACE)
        finally:
            self._kill()
        if self._listener is not None:
            self._listener.join(_GRACE)  # whoever it has left behind may hold its stderr

    def _kill(self) -> None:
        with contextlib.suppress(OSError):
            if os.name == "nt":
                self._process.kill()
            else:
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


def start(
    command: Sequence[str | os.PathLike[str]],
    *,
    environment: Mapping[str, str],
    folder: Path,
    quiet: bool = False,
    sieve: Sieve | None = None,
) -> Conversation:
    """Start ``command`` in a session of its own. Raises ``OSError`` if it cannot be started.

    What it writes to stderr goes where this process's own goes, or, if ``quiet``, nowhere; through ``sieve`` before.
    """
    process = subprocess.Popen(
        [os.fspath(part) for part in command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if sieve else subprocess.DEVNULL if quiet else None,
        env=dict(environment),
        cwd=folder,
        start_new_session=True,
    )
    if sieve is None or process.stderr is None:
        return Conversation(process)
    listener = threading.Thread(target=_pass_on, args=(process.stderr, sieve, quiet), daemon=True)
    listener.start()
    return Conversation(process, listener)


def _pass_on(stream: IO[bytes], sieve: Sieve, quiet: bool) -> None:
    """Write what comes to this process's own stderr, as far as the sieve lets it through."""
    with stream:
        chunk = b"."
        while chunk:
            chunk = os.read(stream.fileno(), _CHUNK)
            left = sieve(chunk)
            with contextlib.suppress(OSError):
                while left and not quiet:
                    left = left[os.write(_STDERR, left) :]
