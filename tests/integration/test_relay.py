"""The relay for real, without a container: a program behind it, its streams, its connections, its end."""

import contextlib
import json
import os
import selectors
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from layerkit.invoke import relay
from layerkit.invoke.relayed import Relayed
from layerkit.invoke.runtime_api import Answered, Event, Ready, RuntimeApi
from layerkit.sandbox.container_errors import EngineLost
from layerkit.sandbox.process import Conversation, start

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="relays run in Linux containers")

HELPERS = """
import http.client, os, signal, socket, sys, time
API = os.environ["AWS_LAMBDA_RUNTIME_API"]
def ask(method, path, body=None):
    connection = http.client.HTTPConnection(API, timeout=20)
    connection.request(method, "/2018-06-01/runtime/" + path, body=body)
    response = connection.getresponse()
    return response.getheader("Lambda-Runtime-Aws-Request-Id"), response.read()
"""
Behind = Callable[..., Relayed]


@pytest.fixture
def behind(tmp_path: Path) -> Iterator[Behind]:
    """Return how to start a program (Python) behind a relay."""
    with contextlib.ExitStack() as stack:

        def begin(program: str, *, port: int = 9, quiet: bool = False, command: list[str] | None = None) -> Relayed:
            line = start([sys.executable, "-I", "-S", relay.__file__], environment={}, folder=tmp_path)
            order = {
                "command": command or [sys.executable, "-c", HELPERS + program],
                "environment": {"X": "got"},
                "folder": str(tmp_path),
                "user": None,
                "group": None,
            }
            line.say(json.dumps(order) + "\n")
            relayed = Relayed(line=line, port=port, quiet=quiet)
            stack.callback(relayed.end)
            return relayed

        yield begin


def test_what_is_said_is_heard_and_answered(behind: Behind, tmp_path: Path) -> None:
    talk = behind("[print(os.environ['X'], os.getcwd(), line.strip(), flush=True) for line in sys.stdin]")
    lines = talk.lines()
    talk.say("one\n")
    assert next(lines) == f"got {tmp_path} one\n"
    talk.say("two\n")
    assert next(lines) == f"got {tmp_path} two\n"


def test_the_runtime_api_is_reached_through_it_with_events_and_answers_of_megabytes(behind: Behind) -> None:
    event = os.urandom(3 << 20)
    with RuntimeApi.serving() as api:
        program = "name, event = ask('GET', 'invocation/next')\nask('POST', f'invocation/{name}/response', event[::-1])"
        talk = behind(program, port=int(api.address.rpartition(":")[2]))
        reader = threading.Thread(target=lambda: list(talk.lines()))
        reader.start()
        assert api.signals.get(timeout=20) == Ready()
        api.hand_over(Event(request_id="one", body=event, headers={}))
        assert api.signals.get(timeout=20) == Answered(request_id="one", body=event[::-1])
        reader.join(20)
        assert not reader.is_alive()


@pytest.fixture
def both_at_once(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[relay.Relay, list[tuple[int, bytes]]]]:
    """Return a relay that finds something on stderr and on a connection, and what it tells."""
    told: list[tuple[int, bytes]] = []
    monkeypatch.setattr(relay, "tell", lambda stream, data: told.append((stream, data)))
    found = relay.Relay.__new__(relay.Relay)
    found.selector = selectors.DefaultSelector()
    found.program = relay.Program.__new__(relay.Program)
    found.program.stderr, writing = os.pipe()
    os.set_blocking(found.program.stderr, False)
    os.write(writing, b"log")
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as near:
        found.connections = {2: relay.Connection(server.accept()[0])}
        near.sendall(b"answer")
        with found.connections[2].socket, found.selector:
            yield found, told
    for each in (found.program.stderr, writing):
        os.close(each)


def test_what_was_written_to_stderr_comes_before_what_was_sent_later(
    both_at_once: tuple[relay.Relay, list[tuple[int, bytes]]],
) -> None:
    """So a function's log is complete when its answer is there."""
    found, told = both_at_once
    found.serve(2, selectors.EVENT_READ)
    assert told == [(1, b"log"), (2, b"answer")]


def test_a_connection_that_was_closed_in_the_same_selection_is_left_alone(
    both_at_once: tuple[relay.Relay, list[tuple[int, bytes]]],
) -> None:
    found, told = both_at_once
    found.hand_over(2, b"")
    found.serve(2, selectors.EVENT_READ)
    assert told == []


def test_what_was_sent_just_before_the_end_still_comes(
    both_at_once: tuple[relay.Relay, list[tuple[int, bytes]]],
) -> None:
    found, told = both_at_once
    found.tell_rest()
    assert told == [(1, b"log"), (2, b"answer"), (0, b"")]


def test_stderr_can_go_nowhere_or_through_a_sieve(behind: Behind, capfd: pytest.CaptureFixture[str]) -> None:
    seen: list[bytes] = []

    def sieve(piece: bytes) -> bytes:
        seen.append(piece)
        return piece.upper()

    program = "os.write(2, b'complaint')"
    assert list(behind(program, quiet=True).lines()) == []
    assert capfd.readouterr().err == ""
    talk = behind(program)
    talk.sieve = sieve
    assert list(talk.lines()) == []
    assert capfd.readouterr().err == "COMPLAINT"
    assert (b"".join(seen), seen[-1]) == (b"complaint", b"")


def test_a_program_is_asked_to_end_and_one_that_does_not_is_killed(behind: Behind) -> None:
    """It is asked by the end of its stdin."""
    program = "print(os.getpid(), flush=True)\nsys.stdin.read()\nprint('bye', flush=True)\n"
    polite, stubborn = behind(program), behind(program + "time.sleep(600)\n")
    for talk, last in ((polite, ["bye\n"]), (stubborn, ["bye\n"])):
        lines = talk.lines()
        pid = int(next(lines))
        rest: list[str] = []
        reader = threading.Thread(target=rest.extend, args=(lines,))
        reader.start()
        began = time.monotonic()
        talk.end()
        reader.join(20)
        assert (rest, reader.is_alive()) == (last, False)
        assert time.monotonic() - began < 15
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_the_program_ends_with_its_relay_not_the_other_way_round(behind: Behind) -> None:
    """Also where nobody asked for the end: whoever was connected has gone."""
    talk = behind("print(os.getpid(), flush=True)\nsys.stdin.read()")
    pid = int(next(talk.lines()))
    talk.line.end()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_relay_that_breaks_off_is_no_fault_of_the_program(behind: Behind) -> None:
    talk = behind("os.kill(os.getppid(), signal.SIGKILL)\nsys.stdin.read()")
    with pytest.raises(EngineLost, match="broke off"):
        list(talk.lines())


def test_a_program_that_cannot_be_started_is_told(behind: Behind, capfd: pytest.CaptureFixture[str]) -> None:
    assert list(behind("", command=["/no/such"]).lines()) == []
    assert "/no/such: No such file or directory" in capfd.readouterr().err


def test_a_connection_that_nobody_takes_is_closed(behind: Behind) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    program = (
        "host, _, port = API.partition(':')\nwith socket.create_connection((host, port)) as connection:\n"
        "    connection.send(b'hello')\n    print(repr(connection.recv(1)), flush=True)"
    )
    assert list(behind(program, port=port).lines()) == ["b''\n"]


def test_a_client_that_has_said_all_still_gets_its_answer(behind: Behind) -> None:
    with RuntimeApi.serving() as api:
        program = (
            "host, _, port = API.partition(':')\nwith socket.create_connection((host, port)) as connection:\n"
            "    connection.send(b'GET /nothing HTTP/1.1\\r\\n\\r\\n')\n    connection.shutdown(socket.SHUT_WR)\n"
            "    print(connection.makefile().readline().strip(), flush=True)"
        )
        talk = behind(program, port=int(api.address.rpartition(":")[2]))
        assert list(talk.lines()) == ["HTTP/1.1 404 Not Found\n"]


def test_conversations_of_both_kinds_are_the_same_to_whoever_has_one() -> None:
    names = {"say", "lines", "end"}
    assert names <= set(dir(Conversation))
    assert names <= set(dir(Relayed))
