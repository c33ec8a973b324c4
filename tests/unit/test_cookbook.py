"""Recipes on a disk."""

from pathlib import Path

import pytest

from layerkit.cookbook import RecipeMissing, bundled_recipes, find_recipes, is_recipe


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Lay out a recipe, a group of two, and folders without any."""
    for name in ("one", "group/top", "group/base", ".hidden"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "recipe.toml").touch()
    (tmp_path / "empty/deep/deeper/deepest").mkdir(parents=True)
    (tmp_path / "empty/deep/deeper/deepest/recipe.toml").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_folder_with_a_recipe_is_that_recipe(shelf: Path) -> None:
    assert find_recipes(shelf / "one") == (shelf / "one/recipe.toml",)
    assert find_recipes(shelf / "one/recipe.toml") == (shelf / "one/recipe.toml",)


def test_a_folder_of_recipes_is_all_of_them_with_those_of_groups(shelf: Path) -> None:
    assert find_recipes(shelf / "group") == (shelf / "group/base/recipe.toml", shelf / "group/top/recipe.toml")
    assert [path.parent.relative_to(shelf).as_posix() for path in find_recipes(shelf)] == [
        "group/base",
        "group/top",
        "one",
    ]


def test_recipes_too_deep_are_none(shelf: Path) -> None:
    with pytest.raises(RecipeMissing, match="no recipe at"):
        find_recipes(shelf / "empty")


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize("argument", [".", "..", "./nowhere", "../x", "/x", "one", "one/recipe.toml"])
def test_what_looks_like_a_path_or_is_one_is_a_recipe(argument: str) -> None:
    assert is_recipe(argument)


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize("argument", ["requests", "app.handler", "recipe.toml", "src/app.handler", ""])
def test_other_arguments_are_none(argument: str) -> None:
    assert not is_recipe(argument)


def test_recipes_come_with_the_program_by_name() -> None:
    found = bundled_recipes()
    assert found["requests"].read_text(encoding="utf-8").startswith("[layer]")
