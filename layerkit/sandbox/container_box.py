"""A running container as a ``Runner``: files in and out, programs to their end, gone afterwards."""

import contextlib
import itertools
import re
import shlex
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

from layerkit.sandbox.container_api import NOT_FOUND, Api, Connection, doing, is_gone, remove, status_of
from layerkit.sandbox.container_errors import (
    ContainerDied,
    EmulationMissing,
    EngineError,
    EngineLost,
    EngineRefused,
    NothingThere,
    TookTooLong,
    WrongMachine,
)
from layerkit.sandbox.container_failures import after_failure
from layerkit.sandbox.container_output import Deadline, Output, frames
from layerkit.sandbox.container_spec import HOME, SECRETS, ContainerSpec, Image, machine_of
from layerkit.sandbox.container_talk import ContainerConversation
from layerkit.sandbox.container_tar import KeepsLink, inside, no_link, pack, pack_folder, unpack
from layerkit.sandbox.process import Completed
from layerkit.sandbox.runner import Order, nobody

_STORE: Final = 'umask 077 && mkdir -p "${0%/*}" && head -c "$1" >"$0"'  # a known size, so that no end must be told
_WITH_INPUT: Final = 'exec "$@" <"$0"'
# cgroup v1, cgroup v2
_COUNT_KILLED: Final = "cat /sys/fs/cgroup/memory/memory.oom_control /sys/fs/cgroup/memory.events 2>/dev/null; true"
_KILLED: Final = re.compile(r"^oom_kill (\d+)$", re.MULTILINE)
_PIECE: Final = 1 << 12
_PATIENCE: Final = 60.0  # seconds
_PATIENCE_FOR_THE_ENGINE: Final = 1.0  # seconds
_ENDED_BY_FORCE: Final = 128 + 9  # SIGKILL, as a shell says it
_PATIENCE_FOR_LAST_WORDS: Final = 2.0  # seconds


@dataclass(kw_only=True, slots=True)
class Container:
    """A running container. ``unlimited`` names the limits that the engine cannot keep; ``memory`` is in bytes."""

    api: Api = field(repr=False)
    id: str
    spec: ContainerSpec
    image: Image
    line: Connection = field(repr=False)  # the connection that keeps the container alive
    memory: int | None
    unlimited: tuple[str, ...]
    _killed: int = 0  # programs that the kernel has ended for want of memory
    _count: Iterator[int] = field(default_factory=itertools.count, repr=False)

    @property
    def home(self) -> str:
        """The folder that files are put into."""
        return HOME

    @property
    def secrets(self) -> str:
        """A file system in the container's memory, for root only."""
        return SECRETS

    @property
    def title(self) -> str:
        """The image's name."""
        return f"image `{self.spec.image}`"

    @property
    def identity(self) -> str:
        """The image's digest in its registry, or its identifier here if it came from none."""
        return self.image.identity

    @property
    def whole_system(self) -> bool:
        """The whole container is there to be changed."""
        return True

    def put(self, files: Mapping[str, bytes], *, secret: bool = False) -> None:
        """Write files below ``home``, secret ones below ``secrets``; those never touch a disk."""
        if not secret:
            self._upload(pack(files, at=HOME))
            return
        for path, content in files.items():
            self._store(inside(SECRETS, path), content)

    def put_folder(self, folder: Path, *, at: str, keeps: KeepsLink = no_link) -> None:
        """Copy a folder to ``home``/``at``; links become what they point at, but for those to be kept."""
        self._upload(pack_folder(folder, at=inside(HOME, at), keeps=keeps))

    def converse(self, command: Sequence[str], *, errors: Callable[[bytes], None]) -> ContainerConversation:
        """Start a program and stay in touch with it; ``errors`` takes what it writes to standard error."""
        with self._alive():
            made = self.api.exec_create(self.id, list(command), stdin=True, workdir="/")
            connection = Connection(self.api.exec_start(made["Id"], socket=True))
        return ContainerConversation(connection=connection, errors=errors, alive=self._alive, check=self._check_working)

    def run(self, order: Order) -> Completed:
        """Run a program to its end. Raises ``TookTooLong``, ``OutOfMemory``, ``DiskFull``, ``ContainerDied``."""
        command = list(order.command)
        if order.stdin:
            path = f"{SECRETS}/.stdin-{next(self._count)}"
            self._store(path, order.stdin.encode())
            command = ["/bin/sh", "-c", _WITH_INPUT, path, *command]
        output = Output(order.listener)
        with self._alive():
            folder = inside(HOME, order.folder or "")
            made = self.api.exec_create(self.id, command, environment=dict(order.environment), workdir=folder)
            self._listen(order, made["Id"], output)
            status = self._status(made["Id"])
        return self._judge(order, output.completed(status))

    def get(self, path: str, into: Path) -> None:
        """Copy all files of a folder out of the container. Raises ``NothingThere``, ``StrangeArchive``."""
        source = inside(HOME, path)
        what = f"copying `{source}` out of the container"
        with self._alive():
            try:
                chunks, _ = self.api.get_archive(self.id, source)
            except Exception as exc:
                if status_of(exc) == NOT_FOUND and "no such container" not in str(exc).lower():
                    raise NothingThere(path=source) from exc
                raise
        unpack(_carefully(chunks, what), into)

    def check_machine(self) -> None:
        """Ask the container what machine it is. Raises ``EmulationMissing``, ``WrongMachine``."""
        wanted = machine_of(self.spec.platform)
        try:
            machine = self.run(Order(command=["uname", "-m"], folder="/")).stdout.strip()
        except ContainerDied as exc:
            if "exec format error" in "".join(exc.details).lower():
                raise EmulationMissing(image=self.spec.image, machine=wanted or self.image.machine) from exc
            raise
        if wanted and machine != wanted:
            raise WrongMachine(image=self.spec.image, machine=machine or "no known architecture", wanted=wanted)

    def close(self) -> None:
        """Remove the container; what prevents that is no reason to hide how the work in it went."""
        with contextlib.suppress(EngineError):
            remove(self.api, self.id)
        self.line.close()

    def _listen(self, order: Order, program: str, output: Output) -> None:
        with contextlib.closing(Connection(self.api.exec_start(program, socket=True))) as connection:
            try:
                for stream, piece in frames(connection, Deadline(order.timeout)):
                    output.take(stream, piece)
            except TimeoutError as exc:
                self.close()
                command = shlex.join(order.command)
                raise TookTooLong(command=command, timeout=order.timeout or 0, output=output.text) from exc
        output.finish()

    def _upload(self, stream: IO[bytes]) -> None:
        with stream, self._alive():
            self.api.put_archive(self.id, "/", stream)

    def _store(self, path: str, content: bytes) -> None:
        with self._alive():
            made = self.api.exec_create(self.id, ["/bin/sh", "-c", _STORE, path, str(len(content))], stdin=True)
            with contextlib.closing(Connection(self.api.exec_start(made["Id"], socket=True))) as connection:
                connection.send(content)
                while connection.receive(_PIECE, patience=_PATIENCE):
                    pass
            status = self._status(made["Id"])
        if status:
            raise EngineRefused(doing="handing a secret to the container", reason=f"writing it ended with {status}")

    def _check_working(self) -> None:
        with self._alive():
            self._check_running()
            time.sleep(_PATIENCE_FOR_THE_ENGINE)
            self._check_running()

    def _check_running(self) -> None:
        if not self.api.inspect_container(self.id)["State"].get("Running"):
            raise ContainerDied(image=self.spec.image, output=self._last_words())

    def _ended_by_kernel(self) -> bool:
        """Ask the control group, since the engine's own `OOMKilled` overlooks programs beside the first one."""
        made = self.api.exec_create(self.id, ["/bin/sh", "-c", _COUNT_KILLED], workdir="/")
        output = Output(nobody)
        self._listen(Order(command=["cat"], timeout=_PATIENCE), made["Id"], output)
        before, self._killed = self._killed, sum(map(int, _KILLED.findall(output.text)))
        return self._killed > before

    def _status(self, identifier: str) -> int:
        status = self.api.exec_inspect(identifier)["ExitCode"]
        if status is None:
            raise EngineLost(doing="running a program", reason="its output broke off")
        return int(status)

    def _judge(self, order: Order, done: Completed) -> Completed:
        if done.ok:
            return done
        with self._alive():
            self._check_running()
            killed = self._ended_by_kernel()
            if done.status == _ENDED_BY_FORCE and not killed:
                time.sleep(_PATIENCE_FOR_THE_ENGINE)  # which notices a container's end later than its programs'
                self._check_running()
        if error := after_failure(order.command, done, memory=self.memory, out_of_memory=killed):
            raise error
        return done

    @contextlib.contextmanager
    def _alive(self) -> Iterator[None]:
        with doing("working in a container"):
            try:
                yield
            except Exception as exc:
                if is_gone(exc):
                    raise ContainerDied(image=self.spec.image, output=self._last_words()) from exc
                raise

    def _last_words(self) -> str:
        words = b""
        with contextlib.suppress(OSError, ValueError):
            while piece := self.line.receive(_PIECE, patience=_PATIENCE_FOR_LAST_WORDS):
                words += piece
        return "".join(letter for letter in words.decode(errors="replace") if letter.isprintable() or letter == "\n")


def _carefully(chunks: Iterator[bytes], what: str) -> Iterator[bytes]:
    with doing(what):
        yield from chunks
