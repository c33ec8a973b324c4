"""Arguments that mean something else than they say, and what is said of them."""

import json
from collections.abc import Callable

import pytest

from tests.workbench import TARGET, Answer, Workbench

Run = Callable[..., Answer]


@pytest.mark.parametrize(
    "argument",
    ["aa @ https://user:s3cr3tPW@h/aa.whl bad bad", "https://user:s3cr3tPW@h/aa.whl", "./https://user:s3cr3tPW@h/aa"],
)
def test_no_message_about_an_argument_shows_a_password(run: Run, argument: str) -> None:
    answer = run("build", argument)
    assert answer.code == 2
    assert "s3cr3tPW" not in answer.stderr + answer.stdout


def test_no_message_about_an_option_shows_a_password(run: Run) -> None:
    answer = run("build", "app", "--builder", "https://user:s3cr3tPW@h/")
    assert answer.code == 2
    assert "s3cr3tPW" not in answer.stderr


def test_a_folder_of_a_distributions_name_is_told(bench: Workbench, run: Run) -> None:
    (bench.work / "app").mkdir()
    answer = run("build", "app", *TARGET)
    assert answer.code == 2
    assert "write `app>=0`" in answer.stderr


def test_a_wheels_path_is_told_how_to_be_required(bench: Workbench, run: Run) -> None:
    answer = run("build", "./app-1.0-py3-none-any.whl")
    assert answer.code == 2
    assert f"`app @ {bench.work.as_uri().replace(str(bench.root), 'ROOT')}/app-1.0-py3-none-any.whl`" in answer.stderr


@pytest.mark.parametrize("option", ["--out", "--lock-dir"])
@pytest.mark.parametrize("below", ["", "/deeper"])
def test_an_output_folder_that_is_a_file_is_told_as_that(bench: Workbench, run: Run, option: str, below: str) -> None:
    (bench.work / "file").write_bytes(b"")
    answer = run("build", "app", *TARGET, option, f"file{below}")
    assert answer.code == 2
    assert f"`{option} file{below}` is a file, not a folder" in answer.stderr


def test_a_stack_part_that_is_not_there_is_told_as_that(run: Run) -> None:
    answer = run("build", "app", *TARGET, "--stack", "nope.zip")
    assert answer.code == 2
    assert "there is no such file" in answer.stderr


def test_a_size_of_the_stack_is_still_a_size(run: Run) -> None:
    assert run("build", "app", *TARGET, "--stack", "1.5 MiB").code == 0


def test_a_lock_of_uv_that_is_not_there_is_told_as_that(run: Run) -> None:
    answer = run("build", "-r", "uv.lock")
    assert answer.code == 2
    assert "there is no file `uv.lock`" in answer.stderr


def test_locked_and_upgrade_contradict_each_other(run: Run) -> None:
    answer = run("build", "app", *TARGET, "--locked", "--upgrade")
    assert answer.code == 2
    assert "contradict" in answer.stderr


def test_an_index_without_a_scheme_is_refused_as_usage(run: Run) -> None:
    answer = run("build", "app", *TARGET, "--index-url", "localhost:1/simple")
    assert answer.code == 2
    assert "https://host/simple" in answer.stderr


def test_names_that_match_nothing_are_warned_of(run: Run) -> None:
    answer = run("build", "app", *TARGET, "--exclude", "botcore", "--upgrade-package", "nosuch")
    assert answer.code == 0
    assert "`botcore`" in answer.stderr
    assert "`nosuch`" in answer.stderr


def test_requirements_for_other_targets_only_are_told(run: Run) -> None:
    answer = run("build", "app ; python_version < '3'", *TARGET)
    assert "the marker of none holds" in answer.stderr


def test_verbose_tells_indexes_lock_and_contents_without_passwords(bench: Workbench, run: Run) -> None:
    url = bench.index.url.replace("://", "://me:s3cr3tPW@")
    first = run("build", "app", *TARGET, "-v", "--index-url", url)
    assert first.code == 0
    assert "indexes http://INDEX" in first.stderr
    assert "is not there yet" in first.stderr
    assert "dep 2.0" in first.stderr
    assert "s3cr3tPW" not in first.stderr
    assert "is current" in run("build", "app", *TARGET, "-v", "--index-url", url).stderr
    assert "indexes" not in run("build", "app", *TARGET, "--index-url", url).stderr
    assert "is current" in run("lock", "app", *TARGET, "--lock-dir", "dist", "-v", "--index-url", url).stderr


def test_recipes_of_one_name_do_not_overwrite_each_other(bench: Workbench, run: Run) -> None:
    for folder in ("one", "two"):
        (bench.work / "all" / folder).mkdir(parents=True)
        text = f"[layer]\nname = {json.dumps('same')}\nrequirements = ['dep']\n"
        (bench.work / "all" / folder / "recipe.toml").write_text(text, encoding="utf-8")
    answer = run("build", "--all", "all", *TARGET)
    assert answer.code == 2
    assert "one/recipe.toml" in answer.stderr
    assert "two/recipe.toml" in answer.stderr
