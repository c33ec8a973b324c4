"""What travels: a request as it arrived, an answer, an error of AWS's, an operation of a service."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import parse_qsl, unquote

if TYPE_CHECKING:
    from tests.aws_server.context import Context

NO_HEADERS: Final[Mapping[str, str]] = {}


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A request as it arrived; ``raw_path`` is still quoted, names of ``headers`` are in lower case."""

    method: str
    raw_path: str
    raw_query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return unquote(self.raw_path)

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.raw_query, keep_blank_values=True))

    @property
    def form(self) -> dict[str, str]:
        """The body of the query protocol."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    def json(self) -> dict[str, Any]:
        """Return the body's object, or raise what AWS answers to a body that is none."""
        try:
            parsed = json.loads(self.body or b"{}")
        except ValueError:
            raise ApiError(400, "SerializationException", "Could not parse request body into json") from None
        if not isinstance(parsed, dict):
            raise ApiError(400, "SerializationException", "Start of structure or map found where not expected.")
        return parsed


@dataclass(frozen=True, kw_only=True, slots=True)
class Response:
    """An answer; ``body`` may be a view of a large content."""

    status: int = 200
    body: bytes | memoryview = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class ApiError(Exception):
    """An error that AWS answers; each protocol renders it its own way."""

    def __init__(self, status: int, code: str, message: str, *, headers: Mapping[str, str] = NO_HEADERS) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers)


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """An operation that a request asks for, with what its URI says.

    ``locks`` is false where the handler does heavy work and takes the lock itself.
    """

    name: str
    handler: Callable[["Context"], Response]
    arguments: Mapping[str, str] = field(default_factory=dict)
    locks: bool = True
    signed: bool = True


class Service(Protocol):
    """An AWS API: which operation a request asks for, and how it words an error."""

    name: str

    def operation_of(self, request: Request) -> Operation:
        """Return the operation, or raise an ``ApiError``."""

    def render(self, error: ApiError, *, request_id: str) -> Response:
        """Return the error in the service's protocol."""


def json_response(status: int, content: Mapping[str, Any], *, headers: Mapping[str, str] = NO_HEADERS) -> Response:
    """Return an answer of a JSON protocol; members that are ``None`` are left out."""
    body = json.dumps({name: value for name, value in content.items() if value is not None}).encode()
    return Response(status=status, body=body, headers={"Content-Type": "application/json"} | dict(headers))


def json_error(error: ApiError, *, member: str = "message", request_id: str = "") -> Response:
    """Return an error of the REST JSON protocol."""
    headers = {"x-amzn-ErrorType": error.code, "x-amzn-RequestId": request_id} | error.headers
    return json_response(error.status, {"Type": "User", member: error.message}, headers=headers)
