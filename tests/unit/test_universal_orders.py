"""What a universal order is built for."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from layerkit.model.recipe import Build, Layer, Layout, Recipe
from layerkit.model.target import find_architecture
from layerkit.order import Job, NotUniversal, Order, jobs_of

TODAY = date(2026, 11, 24)


def order(*, build: Build | None = None, files: tuple[Path, ...] = (), **layer: Any) -> Order:
    recipe = Recipe(path=Path("recipe.toml"), layer=Layer(name="app", **layer), build=build or Build(universal=True))
    return Order(recipe=recipe, lock_folder=Path("locks"), files=files)


def job(given: Order) -> Job:
    (found,) = jobs_of([given], today=TODAY)
    return found


def identifiers(given: Order) -> list[str]:
    return [target.identifier for target in job(given).targets]


def test_named_nowhere_the_targets_are_every_current_python_on_every_architecture() -> None:
    current = ("python3.11", "python3.12", "python3.13", "python3.14")
    assert identifiers(order(requirements=("a",))) == [
        f"{runtime}-{architecture}" for runtime in current for architecture in ("x86_64", "arm64")
    ]


def test_what_the_recipe_names_counts_even_if_deprecated() -> None:
    named = order(
        requirements=("a",), runtimes=("python3.13", "python3.9"), architectures=(find_architecture("arm64"),)
    )
    assert identifiers(named) == ["python3.9-arm64", "python3.13-arm64"]


def test_zip_lock_and_title_name_no_runtime() -> None:
    found = job(order(requirements=("a",)))
    assert (found.file_name, found.title) == ("app.zip", "app (universal)")
    assert found.order.lock_folder == Path("locks")
    assert found.target.identifier == "universal"


def test_another_order_is_a_job_for_each_target() -> None:
    jobs = jobs_of([order(build=Build(), runtimes=("python3.12", "python3.13"))], today=TODAY)
    assert [each.file_name for each in jobs] == ["app-python3.12-x86_64.zip", "app-python3.13-x86_64.zip"]


@pytest.mark.parametrize("more", [{"requirements": ("a",)}, {"files": (Path("requirements.txt"),)}])
def test_requirements_need_a_python_on_every_runtime(more: dict[str, Any]) -> None:
    with pytest.raises(NotUniversal) as caught:
        job(order(runtimes=("provided.al2023", "python3.13"), **more))
    assert caught.value.details == ("it has requirements, and runtime `provided.al2023` has no Python",)


def test_files_alone_may_serve_runtimes_without_python() -> None:
    assert identifiers(order(runtimes=("provided.al2023",))) == ["provided.al2023-x86_64", "provided.al2023-arm64"]


def test_bytecode_and_site_packages_are_refused_together() -> None:
    build = replace(Build(universal=True), bytecode=True, layout=Layout.SITE_PACKAGES)
    with pytest.raises(NotUniversal) as caught:
        job(order(build=build, requirements=("a",)))
    assert len(caught.value.details) == 2
