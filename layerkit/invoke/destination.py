"""Where records of asynchronous invocations go: a file, or what Lambda itself sends to, by ARN.

Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeAlias

from layerkit.errors import UsageError
from layerkit.files import write_text
from layerkit.invoke.invocation import VERSION, Invocation

_ARN: Final = re.compile(
    r"arn:aws[a-z-]*:(?P<service>sqs|sns|lambda):(?P<region>[a-z0-9-]+):(?P<account>\d{12}):(?P<name>[\w.:$-]+)",
    re.ASCII,
)
_FUNCTION: Final = "function:"
_FIFO: Final = ".fifo"
_NO_FILES: Final = ("", "-")  # stdout is the answer's


class NoDestination(UsageError):
    """A text that names nothing that a record could be sent to."""

    def __init__(self, *, text: str, why: str) -> None:
        super().__init__(
            f"`{text}` cannot be a destination: {why}",
            hint="name a file, or the ARN of an SQS queue, an SNS topic or a function",
        )


@dataclass(frozen=True, slots=True)
class FileDestination:
    """A file that is written anew."""

    path: Path

    def __str__(self) -> str:
        return f"`{self.path}`"

    def send(self, text: str) -> None:
        """Write the record. Raises ``DiskFailure``."""
        write_text(self.path, text + "\n")


@dataclass(frozen=True, kw_only=True, slots=True)
class ArnDestination:
    """A queue, a topic or a function."""

    arn: str
    service: str
    region: str
    account: str
    name: str

    def __str__(self) -> str:
        return self.arn

    def send(self, text: str) -> None:
        """Send the record. Raises ``AwsError`` subclasses."""
        from layerkit.aws.access import Access
        from layerkit.aws.messages import MessageApi
        from layerkit.aws.sessions import open_session

        api = MessageApi(open_session(Access(region=self.region)), self.region)
        match self.service:
            case "sqs":
                api.to_queue(self.name, account=self.account, text=text)
            case "sns":
                api.to_topic(self.arn, text=text)
            case _:
                api.to_function(self.arn, text=text)


Destination: TypeAlias = FileDestination | ArnDestination


def parse_destination(text: str) -> Destination:
    """Read a file's name or an ARN. Raises ``NoDestination``."""
    if not text.startswith("arn:"):
        return FileDestination(_file_named(text))
    match = _ARN.fullmatch(text)
    if match is None or (match["service"] == "lambda") != match["name"].startswith(_FUNCTION):
        raise NoDestination(text=text, why="it is no ARN of a queue, a topic or a function")
    if match["name"].endswith(_FIFO):
        raise NoDestination(text=text, why="Lambda sends records to no FIFO queues and topics")
    return ArnDestination(arn=text, **match.groupdict())


def _file_named(text: str) -> Path:
    path = Path(text)
    if text in _NO_FILES or path.is_dir():
        raise NoDestination(text=text, why="it is a folder" if text and path.is_dir() else "it is no file's name")
    return path


def record_of(attempts: Sequence[Invocation], event: bytes, *, arn: str, now: datetime | None = None) -> dict[str, Any]:
    """Return the record of an asynchronous invocation, with all its attempts, in Lambda's form."""
    last = attempts[-1]
    failed = last.answer.failed
    moment = (now or datetime.now(UTC)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "version": "1.0",
        "timestamp": moment,
        "requestContext": {
            "requestId": last.request_id,
            "functionArn": f"{arn}:{VERSION}",
            "condition": "RetriesExhausted" if failed else "Success",
            "approximateInvokeCount": len(attempts),
        },
        "requestPayload": json.loads(event),
        "responseContext": {
            "statusCode": 200,
            "executedVersion": VERSION,
            **({"functionError": "Unhandled"} if failed else {}),
        },
        "responsePayload": _payload_of(last.answer.body),
    }


def _payload_of(body: str) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):  # a custom runtime's
        return body
