"""Write the JSON objects that arrive in a bucket as CSV, beside them."""

import io
import json
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote_plus

import awswrangler as wr
import pandas as pd

LINES = {".jsonl", ".ndjson"}  # one JSON object a line; other keys hold one array of objects
AS_CSV = {"ContentType": "text/csv; charset=utf-8"}


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Convert every object that the S3 event names, and tell what was written."""
    return {"written": [convert(record["s3"]) for record in event["Records"]]}


def convert(arrived: dict[str, Any]) -> dict[str, Any]:
    """Write one object as CSV: the same key with another suffix. An object without rows is left alone."""
    bucket, key = arrived["bucket"]["name"], unquote_plus(arrived["object"]["key"])  # events encode keys as forms do
    target = str(PurePosixPath(key).with_suffix(".csv"))
    table = read(f"s3://{bucket}/{key}")
    if table.empty:
        return {"source": key, "rows": 0}
    wr.s3.to_csv(table, f"s3://{bucket}/{target}", index=False, s3_additional_kwargs=AS_CSV)
    return {"source": key, "rows": len(table), "key": target, "columns": list(table.columns)}


def read(path: str) -> pd.DataFrame:
    """Read the rows as they are: without `object`, pandas turns long ids into floats where some are missing."""
    content = io.BytesIO()
    wr.s3.download(path, content)
    text = content.getvalue()
    if PurePosixPath(path).suffix in LINES:
        rows = [json.loads(line) for line in text.splitlines() if line.strip()]
    else:
        rows = json.loads(text)
    return pd.DataFrame([dict(flatten(row)) for row in rows], dtype=object)


def flatten(row: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield what belongs into a row's cells: `{"a": {"b": 1}}` is column `a.b`, a list stays JSON."""
    for name, value in row.items():
        if isinstance(value, dict):
            yield from flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value
