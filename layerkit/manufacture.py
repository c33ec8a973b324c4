"""What has no wheel: pure packages are built on this machine, the others in a place of the target's system."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from layerkit.errors import BuildError
from layerkit.formats.wheel import WheelName
from layerkit.index import IndexSettings
from layerkit.model.lock import LockedPackage
from layerkit.model.recipe import Builder
from layerkit.model.target import PythonTarget
from layerkit.order import Job
from layerkit.places import IN_PLACE, BuildPlace, ContainerNeeded, SupplyOptions, place_of, supplies_of
from layerkit.progress import Progress

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from layerkit.sandbox.workshop import Workshop
    from layerkit.wheelhouse.build import BuiltWheel
    from layerkit.wheelhouse.libraries import CarriedLibrary
    from layerkit.wheelhouse.native import Demand


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """Wheels that were built, libraries that were taken along, and where: ``image`` by digest."""

    wheels: "tuple[BuiltWheel, ...]"
    libraries: "tuple[CarriedLibrary, ...]" = ()
    builder: Builder = Builder.WHEELS
    image: str | None = None


def manufacture(
    job: Job,
    sdists: Mapping[LockedPackage, Path],
    settings: IndexSettings,
    *,
    options: SupplyOptions,
    progress: Progress,
) -> Made:
    """Build what has no wheel: pure packages here, the others in a place of the target's system."""
    build, target = job.order.recipe.build, job.target
    if not isinstance(target, PythonTarget) or build.builder is Builder.WHEELS:
        pure = _pure(sdists, settings, options)
        if pure.failure is not None:
            raise pure.failure
        return Made(wheels=pure.built)
    pure = _Pure(left=sdists) if build.builder in IN_PLACE else _pure(sdists, settings, options)
    if not pure.left and not build.libraries:
        return Made(wheels=pure.built)
    from layerkit.sandbox.container_errors import EngineError

    try:
        return _made_in_place(job, target, pure, settings, options=options, progress=progress)
    except EngineError as exc:
        if pure.failure is None:
            raise
        raise ContainerNeeded(failure=pure.failure, missing=exc) from exc


@dataclass(frozen=True, kw_only=True, slots=True)
class _Pure:
    """What was built on this machine, what is left, and why the first of these cannot be."""

    built: "tuple[BuiltWheel, ...]" = ()
    left: Mapping[LockedPackage, Path]
    failure: BuildError | None = None


def _pure(sdists: Mapping[LockedPackage, Path], settings: IndexSettings, options: SupplyOptions) -> _Pure:
    from layerkit.wheelhouse.build import NeedsContainer, SdistBuildFailed, build_wheel

    built: list[BuiltWheel] = []
    failures: dict[LockedPackage, BuildError] = {}
    for package, path in sdists.items():
        try:
            built.append(build_wheel(package, path, cache=options.cache, settings=settings))
        except (NeedsContainer, SdistBuildFailed) as exc:
            failures[package] = exc
    left = {package: sdists[package] for package in failures}
    return _Pure(built=tuple(built), left=left, failure=next(iter(failures.values()), None))


def _made_in_place(
    job: Job,
    target: PythonTarget,
    pure: _Pure,
    settings: IndexSettings,
    *,
    options: SupplyOptions,
    progress: Progress,
) -> Made:
    from layerkit.wheelhouse.build import remember_native
    from layerkit.wheelhouse.native import Sdist, build_native

    build = job.order.recipe.build
    place = place_of(job, target, options.containers, progress)
    what = ", ".join([*(f"{each.name} {each.version}" for each in pure.left), *build.libraries])

    def opened() -> "AbstractContextManager[Workshop]":
        progress.tell(f"Building {what} in {place.title}" + (f": {pure.failure.message}" if pure.failure else ""))
        return place.open(supplies_of(job, settings, options))

    made = build_native(
        [Sdist(package=package, path=path) for package, path in pure.left.items()],
        _demand(job, target, place, options),
        cache=options.cache,
        open_workshop=opened,
    )
    for package, wheel in zip(pure.left, made.wheels, strict=True):
        if not WheelName.parse(wheel.name).is_pure:
            remember_native(package, wheel.name, options.cache)
    return Made(
        wheels=(*pure.built, *made.wheels),
        libraries=made.libraries,
        builder=Builder.LOCAL if build.builder is Builder.LOCAL else Builder.CONTAINER,
        image=place.image,
    )


def _demand(job: Job, target: PythonTarget, place: BuildPlace, options: SupplyOptions) -> "Demand":
    from layerkit.wheelhouse.native import Demand

    recipe = job.order.recipe
    return Demand(
        target=target,
        place=place.identity,
        environment=recipe.build.env,
        system_packages=recipe.build.system_packages,
        libraries=recipe.build.libraries,
        beside=frozenset(PurePosixPath(file.target).name for file in recipe.files if _is_library(file.target)),
        timeout=options.containers.build_timeout,
    )


def _is_library(target: str) -> bool:
    return target.startswith("lib/") and ".so" in PurePosixPath(target).suffixes
