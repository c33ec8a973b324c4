"""A remote file that is read here and there: by ranges over HTTP, in blocks, each of them once.

Made for links that carry their own signature: no credentials, no netrc, no ``HEAD``. The first request brings the end
of the file, where a zip has its directory, and with it the length of the whole.
"""

import io
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final, cast
from urllib.parse import urlsplit

from layerkit.errors import FetchError
from layerkit.http import Client, Interrupted, Patience, Slice
from layerkit.http_errors import CertificateRefused
from layerkit.index import IndexSettings

BLOCK: Final = 32 * 1024  # bytes
TAIL: Final = 256 * 1024  # bytes
_USABLE: Final = frozenset({200, 206, 416})
_OVER: Final = frozenset({401, 403, 404, 410})
_AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504})


class RemoteUnreadable(FetchError):
    """A remote file that cannot be read by ranges."""

    def __init__(self, *, url: str, reason: str) -> None:
        super().__init__(f"cannot read from `{urlsplit(url).hostname or 'its link'}`: {reason}")
        self.reason = reason


class LinkUnusable(RemoteUnreadable):
    """A link that does not lead to a server at all, as those of some stand-ins for AWS."""

    def __init__(self, *, url: str) -> None:
        scheme = urlsplit(url).scheme
        super().__init__(url=url, reason=f"AWS's link to it is `{scheme}:`, which cannot be downloaded")


class _Over(Exception):
    """A link that does not work, or no longer."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def link_client(patience: Patience | None = None) -> Client:
    """Return a client for links that carry their own signature: it knows no credentials."""
    bundle = os.environ.get("AWS_CA_BUNDLE")
    return Client(IndexSettings(urls=(), ca_bundle=Path(bundle) if bundle else None), patience=patience)


class RemoteFile(io.BufferedIOBase):
    """A seekable file behind a link. ``locate`` gives the link, and another one when that has expired.

    ``bytes_read`` counts what came over the network. For one thread at a time. Raises ``RemoteUnreadable``.
    """

    def __init__(
        self,
        client: Client,
        locate: Callable[[], str],
        *,
        patience: Patience | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.bytes_read = 0
        self._client = client
        self._locate = locate
        self._patience = patience or Patience()
        self._sleep = sleep
        self._url = _checked(locate())
        self._etag: str | None = None
        self._blocks: dict[int, bytes] = {}
        self._position = 0
        self._size, self._tail = self._open()

    @property
    def stream(self) -> BinaryIO:
        """The file itself, for whoever wants a ``BinaryIO``."""
        return cast("BinaryIO", self)

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def seekable(self) -> bool:
        """Tell that it can be read anywhere."""
        return True

    def tell(self) -> int:
        """Return where the next byte comes from."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move, without reading."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = max(0, start + offset)
        return self._position

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next ``size`` bytes, or all that follow."""
        end = self._size if size is None or size < 0 else min(self._size, self._position + size)
        start, self._position = self._position, max(self._position, end)
        return self._between(start, end) if start < end else b""

    def _between(self, start: int, end: int) -> bytes:
        tail_start = self._size - len(self._tail)
        if start >= tail_start:
            return self._tail[start - tail_start : end - tail_start]
        if end > tail_start:
            return self._between(start, tail_start) + self._tail[: end - tail_start]
        first, last = start // BLOCK, (end - 1) // BLOCK
        self._load(first, last, tail_start)
        whole = b"".join(self._blocks[number] for number in range(first, last + 1))
        return whole[start - first * BLOCK : end - first * BLOCK]

    def _load(self, first: int, last: int, tail_start: int) -> None:
        """Bring the blocks that are missing, in one request."""
        missing = [number for number in range(first, last + 1) if number not in self._blocks]
        if not missing:
            return
        start, end = missing[0] * BLOCK, min((missing[-1] + 1) * BLOCK, tail_start)
        content = self._fetch(start, end)
        for at in range(0, len(content), BLOCK):
            self._blocks[(start + at) // BLOCK] = content[at : at + BLOCK]

    def _open(self) -> tuple[int, bytes]:
        answer = self._persist(f"bytes=-{TAIL}", self._check_tail, most=TAIL)
        self._etag = answer.etag
        return (answer.start + len(answer.content)), answer.content

    def _check_tail(self, answer: Slice) -> Slice:
        match answer.status:
            case 416:  # so S3 answers where nothing is there
                return Slice(status=answer.status, start=0, total=0, etag=answer.etag, content=b"")
            case 200 if len(answer.content) < TAIL:
                return answer
            case 200:
                raise RemoteUnreadable(url=self._url, reason="the server does not send parts of a file")
            case _ if answer.total is None or answer.start + len(answer.content) != answer.total:
                raise Interrupted("it sent less than it said")
            case _:
                return answer

    def _fetch(self, start: int, end: int) -> bytes:
        def check(answer: Slice) -> Slice:
            if answer.etag != self._etag or answer.total != self._size:
                raise RemoteUnreadable(url=self._url, reason="the file changed while it was read")
            if answer.start != start or len(answer.content) != end - start:
                raise Interrupted("it sent less than it said")
            return answer

        return self._persist(f"bytes={start}-{end - 1}", check, most=end - start).content

    def _persist(self, span: str, check: Callable[[Slice], Slice], *, most: int) -> Slice:
        """Ask until an answer passes ``check``; take a new link once where the old one has expired."""
        failures, renewed = 0, False
        while True:
            try:
                return check(self._ask(span, most))
            except _Over as exc:
                if renewed:
                    raise RemoteUnreadable(url=self._url, reason=f"the link does not work ({exc.status})") from exc
                self._url, renewed = _checked(self._locate()), True
            except Interrupted as exc:
                failures += 1
                if failures >= self._patience.attempts:
                    raise RemoteUnreadable(url=self._url, reason=exc.reason) from exc
                self._sleep(self._patience.pause(failures))

    def _ask(self, span: str, most: int) -> Slice:
        try:
            answer = self._client.read_range(self._url, span, most=most)
        except CertificateRefused:
            raise
        except FetchError as exc:  # its words may hold the link, and that is a secret
            raise RemoteUnreadable(url=self._url, reason="its link cannot be opened") from exc
        if answer.status in _OVER:
            raise _Over(answer.status)
        if answer.status in _AGAIN:
            raise Interrupted(f"it answered {answer.status}")
        if answer.status not in _USABLE:
            raise RemoteUnreadable(url=self._url, reason=f"it answered {answer.status}")
        self.bytes_read += len(answer.content)
        return answer


def _checked(url: str) -> str:
    if urlsplit(url).scheme not in {"http", "https"}:
        raise LinkUnusable(url=url)
    return url
