"""Keep orders as Parquet, and add up those of one country without reading the rest."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

SCHEMA = pa.schema(
    [
        ("placed", pa.timestamp("s")),
        ("country", pa.string()),
        ("product", pa.string()),
        ("pieces", pa.int32()),
        ("price", pa.float64()),
    ]
)


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Write the event's orders to /tmp, read them back by country, and sum up sales by product and month."""
    with TemporaryDirectory() as folder:
        write(event["orders"], Path(folder))
        orders = read(Path(folder), event["country"])
    orders["sales"] = orders["pieces"] * orders["price"]
    months = orders["placed"].dt.strftime("%Y-%m")
    return {
        "orders": len(orders),
        "by_product": totals(orders.groupby("product")["sales"]),
        "by_month": totals(orders.groupby(months)["sales"]),
    }


def write(orders: list[dict[str, Any]], folder: Path) -> None:
    """Write one folder of compressed Parquet a country, as Athena and Spark read it."""
    frame = pd.DataFrame(orders).assign(placed=lambda frame: pd.to_datetime(frame["placed"]))
    table = pa.Table.from_pandas(frame, schema=SCHEMA, preserve_index=False)
    pq.write_to_dataset(table, folder, partition_cols=["country"], compression="zstd")


def read(folder: Path, country: str) -> pd.DataFrame:
    """Read the columns that are needed, of one country's orders of more than one piece."""
    wanted = [("country", "=", country), ("pieces", ">", 1)]
    columns = ["placed", "product", "pieces", "price"]
    return pq.read_table(folder, columns=columns, filters=wanted).to_pandas()


def totals(groups: Any) -> dict[str, float]:
    """Return the sum of each group, to the cent."""
    return {str(name): round(float(value), 2) for name, value in groups.sum().items()}
