"""What the user orders: a recipe with the command line's changes, its targets, and what is to be locked for it.

Stands above the rooms like ``build.py``; both commands, ``build`` and ``lock``, begin here.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Final

from layerkit import index
from layerkit.errors import UsageError
from layerkit.facts import newest_python
from layerkit.index import IndexSettings, IndexSource
from layerkit.lock.foreign import Selection
from layerkit.lock.inputs import LockRequest, credentials_in
from layerkit.lock.obtain import lock_file_name
from layerkit.lock.sources import is_lock, read_source
from layerkit.model.recipe import Recipe
from layerkit.model.target import PythonTarget, Target, make_target

_VARIABLE: Final = re.compile(r"\$\{([A-Z0-9_]+)\}")


class NothingToLock(UsageError):
    """Requirement files that cannot be combined with others."""

    def __init__(self, *, path: Path) -> None:
        super().__init__(
            f"`{path}` is a lock already, and cannot be combined with other requirements",
            hint="give it alone with `-r`",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """One recipe as it is to be built. ``lock_folder`` is where its locks are; ``files`` come from ``-r``."""

    recipe: Recipe
    lock_folder: Path
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
    def selection(self) -> Selection:
        """What of a project is wanted besides its dependencies, and what not."""
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

    def lock_path(self, target: PythonTarget) -> Path:
        """Return where the lock for a target is kept."""
        return self.lock_folder / lock_file_name(self.recipe.layer.name, target)


def targets_of(recipe: Recipe, *, today: date) -> tuple[Target, ...]:
    """Return the recipe's targets; the newest Python runtime if it names none."""
    names = recipe.layer.runtimes or (newest_python(today).name,)
    return tuple(make_target(name, architecture) for name in names for architecture in recipe.architectures)


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
        no_build=order.no_build,
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
    read = read_source(path, selection=order.selection, environ=environ)
    request = replace(
        request,
        requirements=(*request.requirements, *read.requirements),
        constraints=(*request.constraints, *read.constraints),
        hashes={**request.hashes, **read.hashes},
        no_binary=(*request.no_binary, *read.no_binary),
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
