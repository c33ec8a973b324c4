"""The ``[[files]]`` of a recipe: config, data, executables, a custom runtime's ``bootstrap``."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from layerkit.assemble.layout import ExtraFile
from layerkit.errors import RecipeError
from layerkit.model.recipe import Recipe, RecipeFile

OWNER: Final = "files of the recipe"
_PROGRAMS: Final = ("bin/", "extensions/")


def extra_files(recipe: Recipe) -> tuple[ExtraFile, ...]:
    """Read every file that the recipe names; a folder brings all files below it.

    What Lambda starts itself (``bootstrap``, ``bin/``, ``extensions/``) is executable in any case. Raises
    ``RecipeError`` naming every source that is missing or cannot be read.
    """
    problems: list[str] = []
    found = [file for entry in recipe.files for file in _read(entry, recipe.path.parent, problems)]
    if problems:
        raise RecipeError(path=recipe.path, problems=problems)
    return tuple(found)


def _read(entry: RecipeFile, folder: Path, problems: list[str]) -> Iterator[ExtraFile]:
    source = folder / entry.source
    for path, target in _files_at(source, entry.target):
        try:
            content = path.read_bytes()
        except OSError as exc:
            problems.append(
                f"source `{entry.source}` of [[files]] cannot be read: {(exc.strerror or str(exc)).lower()}"
            )
            continue
        executable = entry.executable or target == "bootstrap" or target.startswith(_PROGRAMS)
        yield ExtraFile(name=target, content=content, executable=executable, owner=OWNER)


def _files_at(source: Path, target: str) -> Iterator[tuple[Path, str]]:
    if not source.is_dir():
        yield source, target
        return
    for where, folders, names in os.walk(source):
        folders.sort()
        for name in sorted(names):
            path = Path(where, name)
            yield path, f"{target}/{path.relative_to(source).as_posix()}"
