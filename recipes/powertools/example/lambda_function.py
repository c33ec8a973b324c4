"""A small shop behind API Gateway: what its routes take and answer is declared, checked and logged by Powertools."""

from typing import Annotated, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response, content_types
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.params import Path, Query
from aws_lambda_powertools.logging import correlation_paths
from pydantic import BaseModel, Field

PRICES = {"cup": 1200, "tea": 450}

app = APIGatewayRestResolver(enable_validation=True)
logger = Logger(service="shop")


class Line(BaseModel):
    """So many pieces of an article."""

    article: str
    pieces: int = Field(gt=0)


class Order(BaseModel):
    """What a customer wants."""

    customer: str = Field(min_length=1)
    lines: list[Line]


class Bill(BaseModel):
    """What it costs."""

    customer: str
    cents: int


def price_of(article: str, pieces: int) -> int:
    """Return what the pieces cost. What is not for sale is a 404."""
    if article not in PRICES:
        raise NotFoundError(f"no {article} here")
    return PRICES[article] * pieces


@app.get("/prices/<article>")
def price(article: Annotated[str, Path()], pieces: Annotated[int, Query(gt=0)] = 1) -> dict[str, Any]:
    """Tell what the pieces of an article cost."""
    return {"article": article, "cents": price_of(article, pieces)}


@app.post("/orders")
def take(order: Order) -> Response[Bill]:
    """Take an order."""
    bill = Bill(customer=order.customer, cents=sum(price_of(line.article, line.pieces) for line in order.lines))
    logger.info("ordered", cents=bill.cents)
    return Response(201, content_types.APPLICATION_JSON, bill)


@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_REST)
def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer API Gateway."""
    return app.resolve(event, context)
