"""Recipes made of anything: read, or refused with every mistake told; nothing else."""

import re
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from packaging.requirements import Requirement

from layerkit.errors import RecipeError
from layerkit.model.recipe import Recipe
from layerkit.model.requirement import _PLAIN
from layerkit.model.toml_lines import Lines

KEYS = st.sampled_from(
    ["name", "requirements", "runtimes", "architectures", "exclude", "builder", "unzipped", "x", "a.b"]
)
SECTIONS = st.sampled_from(
    ["[layer]", "[build]", "[prune]", "[[files]]", "[budget]", "[index]", "[build.image]", "[x]"]
)
VALUES = st.sampled_from(
    [
        '"a"',
        "3",
        "true",
        '["a", "a"]',
        "[1, [2]]",
        "{ a = 1 }",
        "2026-01-01",
        '"""\n[x]\n"""',
        "[\n 1, # ]\n]",
        "1.5",
        "''",
    ]
)
LINES = st.one_of(SECTIONS, st.builds("{} = {}".format, KEYS, VALUES), st.sampled_from(["", "# c", "junk", "= 1"]))


@given(st.lists(LINES, max_size=12))
def test_any_text_is_read_or_refused_with_lines_that_are_in_it(lines: list[str]) -> None:
    text = "\n".join(lines)
    try:
        Recipe.from_toml(text, path=Path("r.toml"))
    except RecipeError as error:
        numbers = [re.match(r"line (\d+): .", problem) for problem in error.details]
        assert numbers
        assert all(number and 1 <= int(number[1]) <= text.count("\n") + 1 for number in numbers)


@given(st.from_regex(_PLAIN, fullmatch=True))
def test_what_is_taken_for_a_requirement_at_once_is_one_for_packaging_too(text: str) -> None:
    Requirement(text)


@given(st.lists(VALUES, min_size=1, max_size=8))
def test_every_key_is_found_on_its_line_whatever_the_values(values: list[str]) -> None:
    line, text, expected = 2, "[layer]\n", {}
    for place, value in enumerate(values):
        expected[f"k{place}"] = line
        text += f"k{place} = {value}\n"
        line = text.count("\n") + 1
    lines = Lines(text)
    assert {key: lines.of("layer", key) for key in expected} == expected
