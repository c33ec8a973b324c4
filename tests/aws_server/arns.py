"""Names of AWS's resources, and which partition a region is in."""

import re
from dataclasses import dataclass
from typing import Final

_PREFIXES: Final = {"cn-": "aws-cn", "us-gov-": "aws-us-gov", "eusc-": "aws-eusc", "us-iso-": "aws-iso"}

LAYER_ARN_PATTERN: Final = (
    r"arn:(aws[a-zA-Z-]*)?:lambda:(eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:\d{12}:layer:[a-zA-Z0-9-_]+"
)
LAYER_VERSION_ARN_PATTERN: Final = (
    rf"(({LAYER_ARN_PATTERN}:[0-9]+)|(arn:[a-zA-Z0-9-]+:lambda:::awslayer:[a-zA-Z0-9-_]+))"
)


def partition_of(region: str) -> str:
    """Return the partition that ``region`` is in."""
    return next((name for prefix, name in _PREFIXES.items() if region.startswith(prefix)), "aws")


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerAddress:
    """Where a layer is."""

    account: str
    region: str
    name: str

    @property
    def arn(self) -> str:
        return f"arn:{partition_of(self.region)}:lambda:{self.region}:{self.account}:layer:{self.name}"

    def version_arn(self, number: int) -> str:
        return f"{self.arn}:{number}"


def parse_layer_version_arn(arn: str) -> tuple[LayerAddress, int] | None:
    """Return the layer and the version's number, or ``None`` if ``arn`` names no version."""
    if not re.fullmatch(rf"{LAYER_ARN_PATTERN}:[0-9]+", arn):
        return None
    _, _, _, region, account, _, name, number = arn.split(":")
    return LayerAddress(account=account, region=region, name=name), int(number)


def function_arn(*, account: str, region: str, name: str) -> str:
    return f"arn:{partition_of(region)}:lambda:{region}:{account}:function:{name}"
