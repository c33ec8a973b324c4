"""Where a target's interpreter runs: a container, or this machine. Both are used through one protocol.

Files enter and leave as bytes (tar streams for a container), never by sharing a folder, so that a remote daemon,
docker-in-docker and a virtual machine all work.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from layerkit.sandbox.process import Completed


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """A program to run. ``environment`` comes on top of what is there; ``timeout`` is in seconds."""

    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    folder: str | None = None
    stdin: str = ""
    timeout: float | None = None


class Runner(Protocol):
    """Runs programs in a place of its own that vanishes afterwards."""

    @property
    def home(self) -> str:
        """The folder there that files are put into; nothing is kept of it."""

    @property
    def title(self) -> str:
        """What it is, for people: an image's name, or this machine."""

    def put(self, files: Mapping[str, bytes], *, secret: bool = False) -> None:
        """Write files below ``home``; secret ones can be read by nobody else."""

    def put_folder(self, folder: Path, *, at: str) -> None:
        """Copy a folder to ``home``/``at``."""

    def run(self, order: Order) -> Completed:
        """Run a program to its end."""

    def get(self, path: str, into: Path) -> None:
        """Copy all files of the folder ``home``/``path`` into the local folder ``into``."""
