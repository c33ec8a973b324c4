"""A recipe proven: its layers built, its example invoked with them, the answer held against what it should be.

Stands above the rooms like ``build.py`` and ``rehearsal.py``, which do the two halves of it.
"""

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerkit.bundled import Source
from layerkit.cache import Cache
from layerkit.cookbook import find_recipe, load_recipe
from layerkit.errors import UsageError
from layerkit.example_files import read_example
from layerkit.facts import Architecture
from layerkit.invoke.compare import differences
from layerkit.invoke.function import Function
from layerkit.invoke.invocation import Invocation
from layerkit.invoke.variables import BadVariables, check_variables
from layerkit.model.recipe import Example, Recipe
from layerkit.model.target import PythonTarget, Target
from layerkit.model.universal import UniversalTarget
from layerkit.order import Job, Order, request_of, targets_of
from layerkit.progress import Progress
from layerkit.rehearsal import Layer, Wish, rehearsal
from layerkit.sandbox.interpreters import recall_interpreter
from layerkit.sandbox.machine import Machine
from layerkit.venue import VenueWish

if TYPE_CHECKING:
    from layerkit.invoke.import_profile import ImportCosts
    from layerkit.sandbox.services import Services


class NoExample(UsageError):
    """Recipes without a function that could be invoked."""

    def __init__(self, *, recipe: Path) -> None:
        super().__init__(
            f"the recipe `{recipe}` has no example to invoke",
            hint="give it an [example] with a `handler`, or name a handler: `layerkit invoke lambda_function.handler`",
        )


class NotForHere(UsageError):
    """A recipe that has no target of the kind."""

    def __init__(self, *, recipe: Path, wanted: str, known: Sequence[str]) -> None:
        super().__init__(f"the recipe `{recipe}` is not for {wanted}", hint=f"it is for {', '.join(known)}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """How examples are invoked, apart from what recipes say; ``None`` and empty leave that as it is."""

    today: date
    timeout: int | None = None
    memory: int | None = None
    tmp: int | None = None
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    event: bytes | None = None
    repeat: int = 1
    force: bool = False
    quiet: bool = False
    source: Source = field(default_factory=Source)
    profile: bool = False
    venue: VenueWish = field(default_factory=VenueWish)


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One example of a recipe for one target."""

    recipe: Recipe
    example: Example
    target: Target

    @property
    def folder(self) -> Path:
        """What its paths count from."""
        return self.recipe.path.parent

    @property
    def title(self) -> str:
        """What it is, for people: the recipe and, of several, the example."""
        name = self.recipe.layer.name
        return f"{name} ({self.example.name})" if self.example.name else name


@dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """What came of a case: what it answered, and where that differs from what it should be."""

    case: Case
    invocations: tuple[Invocation, ...]
    differences: tuple[str, ...] = ()
    costs: "ImportCosts | None" = None

    @property
    def holds(self) -> bool:
        """Whether the function answered as it should."""
        return not self.differences and not any(each.answer.failed for each in self.invocations)


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Which cases of a recipe are wanted: of one runtime, or of ``every`` one that an interpreter is at hand for.

    Otherwise of the newest of these. The architecture is this machine's if none is named.
    """

    cache: Cache
    today: date
    runtime: str | None = None
    architecture: str | None = None
    every: bool = False


def cases_of(recipe: Recipe, wanted: Wanted) -> tuple[Case, ...]:
    """Return the cases of a recipe. Raises ``NoExample`` and ``NotForHere``.

    Where ``every`` recipe is asked for, one that lacks the runtime named is tried under another.
    """
    examples = [example for example in recipe.examples if example.handler]
    if not examples:
        raise NoExample(recipe=recipe.path)
    targets = _targets(recipe, wanted)
    named = [target for target in targets if target.runtime.name == wanted.runtime]
    if wanted.runtime and not named and not wanted.every:
        known = [target.runtime.name for target in targets]
        raise NotForHere(recipe=recipe.path, wanted=wanted.runtime, known=known)
    chosen = named or [target for target in targets if _is_at_hand(target, wanted.cache)] or targets[:1]
    if wanted.runtime or not wanted.every:
        chosen = chosen[:1]
    return tuple(Case(recipe=recipe, example=example, target=target) for target in chosen for example in examples)


def _targets(recipe: Recipe, wanted: Wanted) -> list[Target]:
    """Return the recipe's targets for the architecture, newest first."""
    order = Order(recipe=recipe, lock_folder=recipe.path.parent)
    everything = [target for each in targets_of(order, today=wanted.today) for target in _single(each)]
    architecture = wanted.architecture or Machine.this().architecture or Architecture.X86_64
    found = [target for target in everything if target.architecture == architecture]
    if not found:
        known = dict.fromkeys(str(target.architecture) for target in everything)
        raise NotForHere(recipe=recipe.path, wanted=architecture, known=[*known])
    return found[::-1]


def _single(target: Target | UniversalTarget) -> tuple[Target, ...]:
    return target.targets if isinstance(target, UniversalTarget) else (target,)


def _is_at_hand(target: Target, cache: Cache) -> bool:
    return not isinstance(target, PythonTarget) or recall_interpreter(target.python_version, cache) is not None


def prove(case: Case, settings: Settings, *, cache: Cache, progress: Progress, log: Callable[[str], None]) -> Proof:
    """Build a case's layers, invoke its function and compare. Raises ``LayerkitError`` where it does not come to that.

    Nothing is compared if the event is not the example's own.
    """
    files = read_example(case.recipe, case.example, event=settings.event)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="layerkit-")))
        layers = _layers(case, settings, folder, cache=cache, progress=progress)
        services = _services(case, settings, stack)
        function = _function(case, settings, services.environment if services else {})
        wish = Wish(
            code=_path(case, case.example.code or "."),
            layers=layers,
            function=function,
            force=settings.force,
            source=settings.source,
            quiet=settings.quiet,
            profile=settings.profile,
            venue=settings.venue,
        )
        with rehearsal(wish, cache=cache, progress=progress, log=log) as environment:
            done = tuple(environment.invoke(files.event) for _ in range(settings.repeat))
        seen = services.seen() if services else None
    found = [*_differences(files.wanted, done), *_differences_after(files.wanted, done, seen)]
    costs = environment.profile.costs() if environment.profile else None
    return Proof(case=case, invocations=done, differences=tuple(dict.fromkeys(found)), costs=costs)


def _layers(case: Case, settings: Settings, out: Path, *, cache: Cache, progress: Progress) -> tuple[Layer, ...]:
    """Build the layers that the function has, in its order."""
    from layerkit.build import BuildOptions, build_all
    from layerkit.lock.obtain import LockMode
    from layerkit.places import SupplyOptions

    jobs = [_job(case, name, settings, out) for name in case.example.layers]
    supply = SupplyOptions(cache=cache, mode=LockMode(offline=settings.source.offline), force=settings.force)
    built, failures = build_all(jobs, BuildOptions(out=out, supply=supply, force=settings.force), progress)
    if failures:
        raise failures[0].error
    return tuple(Layer.read(layer.path) for layer in built)


def _job(case: Case, name: str, settings: Settings, out: Path) -> Job:
    folder = _path(case, name)
    own = folder.samefile(case.folder) if folder.exists() else False
    recipe = case.recipe if own else load_recipe(find_recipe(folder))
    order = _order(recipe, settings, out)
    targets = targets_of(order, today=settings.today)
    if recipe.build.universal:
        return Job(order=order, target=targets[0])
    if case.target not in targets and not settings.force:
        known = [target.identifier for target in targets]
        raise NotForHere(recipe=recipe.path, wanted=case.target.identifier, known=known)
    return Job(order=order, target=case.target)


def _order(recipe: Recipe, settings: Settings, out: Path) -> Order:
    """Return how a recipe is built; where its folder cannot be written, new locks go to ``out``."""
    beside, index = recipe.path.parent, settings.source.index_source()
    if os.access(beside, os.W_OK):
        return Order(recipe=recipe, lock_folder=beside, index=index)
    return Order(recipe=recipe, lock_folder=out, shipped_locks=beside, index=index)


def _services(case: Case, settings: Settings, stack: contextlib.ExitStack) -> "Services | None":
    """Start what the function speaks to, if there is such a thing."""
    if case.example.services is None:
        return None
    from layerkit.sandbox.services import ServicesFailed, services_running

    path = _path(case, case.example.services)
    index = request_of(_order(case.recipe, settings, case.folder))[1]
    services = stack.enter_context(services_running(path, index, offline=settings.source.offline))
    try:
        check_variables(services.environment)
    except BadVariables as exc:
        problem = f"told variables that Lambda would not take: {'; '.join(exc.details)}"
        raise ServicesFailed(path=path, problem=problem, hint="give them other names") from exc
    return services


def _function(case: Case, settings: Settings, from_services: Mapping[str, str]) -> Function:
    """Return the function: what the user says goes before the example, that before what services say."""
    example, handler = case.example, case.example.handler or ""
    usual = {"timeout": example.timeout, "memory": example.memory}
    said = {"timeout": settings.timeout, "memory": settings.memory, "tmp": settings.tmp}
    numbers = {name: number for name, number in (*usual.items(), *said.items()) if number is not None}
    variables = {**from_services, **example.env, **settings.variables}
    return Function(handler=handler, target=case.target, variables=variables, **numbers)


def _differences(wanted: Mapping[str, Any], done: Sequence[Invocation]) -> Iterator[str]:
    """Yield where answers differ; a function that failed has none."""
    for each in done if "answer" in wanted else ():
        if not each.answer.failed:
            yield from (f"answer: {line}" for line in differences(wanted["answer"], each.answer.value))


def _differences_after(wanted: Mapping[str, Any], done: Sequence[Invocation], seen: Any) -> Iterator[str]:
    """Yield where services have seen something else; several invocations are more than ``after`` speaks of."""
    if "after" in wanted and len(done) == 1:
        yield from (f"services: {line}" for line in differences(wanted["after"], seen))


def _path(case: Case, name: str) -> Path:
    return case.folder / name
