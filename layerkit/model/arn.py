"""ARNs of layer versions and functions, as Lambda's API writes them. Source: botocore's Lambda model, 1.44.5."""

import re
from dataclasses import dataclass
from typing import Final

from layerkit.errors import UsageError

_REGION: Final = r"(?P<region>(?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d)"
_HEAD: Final = rf"arn:(?P<partition>aws[a-zA-Z-]*):lambda:{_REGION}:(?P<account>\d{{12}})"
_LAYER: Final = re.compile(rf"{_HEAD}:layer:(?P<name>[a-zA-Z0-9-_]{{1,140}})(?::(?P<version>\d{{1,18}}))?", re.ASCII)
_FUNCTION: Final = re.compile(
    rf"{_HEAD}:function:(?P<name>[a-zA-Z0-9-_]{{1,140}})(?::(?P<qualifier>[a-zA-Z0-9$_-]{{1,129}}))?", re.ASCII
)
_EXAMPLE: Final = "arn:aws:lambda:eu-west-1:123456789012:layer:requests:3"


class MalformedArnError(UsageError):
    """A text that looks like an ARN and is not one that can be used here."""

    def __init__(self, *, text: str, why: str) -> None:
        super().__init__(f"`{text}` {why}", hint=f"write it as `{_EXAMPLE}`")


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerVersionArn:
    """One version of a layer; ``str()`` gives the ARN."""

    partition: str
    region: str
    account: str
    name: str
    version: int

    @classmethod
    def parse(cls, text: str) -> "LayerVersionArn":
        """Take an ARN apart. Raises ``MalformedArnError``."""
        match = _LAYER.fullmatch(text)
        if match is None:
            raise MalformedArnError(text=text, why="is not the ARN of a layer version")
        if match["version"] is None:
            raise MalformedArnError(text=text, why="names a layer, but none of its versions")
        if int(match["version"]) < 1:
            raise MalformedArnError(text=text, why="names a version below 1")
        return cls(
            partition=match["partition"],
            region=match["region"],
            account=match["account"],
            name=match["name"],
            version=int(match["version"]),
        )

    @property
    def layer(self) -> str:
        """The ARN of the layer, without a version."""
        return f"arn:{self.partition}:lambda:{self.region}:{self.account}:layer:{self.name}"

    def __str__(self) -> str:
        return f"{self.layer}:{self.version}"


def region_of_function(text: str) -> str | None:
    """Return the region that a function's ARN names; ``None`` for a plain name. Raises ``MalformedArnError``."""
    if not text.startswith("arn:"):
        return None
    match = _FUNCTION.fullmatch(text)
    if match is None:
        raise MalformedArnError(text=text, why="is not the ARN of a function")
    return match["region"]
