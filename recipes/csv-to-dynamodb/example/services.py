# /// script
# requires-python = ">=3.11"
# dependencies = ["moto[server]"]
# ///
"""S3 with a file that has just arrived, and DynamoDB with an empty table."""

import json
import logging
import sys
from pathlib import Path
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

BUCKET, KEY, TABLE, REGION = "example-imports", "orders/Mai 2026.csv", "orders", "eu-west-1"
HOME = {"AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}  # boto3 reads the second
ACCESS = {"AWS_ACCESS_KEY_ID": "example", "AWS_SECRET_ACCESS_KEY": "example"}


def main() -> None:
    """Serve until stdin ends, then tell what the table holds."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    access = {name.lower(): value for name, value in ACCESS.items()}
    s3, dynamodb = (boto3.client(name, endpoint_url=url, region_name=REGION, **access) for name in ("s3", "dynamodb"))
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=Path(__file__).with_name("orders.csv").read_bytes())
    dynamodb.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    print(json.dumps({"AWS_ENDPOINT_URL": url, **HOME, **ACCESS}), flush=True)
    sys.stdin.read()
    print(json.dumps(items(dynamodb)), flush=True)
    server.stop()


def items(dynamodb: Any) -> list[dict[str, Any]]:
    """Return all items as DynamoDB writes them, sorted by order and position."""
    found = dynamodb.scan(TableName=TABLE)["Items"]
    return sorted(found, key=lambda item: (item["order"]["S"], int(item["position"]["N"])))


main()
