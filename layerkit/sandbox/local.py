"""The user's own machine as a ``Runner``, for jobs that already run in an image made for building, or in Lambda's own.

Works in a temporary folder that vanishes. Refuses a machine whose binaries the target could not load.
"""

import contextlib
import os
import shlex
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from layerkit.errors import BuildError
from layerkit.files import translating
from layerkit.sandbox.container_errors import NothingThere, TookTooLong
from layerkit.sandbox.container_tar import inside
from layerkit.sandbox.machine import Machine
from layerkit.sandbox.process import Completed, run
from layerkit.sandbox.runner import Order

_PRIVATE: Final = 0o700
_NOT_FOUND: Final = 127  # as a shell says it
_NOT_RUNNABLE: Final = 126


class LocalUnfit(BuildError):
    """What is built on this machine would not run on the target."""

    def __init__(self, *, target: str, reason: str) -> None:
        super().__init__(
            f"`--builder local` cannot build for {target}: {reason}",
            hint="use `--builder container`, or run this in an image made for the target, such as manylinux's",
        )


def check_fit(machine: Machine, *, target: str, wanted: str, glibc: tuple[int, int]) -> None:
    """Refuse a machine that is not Linux with glibc, of the wanted architecture and no newer than ``glibc``.

    ``wanted`` is as ``uname -m`` says it. Raises ``LocalUnfit``.
    """
    ceiling = f"{glibc[0]}.{glibc[1]}"
    if machine.system != "linux":
        raise LocalUnfit(target=target, reason="this machine does not run Linux")
    if machine.machine != wanted:
        raise LocalUnfit(target=target, reason=f"this machine is {machine.machine}, not {wanted}")
    if machine.glibc is None:
        raise LocalUnfit(target=target, reason="this machine's C library is not glibc")
    if machine.glibc > glibc:
        own = f"{machine.glibc[0]}.{machine.glibc[1]}"
        raise LocalUnfit(target=target, reason=f"this machine has glibc {own}, and the target's is {ceiling}")


@contextlib.contextmanager
def local_runner() -> Iterator["LocalRunner"]:
    """Make a temporary folder to work in, and remove it when the block ends."""
    with tempfile.TemporaryDirectory(prefix="layerkit-", ignore_cleanup_errors=True) as folder:
        runner = LocalRunner(Path(folder))
        for part in (runner.home, runner.secrets):
            Path(part).mkdir(mode=_PRIVATE)
        yield runner


@dataclass(frozen=True, slots=True)
class LocalRunner:
    """Runs programs on this machine, in a temporary folder; changes nothing outside it."""

    root: Path

    @property
    def home(self) -> str:
        """The folder that files are put into."""
        return str(self.root / "home")

    @property
    def secrets(self) -> str:
        """A folder that only this user can enter."""
        return str(self.root / "secrets")

    @property
    def title(self) -> str:
        """What it is."""
        return "this machine"

    @property
    def identity(self) -> str:
        """Nothing tells two machines apart exactly."""
        return "local"

    @property
    def whole_system(self) -> bool:
        """The machine is the user's: nothing is installed on it."""
        return False

    def put(self, files: Mapping[str, bytes], *, secret: bool = False) -> None:
        """Write files below ``home``, secret ones below ``secrets``, readable by this user only."""
        for name, content in files.items():
            path = self._path(name, base=self.secrets if secret else self.home)
            with translating(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.unlink(missing_ok=True)
                mode = 0o600 if secret else 0o644
                with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as stream:  # noqa: PTH123
                    stream.write(content)

    def put_folder(self, folder: Path, *, at: str) -> None:
        """Copy a folder to ``home``/``at``."""
        path = self._path(at, base=self.home)
        with translating(path):
            shutil.copytree(folder, path, dirs_exist_ok=True)

    def run(self, order: Order) -> Completed:
        """Run a program to its end. Raises ``TookTooLong``."""
        try:
            done = run(
                order.command,
                stdin=order.stdin,
                environment={**os.environ, **order.environment},
                folder=self._path(order.folder or "", base=self.home),
                timeout=order.timeout,
            )
        except OSError as exc:
            status = _NOT_FOUND if isinstance(exc, FileNotFoundError) else _NOT_RUNNABLE
            return Completed(status=status, stdout="", stderr=f"{order.command[0]}: {exc.strerror}\n")
        output = done.stdout + done.stderr
        if done.status == -1 and order.timeout is not None and done.stderr.startswith("no answer within"):
            raise TookTooLong(command=shlex.join(order.command), timeout=order.timeout, output="")
        if output:
            order.listener(output)
        return done

    def get(self, path: str, into: Path) -> None:
        """Copy all files of the folder ``home``/``path`` into a local folder. Raises ``NothingThere``."""
        source = self._path(path, base=self.home)
        if not source.is_dir():
            raise NothingThere(path=path)
        with translating(into):
            shutil.copytree(source, into, dirs_exist_ok=True)

    def _path(self, name: str, *, base: str) -> Path:
        path = Path(inside(base, name))
        if not path.is_relative_to(self.root):
            raise ValueError(name)
        return path
