"""From an order to its wheels, for one layer: lock, download, build what has no wheel. The pipeline's first half."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from layerkit.assemble.fragment import VerifiedWheel
from layerkit.cache import Cache
from layerkit.errors import BuildError, UnfitError
from layerkit.facts import limits
from layerkit.index import IndexSettings
from layerkit.lock.inputs import LockRequest, resolver_in
from layerkit.lock.obtain import LockMode, is_current, obtain
from layerkit.model.limits import MIB, format_mib
from layerkit.model.lock import Lock, LockedPackage
from layerkit.model.recipe import Builder
from layerkit.model.target import PlainTarget, PythonTarget
from layerkit.model.universal import LockTarget
from layerkit.order import Job, request_of
from layerkit.places import BuildPlace, ContainerNeeded, ContainerOptions, place_of
from layerkit.progress import Progress
from layerkit.wheelhouse.fetch import FetchOptions, fetch

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from layerkit.sandbox.workshop import Supplies, Workshop
    from layerkit.wheelhouse.build import BuiltWheel
    from layerkit.wheelhouse.libraries import CarriedLibrary

_DOWNLOADS: Final = 8
_NAMED: Final = 3
_IN_PLACE: Final = frozenset({Builder.LOCAL, Builder.CONTAINER})


class TooMuchToDownload(UnfitError):
    """Wheels that are over the unzipped limit before they are even unzipped."""

    def __init__(self, *, title: str, packages: Sequence[LockedPackage]) -> None:
        largest = sorted(packages, key=lambda package: -(package.file.size or 0))[:_NAMED]
        total = sum(package.file.size or 0 for package in packages)
        super().__init__(
            f"layer {title} cannot fit: its wheels are {format_mib(total)} zipped,"
            f" and Lambda takes less than {limits().unzipped_bytes // MIB} MiB unzipped",
            details=[f"{each.name} {each.version}: {format_mib(each.file.size or 0)} zipped" for each in largest],
            hint="leave distributions out with `--exclude` or files with `--drop`,"
            " use a container image for the function, or see for yourself with `--force`",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class SupplyOptions:
    """How to get at wheels, apart from what the recipe says. ``force`` downloads also what cannot fit."""

    cache: Cache
    mode: LockMode = field(default_factory=LockMode)
    containers: ContainerOptions = field(default_factory=ContainerOptions)
    force: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Locked:
    """A job whose lock is known. Paths in the lock count from ``base``; ``path`` is the lock file, if it is our own."""

    job: Job
    lock: Lock | None
    base: Path
    settings: IndexSettings
    path: Path | None = None

    @property
    def packages(self) -> tuple[LockedPackage, ...]:
        """What the layer is made from."""
        return self.lock.packages if self.lock else ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Supplied:
    """A job whose wheels are here; ``built`` are those that came from sdists, ``image`` where some were built."""

    locked: Locked
    wheels: tuple[VerifiedWheel, ...]
    built: "tuple[BuiltWheel, ...]" = ()
    libraries: "tuple[CarriedLibrary, ...]" = ()
    builder: Builder = Builder.WHEELS
    image: str | None = None


def lock_job(job: Job, options: SupplyOptions, progress: Progress) -> Locked:
    """Return the job with its lock: the one that is there if it is current, else a new one."""
    order = job.order
    match job.target:
        case PlainTarget():
            return Locked(job=job, lock=None, base=order.folder, settings=request_of(order)[1])
        case target:
            request, settings = request_of(order)
            if order.foreign_lock is not None:
                from layerkit.lock.sources import use_lock

                lock = use_lock(order.foreign_lock, target, settings=settings, selection=order.selection)
                return Locked(job=job, lock=lock, base=order.foreign_lock.parent, settings=settings)
            asked = _Asked.of(job, target, request, settings, options=options, progress=progress)
            return _own_lock(job, target, asked, options=options)


def stale_locks(jobs: Sequence[Job], options: SupplyOptions, progress: Progress) -> list[Path]:
    """Return the lock files that are missing or not current, without asking any index."""
    stale = []
    for job in jobs:
        if not isinstance(job.target, PlainTarget) and job.order.foreign_lock is None:
            asked = _Asked.of(job, job.target, *request_of(job.order), options=options, progress=progress)
            path = job.order.lock_path(job.target)
            if asked.request.requirements and not is_current(
                asked.request, job.target, path=path, settings=asked.settings
            ):
                stale.append(path)
    return stale


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asked:
    """What is to be locked, and the place whose interpreter resolves it, if it is not uv."""

    request: LockRequest
    settings: IndexSettings
    place: BuildPlace | None

    @classmethod
    def of(
        cls,
        job: Job,
        target: LockTarget,
        request: LockRequest,
        settings: IndexSettings,
        *,
        options: SupplyOptions,
        progress: Progress,
    ) -> "_Asked":
        if job.order.recipe.build.builder not in _IN_PLACE or not isinstance(target, PythonTarget):
            return cls(request=request, settings=settings, place=None)
        place = place_of(job, target, options.containers, progress)
        return cls(request=replace(request, resolver=resolver_in(place.identity)), settings=settings, place=place)


def _own_lock(job: Job, target: LockTarget, asked: _Asked, *, options: SupplyOptions) -> Locked:
    path, settings = job.order.lock_path(target), asked.settings
    if not asked.request.requirements:
        return Locked(job=job, lock=None, base=path.parent, settings=settings)
    place = asked.place
    lock = obtain(
        asked.request,
        target,
        path=path,
        settings=settings,
        mode=options.mode,
        open_workshop=None if place is None else lambda: place.open(_supplies(job, settings, options)),
    )
    return Locked(job=job, lock=lock, base=path.parent, settings=settings, path=path)


def _supplies(job: Job, settings: IndexSettings, options: SupplyOptions) -> "Supplies":
    from layerkit.sandbox.workshop import Supplies

    build = job.order.recipe.build
    return Supplies(
        cache=options.cache,
        settings=settings,
        environment=build.env,
        system_packages=build.system_packages,
        offline=options.mode.offline,
    )


def refuse_hopeless(locked: Locked, options: SupplyOptions) -> Locked:
    """Refuse what cannot fit before it is downloaded; what is dropped by name may well make it fit."""
    total = sum(package.file.size or 0 for package in locked.packages)
    if total >= limits().unzipped_bytes and not (options.force or locked.job.order.recipe.prune.drop):
        raise TooMuchToDownload(title=locked.job.title, packages=locked.packages)
    return locked


def supply(locked: Locked, options: SupplyOptions, progress: Progress) -> Supplied:
    """Return the job with its wheels: downloaded, or built from sdists."""
    paths = fetch_for([locked], options, progress)
    wheels = [
        VerifiedWheel(name=package.file.name, path=paths[package.file.sha256], sha256=package.file.sha256)
        for package in locked.packages
        if package.file.is_wheel
    ]
    sdists = {package: paths[package.file.sha256] for package in locked.packages if not package.file.is_wheel}
    if not sdists and not locked.job.order.recipe.build.libraries:
        return Supplied(locked=locked, wheels=tuple(wheels))
    made = _made(locked, sdists, options, progress)
    wheels += [VerifiedWheel(name=wheel.name, path=wheel.path, sha256=wheel.sha256) for wheel in made.built]
    return replace(made, wheels=tuple(wheels))


def fetch_for(locked: Sequence[Locked], options: SupplyOptions, progress: Progress) -> dict[str, Path]:
    """Download what the jobs of one order need; return where each file is, by sha256."""
    return fetch(
        [package.file for each in locked for package in each.packages],
        lock_folder=locked[0].base,
        cache=options.cache,
        settings=locked[0].settings,
        progress=progress,
        options=FetchOptions(offline=options.mode.offline, jobs=_DOWNLOADS),
    )


def _made(locked: Locked, sdists: Mapping[LockedPackage, Path], options: SupplyOptions, progress: Progress) -> Supplied:
    """Build what has no wheel: pure packages here, the others in a place of the target's system."""
    build, target = locked.job.order.recipe.build, locked.job.target
    if not isinstance(target, PythonTarget) or build.builder is Builder.WHEELS:
        pure = _pure(locked, sdists, options)
        if pure.failure is not None:
            raise pure.failure
        return Supplied(locked=locked, wheels=(), built=pure.built)
    pure = _Pure(left=sdists) if build.builder in _IN_PLACE else _pure(locked, sdists, options)
    if not pure.left and not build.libraries:
        return Supplied(locked=locked, wheels=(), built=pure.built)
    from layerkit.sandbox.container_errors import EngineError

    try:
        return _made_in_place(locked, target, pure, options=options, progress=progress)
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


def _pure(locked: Locked, sdists: Mapping[LockedPackage, Path], options: SupplyOptions) -> _Pure:
    from layerkit.wheelhouse.build import NeedsContainer, SdistBuildFailed, build_wheel

    built: list[BuiltWheel] = []
    failures: dict[LockedPackage, BuildError] = {}
    for package, path in sdists.items():
        try:
            built.append(build_wheel(package, path, cache=options.cache, settings=locked.settings))
        except (NeedsContainer, SdistBuildFailed) as exc:
            failures[package] = exc
    left = {package: sdists[package] for package in failures}
    return _Pure(built=tuple(built), left=left, failure=next(iter(failures.values()), None))


def _made_in_place(
    locked: Locked,
    target: PythonTarget,
    pure: _Pure,
    *,
    options: SupplyOptions,
    progress: Progress,
) -> Supplied:
    from layerkit.wheelhouse.native import Demand, Sdist, build_native

    job, build = locked.job, locked.job.order.recipe.build
    place = place_of(job, target, options.containers, progress)
    what = ", ".join([*(f"{each.name} {each.version}" for each in pure.left), *build.libraries])
    demand = Demand(
        target=target,
        place=place.identity,
        environment=build.env,
        system_packages=build.system_packages,
        libraries=build.libraries,
        timeout=options.containers.build_timeout,
    )

    def opened() -> "AbstractContextManager[Workshop]":
        progress.tell(f"Building {what} in {place.title}" + (f": {pure.failure.message}" if pure.failure else ""))
        return place.open(_supplies(job, locked.settings, options))

    made = build_native(
        [Sdist(package=package, path=path) for package, path in pure.left.items()],
        demand,
        cache=options.cache,
        open_workshop=opened,
    )
    return Supplied(
        locked=locked,
        wheels=(),
        built=(*pure.built, *made.wheels),
        libraries=made.libraries,
        builder=Builder.LOCAL if build.builder is Builder.LOCAL else Builder.CONTAINER,
        image=place.image,
    )
