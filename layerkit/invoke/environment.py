"""An execution environment: one process of a function, started when it is needed, invoked one event after the other.

Starts again, cold, after whatever ends the process: a crash, a timeout, too much memory, an answer that is too large.
"""

import contextlib
import json
import os
import queue
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from layerkit.errors import EnvironmentFailure, LayerkitError, system_reason
from layerkit.invoke.answer import Answer, exited, raised, timed_out, too_large
from layerkit.invoke.function import Function
from layerkit.invoke.invocation import VERSION, Invocation, mib
from layerkit.invoke.runtime_api import Answered, Ended, Event, InitFailed, Lost, Ready, RuntimeApi, Signal, TooLarge
from layerkit.invoke.space import Space
from layerkit.invoke.talk import Talk

if TYPE_CHECKING:
    from layerkit.invoke.import_log import ImportLog
    from layerkit.invoke.import_profile import ImportProfile

INIT_SECONDS: Final = 10.0
"""How long Lambda lets a function start before it starts it anew, on the invocation's own time."""

EMULATION: Final = 10.0
"""How many times longer a start may take where another processor is imitated."""

_PATIENCE: Final = 1.0  # seconds for an answer about memory, and for the last words of a process that is ending
_GLANCE: Final = 0.2  # seconds; a Ctrl-C that comes just before a wait is seen only after it
_MS: Final = 1000.0


class CannotStart(EnvironmentFailure):
    """A process that does not even become a function's."""

    def __init__(self, *, reason: str) -> None:
        super().__init__(f"the function's process cannot be started: {reason}", hint="see `layerkit doctor`")


@dataclass(kw_only=True, slots=True)
class _Process:
    """A function's process with the API that it speaks to; ``peak`` is the most memory it was seen to use, in bytes.

    It is ``silent`` once nothing more is told of it.
    """

    api: RuntimeApi
    conversation: Talk
    imports: "ImportLog | None" = None
    peak: int = 0
    measured: threading.Event = field(default_factory=threading.Event)
    silent: bool = False

    def listen(self) -> None:
        """Turn what the watch over the process tells into signals, until it tells nothing more."""
        ended: Ended | Lost = Ended(status=1 << 8)
        try:
            for line in self.conversation.lines():
                match json.loads(line):
                    case {"memory": int(peak)}:
                        self.peak = max(self.peak, peak)
                        self.measured.set()
                    case {"exit": int(status), "exceeded": bool(exceeded), "entry": str(entry)}:
                        ended = Ended(status=status, exceeded=exceeded, entry=entry)
        except LayerkitError as exc:
            ended = Lost(error=exc)
        self.silent = True
        self.api.signals.put(ended)
        self.measured.set()

    def measure(self) -> int:
        """Return the most memory it has used so far, in bytes."""
        self.measured.clear()
        if self.silent:
            return self.peak
        said = self.imports.answers if self.imports else 0
        self.conversation.say("?")
        self.measured.wait(_PATIENCE)
        if self.imports:  # whose log must have come before the lines that follow it
            self.imports.wait_for_answer(said + 1, seconds=_PATIENCE)
        return self.peak

    def next_signal(self, until: float) -> Signal | None:
        """Wait for what the runtime does next; ``None`` if it is too late for that."""
        while True:
            left = until - time.monotonic()
            try:
                return self.api.signals.get(timeout=min(max(0.0, left), _GLANCE))
            except queue.Empty:
                if left <= _GLANCE:
                    return None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Opening:
    """How it stands before the event: what the runtime did last, and when the invocation's own time began."""

    last: Signal | None
    began: float
    init_ms: float | None = None


@dataclass(kw_only=True, slots=True)
class Environment:
    """Invokes a function in a space. ``log`` takes the lines that Lambda logs; ``quiet`` drops the function's own.

    Imports are timed if there is a ``profile`` for them. The start may take ``patience`` times what Lambda allows.
    """

    function: Function
    space: Space
    environ: Mapping[str, str]
    log: Callable[[str], None]
    quiet: bool = False
    profile: "ImportProfile | None" = None
    patience: float = 1.0
    _process: _Process | None = None
    _closing: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    @contextlib.contextmanager
    def opened(self) -> Iterator["Environment"]:
        """Leave nothing of it behind when the block ends."""
        try:
            yield self
        finally:
            self._close()

    def invoke_patiently(self, event: bytes, *, retries: int) -> list[Invocation]:
        """Invoke the function as often as it fails, ``retries`` times more at the most; return every attempt.

        All have one request id, as on Lambda, which waits a minute or two between them. Raises ``CannotStart``.
        """
        attempts = [self.invoke(event)]
        while attempts[-1].answer.failed and len(attempts) <= retries:
            attempts.append(self.invoke(event, request_id=attempts[0].request_id))
        return attempts

    def invoke(self, event: bytes, *, request_id: str | None = None) -> Invocation:
        """Invoke the function. Raises ``CannotStart``, and ``EngineError`` where its container breaks off."""
        request_id = request_id or str(uuid.uuid4())
        self.log(f"START RequestId: {request_id} Version: {VERSION}")
        opening = self._open()
        until = opening.began + self.function.timeout
        last = self._exchange(event, request_id, until) if isinstance(opening.last, Ready) else opening.last
        seconds = min(time.monotonic(), until) - opening.began
        memory = self._process.measure() if self._process else 0
        if not isinstance(last, Answered) or not self._is_warm(until):
            self._close()
        done = Invocation(
            request_id=request_id,
            answer=self._judge(last, request_id),
            duration_ms=seconds * _MS,
            init_ms=opening.init_ms,
            memory_mib=min(mib(memory), self.function.memory),
            limit_mib=self.function.memory,
        )
        for line in done.log():
            self.log(line)
        return done

    def _open(self) -> _Opening:
        """Start the function if it does not run."""
        if self._process is not None:
            return _Opening(last=Ready(), began=time.monotonic())
        allowed = INIT_SECONDS * self.patience
        began = time.monotonic()
        last = self._start().next_signal(began + allowed)
        now = time.monotonic()
        if last is not None:
            self._note_start(now - began)
            return _Opening(last=last, began=now, init_ms=(now - began) * _MS)
        self.log(f"INIT_REPORT Init Duration: {allowed * _MS:.2f} ms\tPhase: init\tStatus: timeout")
        self._close()
        last = self._start().next_signal(now + self.function.timeout)
        self._note_start(time.monotonic() - now)
        return _Opening(last=last, began=now)

    def _note_start(self, seconds: float) -> None:
        if self.profile is not None:
            self.profile.started(seconds * _MS)

    def _start(self) -> _Process:
        api = self._closing.enter_context(RuntimeApi.serving())
        environment = self.function.environment(api=api.address, folders=self.space.variables, environ=self.environ)
        imports = self.profile.begin() if self.profile else None
        try:
            conversation = self.space.start(
                handler=self.function.handler,
                memory=self.function.memory_bytes,
                environment=environment,
                quiet=self.quiet,
                imports=imports,
            )
        except OSError as exc:
            raise CannotStart(reason=system_reason(exc)) from exc
        self._closing.callback(conversation.end)
        self._process = process = _Process(api=api, conversation=conversation, imports=imports)
        threading.Thread(target=process.listen, daemon=True).start()
        return process

    def _exchange(self, event: bytes, request_id: str, until: float) -> Signal | None:
        """Hand over the event, and wait for what comes of it."""
        process = self._process
        if process is None:  # pragma: no cover -- it has just been opened
            return None
        left = until - time.monotonic()
        headers = {
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + left) * _MS)),
            "Lambda-Runtime-Invoked-Function-Arn": self.function.arn,
            "Lambda-Runtime-Trace-Id": _trace_id(),
        }
        process.api.hand_over(Event(request_id=request_id, body=event, headers=headers))
        last = process.next_signal(until)
        if isinstance(last, TooLarge):
            process.next_signal(time.monotonic() + _PATIENCE)  # for its last words
        return last

    def _is_warm(self, until: float) -> bool:
        """Tell whether the runtime asks for the next event, as it should once it has answered."""
        return self._process is not None and isinstance(self._process.next_signal(until), Ready)

    def _judge(self, last: Signal | None, request_id: str) -> Answer:
        match last:
            case Answered(body=body, failed=False):
                return Answer(body=body.decode(errors="replace"))
            case Answered(body=body) | InitFailed(body=body):
                return raised(self.space.as_on_lambda(body.decode(errors="replace")))
            case TooLarge():
                return too_large()
            case Lost(error=error):
                raise error
            case Ended():
                return exited(request_id, replace(last, entry=self.space.as_on_lambda(last.entry)))
            case _:
                return timed_out(request_id, self.function.timeout, now=datetime.now(UTC))

    def _close(self) -> None:
        self._process = None
        self._closing.close()


def _trace_id() -> str:
    root = f"1-{int(time.time()):08x}-{os.urandom(12).hex()}"
    return f"Root={root};Parent={os.urandom(8).hex()};Sampled=0"
