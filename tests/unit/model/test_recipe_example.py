"""The examples of a recipe."""

from pathlib import Path

import pytest

from layerkit.errors import RecipeError
from layerkit.model.recipe import Example, Recipe

LAYER = '[layer]\nname = "x"\nrequirements = ["a"]\n'
FULL = """
[example]
handler = "app.handler"
code = "example"
event = "example/event.json"
answer = "example/answer.json"
services = "example/services.py"
after = "example/after.json"
layers = ["../runtime", "."]
env = { TABLE = "orders" }
timeout = 30
memory = 512
imports = ["a.b"]
"""


def recipe(text: str) -> Recipe:
    return Recipe.from_toml(LAYER + text, path=Path("recipe.toml"))


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(RecipeError) as caught:
        recipe(text)
    return caught.value.details


def test_everything_that_an_example_can_say() -> None:
    assert recipe(FULL).examples == (
        Example(
            handler="app.handler",
            code="example",
            event="example/event.json",
            answer="example/answer.json",
            services="example/services.py",
            after="example/after.json",
            layers=("../runtime", "."),
            env={"TABLE": "orders"},
            timeout=30,
            memory=512,
            imports=("a.b",),
        ),
    )


def test_several_examples_each_with_a_name() -> None:
    found = recipe('[[example]]\nname = "one"\nhandler = "a.b"\n[[example]]\nname = "two"\nimports = ["c", "d"]\n')
    assert [example.name for example in found.examples] == ["one", "two"]
    assert found.imports == ("c", "d")


def test_no_example_is_no_mistake() -> None:
    assert recipe("").examples == ()
    assert recipe("").imports == ()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[[example]]\nhandler = 'a.b'\n[[example]]\nname = 'x'\n", "line 4: one of several [[example]] has no `name`"),
        ("[[example]]\nname = 'x'\n[[example]]\nname = 'x'\n", "line 7: two [[example]] have the name `x`"),
        ("[[example]]\nname = 'x y'\n", "must consist of letters, digits, `-` and `_`"),
        ("[example]\ncode = 'src'\n", "`code` in [example] says something of a function, but there is no `handler`"),
        ("[example]\ntimeout = 3\n", "`timeout` in [example] says something of a function"),
        ("[example]\nhandler = 'a.b'\nafter = 'x.json'\n", "`after` in [example] is what `services` have seen"),
        ("[example]\nhandler = 'a.b'\nevent = '/etc/x'\n", "`event` in [example] is absolute"),
        ("[example]\nhandler = 'a.b'\ntimeout = 901\n", "`timeout` in [example] is not within 1 to 900"),
        ("[example]\nhandler = 'a.b'\nmemory = 64\n", "`memory` in [example] is not within 128 to 10240"),
        ("[example]\nhandler = 'a.b'\ntimeout = true\n", "`timeout` in [example] must be a whole number"),
        ("[example]\nhandler = 'a.b'\ntimeout = 1.5\n", "`timeout` in [example] must be a whole number, not a number"),
        ("[example]\nhandler = 'a.b'\nenv = { A = 1 }\n", "`env.A` in [example] must be a string"),
        ("[example]\nhandler = 'a.b'\nhandle = 1\n", "unknown key `handle` in [example]"),
        ("example = 'no'\n", "`example` must be a section"),
    ],
)
def test_mistakes_are_told_with_their_line(text: str, problem: str) -> None:
    if text.startswith("example"):
        with pytest.raises(RecipeError) as caught:
            Recipe.from_toml(text + LAYER, path=Path("recipe.toml"))
        assert problem in str(caught.value.details)
        return
    assert any(problem in each for each in problems(text))
