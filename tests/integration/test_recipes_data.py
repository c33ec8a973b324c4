"""Recipes for data: the examples of the light ones, for real."""

import shutil
from pathlib import Path
from typing import Final

import pytest

from tests.interpreters import find_python
from tests.workbench import call

pytestmark = [pytest.mark.interpreter, pytest.mark.network]

RECIPES: Final = Path(__file__).parents[2] / "recipes"
EXAMPLES: Final = [
    ("numpy", "3.12"),
    ("orjson", "3.13"),
    ("pydantic", "3.13"),
    ("pillow", "3.12"),
    ("openpyxl", "3.13"),
]


@pytest.fixture
def folder(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder."""
    monkeypatch.delenv("PIP_CONFIG_FILE")  # where this machine's index is
    monkeypatch.setenv("LAYERKIT_CACHE_DIR", str(cache))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("name", "version"), EXAMPLES)
def test_the_example_answers_as_it_should(name: str, version: str, capfd: pytest.CaptureFixture[str]) -> None:
    code = _invoke(RECIPES / name, version)
    printed = capfd.readouterr()
    assert code == 0, printed.out + printed.err
    assert f"ok     {name}" in printed.out + printed.err


def test_another_answer_is_told(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    copy = shutil.copytree(RECIPES / "orjson", folder / "orjson")
    answer = copy / "example/answer.json"
    answer.write_text(answer.read_text(encoding="utf-8").replace("201", "200"), encoding="utf-8")
    assert _invoke(copy, "3.13") == 1
    assert "answer: .statusCode is 201, not 200" in capfd.readouterr().err


def _invoke(recipe: Path, version: str) -> int:
    if not find_python(version):
        pytest.skip(f"needs Python {version}")
    return call("invoke", recipe, "--runtime", f"python{version}")
