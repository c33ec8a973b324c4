"""Where a job's wheels are built when no prebuilt ones serve: in a container, or on this machine.

What such a place is, exactly, is known before it is opened: it decides what the caches hold. It is opened only if
something must be resolved or built there, and nothing of it stays behind.
"""

import contextlib
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from layerkit.cache import Cache
from layerkit.errors import BuildError
from layerkit.index import IndexSettings
from layerkit.lock.obtain import LockMode
from layerkit.model.recipe import Builder
from layerkit.model.target import PythonTarget
from layerkit.order import Job
from layerkit.progress import Progress

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from layerkit.sandbox.container import ContainerSpec, Engine
    from layerkit.sandbox.workshop import Supplies, Workshop


IN_PLACE: Final = frozenset({Builder.LOCAL, Builder.CONTAINER})
"""The builders that resolve and build with the target's own interpreter."""


class ContainerNeeded(BuildError):
    """A package that needs a container, which cannot be had."""

    def __init__(self, *, failure: BuildError, missing: BuildError) -> None:
        super().__init__(
            failure.message,
            details=[*failure.details, f"no container to build it in: {missing.message}", *missing.details],
            hint=f"{missing.hint or 'start a container engine'}; or choose a version that has a wheel",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ContainerOptions:
    """What the command line says of containers; ``build_timeout`` is in seconds, for one package."""

    network: str | None = None
    platform: str | None = None
    build_timeout: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class SupplyOptions:
    """How to get at wheels, apart from what the recipe says. ``force`` downloads also what cannot fit."""

    cache: Cache
    mode: LockMode = field(default_factory=LockMode)
    containers: ContainerOptions = field(default_factory=ContainerOptions)
    force: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class BuildPlace:
    """A place not yet opened. ``identity`` says exactly what it is; ``image`` is the image by digest, if it is one."""

    identity: str
    title: str
    image: str | None
    open: "Callable[[Supplies], AbstractContextManager[Workshop]]" = field(repr=False)


def supplies_of(job: Job, settings: IndexSettings, options: SupplyOptions) -> "Supplies":
    """Return what a workshop for the job is set up from."""
    from layerkit.sandbox.workshop import Supplies

    build = job.order.recipe.build
    return Supplies(
        cache=options.cache,
        settings=settings,
        environment=build.env,
        system_packages=build.system_packages,
        offline=options.mode.offline,
    )


def place_of(job: Job, target: PythonTarget, options: ContainerOptions, progress: Progress) -> BuildPlace:
    """Return the place for the job's target: this machine for the builder ``local``, else a container.

    Raises ``EngineError`` where the engine must be asked what an image is, ``InterpreterMissing`` and ``LocalUnfit``.
    """
    if job.order.recipe.build.builder is Builder.LOCAL:
        return _this_machine(target, progress)
    return _container(job, target, options, progress)


def _this_machine(target: PythonTarget, progress: Progress) -> BuildPlace:
    from layerkit.sandbox.interpreters import InterpreterMissing, find_interpreter
    from layerkit.sandbox.local import check_fit
    from layerkit.sandbox.machine import Machine

    machine = Machine.this()
    check_fit(machine, target=target.identifier, wanted=target.architecture.machine, glibc=target.glibc)
    interpreter = find_interpreter(target.python_version)
    if interpreter is None:
        raise InterpreterMissing(version=target.python_version, purpose="`--builder local`")

    @contextlib.contextmanager
    def opened(supplies: "Supplies") -> "Iterator[Workshop]":
        from layerkit.sandbox.local import local_runner
        from layerkit.sandbox.place import look_around
        from layerkit.sandbox.workshop import Workshop

        with local_runner() as runner:
            workshop = Workshop.set_up(runner, look_around(runner, target.python_version), supplies)
            _tell_what_is_left_out(workshop, progress)
            yield workshop

    identity = f"python {interpreter.version} ({interpreter.build}) on glibc {machine.glibc}"
    return BuildPlace(identity=identity, title="this machine", image=None, open=opened)


def _container(job: Job, target: PythonTarget, options: ContainerOptions, progress: Progress) -> BuildPlace:
    from layerkit.sandbox.container import ContainerSpec, Engine

    named = job.order.recipe.build.images.get(target.architecture)
    spec = ContainerSpec.building_for(target, image=named, platform=options.platform, network=options.network)

    @contextlib.contextmanager
    def opened(supplies: "Supplies") -> "Iterator[Workshop]":
        from layerkit.sandbox.place import look_around
        from layerkit.sandbox.workshop import Workshop

        with Engine.connect(os.environ) as engine, engine.container(spec, progress=progress) as container:
            workshop = Workshop.set_up(container, look_around(container, target.python_version), supplies)
            _tell_what_is_left_out(workshop, progress)
            yield workshop

    identity = _identity(spec, Engine, progress)
    return BuildPlace(identity=identity, title=spec.image, image=identity, open=opened)


def _tell_what_is_left_out(workshop: "Workshop", progress: Progress) -> None:
    for url in workshop.left_out:
        progress.tell(f"note: the index {url} is on this machine's disk, so {workshop.runner.title} is not told of it")


def _identity(spec: "ContainerSpec", engine_type: "type[Engine]", progress: Progress) -> str:
    """Return the image by digest: as it is named, or as the engine knows it."""
    if "@sha256:" in spec.image:
        return spec.image
    with engine_type.connect(os.environ) as engine:
        return f"{spec.image}@{engine.identity(spec, progress=progress)}"
