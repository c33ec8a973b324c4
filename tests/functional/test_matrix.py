"""``layerkit matrix``: jobs that, run one by one, build just what ``layerkit build`` builds at once."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.workbench import Answer, Workbench

Run = Callable[..., Answer]
EACH_TARGET = [
    ("python3.12", "x86_64"),
    ("python3.12", "arm64"),
    ("python3.13", "x86_64"),
    ("python3.13", "arm64"),
]


def recipe(folder: Path, *, build: str = "", runtimes: str = '["python3.12", "python3.13"]') -> None:
    folder.mkdir(parents=True)
    layer = f'[layer]\nname = "{folder.name}"\nrequirements = ["app"]\nruntimes = {runtimes}\n'
    both = 'architectures = ["x86_64", "arm64"]\n'
    (folder / "recipe.toml").write_text(layer + both + build, encoding="utf-8")


@pytest.fixture(autouse=True)
def recipes(bench: Workbench) -> Path:
    """Write two recipes, one with a layer for each target and one with one for all."""
    recipe(bench.work / "recipes" / "one")
    recipe(bench.work / "recipes" / "group" / "both", build="[build]\nuniversal = true\n")
    (bench.work / "empty").mkdir()
    return bench.work / "recipes"


def jobs_in_gitlab(text: str) -> Iterator[dict[str, str]]:
    """Yield the variables of each job; that an entry is JSON makes it YAML as well."""
    yield from (json.loads(line.removeprefix("      - ")) for line in text.partition("    matrix:\n")[2].splitlines())


def test_json_has_a_job_for_each_layer_and_one_for_a_universal_layer(run: Run) -> None:
    answer = run("matrix", "recipes/")
    document = json.loads(answer.stdout)
    assert (answer.code, answer.stderr, document["version"]) == (0, "", 1)
    universal, *others = document["jobs"]
    assert universal == {
        "name": "both",
        "recipe": "recipes/group/both",
        "runtime": None,
        "architecture": None,
        "lock": "recipes/group/both/pylock.both-universal.toml",
        "file": "both.zip",
    }
    assert [(job["runtime"], job["architecture"]) for job in others] == EACH_TARGET
    assert others[3] == {
        "name": "one",
        "recipe": "recipes/one",
        "runtime": "python3.13",
        "architecture": "arm64",
        "lock": "recipes/one/pylock.one-py313-arm64.toml",
        "file": "one-python3.13-arm64.zip",
    }
    assert run("matrix", "recipes/", "--json") == run("matrix", "recipes/", "--format", "json") == answer


def test_github_is_told_in_one_line_for_its_output_file(run: Run) -> None:
    answer = run("matrix", "recipes/", "--format", "github")
    assert (answer.code, answer.stdout.count("\n")) == (0, 1)
    name, _, value = answer.stdout.partition("=")
    universal, *others = json.loads(value)["include"]
    assert name == "matrix"
    assert "runtime" not in universal
    assert "architecture" not in universal
    assert others == json.loads(run("matrix", "recipes/one").stdout)["jobs"]


def test_gitlab_is_told_as_a_pipeline_with_one_job(run: Run, transcript: Callable[[Answer], None]) -> None:
    answer = run("matrix", "recipes/", "--format", "gitlab")
    transcript(answer)
    assert len([*jobs_in_gitlab(answer.stdout)]) == 5


def test_the_jobs_build_what_one_command_builds(bench: Workbench, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("build", "recipes/", "--out", "together").code == 0
    for variables in jobs_in_gitlab(run("matrix", "recipes/", "--format", "gitlab").stdout):
        with monkeypatch.context() as job:
            for name, value in variables.items():
                job.setenv(name, value)
            assert run("build", variables["RECIPE"], "--locked", "--out", "apart").code == 0
    together, apart = (
        {path.name: path.read_bytes() for path in (bench.work / out).iterdir()} for out in ("together", "apart")
    )
    assert together == apart


def test_the_locks_named_are_those_that_lock_writes(bench: Workbench, run: Run) -> None:
    assert run("lock", "recipes/").code == 0
    jobs: list[dict[str, Any]] = json.loads(run("matrix", "recipes/").stdout)["jobs"]
    written = {path.relative_to(bench.work).as_posix() for path in (bench.work / "recipes").rglob("pylock.*")}
    assert {job["lock"] for job in jobs} == written


def test_a_layer_of_files_has_no_lock(recipes: Path, run: Run) -> None:
    folder = recipes / "files"
    folder.mkdir()
    (folder / "recipe.toml").write_text(
        '[layer]\nname = "files"\nruntimes = ["provided.al2023", "python3.13"]\n'
        '[[files]]\nsource = "recipe.toml"\ntarget = "it"\n',
        encoding="utf-8",
    )
    jobs = json.loads(run("matrix", "recipes/files/recipe.toml").stdout)["jobs"]
    assert [(job["runtime"], job["lock"]) for job in jobs] == [("provided.al2023", None), ("python3.13", None)]


def test_a_recipe_named_twice_is_there_once(run: Run) -> None:
    assert run("matrix", "recipes/one", "recipes/", "recipes/one/recipe.toml").stdout.count('"one"') == 4


def test_more_jobs_than_a_system_takes_are_refused(recipes: Path, run: Run) -> None:
    for number in range(50):
        recipe(recipes / f"more-{number}")
    assert run("matrix", "recipes/", "--format", "github").code == 0
    answer = run("matrix", "recipes/", "--format", "gitlab")
    assert (answer.code, answer.stdout) == (2, "")
    assert "are 205 layers, and a `parallel:matrix` of GitLab has 200 jobs at most" in answer.stderr
    for number in range(50, 63):
        recipe(recipes / f"more-{number}")
    assert (
        "257 layers, and a matrix of GitHub Actions has 256" in run("matrix", "recipes/", "--format", "github").stderr
    )
    assert len(json.loads(run("matrix", "recipes/").stdout)["jobs"]) == 257


@pytest.mark.parametrize(
    ("argv", "problem"),
    [
        pytest.param(("app",), "no recipe at `app`", id="requirement"),
        pytest.param(("./nowhere",), "no recipe at `nowhere`", id="nothing there"),
        pytest.param(("empty",), "hint: a recipe is a .toml file", id="folder without recipes"),
        pytest.param(("recipes/", "--json", "--format", "gitlab"), "exclude each other", id="two formats"),
        pytest.param(("recipes/", "--format", "jenkins"), "'jenkins' is not one of", id="format"),
    ],
)
def test_what_cannot_be_meant_is_refused(argv: tuple[str, ...], problem: str, run: Run) -> None:
    answer = run("matrix", *argv)
    assert (answer.code, answer.stdout) == (2, "")
    assert problem in answer.stderr
