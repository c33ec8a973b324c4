"""``layerkit lock``, and locks under ``layerkit build``."""

import json
import re
import shlex
from collections.abc import Callable

import pytest

from tests.workbench import TARGET, Answer, Workbench, add_wheel

Run = Callable[..., Answer]
Transcript = Callable[[Answer], None]
RECIPE = '[layer]\nname = "mine"\nrequirements = ["{}"]\nruntimes = ["python3.12"]\n'


@pytest.fixture
def recipe(bench: Workbench) -> str:
    (bench.work / "mine").mkdir()
    (bench.work / "mine" / "recipe.toml").write_text(RECIPE.format("app"), encoding="utf-8")
    return "mine"


def change(bench: Workbench) -> None:
    (bench.work / "mine" / "recipe.toml").write_text(RECIPE.format("app>=1"), encoding="utf-8")


def command_in(hint: str) -> list[str]:
    """Return the arguments of the command that a hint names."""
    match = re.search(r"`layerkit ([^`]*)`", hint)
    assert match, hint
    return shlex.split(match[1])


def test_lock_text(recipe: str, run: Run, transcript: Transcript) -> None:
    transcript(run("lock", recipe))


def test_lock_json(recipe: str, run: Run) -> None:
    answer = run("lock", recipe, "--json")
    packages = [{"name": "app", "version": "1.0"}, {"name": "dep", "version": "2.0"}]
    path = "mine/pylock.mine-py312-x86_64.toml"
    lock = {"name": "mine", "target": "python3.12-x86_64", "path": path, "packages": packages}
    assert json.loads(answer.stdout) == {"version": 1, "locks": [lock]}


def test_lock_check_missing(recipe: str, run: Run, transcript: Transcript) -> None:
    transcript(run("lock", recipe, "--check"))


def test_lock_check_current(recipe: str, run: Run, transcript: Transcript) -> None:
    run("lock", recipe)
    transcript(run("lock", recipe, "--check"))


def test_lock_check_stale_json(bench: Workbench, recipe: str, run: Run) -> None:
    run("lock", recipe)
    change(bench)
    answer = run("lock", recipe, "--check", "--json")
    assert answer.code == 1
    assert json.loads(answer.stdout) == {"version": 1, "stale": ["mine/pylock.mine-py312-x86_64.toml"]}


def test_locked_missing(recipe: str, run: Run, transcript: Transcript) -> None:
    transcript(run("build", recipe, "--locked"))


def test_locked_stale(bench: Workbench, recipe: str, run: Run, transcript: Transcript) -> None:
    assert run("lock", recipe).code == 0
    change(bench)
    transcript(run("build", recipe, "--locked"))


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(("mine",), id="a recipe"),
        pytest.param(("mine", "--runtime", "python3.13", "--arch", "arm64"), id="another target"),
        pytest.param(("mine", "--exclude", "dep"), id="an exclusion"),
        pytest.param(("app", *TARGET), id="a requirement"),
        pytest.param(("app", "dep<2", "--out", "elsewhere"), id="requirements and a folder"),
        pytest.param(("app", "--lock-dir", "locks"), id="a folder for locks"),
        pytest.param(("app", "--name", "other"), id="a name"),
    ],
)
def test_the_command_that_a_missing_lock_names_makes_it(arguments: tuple[str, ...], recipe: str, run: Run) -> None:
    """Pasted as it stands, it writes the very lock that was missing."""
    assert recipe == "mine"
    refused = run("build", *arguments, "--locked")
    assert refused.code == 3, refused
    mended = run(*command_in(refused.stderr.splitlines()[-1]))
    assert mended.code == 0, mended
    assert run("build", *arguments, "--locked").code == 0


def test_a_current_lock_asks_no_index(bench: Workbench, recipe: str, run: Run) -> None:
    assert run("lock", recipe).code == 0
    asked = len(bench.index.requests)
    assert run("build", recipe, "--locked").code == 0
    assert all(one.path.startswith("/files/") for one in bench.index.requests[asked:])


def test_versions_stay_until_they_are_upgraded(bench: Workbench, recipe: str, run: Run) -> None:
    assert run("lock", recipe).code == 0
    add_wheel(bench.shelf, "dep", "3.0")
    versions = [
        {each["name"]: each["version"] for each in json.loads(answer.stdout)["locks"][0]["packages"]}["dep"]
        for answer in (run("lock", recipe, "--json"), run("lock", recipe, "--upgrade-package", "dep", "--json"))
    ]
    assert versions == ["2.0", "3.0"]


def test_a_lock_that_is_damaged_is_told(bench: Workbench, recipe: str, run: Run) -> None:
    assert run("lock", recipe).code == 0
    lock = bench.work / "mine" / "pylock.mine-py312-x86_64.toml"
    lock.write_text(lock.read_text("utf-8").replace("sha256", "md5"), encoding="utf-8")
    answer = run("build", recipe)
    assert answer.code == 3
    assert "is damaged" in answer.stderr
    assert run("build", recipe, "--upgrade").code == 0


def test_offline_with_everything_cached_builds(bench: Workbench, recipe: str, run: Run) -> None:
    assert run("build", recipe).code == 0
    asked = len(bench.index.requests)
    assert run("build", recipe, "--offline").code == 0
    assert len(bench.index.requests) == asked


def test_offline_lock_without_files(bench: Workbench, recipe: str, run: Run, transcript: Transcript) -> None:
    """A lock alone does not build: the files that lack are named."""
    assert run("lock", recipe).code == 0
    assert bench.work.is_dir()
    transcript(run("build", recipe, "--offline"))
