"""Recipes in folders that are only read, as those that come with an installed program: their locks serve."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.workbench import Answer, Workbench

Run = Callable[..., Answer]
RECIPE = '[layer]\nname = "app"\nrequirements = ["app"]\nruntimes = ["python3.12"]\n'


@pytest.fixture
def recipe(bench: Workbench, run: Run, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a recipe with its lock, in a folder that nothing can be written to."""
    folder = bench.work / "recipes" / "app"
    folder.mkdir(parents=True)
    (folder / "recipe.toml").write_text(RECIPE, encoding="utf-8")
    assert run("lock", "recipes/app").code == 0
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != Path("recipes/app") and access(path, mode))
    return folder


def locks(bench: Workbench) -> list[str]:
    return sorted(path.name for path in bench.dist.glob("pylock.*"))


@pytest.mark.usefixtures("recipe")
def test_locks_that_are_current_are_used_where_they_are(bench: Workbench, run: Run) -> None:
    assert run("lock", "recipes/app", "--check").code == 0
    assert run("build", "recipes/app", "--locked").code == 0
    assert locks(bench) == []


def test_others_are_written_with_the_output(recipe: Path, bench: Workbench, run: Run) -> None:
    (recipe / "recipe.toml").write_text(RECIPE.replace('"app"]', '"app>=0"]'), encoding="utf-8")
    before = {path.name: path.read_bytes() for path in recipe.iterdir()}
    assert run("lock", "recipes/app", "--check").code == 1
    assert run("build", "recipes/app").code == 0
    assert locks(bench) == ["pylock.app-py312-x86_64.toml"]
    assert run("lock", "recipes/app", "--check").code == 0
    assert {path.name: path.read_bytes() for path in recipe.iterdir()} == before


@pytest.mark.usefixtures("recipe")
def test_a_folder_for_locks_that_is_named_has_them_all(bench: Workbench, run: Run) -> None:
    assert run("lock", "recipes/app", "--lock-dir", "locks").code == 0
    assert (bench.work / "locks" / "pylock.app-py312-x86_64.toml").is_file()
