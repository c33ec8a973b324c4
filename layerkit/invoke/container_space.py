"""A container as the place of a function: its folders where Lambda has them, its process behind ``relay.py``.

Nothing is shared with this machine, neither a folder nor a network. The function is no root there, so it can write
nothing but ``/tmp``; where the image's Python is out of others' reach, it has to be root after all.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from layerkit.errors import BuildError
from layerkit.invoke.relayed import Relayed, to_stderr
from layerkit.invoke.scenery import OPT, PROGRAM, RUNTIME, TASK, Parts, programs
from layerkit.invoke.space import Space, bundled_place, library_of, programs_in
from layerkit.model.target import PythonTarget, Target
from layerkit.sandbox.container_errors import WrongMachine
from layerkit.sandbox.container_tar import KeepsLink, every_link
from layerkit.sandbox.interpreters import minor_of
from layerkit.sandbox.place import InterpreterNotInImage, Place, look_around
from layerkit.sandbox.process import Sieve
from layerkit.sandbox.runner import Order

if TYPE_CHECKING:
    from layerkit.sandbox.container import Container

_RELAY: Final = Path(__file__).with_name("relay.py")
_LEAST: Final = (3, 8)  # what the programs that are sent there need
_ANY: Final = "3"
_USER, _GROUP = 993, 990  # as on Lambda
_PATIENCE: Final = 120.0  # seconds
_PATIENCE_TO_COMPILE: Final = 1800.0  # seconds; under emulation it takes minutes
_LOOK: Final = 'if [ -d "$0" ]; then echo "$0"; fi'
_API: Final = "AWS_LAMBDA_RUNTIME_API"
# $0 is the image's Python; AWS's own images have theirs at /var/lang already
_SET_UP: Final = f"""
set -e
mkdir -p {TASK} {OPT} {RUNTIME} /var/lang/bin
for name in python python3 "python$1"; do
  [ -e "/var/lang/bin/$name" ] || ln -s "$0" "/var/lang/bin/$name"
done
case "$(cat /etc/passwd 2>/dev/null)" in
  *:x:{_USER}:*) ;;
  *) echo 'sbx_user1051:x:{_USER}:{_GROUP}::/home/sbx_user1051:/sbin/nologin' >>/etc/passwd ;;
esac
readlink -f "$0"
"""


class NoGlibc(BuildError):
    """An image in which AWS's runtime client cannot be loaded."""

    def __init__(self, *, title: str) -> None:
        super().__init__(
            f"the C library of {title} is not glibc, which AWS's runtime client needs",
            hint="choose an image of Amazon Linux, Debian, Fedora or their kin, or leave `--image` out",
        )


class NoWatcher(BuildError):
    """An image without a Python that could watch over a custom runtime."""

    def __init__(self, *, title: str, found: str) -> None:
        least = ".".join(map(str, _LEAST))
        super().__init__(
            f"{title} has no Python {least} or newer, by which a function is started and watched; found {found}",
            hint="choose an image that has one as `python3`, or leave `--image` out",
        )


class NotSetUp(BuildError):
    """An image in which the folders of a function cannot be made."""

    def __init__(self, *, title: str, output: str) -> None:
        super().__init__(
            f"a function's folders cannot be made in {title}",
            details=output.splitlines()[-5:],
            hint="it needs a shell with `mkdir`, `ln`, `cat` and `readlink`; choose another image with `--image`",
        )


def python_in(container: "Container", target: Target) -> Place:
    """Return the Python that runs a function in a container, or, for a custom runtime, what only watches over it.

    Raises ``InterpreterNotInImage``, ``NoWatcher``, ``NoGlibc`` and ``WrongMachine``.
    """
    is_python = isinstance(target, PythonTarget)
    try:
        found = look_around(container, target.python_version if isinstance(target, PythonTarget) else _ANY)
    except InterpreterNotInImage as exc:
        if is_python:
            raise
        raise NoWatcher(title=container.title, found="none at all") from exc
    if tuple(map(int, found.version.split(".")[:2])) < _LEAST:
        raise NoWatcher(title=container.title, found=found.version)
    if found.machine != target.architecture.machine:
        raise WrongMachine(image=container.spec.image, machine=found.machine, wanted=target.architecture.machine)
    if is_python and found.glibc is None:
        raise NoGlibc(title=container.title)
    return found


def has_client(container: "Container", target: Target) -> bool:
    """Tell whether an image brings what the runtime does: AWS's own images do, and have the runtime client there."""
    client = f"{bundled_place(target)}/awslambdaric"
    look = Order(command=["/bin/sh", "-c", _LOOK, client], folder="/", timeout=_PATIENCE)
    return bool(container.run(look).stdout)


@dataclass(frozen=True, kw_only=True, slots=True)
class CompilerInside:
    """Compiles a folder of modules by a container's Python."""

    container: "Container"
    place: Place

    @property
    def build(self) -> str:
        """The whole text of ``sys.version`` there."""
        return self.place.build

    def compile(self, folder: Path) -> None:
        """Compile all modules in a folder of this machine; those that cannot be compiled are left as they are."""
        name = "compiled"
        self.container.put_folder(folder, at=name)
        command = [self.place.interpreter, "-I", "-S", "-m", "compileall", "-q", "--invalidation-mode"]
        self.container.run(Order(command=[*command, "unchecked-hash", name], timeout=_PATIENCE_TO_COMPILE))
        self.container.get(name, folder)


def furnish(container: "Container", parts: Parts, target: Target, place: Place, *, keeps: KeepsLink) -> Space:
    """Bring a function into a container; ``keeps`` tells of the code's links which stay links. Raises ``NotSetUp``."""
    version = minor_of(place.version)
    set_up = Order(command=["/bin/sh", "-c", _SET_UP, place.interpreter, version], folder="/", timeout=_PATIENCE)
    done = container.run(set_up)
    if not done.ok:
        raise NotSetUp(title=container.title, output=done.stdout + done.stderr)
    container.put({_RELAY.name: _RELAY.read_bytes(), **programs()})
    container.put_folder(parts.code, at=TASK, keeps=keeps)
    container.put_folder(parts.opt, at=OPT, keeps=every_link)
    bundled = bundled_place(target)
    container.put_folder(parts.bundled, at=bundled)
    real = Path(done.stdout.strip())
    return Space(
        task=TASK,
        opt=OPT,
        runtime=RUNTIME,
        bundled=tuple(dict.fromkeys((bundled, RUNTIME))),
        programs=programs_in(target, TASK, OPT),
        version=version,
        begin=_Inside(container=container, python=f"/var/lang/bin/python{version}"),
        private=True,
        names={library_of(real, version).as_posix(): f"/var/lang/lib/python{version}"},
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Inside:
    """Starts what watches over a function in a container; nobody who may ask the engine sees its environment."""

    container: "Container"
    python: str

    def __call__(self, environment: Mapping[str, str], *, quiet: bool, sieve: Sieve | None) -> Relayed:
        """Start it. Raises ``EngineError``."""
        script = f"{self.container.home}/{_RELAY.name}"
        line = self.container.converse([self.python, "-I", "-S", script], errors=to_stderr)
        order = {
            "command": [self.python, "-S", PROGRAM],
            "environment": dict(environment),
            "folder": TASK,
            "user": _USER,
            "group": _GROUP,
        }
        line.say(json.dumps(order) + "\n")
        return Relayed(line=line, port=int(environment[_API].rpartition(":")[2]), quiet=quiet, sieve=sieve)
