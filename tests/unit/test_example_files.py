"""The files of an example: what is wrong with them is told at once, before anything is built."""

from pathlib import Path

import pytest

from layerkit.errors import RecipeError
from layerkit.example_files import read_example
from layerkit.model.recipe import Recipe

RECIPE = """
[layer]
name = "x"
requirements = ["a"]
[example]
handler = "app.handler"
code = "src"
event = "event.json"
answer = "answer.json"
services = "services.py"
after = "after.json"
env = { "A B" = "x" }
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    return Recipe.from_toml(RECIPE, path=tmp_path / "recipe.toml")


def test_everything_that_is_missing_or_wrong_is_told(recipe: Recipe) -> None:
    folder = recipe.path.parent
    (folder / "event.json").write_text("{", encoding="utf-8")
    (folder / "after.json").write_text("[NaN]", encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        read_example(recipe, recipe.examples[0], event=None)
    told = "\n".join(caught.value.details)
    assert len(caught.value.details) == 6
    for each in (
        "`code` in [example] is `src`, which is not there",
        "`services` in [example] is `services.py`, which is no file",
        "`env` in [example]: `A B` is no name",
        "`event.json` is no JSON",
        "`answer.json`, which is not there; leave `answer` out",
        "`after.json` is no JSON: it has no NaN",
    ):
        assert each in told


def test_with_an_event_of_ones_own_nothing_is_read_to_compare(recipe: Recipe) -> None:
    (recipe.path.parent / "src").mkdir()
    (recipe.path.parent / "services.py").touch()
    sound = Recipe.from_toml(RECIPE.replace("A B", "AB"), path=recipe.path)
    files = read_example(sound, sound.examples[0], event=b"[1]")
    assert (files.event, files.wanted) == (b"[1]", {})
