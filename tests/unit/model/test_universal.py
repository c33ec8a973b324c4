"""The target that is several."""

import pytest

from layerkit.model.names import normalize
from layerkit.model.target import parse_target
from layerkit.model.universal import UniversalTarget, pythons_of, title_of


def universal(*names: str) -> UniversalTarget:
    return UniversalTarget.of(map(parse_target, names))


BOTH = universal("python3.13-arm64", "python3.9-x86_64")


def test_the_targets_stand_in_one_order_however_they_are_named() -> None:
    names = ["python3.9-x86_64", "python3.9-arm64", "python3.10-x86_64", "provided.al2023-arm64"]
    assert [target.identifier for target in universal(*reversed(names)).targets] == names


def test_it_is_as_old_as_its_oldest_python() -> None:
    assert (BOTH.python_version, BOTH.python_full_version, BOTH.uv_platform) == ("3.9", "3.9.19", None)
    assert title_of(BOTH) == "a universal layer from python3.9"


def test_what_has_no_python_counts_as_a_target_but_not_for_the_lock() -> None:
    mixed = universal("provided.al2023-arm64", "python3.13-arm64")
    assert [target.identifier for target in pythons_of(mixed)] == ["python3.13-arm64"]
    assert len(mixed.targets) == 2


@pytest.mark.parametrize("tags", ["py3-none-any", "py2.py3-none-any", "py39-none-any"])
def test_a_pure_wheel_for_the_oldest_python_serves_all(tags: str) -> None:
    assert BOTH.rank(tags) is not None


@pytest.mark.parametrize(
    "tags",
    ["py2-none-any", "py310-none-any", "cp39-none-any", "cp39-abi3-manylinux2014_x86_64", "py3-none-manylinux1_x86_64"],
)
def test_what_is_native_or_not_for_all_serves_none(tags: str) -> None:
    assert BOTH.rank(tags) is None


def test_one_tag_that_serves_all_is_enough() -> None:
    assert BOTH.rank("cp39.py3-none-any") == BOTH.rank("py3-none-any")


def test_names_are_compared_as_pep_503_asks() -> None:
    assert normalize("Ruamel._.YAML--X") == "ruamel-yaml-x"
