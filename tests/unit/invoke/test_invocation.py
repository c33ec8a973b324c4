"""Times, memory, and the lines that Lambda logs."""

import pytest

from layerkit.invoke.answer import Answer, too_large
from layerkit.invoke.invocation import Invocation, mib


def invocation(answer: Answer | None = None, *, duration_ms: float = 2.341, init_ms: float | None = None) -> Invocation:
    return Invocation(
        request_id="id",
        answer=answer or Answer(body='{"a": 1}'),
        duration_ms=duration_ms,
        init_ms=init_ms,
        memory_mib=37,
        limit_mib=128,
    )


def test_a_warm_invocation_is_reported_without_a_start() -> None:
    assert list(invocation().log()) == [
        "END RequestId: id",
        "REPORT RequestId: id\tDuration: 2.34 ms\tBilled Duration: 3 ms\tMemory Size: 128 MB\tMax Memory Used: 37 MB",
    ]


def test_a_start_is_billed_and_reported() -> None:
    *_, report = invocation(init_ms=100.5).log()
    assert "Billed Duration: 103 ms" in report
    assert report.endswith("Max Memory Used: 37 MB\tInit Duration: 100.50 ms")


def test_a_failure_is_reported_with_its_type() -> None:
    *_, report = invocation(too_large()).log()
    assert report.endswith("\tStatus: error\tError Type: Function.ResponseSizeTooLarge")


def test_a_timeout_is_reported_as_one_and_logged_before_the_end() -> None:
    first, *_, report = invocation(Answer(body="", failed=True, kind="Sandbox.Timedout", log=("late",))).log()
    assert first == "late"
    assert report.endswith("\tStatus: timeout")


def test_json_holds_the_answer_and_exact_times() -> None:
    assert invocation(init_ms=10).as_json() == {
        "request_id": "id",
        "status": "succeeded",
        "error_type": None,
        "answer": {"a": 1},
        "duration_ms": 2.34,
        "billed_ms": 13,
        "init_ms": 10,
        "memory_mib": 37,
    }


@pytest.mark.parametrize("body", ["NaN", "no JSON"])
def test_an_answer_that_is_no_json_is_there_as_text(body: str) -> None:
    """Python's ``json`` writes NaN, and Lambda passes it on."""
    found = invocation(Answer(body=body)).as_json()
    assert (found["answer"], found["body"]) == (None, body)


@pytest.mark.parametrize(("size", "expected"), [(0, 1), (1, 1), (1024 * 1024, 1), (1024 * 1024 + 1, 2)])
def test_memory_is_rounded_up(size: int, expected: int) -> None:
    assert mib(size) == expected
