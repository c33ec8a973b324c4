"""Where records of asynchronous invocations go, and what stands in them."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from layerkit.invoke.answer import Answer
from layerkit.invoke.destination import ArnDestination, FileDestination, NoDestination, parse_destination, record_of
from layerkit.invoke.invocation import Invocation

ARN = "arn:aws:lambda:us-east-1:123456789012:function:function"
NOW = datetime(2026, 11, 24, 12, 0, 0, 5000, tzinfo=UTC)


def attempt(body: str, *, failed: bool) -> Invocation:
    answer = Answer(body=body, failed=failed)
    return Invocation(request_id="id", answer=answer, duration_ms=1, init_ms=None, memory_mib=1, limit_mib=128)


def test_the_record_of_a_success_is_lambdas() -> None:
    """As the developer guide shows it."""
    record = record_of([attempt('{"n": 1}', failed=False)], b'{"in": 0}', arn=ARN, now=NOW)
    assert record == {
        "version": "1.0",
        "timestamp": "2026-11-24T12:00:00.005Z",
        "requestContext": {
            "requestId": "id",
            "functionArn": f"{ARN}:$LATEST",
            "condition": "Success",
            "approximateInvokeCount": 1,
        },
        "requestPayload": {"in": 0},
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST"},
        "responsePayload": {"n": 1},
    }


def test_the_record_of_a_failure_counts_the_attempts_and_holds_the_error() -> None:
    error = {"errorType": "ValueError", "errorMessage": "no"}
    record = record_of([attempt(json.dumps(error), failed=True)] * 3, b"{}", arn=ARN, now=NOW)
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 3
    assert record["responseContext"]["functionError"] == "Unhandled"
    assert record["responsePayload"] == error


def test_a_success_after_failures_is_a_success() -> None:
    record = record_of([attempt("{}", failed=True), attempt("2", failed=False)], b"{}", arn=ARN, now=NOW)
    assert (record["requestContext"]["condition"], record["requestContext"]["approximateInvokeCount"]) == ("Success", 2)


def test_an_answer_that_is_no_json_is_recorded_as_text() -> None:
    assert record_of([attempt("plain", failed=False)], b"{}", arn=ARN, now=NOW)["responsePayload"] == "plain"


@pytest.mark.parametrize(
    ("arn", "service", "name"),
    [
        ("arn:aws:sqs:eu-west-1:123456789012:failed", "sqs", "failed"),
        ("arn:aws-cn:sns:cn-north-1:123456789012:failed", "sns", "failed"),
        ("arn:aws:lambda:eu-west-1:123456789012:function:mend:live", "lambda", "function:mend:live"),
    ],
)
def test_queues_topics_and_functions_are_destinations(arn: str, service: str, name: str) -> None:
    found = parse_destination(arn)
    assert isinstance(found, ArnDestination)
    assert (found.arn, found.service, found.name, found.account) == (arn, service, name, "123456789012")


@pytest.mark.parametrize(
    "text",
    [
        "arn:aws:s3:::bucket",
        "arn:aws:sqs:eu-west-1:123456789012:orders.fifo",
        "arn:aws:lambda:eu-west-1:123456789012:layer:x:1",
        "arn:aws:sqs:eu-west-1:12345:orders",
        "arn:nonsense",
    ],
)
def test_other_arns_are_no_destinations(text: str) -> None:
    with pytest.raises(NoDestination):
        parse_destination(text)


@pytest.mark.parametrize(("text", "why"), [("", "no file's name"), ("-", "no file's name"), (".", "is a folder")])
def test_what_can_be_no_file_is_no_destination(text: str, why: str) -> None:
    with pytest.raises(NoDestination, match=why):
        parse_destination(text)


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    destination = parse_destination(str(tmp_path / "record.json"))
    assert isinstance(destination, FileDestination)
    destination.send('{"a": 1}')
    assert (tmp_path / "record.json").read_text() == '{"a": 1}\n'
