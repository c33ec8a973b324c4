"""The ``[[files]]`` of a recipe: config, data, executables, a custom runtime's ``bootstrap``."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from layerkit.assemble.layout import ExtraFile
from layerkit.errors import RecipeError
from layerkit.facts import limits
from layerkit.model.limits import format_mib
from layerkit.model.recipe import Recipe, RecipeFile
from layerkit.model.recipe_files import problem_of_target

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
    def unreadable(error: OSError) -> None:
        reason = (error.strerror or str(error)).lower()
        problems.append(f"source `{entry.source}` of [[files]] cannot be read: {reason}")

    source = folder / entry.source
    for path, target in _files_at(source, entry.target, unreadable):
        if problem := _problem(path, target):
            problems.append(f"source `{entry.source}` of [[files]] {problem}")
            continue
        try:
            content = path.read_bytes()
        except OSError as exc:
            unreadable(exc)
            continue
        executable = entry.executable or target == "bootstrap" or target.startswith(_PROGRAMS)
        yield ExtraFile(name=target, content=content, executable=executable, owner=OWNER)


def _problem(path: Path, target: str) -> str | None:
    name = target.encode(errors="replace").decode()
    if name != target:
        return f"has `{name}`, whose name is not UTF-8"
    if problem := problem_of_target(target):
        return f"has `{target}`, which {problem}"
    if path.exists() and not path.is_file():
        return f"has `{target}`, which is no file"
    if path.exists() and path.stat().st_size >= limits().unzipped_bytes:
        return f"has `{target}`, which is {format_mib(path.stat().st_size)}, more than a layer can hold"
    return None


def _files_at(source: Path, target: str, unreadable: Callable[[OSError], None]) -> Iterator[tuple[Path, str]]:
    if not source.is_dir():
        yield source, target
        return
    for where, folders, names in os.walk(source, onerror=unreadable):
        folders.sort()
        for name in sorted(names):
            path = Path(where, name)
            yield path, f"{target}/{path.relative_to(source).as_posix()}"
