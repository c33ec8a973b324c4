"""Run by the target's interpreter, as a file: be a function's process as Lambda starts it, and watch over it.

Stands for ``/var/runtime/bootstrap.py``. Forks: the child sets ``sys.path`` as Lambda does and becomes AWS's own
runtime client, or becomes the function's or a layer's own ``bootstrap``; the parent watches its memory, waits, and ends
whatever the function has started. What to do comes as a line of JSON on stdin: ``programs`` (where a ``bootstrap`` may
be, none for Python), ``handler``, ``task``, ``layers`` (the folders of ``/opt`` for Python), ``bundled`` (those of
the runtime's own distributions), ``last`` (what ends the search path), ``pythonpath`` (for child processes), ``names``
(of the variables that the function may see), ``memory`` (in bytes), ``bytecode`` (whether it may be written) and
``mark`` (what begins a mark on stderr, where the interpreter was told to time imports; else empty).

Each further byte on stdin asks for the memory used; its end is the end of everything. One line of JSON an event on
stdout: ``memory`` (bytes at the peak), and at last ``exit`` (the wait status) with ``exceeded`` (the memory was) and
``entry`` (why there is nothing to start). Uses nothing but the standard library of Python 3.8 and newer.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import runpy
import signal
import site
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

PROC = Path("/proc")
INTERVAL = 0.02  # seconds between two looks at the memory
SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of linux/prctl.h
ATTEMPTS = 50
PIPE = 4096


def become_function(order: dict[str, Any], complaints: int) -> NoReturn:
    """Run what the function runs in, until it ends."""
    os.setsid()
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    for name in set(os.environ) - set(order["names"]):
        del os.environ[name]
    if order["programs"]:
        become_program(order["programs"], complaints)
    os.close(complaints)
    become_client(order)


def become_program(programs: list[str], complaints: int) -> NoReturn:
    """Become the first program that is there; say why, in Lambda's words, where that cannot be."""
    path = next(filter(os.path.isfile, programs), None)
    if path is None:
        reason = "Couldn't find valid bootstrap(s): [{}]".format(" ".join(programs))
    else:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # which Python ignores, and whatever it starts would
        try:
            os.execv(path, [path])  # noqa: S606 -- no shell is wanted
        except OSError as error:
            reason = f"fork/exec {path}: {str(error.strerror).lower()}"
    os.write(complaints, reason.encode())
    os._exit(1)


def become_client(order: dict[str, Any]) -> NoReturn:
    """Run AWS's runtime client as the bootstrap of Lambda does."""
    sys.dont_write_bytecode = not order["bytecode"]
    user_path = "PYTHONPATH" in os.environ
    standard = sys.path[1:]
    with_client(order)
    if order["mark"]:
        watch_imports(order["mark"])
    layers = [] if user_path else order["layers"]
    sys.path[:] = [order["task"], *layers, *order["bundled"], *standard, order["last"]]
    for helper in (site.setquit, site.setcopyright, site.sethelper):
        helper()
    for folder in filter(os.path.isdir, (order["task"], *layers)):
        site.addsitedir(folder)
    if not user_path:
        os.environ["PYTHONPATH"] = order["pythonpath"]
    sys.argv[:] = ["awslambdaric", order["handler"]]
    runpy.run_module("awslambdaric.__main__", run_name="__main__", alter_sys=True)
    sys.exit()


def with_client(order: dict[str, Any]) -> None:
    """Import the runtime client before layers can shadow it, as Lambda's bootstrap does."""
    sys.path[:0] = order["bundled"]
    __import__("awslambdaric.bootstrap")
    __import__("awslambdaric.lambda_runtime_client")


def watch_imports(mark: str) -> None:
    """Mark on stderr where the function's imports begin, and where those of its start end; let all of them be timed.

    CPython times ``import`` statements, but not ``importlib.import_module``, by which handlers are imported.
    """
    client = sys.modules["awslambdaric.lambda_runtime_client"].LambdaRuntimeClient
    by_itself, wait = importlib.import_module, client.wait_next_invocation

    def import_module(name: str, package: str | None = None) -> Any:
        if name.startswith("."):
            if not package:
                return by_itself(name, package)
            name = importlib.util.resolve_name(name, package)
        __import__(name)
        return sys.modules[name]

    def wait_next_invocation(this: Any) -> Any:
        write_mark(mark, "ready")
        return wait(this)

    importlib.import_module = import_module
    client.wait_next_invocation = wait_next_invocation
    write_mark(mark, "begin")


def write_mark(mark: str, what: str) -> None:
    """Write a mark to stderr, in between whatever else is written there."""
    with contextlib.suppress(OSError):
        os.write(2, f"{mark}{what}\n".encode())


class Watch:
    """Watches over the function's process ``pid``; tells what happens, each event in one line."""

    def __init__(self, pid: int, memory: int, complaint: str, mark: str) -> None:
        self.pid = pid
        self.complaint = complaint
        self.mark = mark
        self.memory = memory
        self.peak = 0
        self.ended = False
        self.exceeded = False
        self.telling = threading.Lock()

    def tell(self, **event: Any) -> None:
        """Write an event."""
        with self.telling, contextlib.suppress(OSError):
            os.write(1, json.dumps(event).encode() + b"\n")

    def answer(self) -> None:
        """Answer questions about the memory; end everything when nobody can ask any more."""
        while os.read(0, 1):
            self.look()
            if self.mark:
                write_mark(self.mark, "here")
            self.tell(memory=self.peak)
        kill_all(self.pid)
        os._exit(0)

    def keep_within(self) -> None:
        """Look at the memory again and again; end the function when it uses too much."""
        while not self.ended:
            if self.look() > self.memory:
                self.exceeded = True
                kill_all(self.pid)
                return
            time.sleep(INTERVAL)

    def look(self) -> int:
        """Return the memory in use now, in bytes; remember the peak."""
        statuses = [status for pid in descendants(self.pid) if (status := status_of(pid))]
        now = sum(status["VmRSS"] for status in statuses)
        if now > self.memory:
            now = sum(status["Pss"] for status in map(exact, statuses))  # shared pages count once
        self.peak = max(self.peak, now, *(status["VmHWM"] for status in statuses), 0)
        return now

    def wait(self) -> None:
        """Wait for the function's process; whatever it has started ends with it."""
        while True:
            try:
                pid, status = os.wait()
            except ChildProcessError:
                return
            if pid == self.pid:
                break
        self.ended = True
        kill_all(self.pid)
        self.tell(memory=min(self.peak, self.memory) if self.exceeded else self.peak)
        self.tell(exit=status, exceeded=self.exceeded, entry=self.complaint)


def status_of(pid: int) -> dict[str, int]:
    """Return what the system says of a process's memory, in bytes; nothing if it has gone or has none."""
    found = {"pid": pid}
    with contextlib.suppress(OSError):
        for line in (PROC / str(pid) / "status").read_text(errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name in {"VmRSS", "VmHWM"}:
                found[name] = int(value.split()[0]) * 1024
    return found if {"VmRSS", "VmHWM"} <= set(found) else {}


def exact(status: dict[str, int]) -> dict[str, int]:
    """Add the proportional share of a process's memory, or all of it where that cannot be told."""
    share = status["VmRSS"]
    with contextlib.suppress(OSError):
        text = (PROC / str(status["pid"]) / "smaps_rollup").read_text(errors="replace")
        share = sum(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Pss:"))
    return {**status, "Pss": share}


def descendants(pid: int) -> Iterator[int]:
    """Yield the process and all that came of it; in a namespace of processes that is every other one."""
    parents = dict(parent_of_each())
    if os.getpid() == 1:
        yield from (each for each in parents if each != 1)
        return
    found = [pid, *(each for each, parent in parents.items() if parent == os.getpid() and each != pid)]
    yield from found
    while found:
        found = [each for each, parent in parents.items() if parent in found]
        yield from found


def parent_of_each() -> Iterator[tuple[int, int]]:
    """Yield each process and its parent."""
    with contextlib.suppress(OSError):
        for folder in PROC.iterdir():
            if folder.name.isdigit():
                with contextlib.suppress(OSError):
                    stat = (folder / "stat").read_bytes()
                    yield int(folder.name), int(stat.rpartition(b")")[2].split()[1])


def kill_all(pid: int) -> None:
    """Kill the function and whatever it has started, which may go on starting things meanwhile."""
    if os.getpid() == 1:
        with contextlib.suppress(OSError):
            os.kill(-1, signal.SIGKILL)
        return
    for _ in range(ATTEMPTS):
        with contextlib.suppress(OSError):
            os.killpg(pid, signal.SIGKILL)
        left = [each for each in descendants(pid) if status_of(each)]
        for each in left:
            with contextlib.suppress(OSError):
                os.kill(each, signal.SIGKILL)
        if not left:
            return
        time.sleep(0.001)


def first_line() -> bytes:
    """Read a line from stdin and not a byte more."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            os._exit(0)
        line += byte
    return line


def adopt_orphans() -> None:
    """Become the parent of processes whose own parent ends, where the system can do that."""
    with contextlib.suppress(Exception):
        import ctypes

        ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)


def main() -> None:
    """Start the function and watch over it."""
    order = json.loads(first_line())
    if os.getpid() != 1:
        adopt_orphans()
    listening, speaking = os.pipe()
    pid = os.fork()
    if pid == 0:
        become_function(order, speaking)
    os.close(speaking)
    watch = Watch(pid, order["memory"], os.read(listening, PIPE).decode(), order["mark"])
    threading.Thread(target=watch.answer, daemon=True).start()
    threading.Thread(target=watch.keep_within, daemon=True).start()
    watch.wait()
    os._exit(0)


if __name__ == "__main__":
    main()
