"""Writes the mail that confirms an order, as text and as HTML."""

from decimal import Decimal
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=select_autoescape(["html"]),  # in mail.html what customers write is text, never markup
    undefined=StrictUndefined,  # a name that is missing is an error, not an empty place
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.filters["money"] = lambda amount: f"{amount:,.2f} €"


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, str]:
    """Return the mail for an order."""
    items = [{**item, "amount": Decimal(item["price"]) * item["quantity"]} for item in event["items"]]
    order = {"customer": event["customer"], "items": items, "total": sum(item["amount"] for item in items)}
    return {
        "to": event["address"],
        "text": TEMPLATES.get_template("mail.txt").render(order),
        "html": TEMPLATES.get_template("mail.html").render(order),
    }
