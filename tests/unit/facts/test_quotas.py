"""Lambda's limits, held to what the real service says."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

import layerkit.facts
from layerkit.facts import Range, limits
from layerkit.facts.quotas import FILE, read_limits
from layerkit.facts.table import FactsError, Table


def test_the_limits_are_lambdas() -> None:
    found = limits()
    assert found.unzipped_bytes == 262_144_000
    assert found.zipped_direct_bytes == 52_428_800
    assert found.request_bytes == 70_167_211
    assert found.layers_per_function == 5
    assert (found.compatible_runtimes, found.compatible_architectures) == (15, 2)
    assert (found.layer_name_length, found.description_length, found.license_length) == (140, 256, 512)
    assert found.memory_mib == Range(least=128, most=10_240)
    assert found.timeout_seconds == Range(least=1, most=900)
    assert found.tmp_mib == Range(least=512, most=10_240)
    assert found.environment_bytes == 4096


@pytest.mark.parametrize("name", ["requests", "a", "A-b_9", "x" * 140])
def test_a_layer_name_of_letters_digits_dash_and_underscore_is_accepted(name: str) -> None:
    assert limits().is_layer_name(name)


@pytest.mark.parametrize("name", ["", "python3.13", "a b", "é", "a\n", "x" * 141])
def test_any_other_layer_name_is_not(name: str) -> None:
    assert not limits().is_layer_name(name)


def test_the_limits_are_read_once() -> None:
    assert limits() is limits()


def data() -> dict[str, Any]:
    return tomllib.loads((Path(layerkit.facts.__file__).parent / FILE).read_text(encoding="utf-8"))


def test_a_missing_limit_is_an_error_with_file_and_key() -> None:
    wrong = data()
    del wrong["layer"]["name-length"]
    with pytest.raises(FactsError, match=r"limits.toml: `layer.name-length` is missing"):
        read_limits(Table(wrong, file=FILE))


def test_an_unknown_limit_is_an_error_with_file_and_key() -> None:
    wrong = data()
    wrong["function"]["wheels"] = 4
    with pytest.raises(FactsError, match=r"limits.toml: `function.wheels` is unknown"):
        read_limits(Table(wrong, file=FILE))


@pytest.mark.parametrize("value", [[1], [2, 1], ["1", 2], [1, 2, 3]])
def test_a_range_that_is_none_is_an_error_with_file_and_key(value: list[object]) -> None:
    wrong = data()
    wrong["function"]["memory-mib"] = value
    with pytest.raises(FactsError, match=r"limits.toml: `function.memory-mib` must be the least and the most"):
        read_limits(Table(wrong, file=FILE))


def test_true_is_not_a_number() -> None:
    wrong = data()
    wrong["function"]["layers"] = True
    with pytest.raises(FactsError, match=r"limits.toml: `function.layers` must be a int"):
        read_limits(Table(wrong, file=FILE))
