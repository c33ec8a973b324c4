"""The layers of a function: what Lambda allows in the list, and what fits."""

from collections.abc import Sequence
from itertools import combinations

from tests.aws_server.arns import LayerAddress, parse_layer_version_arn
from tests.aws_server.context import Context
from tests.aws_server.lambda_layers import readable_version
from tests.aws_server.lambda_shapes import invalid_parameter
from tests.aws_server.state import LayerReference

MOST_LAYERS = 5


def resolve_layers(context: Context, arns: Sequence[str]) -> list[LayerReference]:
    """Return references to the layers, or raise what is wrong with the list."""
    if len(arns) > MOST_LAYERS:
        raise invalid_parameter(f"Cannot reference more than {MOST_LAYERS} layers.")
    parsed = [(arn, *found) for arn in arns if (found := parse_layer_version_arn(arn))]
    for one, other in combinations(parsed, 2):
        if one[1] == other[1]:
            raise invalid_parameter(
                "Two different versions of the same layer are not allowed to be referenced in the same function. "
                f"{one[0]} and {other[0]} are versions of the same layer."
            )
    return [_reference(context, arn, address, number) for arn, address, number in parsed]


def _reference(context: Context, arn: str, address: LayerAddress, number: int) -> LayerReference:
    if address.account == context.account and address.region != context.region:
        raise invalid_parameter(
            f"Layers are not in the same region as the function. Layers are expected to be in region {context.region}."
        )
    version = readable_version(context, address, number)
    if version is None:
        raise invalid_parameter(f"Layer version {arn} does not exist.")
    return LayerReference(arn=arn, code_size=len(version.code), unzipped=version.code.unzipped_size())


def check_new(context: Context, layers: Sequence[LayerReference], unzipped: int) -> None:
    """Raise unless the code of a new function, or new code, has room beside its layers."""
    limit = context.switches.unzipped_limit
    room = limit - _total(context, layers)
    if unzipped >= room:
        raise invalid_parameter(f"Unzipped size must be smaller than {room} bytes")


def check_changed(context: Context, layers: Sequence[LayerReference], unzipped: int) -> None:
    """Raise unless new layers have room beside the code that is deployed."""
    limit = context.switches.unzipped_limit
    size = _total(context, layers) + unzipped
    if size >= limit:
        raise invalid_parameter(
            f"Function code combined with layers exceeds the maximum allowed size of {limit} bytes. "
            f"The actual size is {size} bytes."
        )


def _total(context: Context, layers: Sequence[LayerReference]) -> int:
    limit = context.switches.unzipped_limit
    size = sum(layer.unzipped for layer in layers)
    if layers and size >= limit:
        raise invalid_parameter(f"Layers consume more than the available size of {limit} bytes")
    return size
