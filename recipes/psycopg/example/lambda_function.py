"""Take in orders with their lines, each order whole or not at all, and say what every customer owes."""

import os
from typing import Any

import psycopg
from psycopg.rows import dict_row

OWED = """
    SELECT customer, count(DISTINCT orders.id)::int AS orders, sum(cents)::int AS cents
    FROM orders JOIN lines ON lines.order_id = orders.id
    WHERE customer = ANY(%s)
    GROUP BY customer ORDER BY customer
"""


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer with the orders that were refused and why, and what the customers owe."""
    refused = []
    with psycopg.connect(os.environ["DATABASE_URL"], row_factory=dict_row) as connection:
        for order in event["orders"]:
            try:
                with connection.transaction():
                    insert(connection, order)
            except psycopg.IntegrityError as error:
                refused.append({"order": order["id"], "rule": error.diag.constraint_name})
        customers = sorted({order["customer"] for order in event["orders"]})
        return {"refused": refused, "owed": connection.execute(OWED, [customers]).fetchall()}


def insert(connection: psycopg.Connection, order: dict[str, Any]) -> None:
    """Insert one order by parameters, and its lines, of which there may be many, by COPY."""
    connection.execute("INSERT INTO orders VALUES (%(id)s, %(customer)s)", order)
    with connection.cursor().copy("COPY lines FROM STDIN") as copy:
        for line in order["lines"]:
            copy.write_row((order["id"], line["article"], line["cents"]))
