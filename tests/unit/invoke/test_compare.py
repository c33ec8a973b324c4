"""Where two JSON values differ, in words."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerkit.invoke.compare import differences

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("wanted", "came", "told"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1.0}, []),
        ({"a": [1, {"b": "x"}]}, {"a": [1, {"b": "y"}]}, ['.a[1].b is "y", not "x"']),
        ({"a": 1}, {}, [".a is missing; it should be 1"]),
        ({}, {"a": None}, [".a is null, and should not be there"]),
        ([1, 2, 3], [1, 5], ["the whole has 2 items, not 3", "[1] is 5, not 2"]),
        (True, 1, ["the whole is 1, not true"]),
        ({"a": False}, {"a": 0}, [".a is 0, not false"]),
        ("1", 1, ['the whole is 1, not "1"']),
        ([], {}, ["the whole is {}, not []"]),
        (None, [], ["the whole is [], not null"]),
        ("ü", "u", ['the whole is "u", not "ü"']),
    ],
)
def test_each_place_is_told(wanted: Any, came: Any, told: list[str]) -> None:
    assert list(differences(wanted, came)) == told


def test_long_values_are_cut() -> None:
    (line,) = differences("x" * 1000, "y" * 1000)
    assert len(line) < 300
    assert line.count("…") == 2


@given(value=JSON)
def test_a_value_does_not_differ_from_itself(value: Any) -> None:
    assert list(differences(value, value)) == []


@given(one=JSON, other=JSON)
def test_different_values_differ_both_ways(one: Any, other: Any) -> None:
    assert bool(list(differences(one, other))) == bool(list(differences(other, one)))
