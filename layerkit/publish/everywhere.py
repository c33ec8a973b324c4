"""The same in every destination, in parallel: asked, or done; one that fails stops no other."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from layerkit.errors import LayerkitError
from layerkit.progress import Progress
from layerkit.publish.destinations import Found, Unreachable
from layerkit.publish.plan import Destination

_AT_ONCE: Final = 32
_Given = TypeVar("_Given")
_Made = TypeVar("_Made")


@dataclass(frozen=True, kw_only=True, slots=True)
class Answers(Generic[_Made]):
    """What each destination answered, and which of them did not."""

    given: tuple[tuple[Destination, _Made], ...]
    failed: tuple[Unreachable, ...]


def ask_everywhere(
    found: Found, ask: Callable[[Destination], _Made], *, doing: str, progress: Progress
) -> Answers[_Made]:
    """Ask every destination; those that fail, or could not be reached, are in the answer with their error."""

    def answer(destination: Destination) -> _Made | LayerkitError:
        try:
            return ask(destination)
        except LayerkitError as exc:
            return exc

    made = in_parallel(answer, found.reachable, doing=doing, progress=progress)
    pairs = list(zip(found.reachable, made, strict=True))
    return Answers(
        given=tuple((where, made) for where, made in pairs if not isinstance(made, LayerkitError)),
        failed=(
            *(Unreachable(destination=where, error=made) for where, made in pairs if isinstance(made, LayerkitError)),
            *found.unreachable,
        ),
    )


def in_parallel(
    work: Callable[[_Given], _Made], things: Sequence[_Given], *, doing: str, progress: Progress
) -> list[_Made]:
    """Return what ``work`` makes of each thing, in order; Ctrl-C begins nothing new, and is raised."""
    with progress.task(doing, total=len(things), unit="dest") as task, ThreadPoolExecutor(_AT_ONCE) as pool:
        futures = [pool.submit(work, thing) for thing in things]
        for future in futures:
            future.add_done_callback(lambda _: task.advance(1))
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        return [future.result() for future in futures]


def do_everywhere(
    steps: Sequence[_Given],
    do: Callable[[_Given], _Made],
    *,
    stop: threading.Event,
    doing: str,
    progress: Progress,
) -> tuple[_Made, ...]:
    """Do every step, and return what became of each, in order; ``do`` raises nothing and heeds ``stop``.

    Ctrl-C sets ``stop``: what is under way ends, nothing new begins.
    """
    with progress.task(doing, total=len(steps), unit="dest") as task, ThreadPoolExecutor(_AT_ONCE) as pool:
        futures = [pool.submit(do, step) for step in steps]
        for future in futures:
            future.add_done_callback(lambda _: task.advance(1))
        try:
            wait(futures)
        except KeyboardInterrupt:
            stop.set()
            progress.tell("finishing the calls under way …")
            wait(futures)
        return tuple(future.result() for future in futures)
