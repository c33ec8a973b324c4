"""PublishLayerVersion: what it checks, in its order, and the version that comes of it."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

from tests.aws_server.arns import LayerAddress
from tests.aws_server.blobs import BadZipError, Blob
from tests.aws_server.context import Context
from tests.aws_server.lambda_layers import address_of, version_content
from tests.aws_server.lambda_shapes import (
    ARCHITECTURES,
    BUCKET_PATTERN,
    LAYER_NAME_PATTERN,
    Validation,
    invalid_parameter,
    runtimes,
)
from tests.aws_server.s3_reading import read_for_lambda
from tests.aws_server.wire import ApiError, Response, json_response

_ONE_SOURCE: Final = "Please do not provide other FunctionCode parameters when providing a ZipFile."


def publish_layer_version(context: Context) -> Response:
    """Give the content the layer's next number. Takes the lock itself."""
    check_request_size(context, operation="PublishLayerVersion")
    wanted = context.json()
    _validate(context.arguments["LayerName"], wanted)
    address = address_of(context, context.arguments["LayerName"])
    if (address.account, address.region) != (context.account, context.region):
        raise context.refuse("lambda:PublishLayerVersion", address.arn)
    context.authorize("lambda:PublishLayerVersion", address.arn)
    architectures = tuple(wanted.get("CompatibleArchitectures") or ())
    if architectures and context.region in context.switches.refuses_architectures:
        raise invalid_parameter(
            f"CompatibleArchitectures are not supported in {context.region}. "
            "Please remove the CompatibleArchitectures value from your request and try again"
        )
    code = read_code(context, wanted["Content"])
    check_unzipped(context, code)
    return _published(context, address, code, wanted)


def _published(context: Context, address: LayerAddress, code: Blob, wanted: Mapping[str, Any]) -> Response:
    with context.state.lock:
        check_storage(context, code)
        signing_job, signing_profile = context.state.signatures.get(code.sha256, (None, None))
        version = context.state.add_version(
            address,
            code,
            description=wanted.get("Description") or "",
            runtimes=tuple(wanted.get("CompatibleRuntimes") or ()),
            architectures=tuple(wanted.get("CompatibleArchitectures") or ()),
            license=wanted.get("LicenseInfo"),
            signing_job=signing_job,
            signing_profile=signing_profile,
            resolved_object=_resolved(wanted["Content"]),
        )
        return json_response(201, version_content(context, version))


def check_request_size(context: Context, *, operation: str) -> None:
    limit = context.switches.request_limit
    if len(context.request.body) >= limit:
        message = f"Request must be smaller than {limit} bytes for the {operation} operation"
        raise ApiError(413, "RequestEntityTooLargeException", message)


def _validate(name: str, wanted: Mapping[str, Any]) -> None:
    validation = Validation()
    validation.text("layerName", name, pattern=LAYER_NAME_PATTERN)
    validation.text("description", wanted.get("Description"), longest=256)
    validation.text("licenseInfo", wanted.get("LicenseInfo"), longest=512, pattern=".*")
    validation.all_of("compatibleRuntimes", wanted.get("CompatibleRuntimes"), runtimes(), most=15)
    validation.all_of("compatibleArchitectures", wanted.get("CompatibleArchitectures"), ARCHITECTURES, most=2)
    validation.present("content", wanted.get("Content"))
    source = wanted.get("Content") or {}
    validation.text("content.s3Bucket", source.get("S3Bucket"), pattern=BUCKET_PATTERN, shortest=3, longest=63)
    validation.text("content.s3Key", source.get("S3Key"), shortest=1, longest=1024)
    validation.one_of("content.s3ObjectStorageMode", source.get("S3ObjectStorageMode"), ("COPY", "REFERENCE"))
    validation.raise_if_any()


def read_code(context: Context, source: Mapping[str, Any]) -> Blob:
    """Return the bytes that ``source`` holds or points to."""
    packed = source.get("ZipFile")
    if packed is not None and "S3Key" in source:
        raise invalid_parameter(_ONE_SOURCE)
    if packed is None and not (source.get("S3Bucket") and source.get("S3Key")):
        raise invalid_parameter("Please provide a source for the code: either ZipFile, or S3Bucket and S3Key.")
    if packed is None:
        if source.get("S3ObjectStorageMode") == "REFERENCE" and not source.get("S3ObjectVersion"):
            raise invalid_parameter("S3ObjectVersion is required when S3ObjectStorageMode is REFERENCE.")
        return read_for_lambda(context, source["S3Bucket"], source["S3Key"], source.get("S3ObjectVersion"))
    try:
        content = base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError):
        raise ApiError(400, "SerializationException", "Could not parse request body into json") from None
    limit = context.switches.direct_limit
    if len(content) > limit:
        raise ApiError(413, "RequestEntityTooLargeException", f"Zipped size must be smaller than {limit} bytes")
    return Blob(content)


def check_unzipped(context: Context, code: Blob) -> None:
    limit = context.switches.unzipped_limit
    if unzipped(code) >= limit:
        raise invalid_parameter(f"Unzipped size must be smaller than {limit} bytes")


def unzipped(code: Blob) -> int:
    """Return the code's unzipped size, or raise what Lambda says of a bad zip."""
    try:
        return code.unzipped_size()
    except BadZipError as wrong:
        raise invalid_parameter(str(wrong)) from wrong


def check_storage(context: Context, code: Blob) -> None:
    if stored_bytes(context) + len(code) > context.switches.code_storage_limit:
        raise ApiError(400, "CodeStorageExceededException", "Code storage limit exceeded.")


def stored_bytes(context: Context) -> int:
    """Return how much code the account stores in the region."""
    here = context.here
    layers = sum(len(version.code) for layer in here.layers.values() for version in layer.versions.values())
    return layers + sum(len(function.code) for function in here.functions.values() if function.code)


def _resolved(source: Mapping[str, Any]) -> dict[str, str] | None:
    if source.get("S3ObjectStorageMode") != "REFERENCE":
        return None
    return {name: source[name] for name in ("S3Bucket", "S3Key", "S3ObjectVersion")}
