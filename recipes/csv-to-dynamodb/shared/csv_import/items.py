"""From rows to items of a DynamoDB table with the partition key ``id``."""

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from botocore.exceptions import ClientError

from csv_import.rows import Problem, Row

REFUSED = {"ValidationException", "ItemCollectionSizeLimitExceededException"}  # it is the item's fault


class Outcome(StrEnum):
    """What came of a good row."""

    INSERTED = "inserted"
    ALREADY_THERE = "already there"


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """A table that rows are inserted into; ``key`` are the columns that tell one row from all others."""

    dynamodb: Any
    name: str
    key: tuple[str, ...]

    def insert(self, row: Row) -> Outcome | Problem:
        """Insert a row unless it is there; that an item has more attributes than the row does not matter.

        Raises ``ClientError`` for what may go well another time, such as throttling.
        """
        item = {**row.values, "id": self.id_of(row)}
        try:
            self.dynamodb.put_item(
                TableName=self.name,
                Item={name: TypeSerializer().serialize(value) for name, value in item.items()},
                ConditionExpression="attribute_not_exists(id)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self.dynamodb.exceptions.ConditionalCheckFailedException as exists:
            found = {name: TypeDeserializer().deserialize(value) for name, value in exists.response["Item"].items()}
            if item.items() <= found.items():
                return Outcome.ALREADY_THERE
            return Problem(line=row.line, reason="is there with other values")
        except ClientError as error:
            if error.response["Error"]["Code"] in REFUSED:
                return Problem(line=row.line, reason=error.response["Error"]["Message"])
            raise
        return Outcome.INSERTED

    def id_of(self, row: Row) -> str:
        """Return the item's id: always the same for the same key."""
        key = json.dumps([str(row.values[name]) for name in self.key])
        return hashlib.sha256(key.encode()).hexdigest()[:32]
