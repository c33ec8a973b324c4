"""The links to layers' and functions' bytes: presigned for GET alone, valid for minutes, with ranges as S3 has them."""

import re
from typing import Final

from tests.aws_server.blobs import Blob
from tests.aws_server.context import Context
from tests.aws_server.wire import ApiError, Operation, Request, Response
from tests.aws_server.xml_answers import xml_response

_PATH: Final = re.compile(r"/awslambda-(?P<region>[a-z0-9-]+)-(?:layers|tasks)/snapshots/(?P<account>\d+)/.+")


class DownloadApi:
    """What answers to a link: S3, but without credentials."""

    name = "download"

    def place_of(self, request: Request) -> tuple[str, str] | None:
        """Return for which account and in which region a link was made; ``None`` if it is no link."""
        match = _PATH.fullmatch(request.raw_path)
        return (match["account"], match["region"]) if match else None

    def operation_of(self, request: Request) -> Operation:
        if "authorization" in request.headers:
            message = (
                "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, "
                "Signature query string parameter or the Authorization header should be specified"
            )
            raise ApiError(400, "InvalidArgument", message)
        if request.method != "GET":
            message = "The request signature we calculated does not match the signature you provided."
            raise ApiError(403, "SignatureDoesNotMatch", message)
        return Operation(name="Download", handler=_download, locks=False, signed=False)

    def render(self, error: ApiError, *, request_id: str) -> Response:
        return s3_error(error, request_id=request_id)


def s3_error(error: ApiError, *, request_id: str) -> Response:
    """Return an error as S3 writes it."""
    content = (("Code", error.code), ("Message", error.message), ("RequestId", request_id), ("HostId", request_id))
    headers = {"x-amz-request-id": request_id} | error.headers
    return xml_response("Error", content, status=error.status, headers=headers)


def _download(context: Context) -> Response:
    found = context.state.downloads.get(context.request.query.get("X-Amz-Signature", ""))
    if found is None:
        message = "The request signature we calculated does not match the signature you provided."
        raise ApiError(403, "SignatureDoesNotMatch", message)
    if context.state.wall() >= found.expires:
        raise ApiError(403, "AccessDenied", "Request has expired")
    return ranged(context.request, found.blob, etag=found.blob.etag, headers={"Content-Type": "application/zip"})


def ranged(request: Request, blob: Blob, *, etag: str, headers: dict[str, str]) -> Response:
    """Return all of ``blob``, or the one range that the request asks for; more than one is ignored, as S3 does."""
    common = {"ETag": etag, "Accept-Ranges": "bytes", **headers}
    wanted = request.headers.get("if-match")
    if wanted is not None and wanted not in {etag, "*"}:
        message = "At least one of the pre-conditions you specified did not hold"
        raise ApiError(412, "PreconditionFailed", message)
    content = memoryview(blob.content)
    total = len(content)
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", request.headers.get("range", ""))
    if match is None or not (match[1] or match[2]):
        return Response(body=content, headers=common)
    start = int(match[1]) if match[1] else max(0, total - int(match[2]))
    end = min(int(match[2]), total - 1) if match[1] and match[2] else total - 1
    if start >= total or start > end:
        message = "The requested range is not satisfiable"
        raise ApiError(416, "InvalidRange", message, headers={"Content-Range": f"bytes */{total}"})
    partial = common | {"Content-Range": f"bytes {start}-{end}/{total}"}
    return Response(status=206, body=content[start : end + 1], headers=partial)
