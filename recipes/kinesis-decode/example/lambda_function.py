"""Decode the records of a Kinesis stream; bad ones are told to Lambda one by one, and do not take the batch along."""

import base64
import gzip
import json
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.kinesis_stream_event import KinesisStreamRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

GZIP = b"\x1f\x8b"
LOGGER = Logger()  # its name is POWERTOOLS_SERVICE_NAME
PROCESSOR = BatchProcessor(EventType.KinesisDataStreams, raise_on_entire_batch_failure=False)


@LOGGER.inject_lambda_context
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Handle a batch; the answer names the records that failed."""
    return process_partial_response(event=event, record_handler=handle, processor=PROCESSOR, context=context)


def handle(record: KinesisStreamRecord) -> None:
    """Decode one record. Whatever is raised here makes this record, and no other, one that failed."""
    about = {"sequence_number": record.kinesis.sequence_number, "partition_key": record.kinesis.partition_key}
    try:
        reading = decode(record.kinesis.data)
    except Exception as error:
        LOGGER.warning("Not decoded", reason=str(error), **about)
        raise
    LOGGER.info("Decoded", reading=reading, **about)


def decode(data: str) -> Any:
    """Return what is in a record: Base64 of JSON, which may be compressed with gzip."""
    content = base64.b64decode(data, validate=True)  # else it would skip what is no Base64
    return json.loads(gzip.decompress(content) if content.startswith(GZIP) else content)
