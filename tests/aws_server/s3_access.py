"""Who may do what with a bucket: its account by its own policies, others if the bucket lets them in too."""

from tests.aws_server import refusals
from tests.aws_server.arns import partition_of
from tests.aws_server.context import Context
from tests.aws_server.iam import Caller
from tests.aws_server.state import Bucket
from tests.aws_server.wire import ApiError


def bucket_arn(bucket: Bucket) -> str:
    return f"arn:{partition_of(bucket.region)}:s3:::{bucket.name}"


def object_arn(bucket: Bucket, key: str) -> str:
    return f"{bucket_arn(bucket)}/{key}"


def may_read(caller: Caller, bucket: Bucket, key: str, *, region: str, version: str | None = None) -> bool:
    """Whether ``caller`` may read the object, or the version of it."""
    action = "s3:GetObjectVersion" if version else "s3:GetObject"
    inside = caller.account == bucket.account or caller.account in bucket.readers
    return inside and caller.verdict(action, object_arn(bucket, key), region=region) is None


def may_write(caller: Caller, bucket: Bucket, key: str, *, region: str) -> bool:
    """Whether ``caller`` may write the object."""
    inside = caller.account == bucket.account or caller.account in bucket.writers
    return inside and caller.verdict("s3:PutObject", object_arn(bucket, key), region=region) is None


def may_list(caller: Caller, bucket: Bucket, *, region: str) -> bool:
    """Whether ``caller`` may know which keys there are; who may not is told 403 of a key that is not there."""
    return (
        caller.account == bucket.account and caller.verdict("s3:ListBucket", bucket_arn(bucket), region=region) is None
    )


def find_bucket(context: Context, *, anywhere: bool = False) -> Bucket:
    """Return the bucket that the request is about, or raise that it is not there, elsewhere or of another owner."""
    bucket = context.state.buckets.get(context.arguments["bucket"])
    if bucket is None or partition_of(bucket.region) != context.partition:
        raise ApiError(404, "NoSuchBucket", "The specified bucket does not exist")
    if bucket.region != context.region and not anywhere:
        message = (
            "The bucket you are attempting to access must be addressed using the specified endpoint. "
            "Please send all future requests to this endpoint."
        )
        raise ApiError(301, "PermanentRedirect", message, headers={"x-amz-bucket-region": bucket.region})
    expected = context.request.headers.get("x-amz-expected-bucket-owner")
    if expected is not None and expected != bucket.account:
        raise ApiError(403, "AccessDenied", "Access Denied")
    return bucket


def authorize_bucket(context: Context, bucket: Bucket, action: str) -> None:
    """Raise unless the caller is of the bucket's account and allowed ``action`` on the bucket."""
    if context.account != bucket.account:
        raise _stranger(context, action, bucket_arn(bucket))
    context.authorize(action, bucket_arn(bucket))


def authorize_object(context: Context, bucket: Bucket, action: str, key: str) -> None:
    """Raise unless the caller is allowed ``action`` on the object, by itself and by the bucket."""
    guests = bucket.readers if action.startswith("s3:Get") else bucket.writers
    arn = object_arn(bucket, key)
    if context.account != bucket.account and context.account not in guests:
        raise _stranger(context, action, arn)
    context.authorize(action, arn)


def _stranger(context: Context, action: str, arn: str) -> ApiError:
    reason = f"because no resource-based policy allows the {action} action"
    return refusals.denied("s3", caller=context.caller, action=action, resource=arn, reason=reason)
