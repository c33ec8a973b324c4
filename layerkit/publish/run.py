"""From layers and destinations to a plan, and from a plan to outcomes; destinations are worked on in parallel."""

import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from layerkit.errors import LayerkitError
from layerkit.progress import Progress
from layerkit.publish.apply import Applier
from layerkit.publish.destinations import Found
from layerkit.publish.everywhere import do_everywhere, in_parallel
from layerkit.publish.ledger import Ledger
from layerkit.publish.outcome import Outcome, Status
from layerkit.publish.plan import Destination, Plan, Seen, Step, Wanted, plan
from layerkit.publish.read import look


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """A plan for every destination that could be looked at, and what became of the others already."""

    plan: Plan
    failed: tuple[Outcome, ...]


def prepare(
    found: Found,
    wanted: Callable[[Destination], Sequence[Wanted]],
    *,
    ledger: Ledger,
    align: bool,
    progress: Progress,
) -> Prepared:
    """Look at every destination and compute the plan; nothing is changed."""
    known = ledger.code_digests()
    places = [(each, destination) for destination in found.reachable for each in wanted(destination)]

    def ask(place: tuple[Wanted, Destination]) -> Seen | LayerkitError:
        try:
            return look(*place, code_digests=known)
        except LayerkitError as exc:
            return exc

    seen = in_parallel(ask, places, doing="Looking", progress=progress)
    good = [(*place, each) for place, each in zip(places, seen, strict=True) if isinstance(each, Seen)]
    bad = [(place, each) for place, each in zip(places, seen, strict=True) if isinstance(each, LayerkitError)]
    failed = [_failed(each, destination, error) for (each, destination), error in bad]
    failed += [
        _failed(each, gone.destination, gone.error) for gone in found.unreachable for each in wanted(gone.destination)
    ]
    return Prepared(plan=plan(good, align=align), failed=tuple(failed))


def carry_out(steps: Sequence[Step], applier: Applier, *, progress: Progress) -> tuple[Outcome, ...]:
    """Do every step, and return the outcomes in the order of the steps.

    Ctrl-C ends what is under way and begins nothing new; every step still has its outcome, and ``applier.stop`` is set.
    """
    with contextlib.ExitStack() as open_tasks:
        if size := applier.staging.expect(steps):
            applier.staging.advance = open_tasks.enter_context(progress.task("Uploading", total=size, unit="B")).advance
        if any(applier.settling_seconds(step) for step in steps):
            progress.tell("waiting until what an interrupted run asked for has settled …")
        return do_everywhere(steps, applier.apply, stop=applier.stop, doing="Publishing", progress=progress)


def _failed(wanted: Wanted, destination: Destination, error: LayerkitError) -> Outcome:
    step = Step(wanted=wanted, destination=destination, seen=Seen())
    return Outcome(step=step, status=Status.FAILED, error=error)


def planned(steps: Iterable[Step]) -> tuple[Outcome, ...]:
    """Return the outcomes of steps that are only planned."""
    return tuple(_planned(step) for step in steps)


def _planned(step: Step) -> Outcome:
    newest = step.seen.newest
    if step.changes:
        number = newest.number if newest is not None and not step.publications else None
        arn = newest.arn if newest is not None and number is not None else None
        return Outcome(
            step=step, status=Status.PLANNED, version_number=number, arn=arn, added=step.add, removed=step.remove
        )
    return Outcome(
        step=step,
        status=Status.UNCHANGED,
        version_number=newest.number if newest is not None else None,
        arn=newest.arn if newest is not None else None,
    )
