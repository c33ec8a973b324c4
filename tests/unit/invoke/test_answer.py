"""What Lambda answers when a function fails; the texts are those of real functions and of AWS's own emulator."""

import json
from datetime import UTC, datetime

import pytest

from layerkit.invoke.answer import Answer, exited, raised, timed_out, too_large
from layerkit.invoke.runtime_api import Ended

ID = "8f507cfc-0000-4697-b07a-ac58fc914c95"
DEEP = "[" * 100_000 + "]" * 100_000
EXIT = 8  # bits that a wait status has below an exit status


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (3 << EXIT, "Runtime exited with error: exit status 3"),
        (0 << EXIT, "Runtime exited without providing a reason"),
        (11, "Runtime exited with error: signal: segmentation fault"),
        (11 | 0x80, "Runtime exited with error: signal: segmentation fault"),
        (6, "Runtime exited with error: signal: aborted"),
        (9, "Runtime exited with error: signal: killed"),
        (1, "Runtime exited with error: signal: hangup"),
        (13, "Runtime exited with error: signal: broken pipe"),
        (40, "Runtime exited with error: signal: signal 40"),
    ],
)
def test_a_process_that_ended_is_told_as_lambda_tells_it(status: int, reason: str) -> None:
    answer = exited(ID, Ended(status=status))
    assert json.loads(answer.body) == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {ID} Error: {reason}",
    }
    assert answer.failed
    assert answer.log == (f"RequestId: {ID} Error: {reason}", "Runtime.ExitError")


def test_too_much_memory_is_a_kind_of_its_own() -> None:
    answer = exited(ID, Ended(status=9, exceeded=True))
    assert answer.kind == "Runtime.OutOfMemory"
    assert "signal: killed" in answer.body


def test_that_there_is_nothing_to_start_is_told_in_lambdas_words() -> None:
    text = "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"
    answer = exited(ID, Ended(status=1 << EXIT, entry=text))
    assert (answer.kind, json.loads(answer.body)["errorMessage"]) == (
        "Runtime.InvalidEntrypoint",
        f"RequestId: {ID} Error: {text}",
    )


def test_a_timeout_is_told_in_seconds_with_two_digits() -> None:
    answer = timed_out(ID, 3, now=datetime(2026, 11, 24, 10, 30, 0, 123456, tzinfo=UTC))
    assert answer.body == (
        f'{{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: {ID} Error: Task timed out after 3.00 seconds"}}'
    )
    assert answer.log == (f"2026-11-24T10:30:00.123Z {ID} Task timed out after 3.00 seconds",)


def test_an_answer_that_is_too_large_is_told_with_the_limit() -> None:
    assert json.loads(too_large().body) == {
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
    }


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('{"errorType": "ValueError"}', "ValueError"),
        ("{}", "Function.Unknown"),
        ("[]", "Function.Unknown"),
        ("no JSON", "Function.Unknown"),
        (DEEP, "Function.Unknown"),
    ],
)
def test_the_error_object_of_the_runtime_is_passed_on_as_it_is(body: str, kind: str) -> None:
    answer = raised(body)
    assert (answer.body, answer.kind, answer.failed) == (body, kind, True)


def test_an_answer_that_is_nested_too_deeply_is_its_text() -> None:
    assert Answer(body=DEEP).value == DEEP
