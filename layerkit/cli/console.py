"""The one place that prints: results on stdout, everything else on stderr.

Progress shows only on a terminal, colours only where they are wanted, and nothing but errors under ``--quiet``.
"""

import contextlib
import json
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TextIO

from layerkit.audit.report.drawing import plain
from layerkit.audit.report.pen import Pen
from layerkit.errors import EnvironmentFailure, LayerkitError, system_reason
from layerkit.model.finding import Finding, Severity
from layerkit.progress import Progress, Silent, Task

_BOLD_RED: Final = "1;31"
_YELLOW: Final = "33"
_CYAN: Final = "36"
_COLOURS: Final = {Severity.ERROR: _BOLD_RED, Severity.WARNING: _YELLOW, Severity.NOTE: _CYAN}
_METER_CELLS: Final = 24


class OutputError(EnvironmentFailure):
    """Results that cannot be written."""

    def __init__(self, *, reason: str) -> None:
        super().__init__(
            f"the output cannot be written: {reason}", hint="make room where it goes, or send it elsewhere"
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Console:
    """How much to say: ``verbosity`` is below zero under ``--quiet`` and above under ``--verbose``."""

    verbosity: int = 0

    def result(self, text: str) -> None:
        """Print a result. Raises ``OutputError``; if nobody reads on, the rest goes nowhere."""
        with _writing(sys.stdout):
            sys.stdout.write(text + "\n")

    def flush(self) -> None:
        """Bring out what waits to be written, as ``result`` does."""
        with _writing(sys.stdout):
            sys.stdout.flush()

    def result_json(self, value: Mapping[str, Any]) -> None:
        """Print a result as JSON."""
        self.result(json.dumps(value, indent=2, ensure_ascii=False))

    def say(self, text: str, *, least: int = 0) -> None:
        """Tell how it goes, unless it is more than was asked for."""
        if self.verbosity >= least:
            _tell(text)

    def error(self, error: LayerkitError) -> None:
        """Tell what failed and the way out."""
        self._labelled("error", error.message, _BOLD_RED)
        for line in error.details:
            _tell(f"  {line}")
        if error.hint:
            self.hint(error.hint)

    def hint(self, text: str) -> None:
        """Tell the way out."""
        self._labelled("hint", text, _CYAN)

    def warning(self, text: str) -> None:
        """Warn, unless under ``--quiet``."""
        if self.verbosity >= 0:
            self._labelled("warning", text, _YELLOW)

    def finding(self, finding: Finding) -> None:
        """Tell what an audit found, unless it is less than an error under ``--quiet``."""
        if finding.severity is Severity.ERROR or self.verbosity >= 0:
            self._labelled(str(finding.severity), f"{finding.where}: {finding.message}", _COLOURS[finding.severity])
            if finding.hint and finding.severity is not Severity.NOTE:
                self.hint(finding.hint)

    def pen(self) -> Pen:
        """Return how results are drawn: in colour only where stdout is a terminal."""
        coloured = wants_colour(sys.stdout.isatty())
        return Pen(
            meter=meter,
            label=lambda severity: f"\033[{_COLOURS[severity]}m{severity}\033[0m" if coloured else str(severity),
        )

    def progress(self) -> Progress:
        """Return who shows progress here: tqdm on a terminal, elsewhere only single lines, under ``--quiet`` nobody."""
        if self.verbosity < 0:
            return Silent()
        return _Bars() if sys.stderr.isatty() else _Lines()

    def _labelled(self, label: str, text: str, colour: str) -> None:
        shown = f"\033[{colour}m{label}\033[0m" if wants_colour(sys.stderr.isatty()) else label
        _tell(f"{shown}: {_plain_lines(text)}")


@contextlib.contextmanager
def _writing(stream: TextIO) -> Iterator[None]:
    """Turn what may go wrong on the way out into ``OutputError``, or into silence where the reader has gone."""
    try:
        yield
    except BrokenPipeError:
        _abandon(stream)
    except OSError as exc:
        _abandon(stream)
        raise OutputError(reason=system_reason(exc)) from exc


def _plain_lines(text: str) -> str:
    return "\n".join(map(plain, text.splitlines()))


def open_what_is_closed() -> None:
    """Let what goes to a stream that was closed before the start go nowhere."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 -- as long as the process
            setattr(sys, name, nowhere)


def output_failed(exc: OSError) -> OutputError:
    """Return the error about results that cannot be written; nothing more is written of them."""
    _abandon(sys.stdout)
    return OutputError(reason=system_reason(exc))


def _tell(text: str) -> None:
    """Write to stderr; where that cannot be, there is nobody to tell."""
    with contextlib.suppress(OutputError), _writing(sys.stderr):
        sys.stderr.write(text + "\n")


def _abandon(stream: TextIO) -> None:
    """Let whatever is still written to the stream go nowhere, also what Python flushes at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    with contextlib.suppress(OSError, ValueError):
        os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def wants_colour(is_terminal: bool) -> bool:
    """Tell whether to colour: on a terminal, unless ``NO_COLOR`` is set (https://no-color.org)."""
    return is_terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def meter(used: int, limit: int) -> str:
    """Draw how much of a limit is used: ``[████████░░░░░░░░] 50 %``."""
    share = used / limit
    filled = min(_METER_CELLS, max(1, round(share * _METER_CELLS))) if used else 0
    full, empty = ("█", "░") if _can_draw() else ("#", "-")
    return f"[{full * filled}{empty * (_METER_CELLS - filled)}] {share:4.0%}"


def _can_draw() -> bool:
    try:
        "█░".encode(sys.stderr.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


class _Lines(Silent):
    """Says what there is to say, one line each."""

    def tell(self, text: str) -> None:
        _tell(text)


class _Bars:
    """Shows progress with tqdm on stderr."""

    @contextlib.contextmanager
    def task(self, description: str, *, total: int | None, unit: str) -> Iterator[Task]:
        from tqdm import tqdm

        with tqdm(
            desc=description, total=total, unit=unit, unit_scale=True, unit_divisor=1024, leave=False, file=sys.stderr
        ) as bar:
            yield _Bar(bar.update)

    def tell(self, text: str) -> None:
        from tqdm import tqdm

        tqdm.write(text, file=sys.stderr)


class _Bar:
    """Advances one bar; tqdm's own counting is not safe among threads."""

    def __init__(self, update: Any) -> None:
        self._update = update
        self._lock = threading.Lock()

    def advance(self, amount: int) -> None:
        with self._lock:
            self._update(amount)
