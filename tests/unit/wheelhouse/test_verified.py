"""Bytes are held to the lock while they come, and counted once."""

import hashlib
import io
from dataclasses import replace

import pytest

from layerkit.model.lock import LockedFile
from layerkit.wheelhouse.fetch_errors import HashMismatch, NotCached, SeveralFailures, SizeMismatch
from layerkit.wheelhouse.verified import Counter, Verified

CONTENT = b"twelve bytes"
FILE = LockedFile(
    name="a.whl", url="https://host/a.whl", path=None, size=12, sha256=hashlib.sha256(CONTENT).hexdigest()
)


class Told:
    def __init__(self) -> None:
        self.steps: list[int] = []

    def advance(self, amount: int) -> None:
        self.steps.append(amount)


def verified(file: LockedFile = FILE, counter: Counter | None = None) -> Verified:
    return Verified(file=file, source="`here`", target=io.BytesIO(), counter=counter or Counter(Told()))


def test_the_right_bytes_pass_in_whatever_pieces() -> None:
    written = verified()
    for piece in (b"twelve", b"", b" bytes"):
        written.add(piece)
    written.finish()
    assert written.target.tell() == 12


def test_a_byte_too_many_is_refused_before_it_is_written() -> None:
    written = verified()
    written.add(CONTENT)
    with pytest.raises(SizeMismatch):
        written.add(b"!")
    assert written.target.tell() == 12


def test_a_byte_too_few_is_refused_at_the_end() -> None:
    written = verified()
    written.add(CONTENT[:-1])
    with pytest.raises(SizeMismatch) as caught:
        written.finish()
    assert caught.value.details == ("expected 12 bytes", "got 11 bytes", "from `here`")


@pytest.mark.parametrize("size", [12, None])
def test_other_bytes_are_refused_at_the_end(size: int | None) -> None:
    written = verified(replace(FILE, size=size))
    written.add(CONTENT[::-1])
    with pytest.raises(HashMismatch):
        written.finish()


def test_bytes_that_come_again_are_not_counted_again() -> None:
    told = Told()
    counter = Counter(told)
    for pieces in ((b"twelve", b" by"), (b"twe", b"lve bytes")):
        written = verified(counter=counter)
        for piece in pieces:
            written.add(piece)
    assert told.steps == [6, 3, 3]


def test_several_failures_give_each_hint_once() -> None:
    failures = [NotCached(names=["a"]), NotCached(names=["b", "c"])]
    error = SeveralFailures(failures=failures)
    assert error.hint == failures[0].hint
    assert [line.strip() for line in error.details][1::2] == ["a", "b"]
