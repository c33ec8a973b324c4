"""A place seen from a workshop: every program there starts in settled surroundings, and no password comes back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from layerkit.sandbox.process import Completed
from layerkit.sandbox.runner import Listener, Order, Runner

VARIABLES: Final = ".environment.json"
LAUNCHER: Final = "place_launch.py"


@dataclass(frozen=True, kw_only=True, slots=True)
class Launching:
    """A ``Runner`` whose programs are started by ``place_launch.py``, with secret variables from a file there."""

    bare: Runner
    interpreter: str
    redact: Callable[[str], str] = field(repr=False)

    @property
    def home(self) -> str:
        """The folder that files are put into."""
        return self.bare.home

    @property
    def secrets(self) -> str:
        """The folder that secret files are put into."""
        return self.bare.secrets

    @property
    def title(self) -> str:
        """What the place is, for people."""
        return self.bare.title

    @property
    def identity(self) -> str:
        """What the place is, exactly."""
        return self.bare.identity

    @property
    def whole_system(self) -> bool:
        """Whether the place may be changed outside ``home``."""
        return self.bare.whole_system

    def put(self, files: Mapping[str, bytes], *, secret: bool = False) -> None:
        """Write files below ``home``, secret ones below ``secrets``."""
        self.bare.put(files, secret=secret)

    def put_folder(self, folder: Path, *, at: str) -> None:
        """Copy a folder to ``home``/``at``."""
        self.bare.put_folder(folder, at=at)

    def get(self, path: str, into: Path) -> None:
        """Copy all files of the folder ``home``/``path`` into a local folder."""
        self.bare.get(path, into)

    def run(self, order: Order) -> Completed:
        """Run a program to its end; what it says is free of passwords."""
        listener = Redacting(order.listener, self.redact)
        launch = [self.interpreter, "-I", f"{self.home}/{LAUNCHER}", f"{self.secrets}/{VARIABLES}"]
        try:
            done = self.bare.run(replace(order, command=[*launch, *order.command], listener=listener))
        finally:
            listener.finish()
        return Completed(status=done.status, stdout=self.redact(done.stdout), stderr=self.redact(done.stderr))


class Redacting:
    """Passes on what a program writes, line by line, so that no password is cut in two and missed."""

    def __init__(self, listener: Listener, redact: Callable[[str], str]) -> None:
        self._listener = listener
        self._redact = redact
        self._rest = ""

    def __call__(self, text: str) -> None:
        """Take a piece of output."""
        lines, newline, self._rest = (self._rest + text).rpartition("\n")
        if newline:
            self._listener(self._redact(lines + newline))

    def finish(self) -> None:
        """Pass on a last line that has no end."""
        if self._rest:
            self._listener(self._redact(self._rest))
            self._rest = ""
