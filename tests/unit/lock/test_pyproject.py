"""Requirements from a pyproject.toml."""

from pathlib import Path

import pytest

from layerkit.lock.failures import RequirementsFileError, UnknownSelectionError
from layerkit.lock.pyproject import read_pyproject

PROJECT = """
[project]
name = "My.App"
dependencies = ["requests"]
[project.optional-dependencies]
fast = ["orjson"]
Data_Stuff = ["pandas"]
all = ["my-app[fast,data-stuff]", "rich"]
[dependency-groups]
base = ["attrs"]
test = ["pytest", {include-group = "base"}]
loop = [{include-group = "loop"}]
"""


def project(tmp_path: Path, text: str = PROJECT) -> Path:
    path = tmp_path / "pyproject.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_only_the_dependencies_are_read_unless_more_is_asked_for(tmp_path: Path) -> None:
    assert read_pyproject(project(tmp_path)) == ("requests",)


def test_an_extra_may_refer_to_other_extras_of_the_project(tmp_path: Path) -> None:
    assert read_pyproject(project(tmp_path), extras=["all"]) == ("requests", "rich", "pandas", "orjson")


def test_extras_are_compared_as_names_are(tmp_path: Path) -> None:
    assert read_pyproject(project(tmp_path), extras=["DATA.stuff"]) == ("requests", "pandas")


def test_a_group_brings_what_it_includes(tmp_path: Path) -> None:
    assert read_pyproject(project(tmp_path), groups=["test"]) == ("requests", "pytest", "attrs")


def test_unknown_extras_and_groups_name_the_valid_ones(tmp_path: Path) -> None:
    with pytest.raises(UnknownSelectionError) as caught:
        read_pyproject(project(tmp_path), extras=["slow"])
    assert (caught.value.message.endswith("no extra `slow`"), caught.value.hint) == (
        True,
        "one of all, data-stuff, fast",
    )
    with pytest.raises(UnknownSelectionError) as caught:
        read_pyproject(project(tmp_path), groups=["lint"])
    assert caught.value.hint == "one of base, loop, test"


def test_a_group_that_includes_itself_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RequirementsFileError, match="mistake"):
        read_pyproject(project(tmp_path), groups=["loop"])


def test_dynamic_dependencies_are_an_error_with_a_way_out(tmp_path: Path) -> None:
    path = project(tmp_path, '[project]\nname = "a"\ndynamic = ["version", "dependencies"]\n')
    with pytest.raises(RequirementsFileError) as caught:
        read_pyproject(path)
    assert "export it to a requirements.txt" in caught.value.details[0]


@pytest.mark.parametrize(
    "text", ["[tool.x]\n", "not toml", '[project]\ndependencies = "requests"\n', "[project]\ndependencies = [1]\n"]
)
def test_a_file_that_says_no_dependencies_is_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(RequirementsFileError):
        read_pyproject(project(tmp_path, text))


def test_groups_need_no_project_table(tmp_path: Path) -> None:
    assert read_pyproject(project(tmp_path, '[dependency-groups]\na = ["b"]\n'), groups=["a"]) == ("b",)
