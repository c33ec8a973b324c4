"""What is built for an order, and what is refused of it."""

import threading
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from layerkit import build
from layerkit.cache import Cache
from layerkit.model.recipe import Build, Layer, Recipe
from layerkit.order import Job, NoBytecode, Order, SameOutput, jobs_of, request_of
from layerkit.places import SupplyOptions

TODAY = date(2026, 11, 24)


def order(
    path: str = "recipe.toml", *, build: Build | None = None, files: tuple[Path, ...] = (), **layer: Any
) -> Order:
    recipe = Recipe(path=Path(path), layer=Layer(**({"name": "app"} | layer)), build=build or Build())
    return Order(recipe=recipe, lock_folder=Path("locks"), files=files)


def test_two_recipes_of_one_name_are_refused_and_named() -> None:
    with pytest.raises(SameOutput) as caught:
        jobs_of([order("a/recipe.toml"), order("b/recipe.toml", name="App")], today=TODAY)
    assert str(Path("a/recipe.toml")) in caught.value.message
    assert str(Path("b/recipe.toml")) in caught.value.message
    assert caught.value.exit_code == 2


def test_one_name_for_several_targets_is_fine() -> None:
    recipes = [order("a/recipe.toml", runtimes=("python3.12",)), order("b/recipe.toml", runtimes=("python3.13",))]
    assert len(jobs_of(recipes, today=TODAY)) == 2


def test_a_runtime_named_twice_is_one_layer() -> None:
    assert len(jobs_of([order(runtimes=("python3.12", "python3.12"))], today=TODAY)) == 1


def test_there_is_no_bytecode_without_python() -> None:
    with pytest.raises(NoBytecode, match=r"provided\.al2023"):
        jobs_of([order(build=Build(bytecode=True), runtimes=("provided.al2023",))], today=TODAY)


def test_a_requirements_file_may_forbid_building(tmp_path: Path) -> None:
    path = tmp_path / "requirements.txt"
    path.write_text("--only-binary :all:\n--only-binary b\na\n", encoding="utf-8")
    request, _ = request_of(order(files=(path,)), environ={"HOME": str(tmp_path)})
    assert (request.no_build, request.only_binary) == (True, ("b",))


def test_no_more_than_eight_resolvers_run_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = jobs_of([order(f"{number}/recipe.toml", name=f"app{number}") for number in range(24)], today=TODAY)
    running, most, lock = 0, 0, threading.Lock()
    pause = threading.Event()

    def lock_job(job: Job, *_: object) -> Job:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        pause.wait(0.02)
        with lock:
            running -= 1
        return job

    monkeypatch.setattr(build, "lock_job", lock_job)
    locked, failures = build.lock_all(jobs, SupplyOptions(cache=Cache(tmp_path)))
    assert len(locked) == len(jobs)
    assert not failures
    assert most <= 8
