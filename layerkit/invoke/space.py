"""Where a function's process lives: with the folders that Lambda has, in namespaces of its own, or with substitutes.

In namespaces (Linux, where the system permits it) the function sees its code at ``/var/task``, layers at ``/opt``, the
runtime's own distributions where Lambda has them, all read-only, a ``/tmp`` of its own and no process but its own.
Elsewhere folders stand for these, and the variables that Lambda sets name them.
"""

import contextlib
import functools
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from layerkit.files import translating
from layerkit.invoke.scenery import LANGUAGE, OPT, PROGRAM, RUNTIME, START, TASK, Parts, Scenery
from layerkit.invoke.talk import Begin, Talk
from layerkit.invoke.variables import folders_in
from layerkit.model.target import PythonTarget, Target
from layerkit.sandbox.interpreters import Interpreter, minor_of
from layerkit.sandbox.process import Conversation, Sieve, run, start

if TYPE_CHECKING:
    from layerkit.invoke.import_log import ImportLog

_HIDDEN: Final = (OPT, "/var", "/tmp")  # noqa: S108 -- the function gets its own
_PATIENCE: Final = 20.0  # seconds for namespaces to be made
_PROCESSES: Final = ("--pid", "--fork", "--kill-child", "--mount-proc")
_WAYS: Final = (
    ("--mount", *_PROCESSES),
    ("--map-root-user", "--mount", *_PROCESSES),
    ("--mount",),
    ("--map-root-user", "--mount"),
)
_TIMED: Final = {"PYTHONPROFILEIMPORTTIME": "1"}  # as -X importtime; the function does not see it
_KEPT: Final = ("PATH", "LD_LIBRARY_PATH", "LD_PRELOAD")  # not for mount(8), only for the function
_SYSTEM: Final = (Path("/"), Path("/usr"))
_SITE_PACKAGES_SINCE: Final = (3, 11)  # before, the runtime's own distributions lay in /var/runtime
# $0 is a table of mounts: one program makes them all, as each start of one would cost as much as the function's own
_SCRIPT: Final = """
set -e
mount -a -T "$0"
cd /var/task
export PATH="$LAYERKIT_PATH" LD_LIBRARY_PATH="$LAYERKIT_LD_LIBRARY_PATH"
[ -z "${LAYERKIT_LD_PRELOAD-}" ] || export LD_PRELOAD="$LAYERKIT_LD_PRELOAD"
unset LAYERKIT_PATH LAYERKIT_LD_LIBRARY_PATH LAYERKIT_LD_PRELOAD
exec "$@"
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Space:
    """A place for the processes of one function. ``private`` tells whether it has namespaces of its own.

    ``programs`` is where a ``bootstrap`` may be; there is none for Python. ``begin`` starts what watches over the
    function, a Python of ``version``; ``names`` are Lambda's names of the folders that the function sees; ``tmp`` is
    what stands for ``/tmp``, if anything does.
    """

    task: str
    opt: str
    runtime: str
    bundled: tuple[str, ...]
    programs: tuple[str, ...]
    version: str
    begin: Begin
    private: bool
    names: Mapping[str, str]
    tmp: Path | None = None

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables that name folders."""
        found = folders_in(task=self.task, opt=self.opt, runtime=self.runtime, language=not self.programs)
        return {**found, "TMPDIR": str(self.tmp)} if self.tmp else found

    def start(
        self,
        *,
        handler: str,
        memory: int,
        environment: Mapping[str, str],
        quiet: bool = False,
        imports: "ImportLog | None" = None,
    ) -> Talk:
        """Start the function's process under the eyes of ``start_function``; ``memory`` is in bytes.

        Its imports are timed if there is a log for them.
        """
        order = {
            "programs": self.programs,
            "handler": handler,
            "task": self.task,
            "layers": [f"{self.opt}/python/lib/python{self.version}/site-packages", f"{self.opt}/python"],
            "bundled": self.bundled,
            "last": f"/var/lang/lib/python{self.version}/site-packages" if self.private else self.bundled[0],
            "pythonpath": self.runtime if self.private else os.pathsep.join(self.bundled),
            "names": [*environment],
            "memory": memory,
            "bytecode": self.private,  # where it cannot be written, as on Lambda
            "mark": imports.mark if imports else "",
        }
        conversation = self.begin(
            {**environment, **(_TIMED if imports else {})}, quiet=quiet, sieve=imports.feed if imports else None
        )
        conversation.say(json.dumps(order) + "\n")
        return conversation

    def as_on_lambda(self, text: str) -> str:
        """Return text with the paths that Lambda has."""
        for own, name in sorted(self.names.items(), key=lambda item: -len(item[0])):
            text = text.replace(own, name)
        return text


@dataclass(frozen=True, kw_only=True, slots=True)
class _Here:
    """Starts a command on this machine, in a folder; ``private`` tells whether it makes namespaces first."""

    command: tuple[str, ...]
    folder: Path
    private: bool

    def __call__(self, environment: Mapping[str, str], *, quiet: bool, sieve: Sieve | None) -> Conversation:
        """Start it. Raises ``OSError``."""
        return start(self.command, environment=self._around(environment), folder=self.folder, quiet=quiet, sieve=sieve)

    def _around(self, environment: Mapping[str, str]) -> Mapping[str, str]:
        """Return the environment for the command: what is for the function alone goes by other names."""
        if not self.private:
            return environment
        own = {f"LAYERKIT_{name}" if name in _KEPT else name: value for name, value in environment.items()}
        return {**own, "PATH": os.environ.get("PATH", os.defpath)}


@contextlib.contextmanager
def space_for(parts: Parts, target: Target, interpreter: Interpreter, *, tmp_mib: int) -> Iterator[Space]:
    """Make a place for a function and remove it when the block ends."""
    with tempfile.TemporaryDirectory(prefix="layerkit-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        for each in ("scene", "tmp", "runtime"):
            (folder / each).mkdir()
        real = replace(interpreter, path=interpreter.path.resolve())
        if unshare := _way_for(real.path):
            yield _private(parts, target, real, folder=folder, unshare=unshare, tmp_mib=tmp_mib)
        else:
            yield _substitute(parts, target, real, folder=folder)


def _way_for(python: Path) -> tuple[str, ...]:
    """Return how to make namespaces in which the interpreter is to be seen; nothing where that cannot be."""
    covered = any(python.is_relative_to(hidden) for hidden in _HIDDEN)
    if not all(map(os.path.isdir, _HIDDEN)) or (covered and not _movable_prefix(python)):
        return ()
    return namespaces()


def _movable_prefix(python: Path) -> Path | None:
    """Return the folder of an installation that can be seen at ``/var/lang``, as Lambda's Python is.

    Not the system's own, which is all of ``/usr``, nor conda's, whose libraries would come before the system's.
    """
    prefix = python.parent.parent
    has_own = (prefix / "lib" / python.name / "site-packages").is_dir() and python.parent.name == "bin"
    return prefix if has_own and not (prefix / "conda-meta").exists() and prefix not in _SYSTEM else None


@functools.cache
def namespaces() -> tuple[str, ...]:
    """Return the command that makes namespaces here; nothing where the system does not permit it."""
    if sys.platform != "linux":
        return ()
    for way in _WAYS:
        with contextlib.suppress(OSError):
            if run(["unshare", *way, "mount", "-t", "tmpfs", "tmpfs", "/tmp"], timeout=_PATIENCE).ok:  # noqa: S108
                return ("unshare", *way)
    return ()


def bundled_place(target: Target) -> str:
    """Return where Lambda has the runtime's own distributions."""
    if isinstance(target, PythonTarget) and target.runtime.python >= _SITE_PACKAGES_SINCE:
        return f"/var/lang/lib/python{target.python_version}/site-packages"
    return RUNTIME


def _private(
    parts: Parts, target: Target, interpreter: Interpreter, *, folder: Path, unshare: tuple[str, ...], tmp_mib: int
) -> Space:
    place, python, version = bundled_place(target), interpreter.path, minor_of(interpreter.version)
    prefix = _movable_prefix(python)
    scenery = Scenery(
        parts=parts,
        scene=folder / "scene",
        bundled_at=place,
        python=python,
        version=version,
        prefix=prefix,
        tmp_mib=tmp_mib,
    )
    mounts = folder / "mounts"
    mounts.write_bytes(os.fsencode(scenery.build()))
    command = (*unshare, "sh", "-c", _SCRIPT, str(mounts), f"{LANGUAGE}/bin/python{version}", "-S", PROGRAM)
    return Space(
        task=TASK,
        opt=OPT,
        runtime=RUNTIME,
        bundled=tuple(dict.fromkeys((place, RUNTIME))),
        programs=programs_in(target, TASK, OPT),
        version=version,
        begin=_Here(command=command, folder=folder, private=True),
        private=True,
        names={} if prefix else {str(library_of(python, version)): f"/var/lang/lib/python{version}"},
    )


def _substitute(parts: Parts, target: Target, interpreter: Interpreter, *, folder: Path) -> Space:
    python, version = interpreter.path, minor_of(interpreter.version)
    opt = folder / "opt"
    with translating(opt):
        shutil.copytree(parts.opt, opt, symlinks=True)  # what is cached must not be written by a function
    return Space(
        task=str(parts.code),
        opt=str(opt),
        runtime=str(folder / "runtime"),
        bundled=(str(parts.bundled),),
        programs=programs_in(target, str(parts.code), str(opt)),
        version=version,
        begin=_Here(command=(str(python), "-S", str(START)), folder=parts.code, private=False),
        private=False,
        tmp=folder / "tmp",
        names={
            str(parts.code): TASK,
            str(opt): OPT,
            str(parts.bundled): bundled_place(target),
            str(library_of(python, version)): f"/var/lang/lib/python{version}",
        },
    )


def programs_in(target: Target, *folders: str) -> tuple[str, ...]:
    """Return where Lambda looks for the program that speaks to the Runtime API, if it brings none itself."""
    return () if isinstance(target, PythonTarget) else tuple(f"{folder}/bootstrap" for folder in folders)


def library_of(python: Path, version: str) -> Path:
    """Return where the standard library of an interpreter (its real path) is, as everywhere but on Windows."""
    return python.parent.parent / "lib" / f"python{version}"
