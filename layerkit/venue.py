"""Where a function is invoked: on this machine if it can, else in a container; with the runtime's own distributions.

Stands above the rooms like ``rehearsal.py``, which opens it.
"""

import contextlib
import os
import platform
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from layerkit.bundled import Compiler, CompilerHere, Source, bundled_folder
from layerkit.cache import Cache
from layerkit.errors import BuildError, UsageError
from layerkit.invoke.merge import unpacked
from layerkit.invoke.scenery import Parts
from layerkit.invoke.space import Space, library_of, space_for
from layerkit.model.limits import MIB
from layerkit.model.target import PythonTarget, Target
from layerkit.progress import Progress
from layerkit.sandbox.container_errors import EngineError
from layerkit.sandbox.interpreters import Interpreter, recall_interpreter
from layerkit.sandbox.machine import Machine

if TYPE_CHECKING:
    from layerkit.sandbox.container import Container, ContainerSpec, Engine
    from layerkit.sandbox.place import Place

_OUT_OF_REACH: Final = ("AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CA_BUNDLE")
_SUBSTITUTE: Final = (
    "note: this system gives the function no namespaces of its own, so folders stand for /opt and /var/task,"
    " nothing is read-only, and /tmp is this machine's, without a limit"
)


class Sandbox(StrEnum):
    """Where a function may be invoked."""

    AUTO = "auto"
    LOCAL = "local"
    CONTAINER = "container"


class NowhereToInvoke(BuildError):
    """Neither this machine nor a container could run the function; ``version`` is of the Python that would help."""

    def __init__(self, *, target: str, reason: str, version: str, engine: EngineError | None) -> None:
        ways = [f"make `python{version}` available (`uv python install {version}` is one way)"] if version else []
        ways += ["name another `--runtime`"] if version else []
        if engine is None:
            ways.append("let it run in a container with `--sandbox container`")
        else:
            ways.append(engine.hint or "start a container engine")
        super().__init__(
            f"a function for {target} cannot be invoked here: {reason}",
            details=[f"containers: {engine.message}"] if engine else [],
            hint=f"{', or '.join(ways)}; `layerkit doctor` shows what is there",
        )


class OnlyForContainers(UsageError):
    """Options that say what a container is to be like where none is wanted."""

    def __init__(self, *, options: list[str]) -> None:
        names = ", ".join(f"`--{name}`" for name in options)
        super().__init__(f"{names} and `--sandbox local` exclude each other", hint="a container has these")


@dataclass(frozen=True, kw_only=True, slots=True)
class VenueWish:
    """What the user wants: a sandbox, and a container of which image, in which network, of which platform."""

    sandbox: Sandbox = Sandbox.AUTO
    image: str | None = None
    network: str | None = None
    platform: str | None = None

    def __post_init__(self) -> None:
        """Raise ``OnlyForContainers`` where they contradict each other."""
        if self.sandbox is Sandbox.LOCAL and self._about_containers:
            raise OnlyForContainers(options=self._about_containers)

    @property
    def is_container(self) -> bool:
        """Whether it must be a container, whatever this machine can do."""
        return self.sandbox is Sandbox.CONTAINER or bool(self._about_containers)

    @property
    def _about_containers(self) -> list[str]:
        return [name for name in ("image", "network", "platform") if getattr(self, name)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Cast:
    """What is to be invoked: code (a folder or a zip), the folder for ``/opt``, the room in ``/tmp`` in MiB."""

    target: Target
    code: Path
    opt: Path
    tmp: int
    source: Source = field(default_factory=Source)


@dataclass(frozen=True, kw_only=True, slots=True)
class Venue:
    """A space, what is in it, its Python (``3.13``) and where that one's standard library would be here.

    ``environ`` is what there is of this machine's environment; ``emulated`` tells that another processor is imitated.
    """

    space: Space
    parts: Parts
    version: str
    library: Path
    environ: Mapping[str, str] = field(repr=False)
    emulated: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class _NotHere:
    """Why this machine cannot; ``version`` is of the Python that would help, if one would."""

    reason: str
    version: str = ""


@contextlib.contextmanager
def venue_for(cast: Cast, wish: VenueWish, *, cache: Cache, progress: Progress) -> Iterator[Venue]:
    """Open a place for a function, and leave nothing of it when the block ends.

    Raises ``NowhereToInvoke``, ``NoRuntime``, ``LayerUnreadable`` and ``EngineError``.
    """
    here = _NotHere(reason="a container is wished for") if wish.is_container else _here(cast.target, cache)
    if isinstance(here, Interpreter):
        with _this_machine(cast, here, cache=cache, progress=progress) as venue:
            yield venue
        return
    with _engine(cast, wish, here) as engine, _container(cast, wish, engine, cache=cache, progress=progress) as venue:
        yield venue


def _here(target: Target, cache: Cache) -> Interpreter | _NotHere:
    """Return what runs the function here, or, for a custom runtime, what only watches over it: this process's own."""
    machine = Machine.this()
    if machine.system != "linux":
        return _NotHere(reason="this machine does not run Linux")
    if machine.architecture is not target.architecture:
        return _NotHere(reason=f"this machine is {machine.machine}")
    if not isinstance(target, PythonTarget):
        return Interpreter(path=Path(sys.executable), version=platform.python_version(), build=sys.version)
    if machine.glibc is None:
        return _NotHere(reason="this machine's C library is not glibc, which AWS's runtime client needs")
    version = target.python_version
    return recall_interpreter(version, cache) or _NotHere(
        reason=f"no Python {version} runs on this machine", version=version
    )


@contextlib.contextmanager
def _this_machine(cast: Cast, interpreter: Interpreter, *, cache: Cache, progress: Progress) -> Iterator[Venue]:
    parts = _parts(cast, CompilerHere(interpreter), cache=cache, progress=progress)
    with space_for(parts, cast.target, interpreter, tmp_mib=cast.tmp) as space:
        if not space.private:
            progress.tell(_SUBSTITUTE)
        real = interpreter.path.resolve()
        yield _venue(space, parts, real, environ=os.environ)


def _engine(cast: Cast, wish: VenueWish, here: _NotHere) -> "Engine":
    """Connect to a container engine; where it is only the second choice, tell of the first one, too."""
    from layerkit.sandbox.container import Engine

    failure: EngineError | None = None
    if wish.sandbox is not Sandbox.LOCAL:
        try:
            return Engine.connect(os.environ)
        except EngineError as exc:
            if wish.is_container:
                raise
            failure = exc
    target = cast.target.identifier
    raise NowhereToInvoke(target=target, reason=here.reason, version=here.version, engine=failure) from failure


@contextlib.contextmanager
def _container(cast: Cast, wish: VenueWish, engine: "Engine", *, cache: Cache, progress: Progress) -> Iterator[Venue]:
    from layerkit.invoke.container_space import furnish, python_in
    from layerkit.sandbox.container_tar import every_link, links_within

    with engine, engine.container(_spec(cast, wish), progress=progress) as container:
        place = python_in(container, cast.target)
        if emulated := engine.imitates(place.machine):
            architecture = cast.target.architecture
            progress.tell(f"note: {architecture} is emulated here, which is slow; `--timeout` gives it time")
        parts = _parts(cast, _compiler(container, place, cast.target, cache), cache=cache, progress=progress)
        keeps = every_link if cast.code.is_file() else links_within(parts.code)
        space = furnish(container, parts, cast.target, place, keeps=keeps)
        environ = _within_reach(os.environ, progress)
        yield _venue(space, parts, Path(place.interpreter), environ=environ, emulated=emulated)


def _compiler(container: "Container", place: "Place", target: Target, cache: Cache) -> Compiler | None:
    """Return who compiles what the runtime brings, if the image does not: sooner here, as it is the same for both."""
    from layerkit.invoke.container_space import CompilerInside, has_client

    if not isinstance(target, PythonTarget) or has_client(container, target):
        return None
    here = recall_interpreter(target.python_version, cache)
    return CompilerHere(here) if here else CompilerInside(container=container, place=place)


def _spec(cast: Cast, wish: VenueWish) -> "ContainerSpec":
    from layerkit.sandbox.container_spec import ContainerSpec

    return ContainerSpec.building_for(
        cast.target,
        image=wish.image,
        platform=wish.platform,
        network=wish.network,
        tmp=cast.tmp * MIB,
        shared_memory=False,
    )


def _parts(cast: Cast, compiler: Compiler | None, *, cache: Cache, progress: Progress) -> Parts:
    """Return what a function is made of; a place without a compiler brings the runtime's own itself."""
    bundled = unpacked([], cache)
    if compiler is not None and isinstance(cast.target, PythonTarget):
        bundled = bundled_folder(cast.target, compiler, cache=cache, progress=progress, source=cast.source)
    code = unpacked([cast.code], cache) if cast.code.is_file() else cast.code.absolute()
    return Parts(code=code, opt=cast.opt, bundled=bundled)


def _venue(space: Space, parts: Parts, python: Path, *, environ: Mapping[str, str], emulated: bool = False) -> Venue:
    return Venue(
        space=space,
        parts=parts,
        version=space.version,
        library=library_of(python, space.version),
        environ=environ,
        emulated=emulated,
    )


def _within_reach(environ: Mapping[str, str], progress: Progress) -> dict[str, str]:
    """Return an environment without the variables that name files of this machine."""
    left_out = [name for name in _OUT_OF_REACH if name in environ]
    if left_out:
        progress.tell(f"note: the function does not get {', '.join(left_out)}: the files are not in the container")
    return {name: value for name, value in environ.items() if name not in left_out}
