"""Objects: put, read, headed, deleted, listed."""

import time
import uuid
from collections.abc import Mapping
from typing import Final

from tests.aws_server.blobs import Blob
from tests.aws_server.context import Context
from tests.aws_server.downloads import ranged
from tests.aws_server.s3_access import authorize_bucket, authorize_object, find_bucket, may_list
from tests.aws_server.s3_checksums import body_of, checked, header_of
from tests.aws_server.s3_reading import find_object
from tests.aws_server.state import Bucket, State, StoredObject
from tests.aws_server.wire import ApiError, Response
from tests.aws_server.xml_answers import Node, xml_response

NAMESPACE: Final = "http://s3.amazonaws.com/doc/2006-03-01/"


def store(
    state: State,
    bucket: Bucket,
    key: str,
    blob: Blob,
    *,
    headers: Mapping[str, str] | None = None,
    checksums: Mapping[str, str] | None = None,
    etag: str | None = None,
    checksum_type: str = "FULL_OBJECT",
) -> StoredObject:
    """Write an object: a new version where the bucket keeps them, else in place of the old."""
    given = headers or {}
    versioned = bucket.versioning == "Enabled"
    stored = StoredObject(
        key=key,
        blob=blob,
        version=uuid.uuid4().hex if versioned else "null",
        etag=etag or blob.etag,
        modified=state.wall(),
        checksums=dict(checksums or {}),
        checksum_type=checksum_type,
        metadata={name: value for name, value in given.items() if name.startswith("x-amz-meta-")},
        content_type=given.get("content-type", "binary/octet-stream"),
    )
    with state.lock:
        older = bucket.objects.get(key, []) if versioned else [
            one for one in bucket.objects.get(key, []) if one.version != "null"
        ]  # fmt: skip
        bucket.objects[key] = [*older, stored]
    return stored


def put_object(context: Context) -> Response:
    """Write an object. Takes the lock itself."""
    bucket, key = find_bucket(context), context.arguments["key"]
    authorize_object(context, bucket, "s3:PutObject", key)
    content, headers = body_of(context.request)
    checksums = checked(content, headers)
    check_absent(context, bucket, key)
    stored = store(context.state, bucket, key, Blob(content), headers=headers, checksums=checksums)
    return Response(headers={"ETag": stored.etag} | written_headers(bucket, stored))


def check_absent(context: Context, bucket: Bucket, key: str) -> None:
    """Raise if the request wants to write only where nothing is, and something is."""
    if context.request.headers.get("if-none-match") == "*" and find_object(bucket, key, None):
        message = "At least one of the pre-conditions you specified did not hold"
        raise ApiError(412, "PreconditionFailed", message)


def written_headers(bucket: Bucket, stored: StoredObject) -> dict[str, str]:
    """Return what S3 says of an object that it has written, besides its tag."""
    headers = {header_of(name): value for name, value in stored.checksums.items()}
    headers |= {"x-amz-server-side-encryption": "AES256"}
    if stored.checksums:
        headers["x-amz-checksum-type"] = stored.checksum_type
    if bucket.versioning == "Enabled":
        headers["x-amz-version-id"] = stored.version
    return headers


def get_object(context: Context) -> Response:
    """Read an object, or part of it; HEAD asks for the same."""
    bucket, key = find_bucket(context), context.arguments["key"]
    version = context.request.query.get("versionId")
    authorize_object(context, bucket, "s3:GetObjectVersion" if version else "s3:GetObject", key)
    found = find_object(bucket, key, version)
    if found is None:
        raise _missing(context, bucket, version)
    headers = {
        "Content-Type": found.content_type,
        "Last-Modified": time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(found.modified)),
        **found.metadata,
        **written_headers(bucket, found),
    }
    if (
        context.request.headers.get("x-amz-checksum-mode", "").upper() != "ENABLED"
        or "range" in context.request.headers
    ):
        headers = {name: value for name, value in headers.items() if not name.startswith("x-amz-checksum-")}
    return ranged(context.request, found.blob, etag=found.etag, headers=headers)


def _missing(context: Context, bucket: Bucket, version: str | None) -> ApiError:
    if not may_list(context.caller, bucket, region=context.region):
        return _unlistable(context, bucket)
    if version:
        return ApiError(404, "NoSuchVersion", "The specified version does not exist.")
    return ApiError(404, "NoSuchKey", "The specified key does not exist.")


def _unlistable(context: Context, bucket: Bucket) -> ApiError:
    try:
        authorize_bucket(context, bucket, "s3:ListBucket")
    except ApiError as error:
        return error
    raise AssertionError


def delete_object(context: Context) -> Response:
    bucket, key = find_bucket(context), context.arguments["key"]
    version = context.request.query.get("versionId")
    authorize_object(context, bucket, "s3:DeleteObjectVersion" if version else "s3:DeleteObject", key)
    if version:
        bucket.objects[key] = [one for one in bucket.objects.get(key, []) if one.version != version]
    elif bucket.versioning == "Enabled":
        marker = store(context.state, bucket, key, Blob(b""))
        marker.marker = True
        return Response(status=204, headers={"x-amz-delete-marker": "true", "x-amz-version-id": marker.version})
    else:
        bucket.objects.pop(key, None)
    return Response(status=204)


def list_objects(context: Context) -> Response:
    """List a bucket's objects as ListObjectsV2 does."""
    bucket = find_bucket(context)
    authorize_bucket(context, bucket, "s3:ListBucket")
    query = context.request.query
    prefix, most = query.get("prefix", ""), min(int(query.get("max-keys", "1000")), 1000)
    after = query.get("continuation-token") or query.get("start-after", "")
    keys = [key for key in sorted(bucket.objects) if key.startswith(prefix) and key > after]
    found = [one for key in keys if (one := find_object(bucket, key, None))]
    shown = found[:most]
    items: list[tuple[str, Node]] = [("Contents", _listed(one)) for one in shown]
    content: list[tuple[str, Node]] = [
        ("Name", bucket.name),
        ("Prefix", prefix),
        ("KeyCount", len(shown)),
        ("MaxKeys", most),
        ("IsTruncated", len(found) > most),
        ("NextContinuationToken", shown[-1].key if len(found) > most else None),
        *items,
    ]
    return xml_response("ListBucketResult", content, namespace=NAMESPACE)


def _listed(one: StoredObject) -> Node:
    modified = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(one.modified))
    return (
        ("Key", one.key),
        ("LastModified", modified),
        ("ETag", one.etag),
        ("Size", len(one.blob)),
        ("StorageClass", "STANDARD"),
    )
