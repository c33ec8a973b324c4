"""Recipes on a disk: which arguments mean them, where their files are, and those that come with the program."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import layerkit
from layerkit.errors import RecipeError, UsageError

if TYPE_CHECKING:
    from layerkit.model.recipe import Recipe

RECIPE_FILE: Final = "recipe.toml"
_PATH_STARTS: Final = ("./", "../", "/", ".\\", "..\\")
_PATHS: Final = frozenset({".", ".."})
_DEPTH: Final = 2  # folders of recipes hold recipes, or folders of layers that belong together


def shown(path: str) -> str:
    """Return a path without credentials: a URL taken for a path has but one of its slashes left."""
    return re.sub(r"(:/+)[^/\s]*@", r"\1", path)


class RecipeMissing(UsageError):
    """A path that should be a recipe and is not there."""

    def __init__(self, *, path: Path, hint: str | None = None) -> None:
        super().__init__(
            f"no recipe at `{shown(str(path))}`",
            hint=hint or f"a recipe is a .toml file, or a folder that holds a `{RECIPE_FILE}`",
        )


def is_recipe(argument: str) -> bool:
    """Tell whether an argument means recipes: it looks like a path, or is a folder or .toml file."""
    if argument in _PATHS or argument.startswith(_PATH_STARTS):
        return True
    path = Path(argument)
    if not argument:  # which pathlib takes for this folder
        return False
    return path.is_dir() or (path.suffix == ".toml" and path.is_file())


def find_recipe(path: Path) -> Path:
    """Return the recipe file at a path: the file itself, or the one in the folder."""
    return path / RECIPE_FILE if path.is_dir() else path


def find_recipes(path: Path) -> tuple[Path, ...]:
    """Return the recipe file at a path, or all those below a folder that is no recipe itself.

    Raises ``RecipeMissing`` where a folder has none.
    """
    if not path.is_dir() or find_recipe(path).exists():
        return (find_recipe(path),)
    if found := tuple(_below(path, _DEPTH)):
        return found
    raise RecipeMissing(path=find_recipe(path))


def _below(folder: Path, depth: int) -> Iterator[Path]:
    for child in sorted(folder.iterdir()) if depth else ():
        if child.is_dir() and not child.name.startswith("."):
            recipe = find_recipe(child)
            yield from (recipe,) if recipe.is_file() else _below(child, depth - 1)


def bundled_recipes() -> dict[str, Path]:
    """Return the recipes that come with the installed program (or lie beside its source), by name."""
    package = Path(layerkit.__file__).parent
    found = next((folder for folder in (package / "recipes", package.parent / "recipes") if folder.is_dir()), None)
    return {path.parent.relative_to(found).as_posix(): path for path in _below(found, _DEPTH)} if found else {}


def load_recipe(path: Path) -> "Recipe":
    """Read a recipe file. Raises ``RecipeMissing`` and ``RecipeError``."""
    from layerkit.model.recipe import Recipe

    try:
        text = path.read_bytes().decode()
    except (FileNotFoundError, NotADirectoryError):
        raise RecipeMissing(path=path) from None
    except (OSError, UnicodeDecodeError) as exc:
        raise RecipeError(path=path, problems=[f"it cannot be read: {exc}"]) from exc
    return Recipe.from_toml(text, path=path)
