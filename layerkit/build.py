"""The pipeline, top to bottom: lock -> wheelhouse -> assemble -> audit -> a layer on disk.

Several targets and recipes share downloads and fragments. One that fails does not stop the others: every failure is
reported at the end. What happens for one layer is in ``supply.py`` and ``composition.py``.
"""

import contextlib
import hashlib
import itertools
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

from layerkit.assemble.fragment import Fragment, Preparation
from layerkit.assemble.prepare import prepare
from layerkit.composition import Making, compose, write_layer
from layerkit.errors import LayerkitError
from layerkit.manufacture import Made
from layerkit.model.layer import Layer
from layerkit.order import Job
from layerkit.places import SupplyOptions
from layerkit.progress import Progress, Silent
from layerkit.supply import Locked, Supplied, fetch_for, lock_job, refuse_hopeless, supply

_T = TypeVar("_T")
_RESOLVERS: Final = 8  # each is a process of its own


@dataclass(frozen=True, kw_only=True, slots=True)
class BuildOptions:
    """How to build, apart from what the recipe says. ``beside_bytes`` is what else the stack holds, unzipped."""

    out: Path
    supply: SupplyOptions
    force: bool = False
    verify_imports: bool = False
    jobs: int = field(default_factory=lambda: os.cpu_count() or 1)
    beside_bytes: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """A job that failed, and why."""

    job: Job
    error: LayerkitError


def build_all(
    jobs: Sequence[Job], options: BuildOptions, progress: Progress | None = None
) -> tuple[list[Layer], list[Failure]]:
    """Build a layer for each job; return those that were built, in the order of the jobs, and what failed."""
    progress = progress or Silent()
    failures: list[Failure] = []
    with ThreadPoolExecutor(max(1, min(options.jobs, len(jobs)))) as pool:
        run = _Attempt(pool, failures)
        locked = _lock_each(jobs, options.supply, run, progress)
        locked = run.each(locked, lambda each: refuse_hopeless(each, options.supply), job_of=lambda each: each.job)
        _fetch_together(locked, options.supply, progress)
        supplied = run.each(locked, lambda each: supply(each, options.supply, progress), job_of=lambda each: each.job)
        prepared = run.one_by_one(
            supplied, lambda each: (each, _fragments(each, options, progress)), job_of=lambda each: each.locked.job
        )
        layers = run.each(
            prepared, lambda each: _finish(*each, options, progress), job_of=lambda each: each[0].locked.job
        )
    order = {id(job): place for place, job in enumerate(jobs)}
    return layers, sorted(failures, key=lambda failure: order[id(failure.job)])


def lock_all(
    jobs: Sequence[Job], options: SupplyOptions, progress: Progress | None = None
) -> tuple[list[Locked], list[Failure]]:
    """Lock for each job, in parallel; return what is locked, in the order of the jobs, and what failed."""
    failures: list[Failure] = []
    with ThreadPoolExecutor(max(1, min(_RESOLVERS, len(jobs)))) as pool:
        return _lock_each(jobs, options, _Attempt(pool, failures), progress or Silent()), failures


def _lock_each(jobs: Sequence[Job], options: SupplyOptions, run: "_Attempt", progress: Progress) -> list[Locked]:
    gate = threading.BoundedSemaphore(_RESOLVERS)
    with progress.task("Locking", total=len(jobs), unit="lock") as task:

        def step(job: Job) -> Locked:
            try:
                with gate:
                    return lock_job(job, options, progress)
            finally:
                task.advance(1)

        return run.each(jobs, step, job_of=lambda job: job)


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


def _fetch_together(locked: Sequence[Locked], options: SupplyOptions, progress: Progress) -> None:
    """Download for all targets of an order at once; a job that lacks a file afterwards finds out by itself why."""
    for _, targets in itertools.groupby(locked, key=lambda each: id(each.job.order)):
        with contextlib.suppress(LayerkitError):
            fetch_for(list(targets), options, progress)


def _fragments(supplied: Supplied, options: BuildOptions, progress: Progress) -> tuple[Fragment, ...]:
    build = supplied.locked.job.order.recipe.build
    return prepare(
        supplied.wheels,
        cache=options.supply.cache,
        preparation=Preparation(strip=build.strip, compression=build.compress),
        jobs=options.jobs,
        progress=progress,
    )


def _finish(supplied: Supplied, fragments: Sequence[Fragment], options: BuildOptions, progress: Progress) -> Layer:
    job, lock = supplied.locked.job, supplied.locked.lock
    made = supplied.made or Made(wheels=())
    making = Making(
        builder=str(made.builder),
        image=made.image,
        lock_sha256=None if lock is None else hashlib.sha256(lock.to_toml().encode()).hexdigest(),
        built={wheel.name: wheel.built_from for wheel in made.wheels},
        libraries=tuple((library.name, library.path) for library in made.libraries),
    )
    composed = compose(job.order.recipe, job.targets, fragments, cache=options.supply.cache, making=making)
    if options.verify_imports:
        from layerkit.trial import with_imports_tried

        composed = with_imports_tried(composed, options.supply.containers, progress)
    path = options.out / job.file_name
    return write_layer(
        composed,
        path=path,
        title=job.title,
        beside_bytes=options.beside_bytes,
        force=options.force,
        cache=options.supply.cache,
    )
