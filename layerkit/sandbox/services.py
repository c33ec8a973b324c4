"""Programs that stand for what a function speaks to: a script with its own dependencies (PEP 723), run by uv.

The script starts its servers, writes one line of JSON, an object of environment variables for the function, and reads
stdin. When that ends, it writes one more line of JSON, what it has seen, and ends.
"""

import contextlib
import json
import os
import queue
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from layerkit.errors import BuildError
from layerkit.index import IndexSettings
from layerkit.sandbox.process import Conversation, start
from layerkit.sandbox.uv import find_uv

_PATIENCE: Final = 300.0  # seconds: the first time, what the script needs is downloaded
_LAST_WORDS: Final = 30.0  # seconds to tell what was seen
_GRACE: Final = 2.0  # seconds for the end of what it says to come
_SEE: Final = "see what they say above; packages that they need from the index are named in their first lines"
_TWO_LINES: Final = (
    "stdout is for two lines of JSON, first an object of environment variables, in the end what they have seen; "
    "whatever else they say goes to stderr"
)
_GLANCE: Final = 0.2  # seconds; a Ctrl-C that comes just before a wait is seen only after it


class ServicesFailed(BuildError):
    """A script that does not do what is expected of it."""

    def __init__(self, *, path: Path, problem: str, hint: str) -> None:
        super().__init__(f"the services `{path}` {problem}", hint=hint)


@dataclass(frozen=True, kw_only=True, slots=True)
class Services:
    """A script that runs. ``environment`` is what it has for the function, which may hold secrets."""

    path: Path
    environment: Mapping[str, str] = field(repr=False)
    _conversation: Conversation
    _lines: "queue.SimpleQueue[str | None]"

    def seen(self) -> Any:
        """End them, and return what they have seen. Raises ``ServicesFailed``."""
        self._conversation.hang_up()
        return _value(self.path, self._lines, "what they have seen", patience=_LAST_WORDS)


@contextlib.contextmanager
def services_running(path: Path, settings: IndexSettings, *, offline: bool = False) -> Iterator[Services]:
    """Run a script until the block ends; nothing is left of it then. Raises ``ServicesFailed`` and ``UvMissing``."""
    if not path.is_file():
        raise ServicesFailed(path=path, problem="are not there", hint="`services` in [example] names them")
    command = [find_uv(), "run", "--no-project", "--quiet", "--no-python-downloads", "--python", sys.executable]
    command += [*settings.arguments_for_uv, *(["--offline"] if offline else []), "--script", str(path.absolute())]
    environment = settings.environment_for_uv(os.environ)
    conversation = start(command, environment={**environment, "PYTHONUNBUFFERED": "1"}, folder=path.parent)
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    reading = threading.Thread(target=_read, args=(conversation, lines), daemon=True)
    reading.start()
    try:
        variables = _value(path, lines, "their variables", patience=_PATIENCE)
        if not isinstance(variables, dict):
            problem = "did not begin with an object of environment variables"
            raise ServicesFailed(path=path, problem=problem, hint=_TWO_LINES)
        said = {str(name): str(value) for name, value in variables.items()}
        yield Services(path=path, environment=said, _conversation=conversation, _lines=lines)
    finally:
        conversation.end()
        reading.join(_GRACE)  # whoever the script has left behind may hold its stdout


def _read(conversation: Conversation, lines: "queue.SimpleQueue[str | None]") -> None:
    for line in conversation.lines():
        lines.put(line)
    lines.put(None)


def _value(path: Path, lines: "queue.SimpleQueue[str | None]", what: str, *, patience: float) -> Any:
    """Return what is said next. Raises ``ServicesFailed``."""
    try:
        line = _next_line(lines, patience)
    except queue.Empty:
        problem = f"took more than {patience:.0f} seconds to tell {what}"
        raise ServicesFailed(path=path, problem=problem, hint=_SEE) from None
    if line is None:
        raise ServicesFailed(path=path, problem=f"ended before they told {what}", hint=_SEE)
    try:
        return json.loads(line)
    except ValueError:
        problem = f"wrote `{line.strip()[:80]}` where JSON was expected"
        raise ServicesFailed(path=path, problem=problem, hint=_TWO_LINES) from None


def _next_line(lines: "queue.SimpleQueue[str | None]", patience: float) -> str | None:
    """Return the next line, nothing if it was the last one. Raises ``queue.Empty`` if none comes in time."""
    until = time.monotonic() + patience
    while True:
        try:
            return lines.get(timeout=_GLANCE)
        except queue.Empty:
            if time.monotonic() > until:
                raise
