# /// script
# requires-python = ">=3.11"
# dependencies = ["moto[server]"]
# ///
"""S3 with a bucket, and the objects that have just arrived in it."""

import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import boto3
from moto.server import ThreadedMotoServer

BUCKET, REGION = "example-orders", "eu-west-1"
HOME = {"AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION}  # boto3 reads the second
ACCESS = {"AWS_ACCESS_KEY_ID": "example", "AWS_SECRET_ACCESS_KEY": "example"}
ORDERS = [
    {"order": "0071", "customer": {"id": 9007199254740993, "name": "Zoë, Köln"}, "items": ["tea", "pot"], "sum": 59.7},
    {"order": "0072", "customer": {"id": None, "name": "Ann"}, "items": [], "sum": 12.5},
]
ARRIVED = {
    "2026/Bestellungen März.json": json.dumps(ORDERS),
    "2026/returns[1].jsonl": '{"order": "0065", "day": "2026-03-02"}\n{"order": "0066", "day": "2026-03-09"}\n',
    "2026/nothing.json": "[]",
}


def main() -> None:
    """Serve until stdin ends, then tell which CSV objects lie in the bucket."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    access = {name.lower(): value for name, value in ACCESS.items()}
    s3 = boto3.client("s3", endpoint_url=url, region_name=REGION, **access)
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    for key, text in ARRIVED.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=text.encode())
    print(json.dumps({"AWS_ENDPOINT_URL": url, **HOME, **ACCESS}), flush=True)
    sys.stdin.read()
    print(json.dumps(dict(csv_objects(s3))), flush=True)
    server.stop()


def csv_objects(s3: Any) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield key, type and text of each."""
    for found in s3.list_objects_v2(Bucket=BUCKET)["Contents"]:
        if found["Key"].endswith(".csv"):
            csv = s3.get_object(Bucket=BUCKET, Key=found["Key"])
            yield found["Key"], {"type": csv["ContentType"], "text": csv["Body"].read().decode()}


main()
