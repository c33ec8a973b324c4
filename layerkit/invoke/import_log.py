"""What a function's process writes to stderr while its imports are timed: CPython's lines, marks, the function's log.

``-X importtime`` writes a line for each module once it is imported, those that it imports before it and further in. The
function may have begun a line of its own before. So lines of that form are taken out wherever they begin, and whatever
else comes is the function's log, to the byte.
"""

import re
import secrets
import threading
from dataclasses import dataclass, field
from typing import Final

BEGIN: Final = "begin"
"""The mark before the first thing that is imported for the function's sake."""
READY: Final = "ready"
"""The mark before the runtime asks for an event."""
HERE: Final = "here"
"""The mark that answers a question: what was written before has come."""

_START: Final = b"import time: "
_LINE: Final = rb"import time: +(?P<own>-?\d+) \| +(?P<all>-?\d+) \| (?P<depth> *)(?P<module>(?:(?!%b|%b)[^\n])*)\n"
_HEADER: Final = rb"import time: self \[us\] \| cumulative \| imported package\n"
_LONGEST: Final = 4096  # bytes that are written at once: PIPE_BUF of limits.h
_STEP: Final = 2  # blanks that a module is further in than the one that imports it


@dataclass(frozen=True, kw_only=True, slots=True)
class Import:
    """One module imported, in microseconds: by itself, and with what it imported; ``depth`` of that nesting."""

    module: str
    own_us: int
    all_us: int
    depth: int = 0


@dataclass(slots=True)
class ImportLog:
    """The imports of one process. What was imported before ``BEGIN`` is not the function's, and left out.

    ``init`` came before the first ``READY``, and ``later`` after it, each in the order in which they ended. ``mark``
    begins the lines that are marks; it must be in no log by chance. ``start_ms`` is how long the whole start took.
    """

    mark: str = field(default_factory=lambda: f"layerkit-{secrets.token_hex(16)}-")
    init: list[Import] = field(default_factory=list)
    later: list[Import] = field(default_factory=list)
    is_ready: bool = False
    start_ms: float | None = None
    _current: list[Import] = field(default_factory=list)
    _rest: bytes = b""
    _answers: int = 0
    _has_ended: bool = False
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def feed(self, chunk: bytes) -> bytes:
        """Take what was read, nothing at the end; return what of it is the function's log and can be passed on."""
        text, log, at = self._rest + chunk, b"", 0
        for match in self._ours().finditer(text):
            log += text[at : match.start()]
            at = match.end()
            self._take(match)
        kept = at + (_unfinished(text[at:], self.mark.encode()) if chunk else len(text) - at)
        self._rest = text[kept:]
        if not chunk:
            with self._changed:
                self._has_ended = True
                self._changed.notify_all()
        return log + text[at:kept]

    @property
    def answers(self) -> int:
        """How many questions were answered so far."""
        return self._answers

    def wait_for_answer(self, number: int, *, seconds: float) -> None:
        """Wait until so many questions were answered, or nothing more can come."""
        with self._changed:
            self._changed.wait_for(lambda: self._answers >= number or self._has_ended, seconds)

    def _ours(self) -> "re.Pattern[bytes]":
        marks = f"{BEGIN}|{READY}|{HERE}".encode()
        mark = re.escape(self.mark).encode()
        line = _LINE % (_START, mark)  # a name holds neither: the function may have written the beginning of a line
        return re.compile(b"%b|%b|%b(?P<mark>%b)\n" % (_HEADER, line, mark, marks))

    def _take(self, match: "re.Match[bytes]") -> None:
        if match["module"] is not None:
            self._current.append(
                Import(
                    module=match["module"].decode(errors="replace"),
                    own_us=int(match["own"]),
                    all_us=int(match["all"]),
                    depth=len(match["depth"]) // _STEP,
                )
            )
        elif match["mark"] is not None:
            self._heed(match["mark"].decode())

    def _heed(self, mark: str) -> None:
        if mark == BEGIN:
            self._current = self.init
        elif mark == READY:
            self._current, self.is_ready = self.later, True
        else:
            with self._changed:
                self._answers += 1
                self._changed.notify_all()


def _unfinished(text: bytes, mark: bytes) -> int:
    """Return where something may begin that is no part of the log, once the rest of it has come."""
    return min(_begins(text, start) for start in (_START, mark))


def _begins(text: bytes, start: bytes) -> int:
    at = text.rfind(start)
    if at >= 0 and b"\n" not in text[at:] and len(text) - at < _LONGEST:
        return at
    sizes = range(min(len(start), len(text)), 0, -1)
    return len(text) - next((size for size in sizes if text.endswith(start[:size])), 0)
