"""The smaller commands, and what no command is."""

import json
from collections.abc import Callable

import pytest

from layerkit import __version__
from tests.workbench import TARGET, Answer, Workbench

Run = Callable[..., Answer]
Transcript = Callable[[Answer], None]


@pytest.mark.parametrize(
    "argv",
    [
        pytest.param((), id="layerkit"),
        pytest.param(("build", "--help"), id="build"),
        pytest.param(("lock", "-h"), id="lock"),
        pytest.param(("runtimes", "--help"), id="runtimes"),
        pytest.param(("recipes", "--help"), id="recipes"),
        pytest.param(("recipes", "show", "--help"), id="recipes-show"),
        pytest.param(("cache", "--help"), id="cache"),
    ],
)
def test_help(argv: tuple[str, ...], run: Run, transcript: Transcript) -> None:
    """Help is a result: on stdout, exit 0; without arguments there is nothing else to say."""
    transcript(run(*argv))


@pytest.mark.parametrize(
    "argv",
    [
        pytest.param(("frobnicate",), id="command"),
        pytest.param(("--frobnicate",), id="option"),
        pytest.param(("cache", "frobnicate"), id="cache"),
        pytest.param(("recipes", "show", "frobnicate"), id="recipe"),
        pytest.param(("recipes", "show"), id="argument"),
    ],
)
def test_unknown(argv: tuple[str, ...], run: Run, transcript: Transcript) -> None:
    answer = run(*argv)
    transcript(answer)
    assert answer.code == 2


def test_the_version_is_a_result(run: Run) -> None:
    assert run("--version") == Answer(code=0, stdout=f"layerkit {__version__}\n", stderr="")


def test_runtimes_are_listed_with_their_state(run: Run) -> None:
    answer = run("runtimes", "--json")
    rows = {row["runtime"]: row for row in json.loads(answer.stdout)["runtimes"]}
    assert answer.code == 0
    assert rows["python3.15"]["status"] == "preview"
    assert rows["python3.11"]["glibc"] == "2.26"
    text = run("runtimes").stdout
    assert [line.split()[0] for line in text.splitlines()[1:]] == list(rows)


def test_recipes_are_listed_and_shown(run: Run) -> None:
    listed = json.loads(run("recipes", "--json").stdout)["recipes"]
    assert "pandas-pyarrow" in {each["name"] for each in listed}
    assert [line.split()[0] for line in run("recipes").stdout.splitlines()] == [each["name"] for each in listed]
    shown = json.loads(run("recipes", "show", "requests", "--json").stdout)
    assert shown["recipe"]["layer"]["requirements"] == ["requests"]
    assert 'name = "requests"' in run("recipes", "show", "requests").stdout


def test_the_cache_is_measured_and_emptied(bench: Workbench, run: Run) -> None:
    assert run("cache", "dir").stdout == "ROOT/cache\n"
    assert json.loads(run("cache", "size", "--json").stdout)["bytes"] == 0
    assert run("build", "app", *TARGET).code == 0
    size = json.loads(run("cache", "--json").stdout)
    assert {each["name"] for each in size["buckets"]} >= {"files", "fragments"}
    assert json.loads(run("cache", "clean", "--json").stdout)["freed_bytes"] == size["bytes"] > 0
    assert not [path for path in bench.cache.rglob("*") if path.is_file()]
    assert run("build", "app", *TARGET).code == 0
