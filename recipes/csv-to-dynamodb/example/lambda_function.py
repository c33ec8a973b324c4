"""Insert the rows of CSV files that arrive in a bucket into a DynamoDB table."""

import json
import os
from typing import Any
from urllib.parse import unquote_plus

import boto3
from csv_import.items import Outcome, Table
from csv_import.rows import Problem, read_rows
from csv_import.settings import Settings

SETTINGS = Settings.load()
S3 = boto3.client("s3")
TABLE = Table(dynamodb=boto3.client("dynamodb"), name=os.environ["TABLE"], key=SETTINGS.key)


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Import every file that the S3 event names. Bad rows are reported, the others inserted."""
    return {"files": [import_file(record["s3"]) for record in event["Records"]]}


def import_file(arrived: dict[str, Any]) -> dict[str, Any]:
    """Insert what is good of one file, and count."""
    bucket, key = arrived["bucket"]["name"], unquote_plus(arrived["object"]["key"])
    content = S3.get_object(Bucket=bucket, Key=key)["Body"].read()
    outcomes = [row if isinstance(row, Problem) else TABLE.insert(row) for row in read_rows(content, SETTINGS)]
    problems = [{"line": it.line, "reason": it.reason} for it in outcomes if isinstance(it, Problem)]
    report = {
        "file": key,
        "inserted": outcomes.count(Outcome.INSERTED),
        "already_there": outcomes.count(Outcome.ALREADY_THERE),
        "problems": problems,
    }
    print(json.dumps(report))  # for the log: nobody sees the answer to an event of S3
    return report
