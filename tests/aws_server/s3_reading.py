"""How other services read an object for a caller: with the caller's own rights, in the caller's region."""

from tests.aws_server.blobs import Blob
from tests.aws_server.context import Context
from tests.aws_server.lambda_shapes import invalid_parameter
from tests.aws_server.s3_access import may_list, may_read
from tests.aws_server.state import Bucket, StoredObject
from tests.aws_server.wire import ApiError


def read_for_lambda(context: Context, bucket_name: str, key: str, version: str | None) -> Blob:
    """Return the object's bytes, or raise what Lambda says of S3's refusal."""
    bucket = context.state.buckets.get(bucket_name)
    if bucket is None:
        raise _refused("NoSuchBucket", "The specified bucket does not exist")
    if bucket.region != context.region:
        raise _refused(
            "PermanentRedirect",
            f"The bucket is in this region: {bucket.region}. Please use this region to retry the request",
        )
    found = find_object(bucket, key, version)
    known = found is not None or may_list(context.caller, bucket, region=context.region)
    if not known or not may_read(context.caller, bucket, key, region=context.region, version=version):
        raise ApiError(
            403,
            "AccessDeniedException",
            "Your access has been denied by S3, please make sure your request credentials have permission to GetObject "
            f"for {bucket_name}/{key}. S3 Error Code: AccessDenied. S3 Error Message: Access Denied",
        )
    if found is None and version:
        raise _refused("NoSuchVersion", "The specified version does not exist.")
    if found is None:
        raise _refused("NoSuchKey", "The specified key does not exist.")
    return found.blob


def find_object(bucket: Bucket, key: str, version: str | None) -> StoredObject | None:
    """Return the version that is asked for, or the latest unless it is a deletion."""
    versions = bucket.objects.get(key, [])
    if version:
        return next((one for one in versions if one.version == version and not one.marker), None)
    return versions[-1] if versions and not versions[-1].marker else None


def _refused(code: str, message: str) -> ApiError:
    return invalid_parameter(f"Error occurred while GetObject. S3 Error Code: {code}. S3 Error Message: {message}")
