"""``layerkit recipes``: the recipes that come with the program, and what a recipe says."""

from pathlib import Path
from typing import Annotated, Final

import typer

from layerkit.cli.options import Json, console_of

app: Final = typer.Typer(add_completion=False, help="Show recipes.", no_args_is_help=False, rich_markup_mode=None)


@app.callback(invoke_without_command=True)
def list_recipes(context: typer.Context, json: Json = False) -> None:
    """List the recipes that come with layerkit."""
    if context.invoked_subcommand is not None:
        return
    from layerkit.cookbook import bundled_recipes, load_recipe

    console = console_of(quiet=False, verbose=False)
    recipes = [(name, path, load_recipe(path)) for name, path in bundled_recipes().items()]
    if json:
        rows = [{"name": name, "path": str(path), "description": it.layer.description} for name, path, it in recipes]
        console.result_json({"version": 1, "recipes": rows})
        return
    for name, _, recipe in recipes:
        console.result(f"{name:<21} {recipe.layer.description}")
    if recipes:
        _, path, _ = recipes[0]
        console.hint(f"build one with its path: `layerkit build {path.parent}`")


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(metavar="NAME|PATH", help="A recipe that comes with layerkit, or a path.")],
    json: Json = False,
) -> None:
    """Show what a recipe says, checked and with its defaults."""
    from layerkit.cookbook import bundled_recipes, find_recipe, load_recipe

    console = console_of(quiet=False, verbose=False)
    path = bundled_recipes().get(name) or find_recipe(Path(name))
    recipe = load_recipe(path)
    if json:
        from layerkit.cli.recipe_json import recipe_json

        console.result_json({"version": 1, "path": str(path), "recipe": recipe_json(recipe)})
        return
    console.result(path.read_text(encoding="utf-8").rstrip())
