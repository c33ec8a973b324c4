"""What the user orders: a recipe with the command line's changes, its jobs (one a layer), and what is to be locked.

Stands above the rooms like ``build.py``; both commands, ``build`` and ``lock``, begin here.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

from layerkit import index
from layerkit.errors import UsageError
from layerkit.facts import PythonRuntime, RuntimeStatus, newest_python, runtimes
from layerkit.index import IndexSettings, IndexSource
from layerkit.lock.inputs import LockRequest, credentials_in
from layerkit.lock.obtain import is_lock, lock_file_name
from layerkit.model.recipe import Builder, Layout, Recipe
from layerkit.model.target import PlainTarget, Target, find_runtime, make_target
from layerkit.model.universal import LockTarget, UniversalTarget

if TYPE_CHECKING:
    from layerkit.lock.selection import Selection

_VARIABLE: Final = re.compile(r"\$\{([A-Z0-9_]+)\}")


class NothingToLock(UsageError):
    """Requirement files that cannot be combined with others."""

    def __init__(self, *, path: Path) -> None:
        super().__init__(
            f"`{path}` is a lock already, and cannot be combined with other requirements",
            hint="give it alone with `-r`",
        )


class NotUniversal(UsageError):
    """Options that a layer for every runtime cannot have, all of them."""

    def __init__(self, *, name: str, problems: Sequence[str]) -> None:
        super().__init__(f"layer `{name}` cannot be universal", details=problems, hint="leave `--universal` out")


class SameOutput(UsageError):
    """Two recipes whose layers would be written to one file."""

    def __init__(self, *, file_name: str, recipes: Sequence[Path]) -> None:
        listed = " and ".join(f"`{path}`" for path in recipes)
        super().__init__(
            f"{listed} would both write `{file_name}`", hint="give their layers different names, or build one by one"
        )


class NoBytecode(UsageError):
    """Bytecode for a runtime that has no Python."""

    def __init__(self, *, runtime: str) -> None:
        super().__init__(f"runtime `{runtime}` has no Python, so there is no bytecode for it", hint="leave it out")


class NoPython(UsageError):
    """Requirements for a runtime that has no Python."""

    def __init__(self, *, runtime: str) -> None:
        super().__init__(
            f"runtime `{runtime}` has no Python, so its layers hold no requirements",
            hint="name a Python runtime with `--runtime`, or put files into the layer with a recipe's [[files]]",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """One recipe as it is to be built. ``lock_folder`` is where its locks are; ``files`` come from ``-r``.

    ``shipped_locks`` is a folder that cannot be written, whose locks serve as long as they are current.
    """

    recipe: Recipe
    lock_folder: Path
    shipped_locks: Path | None = None
    files: tuple[Path, ...] = ()
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    index: IndexSource = field(default_factory=IndexSource, repr=False)
    exclude_newer: str | None = None
    no_build: bool = False

    @property
    def folder(self) -> Path:
        """The folder that the recipe's paths count from."""
        return self.recipe.path.parent

    @property
    def selection(self) -> "Selection":
        """What of a project is wanted besides its dependencies, and what not."""
        from layerkit.lock.selection import Selection

        return Selection(
            extras=self.extras,
            groups=self.groups,
            exclusions=self.recipe.layer.exclude,
            no_binary=self.recipe.build.no_binary,
        )

    @property
    def requirement_files(self) -> tuple[Path, ...]:
        """Every file that requirements come from."""
        named = self.recipe.layer.requirements_file
        return (*self.files, *((self.folder / named,) if named else ()))

    @property
    def foreign_lock(self) -> Path | None:
        """The lock that this order uses as it is. Raises ``NothingToLock`` if there is more beside it."""
        locks = [path for path in self.requirement_files if is_lock(path)]
        if locks and (len(self.requirement_files) > 1 or self.recipe.layer.requirements):
            raise NothingToLock(path=locks[0])
        return locks[0] if locks else None

    def lock_path(self, target: LockTarget) -> Path:
        """Return where the lock for a target is kept."""
        return self.lock_folder / lock_file_name(self.recipe.layer.name, target)


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One layer to build: an order for one target, or for all of them at once."""

    order: Order
    target: Target | UniversalTarget

    @property
    def targets(self) -> tuple[Target, ...]:
        """The targets that the layer serves."""
        return self.target.targets if isinstance(self.target, UniversalTarget) else (self.target,)

    @property
    def title(self) -> str:
        """The layer's name and target, as messages tell it."""
        name = self.order.recipe.layer.name
        if isinstance(self.target, UniversalTarget):
            return f"{name} (universal)"
        return f"{name} for {self.target.runtime.name} {self.target.architecture}"

    @property
    def file_name(self) -> str:
        """The name of the layer's zip."""
        name = self.order.recipe.layer.name
        if isinstance(self.target, UniversalTarget):
            return f"{name}.zip"
        return f"{name}-{self.target.runtime.name}-{self.target.architecture}.zip"


def jobs_of(orders: Sequence[Order], *, today: date) -> tuple[Job, ...]:
    """Return one job for each target of each order, one for all targets where the order is universal.

    Raises ``SameOutput`` where one layer would overwrite another, and as ``targets_of`` does.
    """
    jobs = tuple(Job(order=order, target=target) for order in orders for target in targets_of(order, today=today))
    writers: dict[str, Path] = {}
    for job in jobs:
        path = job.order.recipe.path
        if writers.setdefault(job.file_name.lower(), path) is not path:
            raise SameOutput(file_name=job.file_name, recipes=(writers[job.file_name.lower()], path))
    return jobs


def targets_of(order: Order, *, today: date) -> tuple[Target | UniversalTarget, ...]:
    """Return what a layer is to be built for, one each: the newest Python runtime if the recipe names none.

    Of a universal recipe that is one target, which is all of them. Raises ``NotUniversal``, ``NoPython`` and
    ``NoBytecode``.
    """
    recipe = order.recipe
    if recipe.build.universal:
        return (_universal(order, today=today),)
    names = recipe.layer.runtimes or (newest_python(today).name,)
    targets = tuple(
        dict.fromkeys(make_target(name, architecture) for name in names for architecture in recipe.architectures)
    )
    for target in targets:
        if isinstance(target, PlainTarget) and (recipe.layer.requirements or order.requirement_files):
            raise NoPython(runtime=target.runtime.name)
        if isinstance(target, PlainTarget) and recipe.build.bytecode:
            raise NoBytecode(runtime=target.runtime.name)
    return targets


def _universal(order: Order, *, today: date) -> UniversalTarget:
    """Return all targets of a universal recipe: where it names none, every current Python, and every architecture."""
    layer = order.recipe.layer
    names = layer.runtimes or tuple(_current_pythons(today))
    targets = UniversalTarget.of(
        make_target(name, architecture)
        for name in names
        for architecture in layer.architectures or find_runtime(name).architectures
    )
    if problems := [*_not_universal(order, targets)]:
        raise NotUniversal(name=layer.name, problems=problems)
    return targets


def _current_pythons(today: date) -> Iterator[str]:
    for runtime in runtimes().values():
        if isinstance(runtime, PythonRuntime) and runtime.status(today) is RuntimeStatus.CURRENT:
            yield runtime.name


def _not_universal(order: Order, target: UniversalTarget) -> Iterator[str]:
    recipe = order.recipe
    if recipe.layer.requirements or order.requirement_files:
        plain = dict.fromkeys(each.runtime.name for each in target.targets if each not in target.pythons)
        yield from (f"it has requirements, and runtime `{name}` has no Python" for name in plain)
    if recipe.build.bytecode:
        yield "bytecode suits one Python only"
    if recipe.build.layout is not Layout.PYTHON:
        yield "the layout `site-packages` suits one Python only"


def request_of(order: Order, *, environ: Mapping[str, str] | None = None) -> tuple[LockRequest, IndexSettings]:
    """Gather what is to be locked, and the index settings in force.

    Raises ``UsageError`` subclasses for requirement files and settings with mistakes.
    """
    environ = os.environ if environ is None else environ
    recipe = order.recipe
    request = LockRequest(
        requirements=recipe.layer.requirements,
        exclusions=recipe.layer.exclude,
        exclude_newer=order.exclude_newer,
        no_binary=recipe.build.no_binary,
        no_build=order.no_build or recipe.build.builder is Builder.WHEELS,
    )
    sources = [order.index, _recipe_index(recipe, environ)]
    for path in order.requirement_files:
        request, source = _with_file(request, path, order, environ)
        sources.append(source)
    settings = index.resolve(project=tuple(sources), environ=environ, folder=order.folder)
    known = {**settings.known_credentials, **credentials_in(request.requirements)}
    return request, replace(settings, known_credentials=known)


def _with_file(
    request: LockRequest, path: Path, order: Order, environ: Mapping[str, str]
) -> tuple[LockRequest, IndexSource]:
    if is_lock(path):
        return request, IndexSource()
    from layerkit.lock.sources import read_source

    read = read_source(path, selection=order.selection, environ=environ)
    request = replace(
        request,
        requirements=(*request.requirements, *read.requirements),
        constraints=(*request.constraints, *read.constraints),
        hashes={**request.hashes, **read.hashes},
        no_binary=(*request.no_binary, *read.no_binary),
        only_binary=(*request.only_binary, *read.only_binary),
        no_build=request.no_build or read.no_build,
        prereleases=request.prereleases or read.prereleases,
    )
    return request, read.index


def _recipe_index(recipe: Recipe, environ: Mapping[str, str]) -> IndexSource:
    said = recipe.index

    def expanded(text: str) -> str:
        return _VARIABLE.sub(lambda match: environ.get(match[1], match[0]), text)

    return IndexSource(
        index_url=None if said.url is None else expanded(said.url),
        extra_index_urls=tuple(map(expanded, said.extra_urls)),
        find_links=tuple(_located(expanded(link), recipe.path.parent) for link in said.find_links),
        no_index=said.no_index,
        strategy=said.strategy,
        ca_bundle=None if said.ca_bundle is None else recipe.path.parent / expanded(said.ca_bundle),
        proxy=None if said.proxy is None else expanded(said.proxy),
        keyring=said.keyring,
    )


def _located(link: str, folder: Path) -> str:
    return link if "://" in link else str(folder / link)
