"""What ``layerkit invoke`` refuses before anything runs."""

from collections.abc import Callable

import pytest

from tests.workbench import Answer, Workbench

Run = Callable[..., Answer]
Transcript = Callable[[Answer], None]
pytestmark = pytest.mark.usefixtures("bench")


@pytest.mark.parametrize(
    ("event", "why"),
    [
        ("{bad", "is no JSON"),
        ("[1, 2", "is no JSON"),
        ("nowhere.json", "cannot be read: no such file or directory"),
        (".", "cannot be read: is a directory"),
        ("", "of `--event` is empty"),
        ('{"a": NaN}', "is no JSON: it has no NaN"),
        ("[" * 100_000, "is nested too deeply"),
        ('"' + "x" * 6 * 1024 * 1024 + '"', "has 6291458 bytes, over Lambda's 6291456"),
    ],
    ids=["object", "array", "missing", "folder", "empty", "nan", "deep", "large"],
)
def test_an_event_that_lambda_would_not_take_is_refused(run: Run, event: str, why: str) -> None:
    answer = run("invoke", "app.handler", "--event", event)
    assert (answer.code, answer.stdout) == (2, "")
    assert why in answer.stderr


def test_a_file_that_is_no_json_is_refused(run: Run, bench: Workbench) -> None:
    (bench.work / "event.json").write_text("{'single': 'quotes'}")
    answer = run("invoke", "app.handler", "--event", "event.json")
    assert answer.code == 2
    assert "the event `event.json` is no JSON" in answer.stderr


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(("--timeout", "901", "--memory", "127", "--tmp", "10241"), id="limits"),
        pytest.param(("--env", "AWS_LAMBDA_FUNCTION_NAME=x", "--env", "A=1"), id="variables"),
        pytest.param(("--layer", "nowhere.zip"), id="layer"),
        pytest.param(("--code", "nowhere"), id="code"),
        pytest.param(("--runtime", "nodejs24.x"), id="runtime"),
    ],
)
def test_invoke_refuses(run: Run, transcript: Transcript, options: tuple[str, ...]) -> None:
    """All that is wrong with limits and variables is told at once."""
    answer = run("invoke", "app.handler", "--runtime", "python3.12", *options)
    transcript(answer)
    assert answer.code == 2


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--retries", "1"), "`--retries` is for asynchronous invocations"),
        (("--on-success", "x.json"), "`--on-success` is for asynchronous invocations"),
        (("--async", "--repeat", "2"), "`--repeat` and `--async` do not go together"),
        (("--async", "--on-failure", "arn:aws:s3:::bucket"), "it is no ARN of a queue, a topic or a function"),
        (("--async", "--retries", "3"), "3 is not in the range"),
        (("--async", "--on-success", ""), "it is no file's name"),
        (("--layer", ""), "its name is empty"),
    ],
)
def test_options_that_do_not_go_together_are_told(run: Run, options: tuple[str, ...], why: str) -> None:
    answer = run("invoke", "app.handler", *options)
    assert (answer.code, answer.stdout) == (2, "")
    assert why in answer.stderr


def test_whoever_may_have_meant_a_recipe_is_told(run: Run) -> None:
    assert "there is no recipe at that path; layerkit's own" in run("invoke", "requests", "--event", "{bad").stderr
    assert "`recipes/mine` is taken for a handler" in run("invoke", "recipes/mine", "--event", "{bad").stderr
    assert "is taken for a handler" not in run("invoke", "app.handler", "--event", "{bad").stderr
    assert "is taken for" not in run("invoke", "mine", "--runtime", "provided.al2023", "--event", "{bad").stderr
