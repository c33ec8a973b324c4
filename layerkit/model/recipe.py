"""Recipes: what a layer is made of, as a value read from a TOML file."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from layerkit.facts import Architecture, PythonRuntime, limits, runtimes
from layerkit.model.recipe_example import read_examples
from layerkit.model.recipe_files import read_files
from layerkit.model.recipe_parts import (
    Budget,
    Build,
    Builder,
    Compression,
    Example,
    IndexStrategy,
    Layer,
    Layout,
    Prune,
    PruneProfile,
    RecipeFile,
    RecipeIndex,
)
from layerkit.model.recipe_sections import read_budget, read_build, read_index, read_layer, read_prune
from layerkit.model.toml_section import Document

__all__ = [
    "Budget",
    "Build",
    "Builder",
    "Compression",
    "Example",
    "IndexStrategy",
    "Layer",
    "Layout",
    "Prune",
    "PruneProfile",
    "Recipe",
    "RecipeFile",
    "RecipeIndex",
]

_SECTIONS: Final = ("layer", "build", "prune", "files", "budget", "example", "index")


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """What one layer is made of. ``path`` is the recipe file; the paths in it are relative to its folder."""

    path: Path
    layer: Layer
    build: Build = field(default_factory=Build)
    prune: Prune = field(default_factory=Prune)
    files: tuple[RecipeFile, ...] = ()
    budget: Budget = field(default_factory=Budget)
    examples: tuple[Example, ...] = ()
    index: RecipeIndex = field(default_factory=RecipeIndex)

    @property
    def has_requirements(self) -> bool:
        """Whether the layer holds distributions, and not only files."""
        return bool(self.layer.requirements or self.layer.requirements_file)

    @property
    def imports(self) -> tuple[str, ...]:
        """The modules that must import, of all its examples."""
        return tuple(dict.fromkeys(module for example in self.examples for module in example.imports))

    @property
    def architectures(self) -> tuple[Architecture, ...]:
        """The architectures it names, or the one that it gets when it names none."""
        return self.layer.architectures or (Architecture.X86_64,)

    @classmethod
    def from_toml(cls, text: str, *, path: Path) -> "Recipe":
        """Read a recipe. Raises ``RecipeError`` with every mistake, each with its line."""
        document = Document(text.removeprefix("\ufeff"), path=path)
        document.expect_sections(_SECTIONS)
        recipe = cls(
            path=path,
            layer=read_layer(document),
            build=read_build(document),
            prune=read_prune(document),
            files=read_files(document),
            budget=read_budget(document),
            examples=read_examples(document),
            index=read_index(document),
        )
        _check_contents(document)
        _check_targets(recipe, document)
        _check_published_name(recipe, document)
        document.finish()
        return recipe


def _check_contents(document: Document) -> None:
    places = (("layer", "requirements"), ("layer", "requirements-file"), ("files",))
    if not any(document.holds(*place) for place in places):
        document.complain("nothing to put into the layer: no `requirements`, `requirements-file` or [[files]]", "layer")


def _check_targets(recipe: Recipe, document: Document) -> None:
    for runtime in (runtimes()[name] for name in recipe.layer.runtimes):
        if recipe.has_requirements and not isinstance(runtime, PythonRuntime):
            document.complain(f"runtime `{runtime.name}` has no Python, so no `requirements`", "layer", "runtimes")
        for architecture in recipe.architectures:
            if architecture not in runtime.architectures:
                problem = f"runtime `{runtime.name}` has no architecture `{architecture}`"
                document.complain(f"{problem}; one of {', '.join(runtime.architectures)}", "layer", "architectures")


def _check_published_name(recipe: Recipe, document: Document) -> None:
    longest = max((_published_name(recipe, *target) for target in _targets(recipe)), key=len)
    if len(longest) > (most := limits().layer_name_length):
        problem = f"`name` in [layer] is too long: `{longest}`, as it would be published, has {len(longest)} characters"
        document.complain(f"{problem}, over Lambda's {most}", "layer", "name")


def _targets(recipe: Recipe) -> Iterator[tuple[str, Architecture]]:
    pythons = (runtime.name for runtime in runtimes().values() if isinstance(runtime, PythonRuntime))
    return itertools.product(recipe.layer.runtimes or pythons, recipe.architectures)


def _published_name(recipe: Recipe, runtime: str, architecture: Architecture) -> str:
    if recipe.build.universal:
        return recipe.layer.name
    return f"{recipe.layer.name}-{runtime.replace('.', '')}-{architecture}"
