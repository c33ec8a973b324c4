"""Book sales out of the stock, all of them or none, and say what is left."""

import os
from typing import Any

import pymysql
from pymysql.cursors import DictCursor

SOLD = "INSERT INTO sales (customer, article, pieces) VALUES (%(customer)s, %(article)s, %(pieces)s)"
TAKEN = "UPDATE stock SET pieces = pieces - %(pieces)s WHERE article = %(article)s"
LEFT = "SELECT article, pieces FROM stock WHERE article IN %s ORDER BY article"


def connect() -> pymysql.Connection:
    """Connect; on AWS, leave out ``ssl_disabled`` and give ``ssl_ca``."""
    return pymysql.connect(
        host=os.environ["MYSQL_HOST"],
        port=int(os.environ["MYSQL_PORT"]),
        user=os.environ["MYSQL_USER"],
        password=os.environ["MYSQL_PASSWORD"],
        database=os.environ["MYSQL_DATABASE"],
        cursorclass=DictCursor,
        ssl_disabled=True,
        connect_timeout=5,
    )


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Answer with the stock of the articles that were sold, or the one of which there is not enough."""
    sales = event["sales"]
    with connect() as connection, connection.cursor() as cursor:
        cursor.executemany(SOLD, sales)
        cursor.executemany(TAKEN, sales)
        cursor.execute(LEFT, [sorted({sale["article"] for sale in sales})])
        left = cursor.fetchall()
        if missing := [row["article"] for row in left if row["pieces"] < 0]:
            connection.rollback()
            return {"booked": False, "missing": missing}
        connection.commit()
    return {"booked": True, "left": left}
