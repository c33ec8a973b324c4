"""The only importer of an HTTP library: reads URLs in pieces, with retries, proxies, certificates and passwords.

A caller sees one stream of bytes from an offset on, whatever happens underneath: what breaks off is resumed with a
``Range`` request, or read again from the start where the server has no ranges. Nothing is decoded on the way.
"""

import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import urljoin, urlsplit

from layerkit import __version__
from layerkit.errors import system_reason
from layerkit.http_certificates import verification
from layerkit.http_errors import AccessDenied, CertificateRefused, IndexUnreachable, NotFound
from layerkit.index import Credentials, IndexSettings
from layerkit.index_source import split_credentials

if TYPE_CHECKING:
    import requests

CHUNK: Final = 1 << 20  # bytes
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_MAX_REDIRECTS: Final = 10
_AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_LONGEST_PAUSE: Final = 30.0  # seconds


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """How long and how often to try: seconds, and attempts that bring not a single byte."""

    attempts: int = 5
    first_pause: float = 0.5
    connect: float = 10.0
    read: float = 30.0

    def pause(self, attempt: int) -> float:
        """Return the seconds to wait after failed attempt number ``attempt`` (from 1): doubling, with jitter."""
        return min(self.first_pause * 2.0 ** (attempt - 1), _LONGEST_PAUSE) * random.uniform(0.5, 1.0)  # noqa: S311


@dataclass(frozen=True, kw_only=True, slots=True)
class Slice:
    """An answer to a request for a range: ``content`` from ``start`` on; ``total`` is the whole's length, if told."""

    status: int
    start: int
    total: int | None
    etag: str | None
    content: bytes


class Interrupted(Exception):
    """An attempt that failed in a way that another one may mend."""

    def __init__(self, reason: str, *, pause: float = 0.0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.pause = pause


class Client:
    """Reads URLs as the index settings say; safe to share between threads. A context manager."""

    def __init__(
        self,
        settings: IndexSettings,
        *,
        patience: Patience | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._settings = settings
        self._patience = patience or Patience()
        self._sleep = sleep
        self._local = threading.local()
        self._sessions: list[requests.Session] = []

    def __enter__(self) -> Self:
        """Open nothing yet: a thread's connection opens with its first request."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close every connection."""
        for session in self._sessions:
            session.close()

    def get(self, url: str, *, offset: int = 0) -> Iterator[bytes]:
        """Yield the bytes of ``url`` from ``offset`` on, in pieces of at most ``CHUNK``; none if it ends before.

        Raises what ``http_errors`` holds.
        """
        if urlsplit(url).scheme == "file":
            yield from _read_file(url, offset)
            return
        position, failures = offset, 0
        while True:
            try:
                for piece in self._attempt(url, position):
                    position += len(piece)
                    failures = 0
                    yield piece
            except Interrupted as exc:
                failures += 1
                if failures >= self._patience.attempts:
                    raise IndexUnreachable(url=url, reason=self._settings.redact(exc.reason)) from exc
                self._sleep(max(exc.pause, self._patience.pause(failures)))
            else:
                return

    def read_range(self, url: str, span: str, *, most: int) -> Slice:
        """Ask once for a range (``bytes=0-99``, ``bytes=-100``); of an answer's content read ``most`` bytes at most.

        Errors show no query of the URL. Raises ``Interrupted`` where another attempt may help, and ``FetchError``.
        """
        import urllib3

        with self._translated(url.partition("?")[0]), self._open(url, span) as response:
            try:
                content = response.raw.read(most, decode_content=False)
            except (urllib3.exceptions.HTTPError, OSError) as exc:
                raise Interrupted("the connection broke off") from exc
            total = response.headers.get("Content-Range", "").rpartition("/")[2]
            return Slice(
                status=response.status_code,
                start=_starts_at(response),
                total=int(total) if total.isdigit() else None,
                etag=response.headers.get("ETag"),
                content=content,
            )

    def _attempt(self, url: str, offset: int) -> Iterator[bytes]:
        """Yield what one request brings. Raises ``Interrupted`` where another one may go on."""
        import urllib3

        with self._translated(url), self._open(url, f"bytes={offset}-" if offset else "") as response:
            if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and offset:
                return
            self._check(url, response)
            skip = offset - _starts_at(response)
            if skip < 0:
                raise Interrupted("it answered with another range than was asked for")
            try:
                for piece in response.raw.stream(CHUNK, decode_content=False):
                    if skip < len(piece):
                        yield piece[skip:]
                    skip = max(0, skip - len(piece))
            except urllib3.exceptions.TimeoutError as exc:
                raise Interrupted(f"nothing came for {self._patience.read:g} seconds") from exc
            except (urllib3.exceptions.HTTPError, OSError) as exc:
                raise Interrupted("the connection broke off") from exc

    @contextlib.contextmanager
    def _translated(self, url: str) -> Iterator[None]:
        """Turn what ``requests`` raises into our own."""
        import requests

        try:
            yield
        except requests.exceptions.SSLError as exc:
            if "CERTIFICATE_VERIFY_FAILED" in str(exc):
                raise CertificateRefused(url=url, reason=_certificate_reason(exc)) from exc
            raise Interrupted("no encrypted connection came about") from exc
        except requests.exceptions.Timeout as exc:
            raise Interrupted("no answer in time") from exc
        except requests.exceptions.ProxyError as exc:
            raise Interrupted("the proxy does not answer or refuses") from exc
        except requests.exceptions.ConnectionError as exc:
            raise Interrupted(_connection_reason(exc)) from exc
        except requests.exceptions.RequestException as exc:
            raise IndexUnreachable(url=url, reason=self._settings.redact(str(exc))) from exc

    @contextlib.contextmanager
    def _open(self, url: str, span: str) -> Iterator["requests.Response"]:
        """Follow redirects to the answer; credentials go only where they belong, and never from HTTPS to HTTP."""
        secure = urlsplit(url).scheme == "https"
        for _ in range(_MAX_REDIRECTS + 1):
            secret = self._settings.credentials_for(url)
            plain = urlsplit(url).scheme != "https"
            response = self._request(url, span, None if secure and plain else secret)
            try:
                target = response.headers.get("Location")
                if response.status_code not in _REDIRECTS or not target:
                    yield response
                    return
            finally:
                response.close()
            url = urljoin(url, target)
        raise IndexUnreachable(url=url, reason="it redirects without end")

    def _request(self, url: str, span: str, credentials: Credentials | None) -> "requests.Response":
        from requests.auth import HTTPBasicAuth

        bare = split_credentials(url)[0]
        auth = None
        if credentials:
            auth = HTTPBasicAuth(credentials.username.encode(), credentials.password.encode())
        headers = {"Range": span} if span else {}
        return self._session().get(
            bare,
            headers=headers,
            auth=auth,
            stream=True,
            allow_redirects=False,
            proxies=self._proxies(bare),
            timeout=(self._patience.connect, self._patience.read),
        )

    def _session(self) -> "requests.Session":
        """Return this thread's session; it reads no environment and no netrc by itself."""
        if not hasattr(self._local, "session"):
            import requests

            session = requests.Session()
            session.trust_env = False
            session.headers.update({"User-Agent": f"layerkit/{__version__}", "Accept-Encoding": "identity"})
            session.verify = verification(self._settings.ca_bundle)
            self._local.session = session
            self._sessions.append(session)
        return self._local.session  # type: ignore[no-any-return]

    def _proxies(self, url: str) -> dict[str, str]:
        from requests.utils import get_environ_proxies, should_bypass_proxies

        if not self._settings.proxy:
            return dict(get_environ_proxies(url))
        if should_bypass_proxies(url, no_proxy=None):
            return {}
        return {"http": self._settings.proxy, "https": self._settings.proxy}

    def _check(self, url: str, response: "requests.Response") -> None:
        status = response.status_code
        if status in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}:
            return
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            raise AccessDenied(url=url, status=status, tried="Authorization" in response.request.headers)
        if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
            raise NotFound(url=url)
        answer = f"it answered {status} {response.reason or ''}".rstrip()
        if status in _AGAIN:
            raise Interrupted(answer, pause=_wanted_pause(response.headers.get("Retry-After")))
        raise IndexUnreachable(url=url, reason=answer)


def _read_file(url: str, offset: int) -> Iterator[bytes]:
    from urllib.request import url2pathname

    parts = urlsplit(url)
    path = Path(url2pathname(f"//{parts.netloc}{parts.path}" if parts.netloc not in {"", "localhost"} else parts.path))
    try:
        with path.open("rb") as stream:
            stream.seek(offset)
            while piece := stream.read(CHUNK):
                yield piece
    except FileNotFoundError as exc:
        raise NotFound(url=url) from exc
    except OSError as exc:
        raise IndexUnreachable(url=url, reason=system_reason(exc)) from exc


def _starts_at(response: "requests.Response") -> int:
    """Return the offset of the answer's first byte: 0 unless it is a partial one that says otherwise."""
    if response.status_code != HTTPStatus.PARTIAL_CONTENT:
        return 0
    start = response.headers.get("Content-Range", "").removeprefix("bytes ").partition("-")[0]
    return int(start) if start.isdigit() else 0


def _wanted_pause(retry_after: str | None) -> float:
    return min(float(retry_after), _LONGEST_PAUSE) if retry_after and retry_after.isdigit() else 0.0


def _certificate_reason(exc: Exception) -> str:
    text = str(exc).partition("certificate verify failed: ")[2]
    return text.partition(" (_ssl")[0] or "it could not be verified"


def _connection_reason(exc: Exception) -> str:
    """Return what the operating system said, if it did."""
    text = repr(exc)
    known = {
        "NameResolutionError": "no such host name",
        "getaddrinfo failed": "no such host name",
        "refused": "connection refused",
        "unreachable": "network unreachable",
    }
    return next((reason for sign, reason in known.items() if sign in text), "the connection broke off")
