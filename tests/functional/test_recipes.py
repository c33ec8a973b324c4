"""The recipes that come with layerkit: well-formed, locked, each with a page and an example, and found by name."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from layerkit.cli.main import main
from layerkit.cookbook import find_recipes, load_recipe
from layerkit.model.lock import Lock
from layerkit.model.recipe import Example
from layerkit.model.target import PlainTarget
from layerkit.order import Order, jobs_of

RECIPES: Final = Path(__file__).parents[2] / "recipes"
FOUND: Final = find_recipes(RECIPES)
LOCKS: Final = sorted(RECIPES.rglob("pylock.*.toml"))
LARGEST: Final = {"pandas-pyarrow", "scikit-learn", "scipy"}
FIRST: Final = {"requests", "json-to-csv", "csv-to-dynamodb", "kinesis-decode", "three-layers/config"}


def named(path: Path) -> str:
    return path.relative_to(RECIPES).parent.as_posix()


def examples_with(path: Path) -> Iterator[tuple[Path, Example]]:
    """Yield the functions whose layers a recipe is among."""
    for folder in sorted(path.parents[1].glob("*/recipe.toml")) if "/" in named(path) else [path]:
        for example in load_recipe(folder).examples:
            layers = {(folder.parent / each).resolve() for each in example.layers}
            if example.handler and path.parent in layers:
                yield folder.parent, example


@pytest.fixture(params=FOUND, ids=named)
def recipe(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_the_first_recipes_are_there() -> None:
    assert {*map(named, FOUND)} >= FIRST


def test_the_tests_prove_every_recipe_but_the_largest() -> None:
    """``make prove`` proves these, too."""
    tests = RECIPES.parent.glob("tests/integration/test_recipes_*.py")
    text = "".join(path.read_text(encoding="utf-8") for path in tests)
    tops = {named(path).partition("/")[0] for path in FOUND}
    assert {name for name in tops if f'"{name}"' not in text} == LARGEST


def test_every_lock_is_current(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lock", "--all", str(RECIPES), "--check"]) == 0, capsys.readouterr().out


def test_a_recipe_has_a_lock_for_each_of_its_targets_and_no_other(recipe: Path) -> None:
    loaded = load_recipe(recipe)
    jobs = jobs_of([Order(recipe=loaded, lock_folder=recipe.parent)], today=datetime.now(UTC).date())
    targets = [job.target for job in jobs if not isinstance(job.target, PlainTarget)]
    locks = {jobs[0].order.lock_path(target) for target in targets} if loaded.layer.requirements else set()
    assert {*recipe.parent.glob("pylock.*")} == locks


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_a_lock_names_only_public_wheels_with_size_and_hash(path: Path) -> None:
    packages = Lock.from_toml(path.read_text(encoding="utf-8")).packages
    assert packages
    for file in (package.file for package in packages):
        assert (file.url or "").startswith("https://files.pythonhosted.org/"), file.name
        assert file.size
        assert len(file.sha256) == 64
        assert file.is_wheel


def test_a_recipe_says_what_it_is_for_on_a_page_of_its_own_or_of_its_folder(recipe: Path) -> None:
    loaded = load_recipe(recipe)
    folder = recipe.parent if "/" not in named(recipe) else recipe.parents[1]
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert loaded.layer.description
    assert loaded.layer.license
    assert text.startswith(f"# {folder.name}\n")
    assert f"layerkit build recipes/{folder.name}" in text
    assert f"layerkit invoke recipes/{folder.name}" in text


def test_a_recipe_is_proven_by_functions_that_must_give_an_answer(recipe: Path) -> None:
    examples = [*examples_with(recipe)]
    assert examples
    for folder, example in examples:
        module = (example.handler or "").rpartition(".")[0]
        assert example.answer
        assert [*(folder / (example.code or ".")).glob(f"{module}.*")], module
        for name in (example.event, example.answer, example.services, example.after):
            assert name is None or (folder / name).is_file(), name
        for name in (example.event, example.answer, example.after):
            assert name is None or json.loads((folder / name).read_bytes()) is not None, name


def test_a_recipe_with_requirements_lists_modules_that_must_import(recipe: Path) -> None:
    loaded = load_recipe(recipe)
    assert not loaded.layer.requirements or any(example.imports for example in loaded.examples)


def test_recipes_lists_what_comes_with_the_program(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["recipes", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)["recipes"]
    assert [each["name"] for each in listed] == [*map(named, FOUND)]


def test_every_layer_has_a_name_of_its_own() -> None:
    names = [load_recipe(path).layer.name for path in FOUND]
    assert len({*names}) == len(names)


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
