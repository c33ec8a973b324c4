"""What is used of an engine's API, and how its failures are told. The SDK behind it is for ``container.py`` to know.

The protocols say nothing about their methods: those are docker-py's, whose documentation holds.
"""

# ruff: noqa: D102

import contextlib
import socket
from collections.abc import Iterable, Iterator, Mapping
from typing import IO, Any, Final, Protocol

from layerkit.sandbox.container_errors import EngineError
from layerkit.sandbox.container_failures import from_foreign, from_refusal

_GONE: Final = (404, 409)  # no such container; not running, or about to be removed
NOT_FOUND: Final = 404


class Api(Protocol):
    """The calls, as docker-py's ``APIClient`` has them; results are the API's own JSON."""

    timeout: float

    def close(self) -> None: ...
    def info(self) -> Mapping[str, Any]: ...
    def version(self) -> Mapping[str, Any]: ...
    def containers(self, *, all: bool, filters: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]: ...  # noqa: A002
    def inspect_image(self, image: str) -> Mapping[str, Any]: ...
    def pull(
        self, repository: str, tag: str | None, *, stream: bool, decode: bool, platform: str | None
    ) -> Iterable[Mapping[str, Any]]: ...
    def create_container_from_config(self, config: Mapping[str, Any], *, platform: str | None) -> Mapping[str, Any]: ...
    def attach_socket(self, container: str, params: Mapping[str, int]) -> Any: ...
    def start(self, container: str) -> None: ...
    def inspect_container(self, container: str) -> Mapping[str, Any]: ...
    def remove_container(self, container: str, *, force: bool, v: bool) -> None: ...
    def put_archive(self, container: str, path: str, data: IO[bytes]) -> bool: ...
    def get_archive(self, container: str, path: str) -> tuple[Iterator[bytes], Mapping[str, Any]]: ...
    def exec_create(
        self,
        container: str,
        cmd: list[str],
        *,
        stdin: bool = False,
        environment: Mapping[str, str] | None = None,
        workdir: str | None = None,
    ) -> Mapping[str, Any]: ...
    def exec_start(self, exec_id: str, *, socket: bool) -> Any: ...
    def exec_inspect(self, exec_id: str) -> Mapping[str, Any]: ...


def status_of(error: Exception) -> int | None:
    """Return the HTTP status of an answer that says no, or ``None`` for other errors."""
    status = getattr(error, "status_code", None)
    return status if isinstance(status, int) else None


def reason_of(error: Exception) -> str:
    """Return what the engine itself says in an answer that says no."""
    return str(getattr(error, "explanation", None) or error)


@contextlib.contextmanager
def doing(what: str) -> Iterator[None]:
    """Turn what the SDK and its transports raise into errors that tell what was done."""
    try:
        yield
    except EngineError:
        raise
    except Exception as exc:
        error = from_refusal(reason_of(exc), doing=what) if status_of(exc) else from_foreign(exc, doing=what)
        if error is None:
            raise
        raise error from exc


def remove(api: Api, identifier: str) -> None:
    """Remove a container, running or not, with its anonymous volumes; one that is gone already is no error."""
    with doing("removing a container"):
        try:
            api.remove_container(identifier, force=True, v=True)
        except Exception as exc:
            if not is_gone(exc):
                raise


def is_gone(error: Exception) -> bool:
    """Whether an answer means that the container has ended or is about to be removed; old engines say so with a 500."""
    return status_of(error) in _GONE or bool(status_of(error) and "is not running" in reason_of(error))


class Connection:
    """A connection that the SDK took over from HTTP, for a program's streams.

    Reads from where HTTP read, whose buffer may hold the first bytes already; the SDK's own reading would lose them.
    """

    def __init__(self, taken: Any) -> None:
        self._taken = taken
        self._socket = getattr(taken, "_sock", taken)
        self._response = taken._response  # noqa: SLF001 - the SDK keeps it there
        self._reader = self._response.raw._fp.fp  # noqa: SLF001 - there is no other way to the buffer
        with contextlib.suppress(OSError, AttributeError):  # so that a host that went away is noticed
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def send(self, content: bytes) -> None:
        """Send all of it."""
        self._socket.sendall(content)

    def receive(self, size: int, *, patience: float | None) -> bytes:
        """Return what is there, ``size`` bytes at most, or nothing at the end. Raises ``TimeoutError``."""
        self._socket.settimeout(patience)
        return bytes(self._reader.read1(size))

    def hang_up(self) -> None:
        """End it for both sides at once; who waits in ``receive`` is told."""
        with contextlib.suppress(Exception):  # not every transport can
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the socket and everything that wraps it."""
        for each in (self._reader, self._taken, self._socket, self._response.raw, self._response):
            with contextlib.suppress(Exception):  # whatever state it is in, and whatever transport it is of
                each.close()
