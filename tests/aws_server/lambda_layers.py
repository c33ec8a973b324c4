"""Reading, listing and deleting layer versions."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from tests.aws_server.arns import LAYER_VERSION_ARN_PATTERN, LayerAddress, parse_layer_version_arn
from tests.aws_server.context import Context
from tests.aws_server.lambda_shapes import (
    ARCHITECTURES,
    LAYER_NAME_PATTERN,
    Validation,
    integer,
    invalid_parameter,
    not_found,
    runtimes,
)
from tests.aws_server.state import LayerVersion
from tests.aws_server.wire import Response, json_response

_Item = TypeVar("_Item")


def address_of(context: Context, name_or_arn: str) -> LayerAddress:
    """Return the layer that a name of the caller's own or an ARN means."""
    validation = Validation()
    validation.text("layerName", name_or_arn, pattern=LAYER_NAME_PATTERN)
    validation.raise_if_any()
    if name_or_arn.startswith("arn:"):
        _, _, _, region, account, _, name = name_or_arn.split(":")
        return LayerAddress(account=account, region=region, name=name)
    return LayerAddress(account=context.account, region=context.region, name=name_or_arn)


def numbered(context: Context) -> tuple[LayerAddress, int]:
    """Return the layer and the version's number of a request whose URI has both."""
    address = address_of(context, context.arguments["LayerName"])
    number = integer(context.arguments["VersionNumber"]) or 0
    if number < 1:
        raise invalid_parameter("Layer Version Cannot be less than 1")
    return address, number


def get_layer_version(context: Context) -> Response:
    return _found(context, *numbered(context))


def get_layer_version_by_arn(context: Context) -> Response:
    arn = context.request.query.get("Arn", "")
    validation = Validation()
    validation.text("arn", arn, pattern=LAYER_VERSION_ARN_PATTERN)
    validation.raise_if_any()
    parsed = parse_layer_version_arn(arn)
    if parsed is None:
        raise not_found("The resource you requested does not exist.")
    if parsed[1] < 1:
        raise invalid_parameter("Layer Version Cannot be less than 1")
    return _found(context, *parsed)


def _found(context: Context, address: LayerAddress, number: int) -> Response:
    version = readable_version(context, address, number)
    if version is None:
        raise not_found("The resource you requested does not exist.")
    return json_response(200, version_content(context, version))


def readable_version(context: Context, address: LayerAddress, number: int) -> LayerVersion | None:
    """Return the version if the caller may read it; ``None`` if it is the caller's own and is not there.

    Of another account's layers only a grant opens anything: what is not there looks like what is not granted.
    """
    arn = address.version_arn(number)
    context.authorize("lambda:GetLayerVersion", arn)
    version = context.state.layer_version(address, number) if address.region == context.region else None
    if address.account == context.account:
        return version
    if version is None or not _granted(context, version):
        raise context.refuse("lambda:GetLayerVersion", arn)
    return version


def _granted(context: Context, version: LayerVersion) -> bool:
    organization = context.state.organizations.get(context.account)
    for statement in version.policy.values():
        principal = statement["Principal"]
        wanted = statement.get("Condition", {}).get("StringEquals", {}).get("aws:PrincipalOrgID")
        mine = principal == "*" or principal["AWS"].split(":")[4] == context.account
        if mine and wanted in {None, organization}:
            return True
    return False


def version_content(context: Context, version: LayerVersion) -> dict[str, Any]:
    """Return what publishing and reading answer, with a link to the bytes."""
    content = {
        "Location": context.link(version.code, kind="layers", name=version.address.name),
        "CodeSha256": version.code.code_sha256,
        "CodeSize": len(version.code),
        "SigningProfileVersionArn": version.signing_profile,
        "SigningJobArn": version.signing_job,
        "ResolvedS3Object": version.resolved_object,
    }
    return {
        "Content": {name: value for name, value in content.items() if value is not None},
        "LayerArn": version.address.arn,
        **version_summary(version),
    }


def version_summary(version: LayerVersion) -> dict[str, Any]:
    """Return what a list says of a version: nothing about its bytes."""
    return {
        "LayerVersionArn": version.arn,
        "Version": version.number,
        "Description": version.description,
        "CreatedDate": version.created,
        "CompatibleRuntimes": list(version.runtimes) or None,
        "CompatibleArchitectures": list(version.architectures) or None,
        "LicenseInfo": version.license,
    }


def list_layers(context: Context) -> Response:
    context.authorize("lambda:ListLayers", "*")
    matches = _filter(context)
    found = []
    for name in sorted(context.here.layers):
        layer = context.here.layers[name]
        latest = next(filter(matches, layer.newest_first), None)
        if latest:
            summary = _without_none(version_summary(latest))
            found.append({"LayerName": name, "LayerArn": layer.address.arn, "LatestMatchingVersion": summary})
    return page(context, "Layers", found, most=50)


def list_layer_versions(context: Context) -> Response:
    """List the newest first; a layer that is not there has none."""
    address = address_of(context, context.arguments["LayerName"])
    if address.account != context.account:
        raise context.refuse("lambda:ListLayerVersions", address.arn)
    context.authorize("lambda:ListLayerVersions", "*")
    matches = _filter(context)
    layer = context.here.layers.get(address.name) if address.region == context.region else None
    versions = filter(matches, layer.newest_first if layer else ())
    return page(context, "LayerVersions", [_without_none(version_summary(one)) for one in versions], most=50)


def _filter(context: Context) -> Callable[[LayerVersion], bool]:
    query = context.request.query
    runtime, architecture = query.get("CompatibleRuntime"), query.get("CompatibleArchitecture")
    validation = Validation()
    validation.one_of("compatibleRuntime", runtime, runtimes())
    validation.one_of("compatibleArchitecture", architecture, ARCHITECTURES)
    validation.raise_if_any()
    return lambda version: (
        (runtime is None or runtime in version.runtimes)
        and (architecture is None or architecture in version.architectures)
    )


def page(context: Context, member: str, items: Sequence[_Item], *, most: int, default: int = 50) -> Response:
    """Return the page of ``items`` that Marker and MaxItems ask for."""
    query = context.request.query
    wanted = integer(query.get("MaxItems"))
    validation = Validation()
    validation.number("maxItems", wanted, least=1, most=most)
    validation.raise_if_any()
    start = _start(query.get("Marker"))
    end = start + min(wanted or default, default)
    following = base64.b64encode(f"after:{end}".encode()).decode() if end < len(items) else None
    return json_response(200, {member: list(items[start:end]), "NextMarker": following})


def _start(marker: str | None) -> int:
    if not marker:
        return 0
    try:
        kind, _, number = base64.b64decode(marker, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        kind, number = "", ""
    if kind != "after" or not number.isdigit():
        raise invalid_parameter("Invalid Marker.")
    return int(number)


def delete_layer_version(context: Context) -> Response:
    """Delete a version, whether or not it is there."""
    address, number = numbered(context)
    arn = address.version_arn(number)
    if address.account != context.account:
        raise context.refuse("lambda:DeleteLayerVersion", arn)
    context.authorize("lambda:DeleteLayerVersion", arn)
    layer = context.state.regions[address.account, context.region].layers.get(address.name)
    if layer and address.region == context.region:
        layer.versions.pop(number, None)
    return Response(status=204)


def _without_none(content: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in content.items() if value is not None}
