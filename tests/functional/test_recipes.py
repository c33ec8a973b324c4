"""The recipes that come with layerkit: well-formed, locked, and found by name."""

import json
from pathlib import Path

import pytest

from layerkit.cli.main import main
from layerkit.model.lock import Lock

RECIPES = Path(__file__).parents[2] / "recipes"
NAMES = ["cryptography", "pandas-pyarrow", "pillow", "powertools", "psycopg", "requests"]


def test_every_recipe_is_locked_for_all_its_targets(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lock", "--all", str(RECIPES), "--check"]) == 0, capsys.readouterr().out


def test_locks_name_only_public_files_with_size_and_hash() -> None:
    locks = sorted(RECIPES.glob("*/pylock.*.toml"))
    assert len(locks) == len(NAMES) * 6
    for path in locks:
        for package in Lock.from_toml(path.read_text(encoding="utf-8")).packages:
            assert package.file.url is not None, path
            assert package.file.url.startswith("https://files.pythonhosted.org/"), path
            assert package.file.size, path
            assert package.file.is_wheel, path


def test_recipes_lists_what_comes_with_the_program(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipes", "--json"]) == 0
    assert [recipe["name"] for recipe in json.loads(capsys.readouterr().out)["recipes"]] == NAMES


def test_recipes_show_finds_a_recipe_by_name_and_by_path(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipes", "show", "pillow"]) == 0
    by_name = capsys.readouterr().out
    assert main(["recipes", "show", str(RECIPES / "pillow")]) == 0
    assert capsys.readouterr().out == by_name
    assert 'requirements = ["pillow"]' in by_name


def test_recipes_show_as_json_fills_in_the_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipes", "show", "powertools", "--json"]) == 0
    recipe = json.loads(capsys.readouterr().out)["recipe"]
    assert recipe["build"]["layout"] == "python"
    assert "botocore" in recipe["layer"]["exclude"]


def test_an_unknown_recipe_is_an_error_that_tells_where_it_looked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipes", "show", "nothing-of-the-kind"]) == 2
    assert "no recipe at `nothing-of-the-kind`" in capsys.readouterr().err
