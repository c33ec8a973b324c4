"""Uploads in parts, with their checksums."""

import base64
import hashlib
import uuid
from typing import Final
from xml.etree import ElementTree as ET

from tests.aws_server.blobs import Blob
from tests.aws_server.context import Context
from tests.aws_server.s3_access import authorize_object, find_bucket
from tests.aws_server.s3_checksums import ALGORITHMS, body_of, checked, composite, digest_of, header_of
from tests.aws_server.s3_objects import NAMESPACE, check_absent, store, written_headers
from tests.aws_server.state import Bucket, Upload
from tests.aws_server.wire import ApiError, Response
from tests.aws_server.xml_answers import Node, xml_response

_MOST_PARTS: Final = 10_000


def create_upload(context: Context) -> Response:
    bucket, key = find_bucket(context), context.arguments["key"]
    authorize_object(context, bucket, "s3:PutObject", key)
    headers = dict(context.request.headers)
    algorithm = headers.get("x-amz-checksum-algorithm", "").upper() or None
    if algorithm not in {None, *ALGORITHMS}:
        raise ApiError(400, "InvalidRequest", "Checksum algorithm provided is unsupported.")
    default = "FULL_OBJECT" if algorithm == "CRC64NVME" else "COMPOSITE"
    kind = headers.get("x-amz-checksum-type", default).upper()
    if kind == "FULL_OBJECT" and algorithm in {"SHA1", "SHA256"}:
        message = f"The FULL_OBJECT checksum type cannot be used with the {algorithm.lower()} checksum algorithm."
        raise ApiError(400, "InvalidRequest", message)
    number = uuid.uuid4().hex
    upload = Upload(bucket=bucket.name, key=key, algorithm=algorithm, checksum_type=kind, headers=headers)
    context.state.uploads[number] = upload
    content = (("Bucket", bucket.name), ("Key", key), ("UploadId", number))
    said = {"x-amz-checksum-algorithm": algorithm, "x-amz-checksum-type": kind} if algorithm else {}
    return xml_response("InitiateMultipartUploadResult", content, namespace=NAMESPACE, headers=said)


def upload_part(context: Context) -> Response:
    """Keep a part. Takes the lock itself."""
    _, upload = _under_way(context, "s3:PutObject")
    number = int(context.request.query["partNumber"])
    if not 1 <= number <= _MOST_PARTS:
        message = "Part number must be an integer between 1 and 10000, inclusive"
        raise ApiError(400, "InvalidArgument", message)
    content, headers = body_of(context.request)
    checksums = checked(content, headers)
    expected = upload.algorithm
    if expected and expected not in checksums:
        actual = next(iter(checksums), "null").lower()
        message = (
            f"Checksum Type mismatch occurred, expected checksum Type: {expected.lower()}, "
            f"actual checksum Type: {actual}"
        )
        raise ApiError(400, "InvalidRequest", message)
    part = Blob(content)
    with context.state.lock:
        upload.parts[number] = part
    return Response(headers={"ETag": part.etag} | {header_of(name): value for name, value in checksums.items()})


def complete_upload(context: Context) -> Response:
    """Join the parts that the request lists."""
    bucket, upload = _under_way(context, "s3:PutObject")
    listed = _listed_parts(context.request.body)
    numbers = [int(part.get("PartNumber", "0")) for part in listed]
    if not numbers or numbers != sorted(set(numbers)):
        message = (
            "The list of parts was not in ascending order. The parts list must be specified in order by part number."
        )
        raise ApiError(400, "InvalidPartOrder", message)
    parts = [_checked_part(upload, part) for part in listed]
    if any(len(part) < context.switches.smallest_part for part in parts[:-1]):
        raise ApiError(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
    check_absent(context, bucket, upload.key)
    whole = Blob(b"".join(part.content for part in parts))
    tags = b"".join(hashlib.md5(part.content, usedforsecurity=False).digest() for part in parts)
    etag = f'"{hashlib.md5(tags, usedforsecurity=False).hexdigest()}-{len(parts)}"'
    stored = store(
        context.state,
        bucket,
        upload.key,
        whole,
        headers=upload.headers,
        checksums=_final_checksums(context, upload, parts, whole),
        etag=etag,
        checksum_type=upload.checksum_type,
    )
    stored.parts = len(parts)
    del context.state.uploads[context.request.query["uploadId"]]
    location = f"{context.url}/{bucket.name}/{upload.key}"
    sums: list[tuple[str, Node]] = [(f"Checksum{name}", value) for name, value in stored.checksums.items()]
    content: list[tuple[str, Node]] = [("Location", location), ("Bucket", bucket.name), ("Key", upload.key)]
    content += [("ETag", etag), *sums]
    said = written_headers(bucket, stored)
    return xml_response("CompleteMultipartUploadResult", content, namespace=NAMESPACE, headers=said)


def abort_upload(context: Context) -> Response:
    _under_way(context, "s3:AbortMultipartUpload")
    del context.state.uploads[context.request.query["uploadId"]]
    return Response(status=204)


def list_parts(context: Context) -> Response:
    bucket, upload = _under_way(context, "s3:ListMultipartUploadParts")
    parts: list[tuple[str, Node]] = [
        ("Part", (("PartNumber", number), ("ETag", part.etag), ("Size", len(part))))
        for number, part in sorted(upload.parts.items())
    ]
    content: list[tuple[str, Node]] = [("Bucket", bucket.name), ("Key", upload.key), ("IsTruncated", False), *parts]
    return xml_response("ListPartsResult", content, namespace=NAMESPACE)


def _under_way(context: Context, action: str) -> tuple[Bucket, Upload]:
    bucket, key = find_bucket(context), context.arguments["key"]
    authorize_object(context, bucket, action, key)
    upload = context.state.uploads.get(context.request.query["uploadId"])
    if upload is None or (upload.bucket, upload.key) != (bucket.name, key):
        message = (
            "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted "
            "or completed."
        )
        raise ApiError(404, "NoSuchUpload", message)
    return bucket, upload


def _listed_parts(body: bytes) -> list[dict[str, str]]:
    try:
        root = ET.fromstring(body)  # noqa: S314 -- from our own client
    except ET.ParseError:
        message = "The XML you provided was not well-formed or did not validate against our published schema"
        raise ApiError(400, "MalformedXML", message) from None
    return [{child.tag.rpartition("}")[2]: child.text or "" for child in part} for part in root]


def _checked_part(upload: Upload, listed: dict[str, str]) -> Blob:
    number = int(listed.get("PartNumber", "0"))
    part = upload.parts.get(number)
    if part is None or listed.get("ETag", "").strip('"') != part.etag.strip('"'):
        message = (
            "One or more of the specified parts could not be found.  The part may not have been uploaded, or the "
            "specified entity tag may not match the part's entity tag."
        )
        raise ApiError(400, "InvalidPart", message)
    algorithm = upload.algorithm
    claimed = listed.get(f"Checksum{algorithm}")
    if algorithm and upload.checksum_type == "COMPOSITE" and claimed is None:
        message = (
            f"The upload was created using a {algorithm.lower()} checksum. The complete request must include the "
            f"checksum for each part. It was missing for part {number} in the request."
        )
        raise ApiError(400, "InvalidRequest", message)
    if algorithm and claimed and base64.b64encode(digest_of(algorithm, part.content)).decode() != claimed:
        raise ApiError(400, "InvalidPart", "One or more of the specified parts could not be found.")
    return part


def _final_checksums(context: Context, upload: Upload, parts: list[Blob], whole: Blob) -> dict[str, str]:
    algorithm = upload.algorithm
    if algorithm is None:
        return {}
    if upload.checksum_type == "COMPOSITE":
        return {algorithm: composite(algorithm, parts)}
    actual = base64.b64encode(digest_of(algorithm, whole.content)).decode()
    claimed = context.request.headers.get(header_of(algorithm))
    if claimed is not None and claimed != actual:
        raise ApiError(400, "BadDigest", f"The {algorithm} you specified did not match the calculated checksum.")
    return {algorithm: actual}
