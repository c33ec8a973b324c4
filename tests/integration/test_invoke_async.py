"""Asynchronous invocations: retries, and records that reach queues, topics and functions through moto's server."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from layerkit.aws.access import Access
from layerkit.aws.sessions import close_sessions, open_session
from tests.interpreters import find_python
from tests.moto import know_only, moto_server
from tests.workbench import call

pytestmark = [pytest.mark.interpreter, pytest.mark.network]

HERE = "eu-west-1"
ACCOUNT = "123456789012"
QUEUE = f"arn:aws:sqs:{HERE}:{ACCOUNT}:records"
TOPIC = f"arn:aws:sns:{HERE}:{ACCOUNT}:records"
FUNCTION = f"arn:aws:lambda:{HERE}:{ACCOUNT}:function:mend"
CODE = """
import os, time
COUNT = 0
def raises(event, context):
    raise ValueError("no good")
def exits(event, context):
    os._exit(3)
def sleeps(event, context):
    time.sleep(60)
def recovers(event, context):
    global COUNT
    COUNT += 1
    if COUNT < 3:
        raise ValueError(COUNT)
    return {"attempts": COUNT, "request": context.aws_request_id}
"""


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    with moto_server() as url:
        yield url


@pytest.fixture
def queue(moto: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], list[Any]]]:
    """Make a queue, and a topic that feeds it; return how to read what has come."""
    if not find_python("3.12"):
        pytest.skip("needs Python 3.12")
    know_only(moto, HERE, monkeypatch)
    monkeypatch.delenv("PIP_CONFIG_FILE")  # where this machine's index is
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text(CODE)
    requests.post(f"{moto}/moto-api/reset", timeout=10)
    session = open_session(Access())
    sqs, sns = session.service("sqs", HERE), session.service("sns", HERE)
    url = sqs.call("CreateQueue", QueueName="records")["QueueUrl"]
    sns.call("CreateTopic", Name="records")
    sns.call("Subscribe", TopicArn=TOPIC, Protocol="sqs", Endpoint=QUEUE)

    def received() -> list[Any]:
        return [json.loads(each["Body"]) for each in sqs.call("ReceiveMessage", QueueUrl=url).get("Messages", [])]

    yield received
    close_sessions()


def invoke(cache: Path, handler: str, *options: str, expected: int = 1) -> None:
    arguments = ["--runtime", "python3.12", "--cache-dir", str(cache), "--timeout", "1", "--async", *options]
    assert call("invoke", f"app.{handler}", *arguments, "--event", '{"a": 1}') == expected


@pytest.mark.parametrize(
    ("handler", "kind"),
    [("raises", "ValueError"), ("exits", "Runtime.ExitError"), ("sleeps", "Sandbox.Timedout")],
)
def test_each_kind_of_failure_reaches_a_queue(
    handler: str, kind: str, queue: Callable[[], list[Any]], cache: Path
) -> None:
    invoke(cache, handler, "--on-failure", QUEUE, "--retries", "1")
    (record,) = queue()
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 2
    assert record["requestPayload"] == {"a": 1}
    assert record["responsePayload"]["errorType"] == kind


def test_a_failure_reaches_a_topic(queue: Callable[[], list[Any]], cache: Path) -> None:
    invoke(cache, "raises", "--on-failure", TOPIC, "--retries", "0")
    (message,) = queue()
    assert json.loads(message["Message"])["requestContext"]["approximateInvokeCount"] == 1


@pytest.mark.usefixtures("queue")
def test_a_failure_reaches_a_function(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with _Functions.listening() as (url, calls):
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", url)
        invoke(cache, "raises", "--on-failure", FUNCTION, "--retries", "0")
    ((path, kind, body),) = calls
    assert "mend" in path
    assert kind == "Event"
    assert body["responsePayload"]["errorMessage"] == "no good"


def test_what_fails_twice_and_then_succeeds_is_a_success(
    queue: Callable[[], list[Any]], cache: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    invoke(cache, "recovers", "--on-success", "record.json", "--on-failure", QUEUE, expected=0)
    answer = json.loads(capfd.readouterr().out)
    record = json.loads((tmp_path / "record.json").read_text())
    assert answer["attempts"] == 3
    assert record["responsePayload"] == answer
    assert record["requestContext"]["condition"] == "Success"
    assert record["requestContext"]["requestId"] == answer["request"]
    assert queue() == []


def test_a_destination_that_is_not_there_is_an_error_of_aws(
    queue: Callable[[], list[Any]], cache: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    invoke(cache, "raises", "--on-failure", f"{QUEUE}-of-nobody", "--retries", "0", expected=7)
    printed = capfd.readouterr()
    assert "error: " in printed.err
    assert json.loads(printed.out)["errorType"] == "ValueError"  # the answer is told all the same
    assert queue() == []


class _Functions(BaseHTTPRequestHandler):
    """Lambda's own API, as far as ``Invoke`` goes."""

    calls: list[tuple[str, str, Any]]

    @classmethod
    @contextlib.contextmanager
    def listening(cls) -> Iterator[tuple[str, list[tuple[str, str, Any]]]]:
        cls.calls = []
        with HTTPServer(("127.0.0.1", 0), cls) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield f"http://127.0.0.1:{server.server_port}", cls.calls
            server.shutdown()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.calls.append((self.path, self.headers["X-Amz-Invocation-Type"], json.loads(body)))
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass
