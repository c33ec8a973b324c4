"""The ``[[files]]`` of a recipe: config, data, executables, a custom runtime's ``bootstrap``."""

import errno
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from layerkit.assemble.layout import ExtraFile
from layerkit.errors import RecipeError, system_reason
from layerkit.facts import limits
from layerkit.model.limits import format_mib
from layerkit.model.recipe import Recipe, RecipeFile
from layerkit.model.recipe_files import problem_of_target

OWNER: Final = "files of the recipe"
_PROGRAMS: Final = ("bin/", "extensions/")
_BY_ACCIDENT: Final = frozenset({"__pycache__", ".DS_Store"})  # left by whoever imports from a folder, or looks


def extra_files(recipe: Recipe) -> tuple[ExtraFile, ...]:
    """Read every file that the recipe names; a folder brings all files below it, but no bytecode of this machine's.

    Links are followed as long as they stay in the recipe's folder, or in a source that lies outside of it.
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
        reason = system_reason(error)
        problems.append(f"source `{entry.source}` of [[files]] cannot be read: {reason}")

    def refused(link: Path, why: str) -> None:
        name = os.path.relpath(link, folder).encode(errors="replace").decode()
        problems.append(f"source `{entry.source}` of [[files]] has the link `{name}`, which {why}")

    source = Path(os.path.abspath(folder / entry.source))  # noqa: PTH100 -- without `..`
    walk = _Walk(inside=_roots(folder, source), unreadable=unreadable, refused=refused)
    for path, target in walk.files_at(source, entry.target, ()):
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


def _roots(folder: Path, source: Path) -> tuple[Path, ...]:
    """Return the folders that links may not leave; a source that the recipe itself finds elsewhere is one too."""
    real = Path(os.path.realpath(folder))
    if source.is_relative_to(os.path.abspath(folder)):  # noqa: PTH100 -- without `..`
        return (real,)
    return (real, Path(os.path.realpath(source)))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Walk:
    """Finds files below a folder, and follows links that stay below one of the folders ``inside``."""

    inside: tuple[Path, ...]
    unreadable: Callable[[OSError], None]
    refused: Callable[[Path, str], None]

    def files_at(self, path: Path, target: str, above: tuple[Path, ...]) -> Iterator[tuple[Path, str]]:
        """Yield each file at or below ``path`` and its target; ``above`` are the real folders on the way."""
        try:
            real = Path(os.path.realpath(path, strict=True))
        except OSError as exc:
            self._unresolved(path, exc)
            return
        if not any(real.is_relative_to(root) for root in self.inside):
            self.refused(path, "leaves the recipe's folder")
        elif any(folder.is_relative_to(real) for folder in above):
            self.refused(path, "leads in a circle")
        elif not real.is_dir():
            yield path, target
        else:
            for name in self._names(path):
                yield from self.files_at(path / name, f"{target}/{name}", (*above, real))

    def _names(self, folder: Path) -> list[str]:
        try:
            found = os.listdir(folder)  # noqa: PTH208 -- names, also such as are no text
            return sorted(name for name in found if name not in _BY_ACCIDENT)
        except OSError as exc:
            self.unreadable(exc)
            return []

    def _unresolved(self, path: Path, error: OSError) -> None:
        if error.errno == errno.ELOOP:
            self.refused(path, "leads in a circle")
        elif path.is_symlink():
            self.refused(path, "leads nowhere")
        else:
            self.unreadable(error)
