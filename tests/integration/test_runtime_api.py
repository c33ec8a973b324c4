"""The Runtime API over a real socket, spoken to as a runtime would."""

import json
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import pytest

from layerkit.invoke.runtime_api import MOST_BYTES, Answered, Event, InitFailed, Ready, RuntimeApi, TooLarge

NEXT = "/2018-06-01/runtime/invocation/next"
SECONDS = 10


@pytest.fixture
def api() -> Iterator[RuntimeApi]:
    with RuntimeApi.serving() as serving:
        yield serving


def ask(api: RuntimeApi, method: str, path: str, body: Any = None) -> tuple[int, bytes, dict[str, str]]:
    connection = HTTPConnection(api.address, timeout=SECONDS)
    try:
        connection.request(method, path, body=body, encode_chunked=not isinstance(body, bytes | None))
        response = connection.getresponse()
        return response.status, response.read(), dict(response.getheaders())
    finally:
        connection.close()


def hand_over(api: RuntimeApi, request_id: str = "one", body: bytes = b"{}") -> None:
    api.hand_over(Event(request_id=request_id, body=body, headers={"Lambda-Runtime-Deadline-Ms": "99"}))
    assert ask(api, "GET", NEXT)[0] == 200
    assert api.signals.get(timeout=SECONDS) == Ready()


def test_the_runtime_waits_for_an_event_and_gets_it_with_its_headers(api: RuntimeApi) -> None:
    got: list[tuple[int, bytes, dict[str, str]]] = []
    runtime = threading.Thread(target=lambda: got.append(ask(api, "GET", NEXT)))
    runtime.start()
    assert api.signals.get(timeout=SECONDS) == Ready()
    api.hand_over(Event(request_id="one", body=b'{"a": 1}', headers={"Lambda-Runtime-Deadline-Ms": "99"}))
    runtime.join(SECONDS)
    (status, body, headers) = got[0]
    assert (status, body) == (200, b'{"a": 1}')
    assert headers["Lambda-Runtime-Aws-Request-Id"] == "one"
    assert headers["Lambda-Runtime-Deadline-Ms"] == "99"


@pytest.mark.parametrize(("what", "failed"), [("response", False), ("error", True)])
def test_an_answer_is_taken(api: RuntimeApi, what: str, failed: bool) -> None:
    hand_over(api)
    assert ask(api, "POST", f"/2018-06-01/runtime/invocation/one/{what}", b'"x"')[0] == 202
    assert api.signals.get(timeout=SECONDS) == Answered(request_id="one", body=b'"x"', failed=failed)


def test_an_answer_in_chunks_is_taken(api: RuntimeApi) -> None:
    hand_over(api)
    assert ask(api, "POST", "/2018-06-01/runtime/invocation/one/response", iter([b"[1,", b"2]"]))[0] == 202
    assert api.signals.get(timeout=SECONDS) == Answered(request_id="one", body=b"[1,2]")


def test_an_answer_to_another_event_is_refused(api: RuntimeApi) -> None:
    hand_over(api, "two")
    status, body, _ = ask(api, "POST", "/2018-06-01/runtime/invocation/one/response", b"1")
    assert (status, json.loads(body)["errorType"]) == (403, "InvalidRequestID")
    assert api.signals.empty()


def test_the_largest_answer_is_taken_and_a_larger_one_is_not(api: RuntimeApi) -> None:
    path = "/2018-06-01/runtime/invocation/one/response"
    hand_over(api)
    assert ask(api, "POST", path, b"x" * MOST_BYTES)[0] == 202
    assert isinstance(api.signals.get(timeout=SECONDS), Answered)
    status, body, _ = ask(api, "POST", path, b"x" * (MOST_BYTES + 1))
    assert (status, json.loads(body)["errorType"]) == (413, "RequestEntityTooLarge")
    assert api.signals.get(timeout=SECONDS) == TooLarge(request_id="one")


def test_a_function_that_cannot_be_loaded_is_told(api: RuntimeApi) -> None:
    assert ask(api, "POST", "/2018-06-01/runtime/init/error", b"{}")[0] == 202
    assert api.signals.get(timeout=SECONDS) == InitFailed(body=b"{}")


@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("POST", "/2018-06-01/runtime/x"), ("GET", "/2020-01-01/")])
def test_what_there_is_not_is_not_found(api: RuntimeApi, method: str, path: str) -> None:
    assert ask(api, method, path, b"" if method == "POST" else None)[0] == 404


def test_a_runtime_that_still_waits_when_the_api_closes_is_let_go() -> None:
    with RuntimeApi.serving() as api:
        ended = threading.Event()

        def wait() -> None:
            with pytest.raises(OSError):  # noqa: PT011 -- however the connection ends
                ask(api, "GET", NEXT)
            ended.set()

        threading.Thread(target=wait, daemon=True).start()
        assert api.signals.get(timeout=SECONDS) == Ready()
    assert ended.wait(SECONDS)
