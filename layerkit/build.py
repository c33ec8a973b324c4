"""The pipeline, top to bottom: lock -> wheelhouse -> assemble -> audit -> a layer on disk.

Several targets and recipes share downloads and fragments. One that fails does not stop the others: every failure is
reported at the end.
"""

import contextlib
import hashlib
import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from layerkit.assemble.fragment import Fragment, Preparation, VerifiedWheel
from layerkit.assemble.prepare import prepare
from layerkit.cache import Cache
from layerkit.composition import Composed, compose, write_layer
from layerkit.errors import LayerkitError, UnfitError
from layerkit.facts import limits
from layerkit.index import IndexSettings
from layerkit.lock.inputs import LockRequest
from layerkit.lock.obtain import LockMode, is_current, obtain
from layerkit.model.layer import Layer
from layerkit.model.limits import MIB, format_mib
from layerkit.model.lock import Lock, LockedPackage
from layerkit.model.target import PlainTarget
from layerkit.model.universal import LockTarget
from layerkit.order import Job, possible_job, request_of
from layerkit.progress import Progress, Silent
from layerkit.wheelhouse.fetch import FetchOptions, fetch

if TYPE_CHECKING:
    from layerkit.wheelhouse.build import BuiltWheel

_T = TypeVar("_T")
_DOWNLOADS = 8
_NAMED = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class BuildOptions:
    """How to build, apart from what the recipe says. ``beside_bytes`` is what else the stack holds, unzipped."""

    out: Path
    cache: Cache
    mode: LockMode = field(default_factory=LockMode)
    force: bool = False
    jobs: int = field(default_factory=lambda: os.cpu_count() or 1)
    beside_bytes: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """A job that failed, and why."""

    job: Job
    error: LayerkitError


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
    """A job whose wheels are here; ``built`` are those that came from sdists."""

    locked: Locked
    wheels: tuple[VerifiedWheel, ...]
    built: "tuple[BuiltWheel, ...]"


def build_all(
    jobs: Sequence[Job], options: BuildOptions, progress: Progress | None = None
) -> tuple[list[Layer], list[Failure]]:
    """Build a layer for each job; return those that were built, in the order of the jobs, and what failed."""
    progress = progress or Silent()
    failures: list[Failure] = []
    with ThreadPoolExecutor(max(1, min(options.jobs, len(jobs)))) as pool:
        run = _Attempt(pool, failures)
        possible = run.one_by_one(jobs, possible_job, job_of=lambda job: job)
        locked = _lock_each(possible, options.mode, run, progress)
        locked = run.one_by_one(locked, lambda each: _hopeful(each, options), job_of=lambda each: each.job)
        _fetch_together(locked, options, progress)
        supplied = run.one_by_one(locked, lambda each: supply(each, options, progress), job_of=lambda each: each.job)
        prepared = run.one_by_one(
            supplied, lambda each: (each, _fragments(each, options, progress)), job_of=lambda each: each.locked.job
        )
        layers = run.each(
            prepared, lambda each: _finish(*each, options=options), job_of=lambda each: each[0].locked.job
        )
    order = {id(job): place for place, job in enumerate(jobs)}
    return layers, sorted(failures, key=lambda failure: order[id(failure.job)])


def lock_all(
    jobs: Sequence[Job], mode: LockMode, progress: Progress | None = None
) -> tuple[list[Locked], list[Failure]]:
    """Lock for each job, in parallel; return what is locked, in the order of the jobs, and what failed."""
    failures: list[Failure] = []
    with ThreadPoolExecutor(max(1, len(jobs))) as pool:
        return _lock_each(jobs, mode, _Attempt(pool, failures), progress or Silent()), failures


def stale_locks(jobs: Sequence[Job]) -> list[Path]:
    """Return the lock files that are missing or not current, without asking any index."""
    stale = []
    for job in jobs:
        if not isinstance(job.target, PlainTarget) and job.order.foreign_lock is None:
            request, settings = request_of(job.order)
            path = job.order.lock_path(job.target)
            if request.requirements and not is_current(request, job.target, path=path, settings=settings):
                stale.append(path)
    return stale


def _lock_each(jobs: Sequence[Job], mode: LockMode, run: "_Attempt", progress: Progress) -> list[Locked]:
    with progress.task("Locking", total=len(jobs), unit="lock") as task:

        def step(job: Job) -> Locked:
            try:
                return lock_job(job, mode)
            finally:
                task.advance(1)

        return run.each(jobs, step, job_of=lambda job: job)


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


class _Attempt:
    """Does one step for many jobs; what fails is noted, and the job takes no further part."""

    def __init__(self, pool: ThreadPoolExecutor, failures: list[Failure]) -> None:
        self._pool = pool
        self._failures = failures

    def each(
        self, items: Sequence["_Item"], step: Callable[["_Item"], _T], *, job_of: Callable[["_Item"], Job]
    ) -> list[_T]:
        """Do the step for all items in parallel."""
        return self._gather(self._pool.map(lambda item: _caught(item, step, job_of), items))

    def one_by_one(
        self, items: Sequence["_Item"], step: Callable[["_Item"], _T], *, job_of: Callable[["_Item"], Job]
    ) -> list[_T]:
        """Do the step for one item after the other: it is parallel in itself."""
        return self._gather(_caught(item, step, job_of) for item in items)

    def _gather(self, outcomes: Iterable[_T | Failure]) -> list[_T]:
        done: list[_T] = []
        for outcome in outcomes:
            if isinstance(outcome, Failure):
                self._failures.append(outcome)
            else:
                done.append(outcome)
        return done


_Item = TypeVar("_Item")


def _caught(item: _Item, step: Callable[[_Item], _T], job_of: Callable[[_Item], Job]) -> _T | Failure:
    try:
        return step(item)
    except LayerkitError as exc:
        return Failure(job=job_of(item), error=exc)


def lock_job(job: Job, mode: LockMode) -> Locked:
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
            return _own_lock(job, target, request, settings, mode)


def _own_lock(job: Job, target: LockTarget, request: LockRequest, settings: IndexSettings, mode: LockMode) -> Locked:
    path = job.order.lock_path(target)
    if not request.requirements:
        return Locked(job=job, lock=None, base=path.parent, settings=settings)
    lock = obtain(request, target, path=path, settings=settings, mode=mode)
    return Locked(job=job, lock=lock, base=path.parent, settings=settings, path=path)


def _hopeful(locked: Locked, options: BuildOptions) -> Locked:
    """Refuse what cannot fit before it is downloaded; what is dropped by name may well make it fit."""
    total = sum(package.file.size or 0 for package in locked.packages)
    if total >= limits().unzipped_bytes and not (options.force or locked.job.order.recipe.prune.drop):
        raise TooMuchToDownload(title=locked.job.title, packages=locked.packages)
    return locked


def supply(locked: Locked, options: BuildOptions, progress: Progress) -> Supplied:
    """Return the job with its wheels: downloaded, or built from sdists."""
    paths = _fetch([locked], options, progress)
    wheels = [
        VerifiedWheel(name=package.file.name, path=paths[package.file.sha256], sha256=package.file.sha256)
        for package in locked.packages
        if package.file.is_wheel
    ]
    built = tuple(_build_sdists(locked, paths, options))
    wheels += [VerifiedWheel(name=wheel.name, path=wheel.path, sha256=wheel.sha256) for wheel in built]
    return Supplied(locked=locked, wheels=tuple(wheels), built=built)


def _build_sdists(locked: Locked, paths: Mapping[str, Path], options: BuildOptions) -> "Iterator[BuiltWheel]":
    for package in locked.packages:
        if not package.file.is_wheel:
            from layerkit.wheelhouse.build import build_wheel

            yield build_wheel(package, paths[package.file.sha256], cache=options.cache, settings=locked.settings)


def _fetch_together(locked: Sequence[Locked], options: BuildOptions, progress: Progress) -> None:
    """Download for all targets of an order at once; a job that lacks a file afterwards finds out by itself why."""
    for _, targets in itertools.groupby(locked, key=lambda each: id(each.job.order)):
        with contextlib.suppress(LayerkitError):
            _fetch(list(targets), options, progress)


def _fetch(locked: Sequence[Locked], options: BuildOptions, progress: Progress) -> dict[str, Path]:
    return fetch(
        [package.file for each in locked for package in each.packages],
        lock_folder=locked[0].base,
        cache=options.cache,
        settings=locked[0].settings,
        progress=progress,
        options=FetchOptions(offline=options.mode.offline, jobs=_DOWNLOADS),
    )


def _fragments(supplied: Supplied, options: BuildOptions, progress: Progress) -> tuple[Fragment, ...]:
    build = supplied.locked.job.order.recipe.build
    preparation = Preparation(strip=build.strip, compression=build.compress)
    return prepare(supplied.wheels, cache=options.cache, preparation=preparation, jobs=options.jobs, progress=progress)


def _finish(supplied: Supplied, fragments: Sequence[Fragment], *, options: BuildOptions) -> Layer:
    job = supplied.locked.job
    composed = compose(
        job.order.recipe,
        job.targets,
        fragments,
        cache=options.cache,
        built={wheel.name: wheel.built_from for wheel in supplied.built},
    )
    lock = supplied.locked.lock
    return _write(composed, job, options, lock_sha256=None if lock is None else _digest(lock))


def _write(composed: Composed, job: Job, options: BuildOptions, *, lock_sha256: str | None) -> Layer:
    return write_layer(
        composed,
        path=options.out / job.file_name,
        title=job.title,
        beside_bytes=options.beside_bytes,
        force=options.force,
        lock_sha256=lock_sha256,
    )


def _digest(lock: Lock) -> str:
    return hashlib.sha256(lock.to_toml().encode()).hexdigest()
