"""Answer a request over HTTP with what `json` cannot write: dataclasses, dates, UUIDs and decimals."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import orjson

RATE = Decimal("89.50")
OPTIONS = orjson.OPT_NON_STR_KEYS | orjson.OPT_OMIT_MICROSECONDS | orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z


@dataclass(frozen=True)
class Booking:
    """A room for some nights."""

    id: UUID
    guest: str
    arrives: datetime
    nights: dict[date, Decimal]
    total: Decimal


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Book the room that the body asks for, as a function URL or API Gateway calls it."""
    try:
        booking = book(orjson.loads(event["body"]))
    except orjson.JSONDecodeError as error:
        return respond(400, {"error": "no JSON", "line": error.lineno, "column": error.colno})
    return respond(201, booking)


def book(wish: dict[str, Any]) -> Booking:
    """Return the booking; the same wish has the same id, however often it comes."""
    arrives = datetime.fromisoformat(wish["arrives"])
    nights = {arrives.date() + timedelta(days=day): RATE for day in range(wish["nights"])}
    booking = uuid5(NAMESPACE_URL, f"{wish['guest']}/{arrives.isoformat()}")
    return Booking(
        id=booking, guest=wish["guest"], arrives=arrives, nights=nights, total=sum(nights.values(), Decimal())
    )


def respond(status: int, content: object) -> dict[str, Any]:
    """Write the content as JSON; decimals become text, so that no digit is lost."""
    body = orjson.dumps(content, default=str, option=OPTIONS).decode()
    return {"statusCode": status, "headers": {"Content-Type": "application/json"}, "body": body}
