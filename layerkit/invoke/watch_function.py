"""Beside ``start_function``, from which it is imported: watch over a function's process and all that comes of it.

Watches its memory, waits, and ends whatever the function has started. Each byte on stdin asks for the memory used; its
end is the end of everything. One line of JSON an event on stdout: ``memory`` (bytes at the peak), and at last ``exit``
(the wait status) with ``exceeded`` (the memory was) and ``entry`` (why there is nothing to start). Uses nothing but the
standard library of Python 3.8 and newer.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROC = Path("/proc")
INTERVAL = 0.02  # seconds between two looks at the memory
SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of linux/prctl.h
ATTEMPTS = 50


def watch(pid: int, memory: int, complaint: str, before_answer: Callable[[], object]) -> NoReturn:
    """Watch over the process ``pid`` until it ends. ``memory`` is in bytes; ``complaint`` is why none was started."""
    watcher = Watch(pid, memory, complaint, before_answer)
    if os.getpid() != 1:
        adopt_orphans()
    threading.Thread(target=watcher.answer, daemon=True).start()
    threading.Thread(target=watcher.keep_within, daemon=True).start()
    watcher.wait()
    os._exit(0)


class Watch:
    """Watches over the function's process ``pid``; tells what happens, each event in one line."""

    def __init__(self, pid: int, memory: int, complaint: str, before_answer: Callable[[], object]) -> None:
        self.pid = pid
        self.complaint = complaint
        self.before_answer = before_answer
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
            self.before_answer()
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
                pid, status, usage = os.wait4(-1, 0)
            except ChildProcessError:
                return
            if pid == self.pid:
                break
        self.ended = True
        self.peak = self.peak or usage.ru_maxrss * 1024  # of one that ended before anybody looked
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


def adopt_orphans() -> None:
    """Become the parent of processes whose own parent ends, where the system can do that."""
    with contextlib.suppress(Exception):
        import ctypes

        ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
