"""A layer unpacked where imports are tried: at ``/opt`` of a container or of a mount namespace, or in a mere folder."""

import contextlib
import os
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from layerkit.invoke.places import ImportPlace
from layerkit.invoke.scenery import OPT, RUNTIME, TASK
from layerkit.invoke.variables import folders_in, locale_and_time
from layerkit.model.target import PythonTarget
from layerkit.sandbox.process import Completed
from layerkit.sandbox.runner import Order, Runner

_SCRIPT: Final = Path(__file__).with_name("try_imports.py")
_PATIENCE: Final = 20.0  # seconds for a namespace to be made
_EXECUTABLE: Final = 0o100
# $0 is the layer's folder; a bind mount becomes read-only only when it is mounted again (mount(8))
_MOUNT: Final = f'mount --bind "$0" {OPT} && mount -o remount,bind,ro {OPT} && exec "$@"'
# Lambda's, for all managed runtimes; PYTHONPATH is left out, as it holds nothing here that sys.path lacks
_ENVIRONMENT: Final = {
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
    "AWS_LAMBDA_FUNCTION_NAME": "verify-imports",
    "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/verify-imports",
    "AWS_LAMBDA_LOG_STREAM_NAME": "verify-imports",
    "AWS_REGION": "us-east-1",
    "_HANDLER": "lambda_function.lambda_handler",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """A place with the layer unpacked: the folder ``root`` that stands for ``/opt``, and how to start a program there.

    ``prefix`` comes before a command that is to see the layer at ``/opt``, in a mount namespace, if there is one.
    """

    place: ImportPlace
    root: str
    task: str
    prefix: tuple[str, ...]
    environment: Mapping[str, str]

    @property
    def mode(self) -> str:
        """How the layer is there, in words; empty if it is as on Lambda."""
        return "" if self.root == OPT else "in a folder that stands for /opt: what names /opt itself is not found"

    def run(self, stdin: str, *, timeout: float) -> Completed:
        """Run ``try_imports`` with Lambda's environment and nothing of this machine's."""
        runner = self.place.runner
        script = f"{runner.home}/{_SCRIPT.name}"
        interpreter = [self.place.interpreter, "-S", "-E", "-s", "-B", "-X", "utf8", script]
        cleaned = ["env", "-i", *(f"{name}={value}" for name, value in self.environment.items())]
        command = [*self.prefix, *([] if os.name == "nt" else cleaned), *interpreter]
        return runner.run(Order(command=command, stdin=stdin, folder=self.task, timeout=timeout))

    def as_on_lambda(self, text: str) -> str:
        """Return text with the paths that Lambda has."""
        return text.replace(self.root, OPT) if self.root != OPT else text


def set_up(layer: Path, target: PythonTarget, place: ImportPlace) -> Stage:
    """Put a layer into a place."""
    runner = place.runner
    folder = OPT if runner.whole_system else f"{runner.home}/opt"
    task = TASK if runner.whole_system else f"{runner.home}/task"
    runner.put({_SCRIPT.name: _SCRIPT.read_bytes()})
    with _unpacked(layer) as unpacked, tempfile.TemporaryDirectory(prefix="layerkit-") as empty:
        runner.put_folder(unpacked, at=folder if runner.whole_system else "opt")
        runner.put_folder(Path(empty), at=task if runner.whole_system else "task")
    prefix = () if runner.whole_system else private_mount(runner, folder, interpreter=place.interpreter)
    root = OPT if prefix else folder
    return Stage(
        place=place,
        root=root,
        task=task,
        prefix=prefix,
        environment=_environment(target, root=root, task=task, home=None if runner.whole_system else task),
    )


def private_mount(runner: Runner, folder: str, *, interpreter: str) -> tuple[str, ...]:
    """Return what to put before a command that is to see ``folder`` as a read-only ``/opt``; empty if that cannot be.

    Not where ``/opt`` does not exist, or where the interpreter itself lies in it.
    """
    if not os.path.isdir(OPT) or os.path.realpath(interpreter).startswith(f"{OPT}/"):  # noqa: PTH112 -- not on Windows
        return ()
    for unshare in (("unshare", "--mount"), ("unshare", "--map-root-user", "--mount")):
        prefix = (*unshare, "sh", "-c", _MOUNT, folder)
        with contextlib.suppress(OSError):
            if runner.run(Order(command=[*prefix, interpreter, "-I", "-S", "-c", ""], timeout=_PATIENCE)).ok:
                return prefix
    return ()


@contextlib.contextmanager
def _unpacked(layer: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="layerkit-") as folder, zipfile.ZipFile(layer) as archive:
        for entry in archive.infolist():
            path = Path(archive.extract(entry, folder))
            if not entry.is_dir() and (entry.external_attr >> 16) & _EXECUTABLE:
                path.chmod(0o755)
        yield Path(folder)


def _environment(target: PythonTarget, *, root: str, task: str, home: str | None) -> dict[str, str]:
    """Return the environment of a function; ``home`` hides what this machine's user has set from what is imported."""
    inherited = os.environ.get("LD_LIBRARY_PATH") if home else None  # the interpreter here may not start without it
    folders = folders_in(task=task, opt=root, runtime=RUNTIME)
    return {
        **_ENVIRONMENT,
        **locale_and_time(),
        **folders,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{target.runtime.name}",
        **({"LD_LIBRARY_PATH": f"{folders['LD_LIBRARY_PATH']}:{inherited}"} if inherited else {}),
        **({"HOME": home} if home else {}),
    }
