"""From arguments to orders: which are recipes, which requirements, and what the options change in them."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Final

from layerkit.cli.order_errors import (
    BadName,
    BadRequirements,
    NameNeeded,
    NothingToBuild,
    OneNameForMany,
    OutputIsFile,
    RecipesAndRequirements,
)
from layerkit.cli.variables import variable
from layerkit.cookbook import RECIPE_FILE, RecipeMissing, find_recipe, find_recipes, is_recipe, load_recipe
from layerkit.errors import UsageError
from layerkit.facts import Architecture, limits
from layerkit.index import IndexSource
from layerkit.lock.inputs import without_credentials
from layerkit.lock.obtain import is_lock
from layerkit.model.names import normalize
from layerkit.model.recipe import Build, Builder, Compression, Layer, Layout, Prune, PruneProfile, Recipe
from layerkit.model.requirement import check_requirement
from layerkit.model.target import find_architecture
from layerkit.order import Order

_FILES: Final = frozenset({".whl", ".gz", ".zip"})
_NAME: Final = re.compile(r"^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")


@dataclass(frozen=True, kw_only=True, slots=True)
class Flags:
    """What the command line says, by the options' own names; ``None`` and empty leave a recipe as it is."""

    requirements: tuple[Path, ...] = ()
    group: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    name: str | None = None
    runtime: tuple[str, ...] = ()
    arch: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    no_binary: tuple[str, ...] = ()
    no_build: bool = False
    index_url: str | None = field(default=None, repr=False)
    extra_index_url: tuple[str, ...] = field(default=(), repr=False)
    find_links: tuple[str, ...] = field(default=(), repr=False)
    no_index: bool = False
    index_strategy: str | None = None
    ca_bundle: Path | None = None
    proxy: str | None = field(default=None, repr=False)
    keyring: bool | None = None
    exclude_newer: str | None = None
    lock_dir: Path | None = None
    out: Path = Path("dist")
    builder: str | None = None
    image: str | None = None
    system_package: tuple[str, ...] = ()
    env: tuple[str, ...] = field(default=(), repr=False)
    prune: str | None = None
    keep: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    strip: bool | None = None
    bytecode: bool | None = None
    compress: str | None = None
    layout: str | None = None
    universal: bool | None = None

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> "Flags":
        """Pick the flags from a command's parameters as Typer gives them: lists, ``None`` for what was not said."""
        said = {each.name: options.get(each.name) for each in fields(cls)}
        given: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in said.items()
            if value is not None
        }
        return cls(**given)

    @property
    def index(self) -> IndexSource:
        """What the flags say about indexes."""
        return IndexSource(
            index_url=self.index_url,
            extra_index_urls=self.extra_index_url,
            find_links=self.find_links,
            no_index=self.no_index or None,
            strategy=self.index_strategy,
            ca_bundle=self.ca_bundle,
            proxy=self.proxy,
            keyring=self.keyring,
        )


def orders_of(arguments: Sequence[str], *, folder_of_recipes: Path | None, flags: Flags) -> tuple[Order, ...]:
    """Return an order for each recipe, or one for the requirements given. Raises ``UsageError`` subclasses."""
    _check_folders(flags)
    paths = [path for argument in arguments if is_recipe(argument) for path in _recipes_at(argument)]
    requirements = tuple(argument for argument in arguments if not is_recipe(argument))
    if folder_of_recipes is not None:
        paths += find_recipes(folder_of_recipes)
    if paths and (requirements or flags.requirements):
        raise RecipesAndRequirements(recipe=str(paths[0]))
    if len(paths) > 1 and flags.name:
        raise OneNameForMany
    if paths:
        return tuple(_order(load_recipe(path), flags, lock_folder=path.parent) for path in paths)
    return (_order(_recipe_of(requirements, flags), flags, lock_folder=flags.out),)


def _check_folders(flags: Flags) -> None:
    for option, folder in (("--out", flags.out), ("--lock-dir", flags.lock_dir)):
        if folder is not None and any(path.is_file() for path in (folder, *folder.parents)):
            raise OutputIsFile(option=option, path=folder)


def _recipes_at(argument: str) -> tuple[Path, ...]:
    """Return the recipe files that an argument means. Raises ``RecipeMissing`` where it looks like something else."""
    path = Path(argument)
    if path.suffix in _FILES and not path.is_dir():
        name = normalize(path.name.partition("-")[0].removesuffix(path.suffix)) or "NAME"
        hint = f"require the file as `{name} @ {without_credentials(path.absolute().as_uri())}`"
        raise RecipeMissing(path=path, hint=hint)
    try:
        return find_recipes(path)
    except RecipeMissing:
        if not _NAME.fullmatch(argument):
            raise
        hint = f"`{argument}` is a folder here; to require the distribution, write `{argument}>=0`"
        raise RecipeMissing(path=find_recipe(path), hint=hint) from None


def _recipe_of(requirements: tuple[str, ...], flags: Flags) -> Recipe:
    if not requirements and not flags.requirements:
        raise NothingToBuild
    problems = [problem for text in requirements if (problem := _problem(text)) is not None]
    if problems:
        raise BadRequirements(problems=problems)
    name = _name_of(requirements, flags) if flags.name is None else flags.name
    return Recipe(path=Path(RECIPE_FILE), layer=Layer(name=name, requirements=requirements))


def _problem(text: str) -> str | None:
    try:
        check_requirement(text)
    except UsageError as exc:
        return without_credentials(exc.message)
    return None


def _name_of(requirements: Sequence[str], flags: Flags) -> str:
    if not requirements:
        path = flags.requirements[0]
        if is_lock(path):
            if not path.exists():
                from layerkit.lock.foreign import MissingLockError

                raise MissingLockError(path=path)
            raise NameNeeded(path=path)
        from layerkit.lock.selection import Selection
        from layerkit.lock.sources import read_source

        selection = Selection(extras=flags.extra, groups=flags.group)
        requirements = read_source(path, selection=selection, environ=os.environ).requirements
        if not requirements:
            raise NameNeeded(path=path)
    match = _NAME.match(requirements[0].strip())
    return normalize(match.group()) if match else "layer"


def _order(recipe: Recipe, flags: Flags, *, lock_folder: Path) -> Order:
    folder = _lock_folder(lock_folder, flags)
    return Order(
        recipe=_changed(recipe, flags),
        lock_folder=folder,
        shipped_locks=None if flags.lock_dir or folder == lock_folder else lock_folder,
        files=flags.requirements,
        extras=flags.extra,
        groups=flags.group,
        index=flags.index,
        exclude_newer=flags.exclude_newer,
        no_build=flags.no_build,
    )


def _lock_folder(beside: Path, flags: Flags) -> Path:
    """Return where locks go: where the user says, beside the recipe, or else with the output."""
    if flags.lock_dir is not None:
        return flags.lock_dir
    return beside if beside == flags.out or os.access(beside, os.W_OK) else flags.out


def _changed(recipe: Recipe, flags: Flags) -> Recipe:
    name = recipe.layer.name if flags.name is None else flags.name
    if not limits().is_layer_name(name):
        raise BadName(name=name)
    layer = replace(
        recipe.layer,
        name=name,
        runtimes=flags.runtime or recipe.layer.runtimes,
        architectures=tuple(map(find_architecture, flags.arch)) or recipe.layer.architectures,
        exclude=(*recipe.layer.exclude, *map(normalize, flags.exclude)),
    )
    return replace(recipe, layer=layer, build=_build(recipe.build, flags), prune=_prune(recipe.prune, flags))


def _build(build: Build, flags: Flags) -> Build:
    return replace(
        build,
        builder=Builder(flags.builder) if flags.builder else build.builder,
        images=dict.fromkeys(Architecture, flags.image) if flags.image else build.images,
        system_packages=(*build.system_packages, *flags.system_package),
        env={**build.env, **dict(map(variable, flags.env))},
        no_binary=(*build.no_binary, *map(normalize, flags.no_binary)),
        strip=build.strip if flags.strip is None else flags.strip,
        bytecode=build.bytecode if flags.bytecode is None else flags.bytecode,
        compress=Compression(flags.compress) if flags.compress else build.compress,
        layout=Layout(flags.layout) if flags.layout else build.layout,
        universal=build.universal if flags.universal is None else flags.universal,
    )


def _prune(prune: Prune, flags: Flags) -> Prune:
    return replace(
        prune,
        profile=PruneProfile(flags.prune) if flags.prune else prune.profile,
        keep=(*prune.keep, *flags.keep),
        drop=(*prune.drop, *flags.drop),
    )
