"""A function with its layers, tried on this machine: checked as Lambda would, made ready, invoked.

Stands above the rooms like ``build.py``: the runtime's own distributions come through the pipeline, as a layer does.
"""

import contextlib
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import file_digest
from pathlib import Path
from typing import Any, Final

from layerkit.bundled import Source, bundled_folder
from layerkit.cache import Cache
from layerkit.errors import BuildError, UnfitError, UsageError
from layerkit.facts import limits, newest_python
from layerkit.invoke.environment import Environment
from layerkit.invoke.function import Function
from layerkit.invoke.space import Parts, space_for
from layerkit.invoke.unpack import unpacked, unzipped_bytes
from layerkit.model.limits import MIB, format_mib
from layerkit.model.target import PythonTarget, Target, make_target
from layerkit.progress import Progress
from layerkit.sandbox.interpreters import Interpreter, recall_interpreter
from layerkit.sandbox.local import Machine

_MANIFEST: Final = ".layer.json"
_ARCHITECTURES: Final = {"x86_64": "x86_64", "aarch64": "arm64"}


class NoCode(UsageError):
    """No code for the function."""

    def __init__(self, *, path: Path) -> None:
        super().__init__(f"there is no code at `{path}`", hint="name the function's folder or zip with `--code`")


class NoSuchLayer(UsageError):
    """A layer that is not there."""

    def __init__(self, *, path: Path, why: str) -> None:
        super().__init__(f"layer `{path}` cannot be used: {why}", hint="name a zip as `layerkit build` writes it")


class TooManyLayers(UsageError):
    """More layers than a function can have."""

    def __init__(self, *, number: int) -> None:
        most = limits().layers_per_function
        super().__init__(f"{number} layers are more than the {most} that a function can have", hint="or use `--force`")


class LayersDoNotFit(UnfitError):
    """Layers that are meant for another target, or that are too large; all that is wrong with them."""

    def __init__(self, *, target: str, problems: Sequence[str]) -> None:
        super().__init__(
            f"this stack would not work on {target}",
            details=problems,
            hint="name another `--runtime`, take the layers that were built for it, or try all the same with `--force`",
        )


class NowhereToInvoke(BuildError):
    """No interpreter on this machine that could run the function."""

    def __init__(self, *, target: str, version: str, reason: str) -> None:
        have_it = f"make `python{version}` available (`uv python install {version}` is one way), or " if version else ""
        super().__init__(
            f"a function for {target} cannot be invoked here: {reason}",
            hint=f"{have_it}run layerkit in a container that can, such as AWS's image for the runtime",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Layer:
    """A layer's zip, and what the manifest beside it says it is meant for: nothing if there is none."""

    path: Path
    runtimes: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()

    @classmethod
    def read(cls, path: Path) -> "Layer":
        """Read what is beside a zip, or the zip beside a manifest. Raises ``NoSuchLayer``."""
        if path.name.endswith(_MANIFEST):
            path = path.with_name(path.name.removesuffix(_MANIFEST) + ".zip")
        if not path.is_file():
            raise NoSuchLayer(path=path, why="it is no file" if path.exists() else "there is no such file")
        said = _manifest_of(path)
        return cls(
            path=path,
            runtimes=tuple(map(str, said.get("compatible_runtimes", ()))),
            architectures=tuple(map(str, said.get("compatible_architectures", ()))),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What is to be invoked, as the command line has it; ``force`` tries also what Lambda would refuse."""

    code: Path
    layers: tuple[Layer, ...]
    function: Function
    force: bool = False
    source: Source = field(default_factory=Source)
    quiet: bool = False


def target_for(runtime: str | None, layers: Sequence[Layer], *, today: date) -> Target:
    """Return this machine's target for a runtime: if none is named, one that all layers are meant for, else the newest.

    Raises as ``make_target`` does.
    """
    meant = [layer.runtimes for layer in layers if layer.runtimes]
    common = [name for name in (meant[0] if meant else ()) if all(name in names for names in meant)]
    newest = newest_python(today).name
    name = runtime or (newest if newest in common or not common else common[-1])
    return make_target(name, _ARCHITECTURES.get(Machine.this().machine, "x86_64"))


@contextlib.contextmanager
def rehearsal(wish: Wish, *, cache: Cache, progress: Progress, log: Callable[[str], None]) -> Iterator[Environment]:
    """Make everything ready for a function's invocations; nothing is left when the block ends.

    Raises ``TooManyLayers``, ``LayersDoNotFit``, ``NowhereToInvoke``, ``NoRuntime``, ``NoCode``, ``LayerUnreadable``.
    """
    function, target = wish.function, wish.function.target
    _check(wish)
    interpreter = _interpreter_for(target, cache)
    bundled = _bundled(target, interpreter, wish.source, cache=cache, progress=progress)
    code = unpacked([wish.code], cache) if wish.code.is_file() else wish.code.absolute()
    parts = Parts(code=code, opt=unpacked([layer.path for layer in wish.layers], cache), bundled=bundled)
    with space_for(parts, target, interpreter, tmp_mib=function.tmp) as space:
        if not space.private:
            progress.tell(_SUBSTITUTE)
        environment = Environment(function=function, space=space, environ=os.environ, log=log, quiet=wish.quiet)
        with environment.opened():
            yield environment


_SUBSTITUTE: Final = (
    "note: this system gives the function no namespaces of its own, so folders stand for /opt and /var/task,"
    " nothing is read-only, and /tmp is this machine's, without a limit"
)


def _check(wish: Wish) -> None:
    if not wish.code.exists():
        raise NoCode(path=wish.code)
    if wish.force:
        return
    if len(wish.layers) > limits().layers_per_function:
        raise TooManyLayers(number=len(wish.layers))
    if problems := [*_problems(wish)]:
        raise LayersDoNotFit(target=wish.function.target.identifier, problems=problems)


def _problems(wish: Wish) -> Iterator[str]:
    target = wish.function.target
    for layer in wish.layers:
        for meant, wanted in ((layer.runtimes, target.runtime.name), (layer.architectures, str(target.architecture))):
            if meant and wanted not in meant:
                yield f"`{layer.path.name}` is for {', '.join(meant)}, not for {wanted}"
    size = sum(unzipped_bytes(layer.path) for layer in wish.layers) + _code_bytes(wish.code)
    if size >= limits().unzipped_bytes:
        most = limits().unzipped_bytes // MIB
        yield f"code and layers are {format_mib(size)} unzipped, and Lambda takes less than {most} MiB"


def _code_bytes(code: Path) -> int:
    if code.is_file():
        return unzipped_bytes(code)
    return sum(file.lstat().st_size for file in code.rglob("*") if not file.is_dir())


def _bundled(target: Target, interpreter: Interpreter, source: Source, *, cache: Cache, progress: Progress) -> Path:
    if isinstance(target, PythonTarget):
        return bundled_folder(target, interpreter, cache=cache, progress=progress, source=source)
    return unpacked([], cache)


def _interpreter_for(target: Target, cache: Cache) -> Interpreter:
    """Return what runs the function, or, for a custom runtime, what only watches over it: this process's own."""
    if not isinstance(target, PythonTarget):
        if Machine.this().system != "linux":
            raise NowhereToInvoke(target=target.identifier, version="", reason="this machine does not run Linux")
        return Interpreter(path=Path(sys.executable), version=platform.python_version(), build=sys.version)
    machine, version = Machine.this(), target.python_version
    if machine.system != "linux" or machine.glibc is None:
        reason = "this machine does not run Linux with glibc, which AWS's runtime client needs"
        raise NowhereToInvoke(target=target.identifier, version=version, reason=reason)
    interpreter = recall_interpreter(version, cache)
    if interpreter is None:
        reason = f"no Python {version} runs on this machine"
        raise NowhereToInvoke(target=target.identifier, version=version, reason=reason)
    return interpreter


def _manifest_of(path: Path) -> dict[str, Any]:
    """Return what the manifest beside a zip says, if it speaks of this very zip."""
    try:
        manifest = json.loads(path.with_name(f"{path.stem}{_MANIFEST}").read_text(encoding="utf-8"))["layers"][0]
        with path.open("rb") as stream:
            if manifest["sha256"] == file_digest(stream, "sha256").hexdigest():
                return dict(manifest)
    except (OSError, ValueError, LookupError, TypeError):
        pass
    return {}
