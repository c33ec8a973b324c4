"""What an example's function is told: what the user says goes before what the recipe says."""

from datetime import date
from pathlib import Path

import pytest

from layerkit import proof
from layerkit.cache import Cache
from layerkit.invoke.function import OutOfRange
from layerkit.model.recipe import Recipe
from layerkit.model.target import parse_target
from layerkit.progress import Silent
from layerkit.proof import Case, Settings, prove

RECIPE = '[layer]\nname = "x"\nrequirements = ["a"]\n[example]\nhandler = "app.handler"\ntimeout = 30\n'


def test_a_number_that_lambda_does_not_take_is_refused_whoever_says_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also nothing, which is not the same as not saying it."""
    monkeypatch.setattr(proof, "_layers", lambda *_, **__: ())
    recipe = Recipe.from_toml(RECIPE, path=tmp_path / "recipe.toml")
    case = Case(recipe=recipe, example=recipe.examples[0], target=parse_target("python3.12-x86_64"))
    settings = Settings(today=date(2026, 11, 24), timeout=0, memory=1)
    with pytest.raises(OutOfRange) as error:
        prove(case, settings, cache=Cache(tmp_path), progress=Silent(), log=print)
    assert [line.partition(" is not")[0] for line in error.value.details] == ["`--timeout 0`", "`--memory 1`"]
