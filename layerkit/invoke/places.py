"""Where a layer's imports can be tried: this machine, if it has the interpreter and loads the binaries; a container."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from layerkit.errors import BuildError
from layerkit.invoke.modules import LayerContents
from layerkit.model.target import PythonTarget
from layerkit.progress import Progress
from layerkit.sandbox.interpreters import Interpreter, find_interpreter
from layerkit.sandbox.local import local_runner
from layerkit.sandbox.machine import Machine
from layerkit.sandbox.runner import Runner


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportPlace:
    """A runner and the target's interpreter there; ``emulated`` if another processor is imitated, which is slow."""

    runner: Runner
    interpreter: str
    emulated: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class PlaceWish:
    """What the user wants: a container whatever is on this machine, of which image, in which network."""

    container: bool = False
    image: str | None = None
    network: str | None = None
    platform: str | None = None


class NowhereToImport(BuildError):
    """Neither this machine nor a container can import the layer."""

    def __init__(self, *, target: str, version: str, here: str, engine: str) -> None:
        super().__init__(
            f"the imports of a layer for {target} cannot be tried here",
            details=[f"this machine: {here}", f"containers: {engine}"],
            hint=f"start a container engine, or make `python{version}` available on a machine that can load the layer,"
            " or build without `--verify-imports`; `layerkit doctor` shows what is there",
        )


@contextlib.contextmanager
def import_place(
    layer: Path,
    target: PythonTarget,
    *,
    environ: Mapping[str, str],
    wish: PlaceWish | None = None,
    progress: Progress | None = None,
) -> Iterator[ImportPlace]:
    """Open a place that can import the layer: this machine if it can and no container is wished for, else a container.

    Raises ``NowhereToImport``, ``LayerUnreadable``, and ``EngineError`` (emulation that is missing, for one).
    """
    wish = wish or PlaceWish()
    if wish.container or wish.image:
        reason, interpreter = "a container is wished for", None
    else:
        reason, interpreter = why_not_here(target, native=LayerContents.read(layer).is_native)
    if interpreter is not None:
        with local_runner() as runner:
            yield ImportPlace(runner=runner, interpreter=str(interpreter.path))
        return
    with _container(target, reason, environ=environ, wish=wish, progress=progress) as place:
        yield place


def why_not_here(target: PythonTarget, *, native: bool) -> tuple[str, Interpreter | None]:
    """Return this machine's interpreter for a layer, or the reason why there is none; pure layers load anywhere."""
    machine = Machine.this()
    if native and machine.system != "linux":
        return "it does not run Linux, and the layer holds binaries", None
    if native and machine.machine != target.architecture.machine:
        return f"it is {machine.machine}, and the layer holds binaries for {target.architecture}", None
    if native and machine.glibc is None:
        return "its C library is not glibc, and the layer holds binaries", None
    interpreter = find_interpreter(target.python_version)
    return ("" if interpreter else f"no Python {target.python_version} runs on it"), interpreter


@contextlib.contextmanager
def _container(
    target: PythonTarget, reason: str, *, environ: Mapping[str, str], wish: PlaceWish, progress: Progress | None
) -> Iterator[ImportPlace]:
    from layerkit.sandbox.container import ContainerSpec, Engine
    from layerkit.sandbox.container_errors import NoEngine
    from layerkit.sandbox.place import look_around

    try:
        engine = Engine.connect(environ)
    except NoEngine as exc:
        version = target.python_version
        raise NowhereToImport(target=target.identifier, version=version, here=reason, engine=exc.message) from exc
    spec = ContainerSpec.building_for(target, image=wish.image, platform=wish.platform, network=wish.network)
    with engine, engine.container(spec, progress=progress) as container:
        found = look_around(container, target.python_version)
        emulated = engine.imitates(found.machine)
        yield ImportPlace(runner=container, interpreter=found.interpreter, emulated=emulated)
