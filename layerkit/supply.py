"""From an order to its wheels, for one layer: lock, download, build what has no wheel. The pipeline's first half."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from layerkit.assemble.fragment import VerifiedWheel
from layerkit.errors import UnfitError
from layerkit.facts import limits
from layerkit.index import IndexSettings
from layerkit.lock.inputs import LockRequest, resolver_in
from layerkit.lock.obtain import is_current, obtain
from layerkit.manufacture import Made, manufacture
from layerkit.model.limits import MIB, format_mib
from layerkit.model.lock import Lock, LockedPackage
from layerkit.model.target import PlainTarget, PythonTarget
from layerkit.model.universal import LockTarget
from layerkit.order import Job, request_of
from layerkit.places import IN_PLACE, BuildPlace, SupplyOptions, place_of, supplies_of
from layerkit.progress import Progress
from layerkit.wheelhouse.fetch import FetchOptions, fetch

_DOWNLOADS: Final = 8
_NAMED: Final = 3


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
    """A job whose wheels are here; ``made`` tells of those that were built for it."""

    locked: Locked
    wheels: tuple[VerifiedWheel, ...]
    made: Made | None = None


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
            return _own_lock(job, target, asked, options=options, progress=progress)


def stale_locks(jobs: Sequence[Job], options: SupplyOptions, progress: Progress) -> list[Path]:
    """Return the lock files that are missing or not current, without asking any index."""
    stale = []
    for job in jobs:
        if not isinstance(job.target, PlainTarget) and job.order.foreign_lock is None:
            asked = _Asked.of(job, job.target, *request_of(job.order), options=options, progress=progress)
            path = _lock_path(job, job.target, asked, upgrading=False)
            if asked.request.requirements and not is_current(
                asked.request, job.target, path=path, settings=asked.settings
            ):
                stale.append(path)
    return stale


def _lock_path(job: Job, target: LockTarget, asked: "_Asked", *, upgrading: bool) -> Path:
    """Return where the lock is: where it may be written, or, while none is there, with a recipe that is only read."""
    order = job.order
    own = order.lock_path(target)
    if order.shipped_locks is None or upgrading or own.exists():
        return own
    shipped = order.shipped_locks / own.name
    return shipped if is_current(asked.request, target, path=shipped, settings=asked.settings) else own


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
        if job.order.recipe.build.builder not in IN_PLACE or not isinstance(target, PythonTarget):
            return cls(request=request, settings=settings, place=None)
        place = place_of(job, target, options.containers, progress)
        return cls(request=replace(request, resolver=resolver_in(place.identity)), settings=settings, place=place)


def _own_lock(job: Job, target: LockTarget, asked: _Asked, *, options: SupplyOptions, progress: Progress) -> Locked:
    mode, settings = options.mode, asked.settings
    path = _lock_path(job, target, asked, upgrading=mode.upgrade or bool(mode.upgrade_packages))
    if not asked.request.requirements:
        return Locked(job=job, lock=None, base=path.parent, settings=settings)
    place = asked.place
    lock = obtain(
        asked.request,
        target,
        path=path,
        settings=settings,
        mode=replace(mode, tell=progress.tell),
        open_workshop=None if place is None else lambda: place.open(supplies_of(job, settings, options)),
    )
    return Locked(job=job, lock=lock, base=path.parent, settings=settings, path=path)


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
    made = manufacture(locked.job, sdists, locked.settings, options=options, progress=progress)
    wheels += [VerifiedWheel(name=wheel.name, path=wheel.path, sha256=wheel.sha256) for wheel in made.wheels]
    return Supplied(locked=locked, wheels=tuple(wheels), made=made)


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
