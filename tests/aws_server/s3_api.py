"""S3's REST API: which operation a method, a path and a query mean."""

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from tests.aws_server import s3_buckets, s3_multipart, s3_objects
from tests.aws_server.context import Context
from tests.aws_server.downloads import s3_error
from tests.aws_server.wire import ApiError, Operation, Request, Response
from tests.aws_server.xml_answers import Node, xml_response

_Handler: TypeAlias = Callable[[Context], Response]

_SUBRESOURCES: Final = ("acl", "tagging", "torrent", "retention", "attributes", "restore", "select")
_OF_OBJECTS: Final[Mapping[tuple[str, str], tuple[str, _Handler]]] = {
    ("PUT", ""): ("PutObject", s3_objects.put_object),
    ("GET", ""): ("GetObject", s3_objects.get_object),
    ("HEAD", ""): ("HeadObject", s3_objects.get_object),
    ("DELETE", ""): ("DeleteObject", s3_objects.delete_object),
    ("POST", "uploads"): ("CreateMultipartUpload", s3_multipart.create_upload),
    ("PUT", "uploadId"): ("UploadPart", s3_multipart.upload_part),
    ("POST", "uploadId"): ("CompleteMultipartUpload", s3_multipart.complete_upload),
    ("DELETE", "uploadId"): ("AbortMultipartUpload", s3_multipart.abort_upload),
    ("GET", "uploadId"): ("ListParts", s3_multipart.list_parts),
}
_OF_BUCKETS: Final[Mapping[str, tuple[str, _Handler]]] = {
    "PUT": ("CreateBucket", s3_buckets.create_bucket),
    "HEAD": ("HeadBucket", s3_buckets.head_bucket),
    "DELETE": ("DeleteBucket", s3_buckets.delete_bucket),
    "GET": ("ListObjectsV2", s3_objects.list_objects),
}
_OF_LISTS: Final = frozenset(
    {"location", "list-type", "prefix", "max-keys", "encoding-type", "continuation-token", "start-after", "x-id"}
)


class S3Api:
    """S3, as far as it stages layers. Buckets are in the path, or before ``.localhost`` in the host."""

    name = "s3"

    def operation_of(self, request: Request) -> Operation:
        bucket, key = _addressed(request)
        if not bucket:
            return Operation(name="ListBuckets", handler=_list_buckets)
        if key:
            return _object_operation(request, bucket, key)
        return _bucket_operation(request, bucket)

    def render(self, error: ApiError, *, request_id: str) -> Response:
        return s3_error(error, request_id=request_id)


def _addressed(request: Request) -> tuple[str, str]:
    host = request.headers.get("host", "").partition(":")[0]
    if host.endswith(".localhost"):
        return host.removesuffix(".localhost"), request.path.removeprefix("/")
    bucket, _, key = request.path.removeprefix("/").partition("/")
    return bucket, key


def _bucket_operation(request: Request, bucket: str) -> Operation:
    query = request.query
    setting = next((name for name in s3_buckets.SETTINGS if name in query), None)
    if setting and request.method in {"PUT", "GET"}:
        verb, handler = ("Put", s3_buckets.put_setting) if request.method == "PUT" else ("Get", s3_buckets.get_setting)
        arguments = {"bucket": bucket, "setting": setting}
        return Operation(name=verb + s3_buckets.SETTINGS[setting].operation, handler=handler, arguments=arguments)
    name, found = _OF_BUCKETS.get(request.method, ("", _list_buckets))
    if not name or not set(query) <= _OF_LISTS:
        raise _unknown(request)
    if request.method == "GET" and "location" in query:
        name, found = "GetBucketLocation", s3_buckets.get_location
    return Operation(name=name, handler=found, arguments={"bucket": bucket})


def _object_operation(request: Request, bucket: str, key: str) -> Operation:
    query = request.query
    if "x-amz-copy-source" in request.headers or any(name in query for name in _SUBRESOURCES):
        raise _unknown(request)
    part = next((name for name in ("uploadId", "uploads") if name in query), "")
    found = _OF_OBJECTS.get((request.method, part))
    if found is None:
        raise _unknown(request)
    name, handler = found
    locks = name not in {"PutObject", "UploadPart"}
    return Operation(name=name, handler=handler, arguments={"bucket": bucket, "key": key}, locks=locks)


def _unknown(request: Request) -> ApiError:
    message = "A header you provided implies functionality that is not implemented"
    return ApiError(501, "NotImplemented", f"{message}: {request.method} {request.path}?{request.raw_query}")


def _list_buckets(context: Context) -> Response:
    context.authorize("s3:ListAllMyBuckets", f"arn:{context.partition}:s3:::*")
    buckets = [one for one in context.state.buckets.values() if one.account == context.account]
    items: list[tuple[str, Node]] = [
        ("Bucket", (("Name", one.name), ("CreationDate", "2026-01-01T00:00:00.000Z"), ("BucketRegion", one.region)))
        for one in sorted(buckets, key=lambda one: one.name)
    ]
    content = (("Owner", (("ID", context.account),)), ("Buckets", items))
    return xml_response("ListAllMyBucketsResult", content, namespace=s3_objects.NAMESPACE)
