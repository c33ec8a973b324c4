"""Take orders that are as they should be, and say of each of the others what is wrong, field by field."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, computed_field

Code = Annotated[str, Field(pattern=r"^[A-Z]{2}-\d{4}$", description="Two letters, a dash and four digits")]


class Line(BaseModel):
    """Some pieces of an article."""

    article: Code
    pieces: int = Field(gt=0, le=100)
    price: Decimal = Field(gt=0, decimal_places=2)


class Order(BaseModel):
    """What a customer wants to have."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    customer: str = Field(min_length=2)
    currency: Literal["EUR", "USD"] = "EUR"
    deliver_by: date | None = None
    lines: list[Line] = Field(min_length=1)

    @computed_field
    def total(self) -> Decimal:
        """Return the price of all lines."""
        return sum((line.pieces * line.price for line in self.lines), Decimal())


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Split the orders of the event into accepted and rejected ones; the schema tells what an article's line may be."""
    accepted, rejected = [], {}
    for number, order in enumerate(event["orders"], 1):
        try:
            accepted.append(Order.model_validate(order).model_dump(mode="json", exclude_none=True))
        except ValidationError as invalid:
            rejected[str(number)] = {
                ".".join(map(str, error["loc"])): error["msg"] for error in invalid.errors(include_url=False)
            }
    schema = Line.model_json_schema()
    return {"accepted": accepted, "rejected": rejected, "line": schema["properties"]["article"]}
