"""What can be wrong with the arguments and options that orders are made from."""

from collections.abc import Sequence
from pathlib import Path

from layerkit.cookbook import shown
from layerkit.errors import UsageError


class NothingToBuild(UsageError):
    """No requirement, file or recipe was given."""

    def __init__(self) -> None:
        super().__init__(
            "nothing to build",
            hint="name requirements (`layerkit build requests`), a file (`-r requirements.txt`) or a recipe's folder",
        )


class RecipesAndRequirements(UsageError):
    """Recipes together with requirements, of which nobody knows whose they would be."""

    def __init__(self, *, recipe: str) -> None:
        super().__init__(
            f"the recipe `{shown(recipe)}` and requirements were given together",
            hint="build them one after the other, or put the requirements into the recipe",
        )


class BadRequirements(UsageError):
    """Arguments that are neither requirements nor recipes, all of them at once."""

    def __init__(self, *, problems: Sequence[str]) -> None:
        super().__init__(
            "not every argument is a requirement (PEP 508)",
            details=problems,
            hint="a recipe's path begins with `./`, or is a folder or .toml file that exists",
        )


class OutputIsFile(UsageError):
    """A folder to write into that is a file."""

    def __init__(self, *, option: str, path: Path) -> None:
        super().__init__(f"`{option} {path}` is a file, not a folder", hint=f"name a folder with `{option}`")


class NameNeeded(UsageError):
    """A layer whose name does not follow from what it is made of."""

    def __init__(self, *, path: Path) -> None:
        super().__init__(f"a layer from `{path}` needs a name", hint="give it with `--name`")


class BadName(UsageError):
    """A layer name that Lambda would not take."""

    def __init__(self, *, name: str) -> None:
        super().__init__(
            f"`{name}` is no name for a layer", hint="letters, digits, `-` and `_` only, as Lambda's API asks"
        )


class BadVariable(UsageError):
    """A text that sets no environment variable."""

    def __init__(self, *, name: str) -> None:
        super().__init__(f"`--env {name}…` sets no environment variable", hint="write `--env NAME=VALUE`")


class OneNameForMany(UsageError):
    """``--name`` with several recipes, which would overwrite each other's layer."""

    def __init__(self) -> None:
        super().__init__("`--name` names one layer, and several recipes were given", hint="leave `--name` out")
