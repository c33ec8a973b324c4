"""Where a target's interpreter runs: a container, or this machine. Both are used through one protocol.

Files enter and leave as bytes (tar streams for a container), never by sharing a folder, so that a remote daemon,
docker-in-docker and a virtual machine all work.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeAlias

from layerkit.sandbox.process import Completed

Listener: TypeAlias = Callable[[str], None]


def nobody(text: str) -> None:
    """Listen to nothing."""
    del text


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """A program to run. ``environment`` comes on top of what is there; ``timeout`` is in seconds.

    Secrets go into ``stdin`` or into secret files, never into ``environment``, which a daemon may show.
    ``listener`` is called with pieces of what the program writes, as they come.
    """

    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    folder: str | None = None
    stdin: str = field(default="", repr=False)
    timeout: float | None = None
    listener: Listener = nobody


class Runner(Protocol):
    """Runs programs in a place of its own that vanishes afterwards.

    Paths are below ``home``, or absolute where ``whole_system`` tells that the place has a root of its own. Failures
    of the place itself are ``BuildError``s; a program that fails is a ``Completed`` with its status.
    """

    @property
    def home(self) -> str:
        """The folder there that files are put into; nothing is kept of it."""

    @property
    def secrets(self) -> str:
        """The folder there that secret files are put into: for nobody else to read, where possible never on a disk."""

    @property
    def title(self) -> str:
        """What it is, for people: an image's name, or this machine."""

    @property
    def identity(self) -> str:
        """What it is, exactly: an image's digest, or ``local``; the same identity holds the same programs."""

    @property
    def whole_system(self) -> bool:
        """Whether it may be changed outside ``home``: a container may, the user's machine may not."""

    def put(self, files: Mapping[str, bytes], *, secret: bool = False) -> None:
        """Write files below ``home``, secret ones below ``secrets``."""

    def put_folder(self, folder: Path, *, at: str) -> None:
        """Copy a folder to ``home``/``at``; modes become 0644 or 0755, links what they point at."""

    def run(self, order: Order) -> Completed:
        """Run a program to its end in ``home`` or the order's folder. Raises ``TookTooLong``; then it is gone."""

    def get(self, path: str, into: Path) -> None:
        """Copy all files of the folder ``home``/``path`` into the local folder ``into``."""
