"""Conversations with programs in containers: lines out of frames, and whose fault it is when they break off."""

import contextlib
import struct
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

import pytest

from layerkit.sandbox.container_errors import ContainerDied, EngineLost
from layerkit.sandbox.container_talk import ContainerConversation

if TYPE_CHECKING:
    from layerkit.sandbox.container_api import Connection


def frame(stream: int, content: bytes) -> bytes:
    return struct.pack(">BxxxL", stream, len(content)) + content


class Line:
    """A connection from which these bytes come; then it ends, or waits until somebody hangs up."""

    def __init__(self, content: bytes, *, waits: bool = False) -> None:
        self.content = content
        self.waits = waits
        self.sent = b""
        self.closed = False
        self.hung_up = threading.Event()

    def send(self, content: bytes) -> None:
        if self.closed:
            raise OSError
        self.sent += content

    def receive(self, size: int, *, patience: float | None) -> bytes:
        assert patience, "a read without a limit blocks writers of the same TLS connection"
        piece, self.content = self.content[:size], self.content[size:]
        if not piece and self.waits:
            self.hung_up.wait(10)
        return piece

    def hang_up(self) -> None:
        self.hung_up.set()

    def close(self) -> None:
        self.closed = True


@contextlib.contextmanager
def alive() -> Iterator[None]:
    """Translate what a transport raises, as the container does."""
    try:
        yield
    except ConnectionError as exc:
        raise EngineLost(doing="testing", reason=str(exc)) from exc


def conversation(line: Line, *, dead: bool = False, errors: list[bytes] | None = None) -> ContainerConversation:
    def check() -> None:
        if dead:
            raise ContainerDied(image="x")

    heard = [] if errors is None else errors
    return ContainerConversation(connection=cast("Connection", line), errors=heard.append, alive=alive, check=check)


def test_lines_are_put_together_whatever_pieces_they_come_in_and_errors_go_elsewhere() -> None:
    errors: list[bytes] = []
    content = frame(1, b"on") + frame(2, b"oops") + frame(1, b"e\ntw") + frame(1, b"o\nrest")
    assert list(conversation(Line(content), errors=errors).lines()) == ["one\n", "two\n", "rest"]
    assert errors == [b"oops"]


def test_what_is_said_is_sent_and_one_that_is_gone_hears_nothing() -> None:
    line = Line(b"")
    talk = conversation(line)
    talk.say("hello\n")
    assert line.sent == b"hello\n"
    line.close()
    talk.say("anybody?")


def test_a_container_that_died_is_to_blame_and_a_program_that_ended_is_not() -> None:
    assert list(conversation(Line(b"")).lines()) == []
    with pytest.raises(ContainerDied):
        list(conversation(Line(b""), dead=True).lines())


def test_a_connection_that_breaks_off_is_to_blame_unless_it_was_to_end() -> None:
    torn = frame(1, b"one\ntwo")[:-2]
    with pytest.raises(EngineLost):
        list(conversation(Line(torn)).lines())
    talk = conversation(Line(torn), dead=True)
    talk.end()
    assert list(talk.lines()) == ["one\n", "t"]


def test_the_end_hangs_up_on_whoever_still_reads() -> None:
    line = Line(frame(1, b"one\n"), waits=True)
    talk = conversation(line, dead=True)
    lines = talk.lines()
    assert next(lines) == "one\n"
    rest: list[str] = []
    reader = threading.Thread(target=lambda: rest.extend(lines))
    reader.start()
    talk.end()
    reader.join(10)
    assert (reader.is_alive(), rest, line.closed) == (False, [], True)
