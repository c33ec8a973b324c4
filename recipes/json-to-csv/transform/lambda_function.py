"""Turn a list of orders into revenue by country, and into one packing list for each warehouse."""

import json
from typing import Any

import pandas as pd
from transforms import aggregate_rows, derive_column, drop_duplicates, keep_rows, map_values, split_rows

COLUMNS = ["order", "status", "country", "warehouse", "article", "pieces", "price"]


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Transform the orders of the event; an order that comes twice counts as it came last."""
    sold = (
        pd.DataFrame(event["orders"], columns=COLUMNS)
        .pipe(drop_duplicates, by=["order"])
        .pipe(keep_rows, lambda order: order["status"] == "paid")
        .pipe(map_values, "country", str.upper)
        .pipe(derive_column, "revenue", lambda order: (order["pieces"] * order["price"]).round(2))
    )
    revenue = aggregate_rows(
        sold, by=["country"], orders=("order", "count"), pieces=("pieces", "sum"), revenue=("revenue", "sum")
    )
    packing = split_rows(sold[["warehouse", "order", "article", "pieces"]], by="warehouse")
    return {
        "revenue": as_json(revenue.round({"revenue": 2})),
        "packing": {warehouse: as_json(rows) for warehouse, rows in packing.items()},
    }


def as_json(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows as JSON knows them: Python's own numbers, and null for what is missing."""
    return json.loads(table.to_json(orient="records"))
