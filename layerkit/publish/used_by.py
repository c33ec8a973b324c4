"""Which functions use a layer, as far as they can be seen: those of the given accounts, in all their versions.

An alias points at a version of a function, and a function that is published keeps its layers; so versions count.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from layerkit.aws.functions import FunctionApi
from layerkit.aws.sessions import open_session
from layerkit.errors import UsageError
from layerkit.model.arn import LayerVersionArn, MalformedArnError
from layerkit.publish.destinations import access_to
from layerkit.publish.plan import Destination

_LATEST: Final = "$LATEST"
_COLONS_OF_LAYER: Final = 6  # arn:aws:lambda:REGION:ACCOUNT:layer:NAME


class NobodyAsked(UsageError):
    """A layer in a partition for which no account is configured: that nobody uses it would be a guess."""

    def __init__(self, *, arn: str) -> None:
        super().__init__(
            f"no configured account is in the partition of `{arn}`",
            hint="credentials do not cross between partitions of AWS: name an account there in [[publish.accounts]]",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """A layer version in a version of a function; ``$LATEST`` is the function as it is now."""

    layer: LayerVersionArn
    function: str
    function_version: str
    function_arn: str

    @property
    def account(self) -> str:
        """The account that has the function."""
        return self.function_arn.split(":")[4]

    def to_json(self) -> dict[str, Any]:
        """Return the JSON shape."""
        return {
            "account": self.account,
            "region": self.layer.region,
            "function": self.function,
            "function_version": self.function_version,
            "function_arn": self.function_arn,
            "layer_arn": str(self.layer),
            "layer_version": self.layer.version,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """The versions of a layer, or one of them, that an ARN means."""

    layer: str
    region: str
    version: int | None

    @classmethod
    def parse(cls, text: str) -> "Asked":
        """Take the ARN of a layer or of one of its versions apart. Raises ``MalformedArnError``."""
        is_whole = text.count(":") > _COLONS_OF_LAYER
        try:
            arn = LayerVersionArn.parse(text if is_whole else f"{text}:1")
        except MalformedArnError as exc:
            if is_whole:
                raise
            raise MalformedArnError(text=text, why="is not the ARN of a layer or of one of its versions") from exc
        return cls(layer=arn.layer, region=arn.region, version=arn.version if is_whole else None)

    def fits(self, arn: LayerVersionArn) -> bool:
        """Whether a version is meant."""
        return arn.layer == self.layer and self.version in {None, arn.version}


def uses_in(destination: Destination, wanted: Callable[[LayerVersionArn], bool]) -> tuple[Use, ...]:
    """Return every use of the layer versions that are ``wanted``. Raises ``AwsError`` subclasses."""
    api = FunctionApi(open_session(access_to(destination)), destination.region)
    found = (
        Use(layer=arn, function=function.name, function_version=_version_of(function.arn), function_arn=function.arn)
        for function in api.all_versions()
        for layer in function.layers
        if (arn := _parsed(layer.arn)) is not None and wanted(arn)
    )
    return tuple(sorted(found, key=_order))


@dataclass(frozen=True, kw_only=True, slots=True)
class UsedBy:
    """A function, and the versions of it that use one version of a layer."""

    layer: LayerVersionArn
    account: str
    function: str
    function_versions: tuple[str, ...]


def by_function(uses: Iterable[Use]) -> Iterator[UsedBy]:
    """Yield a function once for each layer version it uses, newest layer versions first."""
    for (_, _, _, account, function), group in groupby(sorted(uses, key=_order), key=lambda use: _order(use)[:5]):
        together = tuple(group)
        yield UsedBy(
            layer=together[0].layer,
            account=account,
            function=function,
            function_versions=tuple(use.function_version for use in together),
        )


def _order(use: Use) -> tuple[int, str, str, str, str, int]:
    number = int(use.function_version) if use.function_version.isdecimal() else 0
    return (-use.layer.version, use.layer.region, use.layer.layer, use.account, use.function, number)


def _version_of(function_arn: str) -> str:
    parts = function_arn.split(":")
    return parts[7] if len(parts) > 7 else _LATEST  # noqa: PLR2004 -- arn:aws:lambda:REGION:ACCOUNT:function:NAME:VERSION


def _parsed(arn: str) -> LayerVersionArn | None:
    """Return a layer version's ARN; AWS has some layers of its own, whose ARNs name no account."""
    try:
        return LayerVersionArn.parse(arn)
    except MalformedArnError:
        return None
