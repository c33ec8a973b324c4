"""A remote file in blocks, over a client that answers as told."""

import io
import os
import re
from collections.abc import Callable

import pytest

from layerkit.http import Client, Interrupted, Patience, Slice
from layerkit.http_errors import IndexUnreachable
from layerkit.http_range import BLOCK, TAIL, LinkUnusable, RemoteFile, RemoteUnreadable
from layerkit.index import IndexSettings

CONTENT = os.urandom(3 * TAIL + 1234)
LINK = "https://bucket.s3.amazonaws.com/key?X-Amz-Signature=geheim"
Trouble = Callable[[Slice], Slice]


class Served(Client):
    """Serves ranges of bytes; ``troubles`` are due one after another, each for one request."""

    def __init__(self, content: bytes, *troubles: Trouble | None) -> None:
        super().__init__(IndexSettings(urls=()))
        self.content = content
        self.troubles = list(troubles)
        self.spans: list[str] = []
        self.urls: list[str] = []

    def read_range(self, url: str, span: str, *, most: int) -> Slice:
        self.spans.append(span)
        self.urls.append(url)
        match = re.fullmatch(r"bytes=(\d*)-(\d*)", span)
        assert match
        total = len(self.content)
        start = int(match[1]) if match[1] else max(0, total - int(match[2]))
        end = int(match[2]) + 1 if match[1] else total
        content = self.content[start:end][:most]
        answer = Slice(status=206 if content else 416, start=start, total=total, etag='"1"', content=content)
        trouble = self.troubles.pop(0) if self.troubles else None
        return trouble(answer) if trouble else answer


def changed(**members: object) -> Trouble:
    def change(answer: Slice) -> Slice:
        now = {name: getattr(answer, name) for name in ("status", "start", "total", "etag", "content")} | members
        return Slice(**now)

    return change


def broken(_: Slice) -> Slice:
    raise Interrupted("the connection broke off")


def short(answer: Slice) -> Slice:
    return changed(content=answer.content[:-1])(answer)


def remote(client: Client, *links: str) -> RemoteFile:
    given = list(links or (LINK,))
    return RemoteFile(client, lambda: given.pop(0) if len(given) > 1 else given[0], sleep=lambda _: None)


def test_the_end_and_the_size_come_with_one_request() -> None:
    client = Served(CONTENT)
    with remote(client) as file:
        assert file.seek(0, 2) == len(CONTENT)
        file.seek(-22, 2)
        assert file.read() == CONTENT[-22:]
        assert (client.spans, file.bytes_read) == ([f"bytes=-{TAIL}"], TAIL)


def test_reads_as_a_file_on_disk_reads() -> None:
    ours, theirs = remote(Served(CONTENT)), io.BytesIO(CONTENT)
    for start, size in [(0, 10), (BLOCK - 5, 10), (2 * TAIL - 7, TAIL), (len(CONTENT) - 3, 99), (len(CONTENT) + 9, 5)]:
        assert (ours.seek(start), ours.read(size), ours.tell()) == (
            theirs.seek(start),
            theirs.read(size),
            theirs.tell(),
        )
    assert (ours.seek(0), ours.read()) == (0, CONTENT)
    assert (ours.seek(-4, 1), ours.read(2)) == (len(CONTENT) - 4, CONTENT[-4:-2])


def test_a_block_comes_once_and_neighbours_together() -> None:
    client = Served(CONTENT)
    file = remote(client)
    file.read(10), file.read(10)
    assert client.spans[1:] == [f"bytes=0-{BLOCK - 1}"]
    file.seek(0)
    file.read(3 * BLOCK)
    assert client.spans[2:] == [f"bytes={BLOCK}-{3 * BLOCK - 1}"]


@pytest.mark.parametrize("content", [b"", b"x", CONTENT[:TAIL]])
def test_a_small_file_takes_one_request(content: bytes) -> None:
    client = Served(content)
    file = remote(client)
    assert (file.read(), len(client.spans)) == (content, 1)


def test_what_breaks_off_or_comes_short_is_asked_for_again() -> None:
    client = Served(CONTENT, broken, short, changed(status=503), None, broken, short, changed(start=7))
    file = remote(client)
    assert file.read(5) == CONTENT[:5]
    assert len(client.spans) == 8


def test_patience_ends() -> None:
    client = Served(CONTENT, *[broken] * Patience().attempts)
    with pytest.raises(RemoteUnreadable, match="the connection broke off"):
        remote(client)


def test_an_expired_link_is_replaced_once() -> None:
    client = Served(CONTENT, None, changed(status=403), None, changed(status=403), changed(status=403))
    file = remote(client, LINK, "https://new/key")
    assert file.read(5) == CONTENT[:5]
    assert client.urls == [LINK, LINK, "https://new/key"]
    file.seek(5 * BLOCK)
    with pytest.raises(RemoteUnreadable, match=r"the link does not work \(403\)"):
        file.read(5)


@pytest.mark.parametrize("trouble", [changed(etag='"2"'), changed(total=7)])
def test_a_file_that_changes_meanwhile_is_not_read_further(trouble: Trouble) -> None:
    file = remote(Served(CONTENT, None, trouble))
    with pytest.raises(RemoteUnreadable, match="changed while it was read"):
        file.read(5)


def test_a_server_without_ranges_is_refused_unless_the_file_is_small() -> None:
    with pytest.raises(RemoteUnreadable, match="does not send parts"):
        remote(Served(CONTENT, changed(status=200, start=0, content=CONTENT[:TAIL])))
    assert remote(Served(b"abc", changed(status=200, start=0, total=None))).read() == b"abc"


def test_an_odd_status_is_told() -> None:
    with pytest.raises(RemoteUnreadable, match="it answered 418"):
        remote(Served(CONTENT, changed(status=418)))


def test_no_error_shows_the_link() -> None:
    def unreachable(_: Slice) -> Slice:
        raise IndexUnreachable(url=LINK, reason=f"Failed to parse: {LINK}")

    for trouble in (unreachable, changed(status=418)):
        with pytest.raises(RemoteUnreadable) as caught:
            remote(Served(CONTENT, trouble))
        assert "geheim" not in f"{caught.value!r} {caught.value.message} {caught.value.hint} {caught.value.details}"
        assert "bucket.s3.amazonaws.com" in caught.value.message


def test_a_link_that_is_no_url_is_refused_before_anything_is_asked() -> None:
    client = Served(CONTENT)
    with pytest.raises(LinkUnusable, match="`s3:`"):
        remote(client, "s3://bucket/key")
    assert client.spans == []
