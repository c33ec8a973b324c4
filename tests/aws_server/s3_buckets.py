"""Buckets: made, found, and their settings, which are kept as they are sent."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from xml.etree import ElementTree as ET

from tests.aws_server.context import Context
from tests.aws_server.iam import policy_of
from tests.aws_server.s3_access import authorize_bucket, bucket_arn, find_bucket
from tests.aws_server.s3_checksums import body_of, checked
from tests.aws_server.s3_objects import NAMESPACE
from tests.aws_server.state import Bucket
from tests.aws_server.wire import ApiError, Response
from tests.aws_server.xml_answers import Node, xml, xml_response

_NAME: Final = re.compile(r"(?!xn--)(?!.*-s3alias$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ENCRYPTED: Final = (
    "ServerSideEncryptionConfiguration",
    (("Rule", (("ApplyServerSideEncryptionByDefault", (("SSEAlgorithm", "AES256"),)), ("BucketKeyEnabled", False))),),
)
_BLOCKED: Final = (
    "PublicAccessBlockConfiguration",
    (
        ("BlockPublicAcls", True),
        ("IgnorePublicAcls", True),
        ("BlockPublicPolicy", True),
        ("RestrictPublicBuckets", True),
    ),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """A subresource of a bucket; ``default`` is what AWS has set without being asked, ``missing`` its error."""

    operation: str
    read_action: str
    write_action: str
    default: tuple[str, Node] | None = None
    missing: tuple[str, str] = ("NoSuchConfiguration", "The specified configuration does not exist.")


SETTINGS: Final[Mapping[str, Setting]] = {
    "versioning": Setting(
        operation="BucketVersioning",
        read_action="s3:GetBucketVersioning",
        write_action="s3:PutBucketVersioning",
        default=("VersioningConfiguration", ()),
    ),
    "encryption": Setting(
        operation="BucketEncryption",
        read_action="s3:GetEncryptionConfiguration",
        write_action="s3:PutEncryptionConfiguration",
        default=_ENCRYPTED,
    ),
    "publicAccessBlock": Setting(
        operation="PublicAccessBlock",
        read_action="s3:GetBucketPublicAccessBlock",
        write_action="s3:PutBucketPublicAccessBlock",
        default=_BLOCKED,
    ),
    "lifecycle": Setting(
        operation="BucketLifecycleConfiguration",
        read_action="s3:GetLifecycleConfiguration",
        write_action="s3:PutLifecycleConfiguration",
        missing=("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist"),
    ),
    "policy": Setting(
        operation="BucketPolicy",
        read_action="s3:GetBucketPolicy",
        write_action="s3:PutBucketPolicy",
        missing=("NoSuchBucketPolicy", "The bucket policy does not exist"),
    ),
    "tagging": Setting(
        operation="BucketTagging",
        read_action="s3:GetBucketTagging",
        write_action="s3:PutBucketTagging",
        missing=("NoSuchTagSet", "The TagSet does not exist"),
    ),
}


def create_bucket(context: Context) -> Response:
    """Make a bucket where the request is sent, if its body says the same."""
    name = context.arguments["bucket"]
    context.authorize("s3:CreateBucket", f"arn:{context.partition}:s3:::{name}")
    if not _NAME.fullmatch(name) or ".." in name:
        raise ApiError(400, "InvalidBucketName", "The specified bucket is not valid.")
    _check_location(context.region, _location(context.request.body))
    old = context.state.buckets.get(name)
    if old is not None and old.account != context.account:
        message = (
            "The requested bucket name is not available. The bucket namespace is shared by all users of the system. "
            "Please select a different name and try again."
        )
        raise ApiError(409, "BucketAlreadyExists", message)
    if old is not None and not (old.region == context.region == "us-east-1"):
        message = "Your previous request to create the named bucket succeeded and you already own it."
        raise ApiError(409, "BucketAlreadyOwnedByYou", message)
    if old is None:
        context.state.buckets[name] = Bucket(name=name, account=context.account, region=context.region)
    return Response(headers={"Location": f"/{name}"})


def _location(body: bytes) -> str | None:
    if not body.strip():
        return None
    found = ET.fromstring(body).find(f"{{{NAMESPACE}}}LocationConstraint")  # noqa: S314 -- our own client
    return found.text if found is not None else None


def _check_location(region: str, location: str | None) -> None:
    if region == "us-east-1":
        if location is not None:
            raise ApiError(400, "InvalidLocationConstraint", "The specified location-constraint is not valid")
    elif location != region:
        message = (
            f"The {location or 'unspecified'} location constraint is incompatible for the region specific endpoint "
            "this request was sent to."
        )
        raise ApiError(400, "IllegalLocationConstraintException", message)


def head_bucket(context: Context) -> Response:
    bucket = find_bucket(context)
    authorize_bucket(context, bucket, "s3:ListBucket")
    return Response(headers={"x-amz-bucket-region": bucket.region, "Content-Type": "application/xml"})


def get_location(context: Context) -> Response:
    bucket = find_bucket(context, anywhere=True)
    authorize_bucket(context, bucket, "s3:GetBucketLocation")
    text = "" if bucket.region == "us-east-1" else bucket.region
    return xml_response("LocationConstraint", text, namespace=NAMESPACE)


def delete_bucket(context: Context) -> Response:
    bucket = find_bucket(context)
    authorize_bucket(context, bucket, "s3:DeleteBucket")
    if any(bucket.objects.values()):
        raise ApiError(409, "BucketNotEmpty", "The bucket you tried to delete is not empty")
    del context.state.buckets[bucket.name]
    return Response(status=204)


def put_setting(context: Context) -> Response:
    """Keep the document; act on those that mean something to this server."""
    bucket, name = find_bucket(context), context.arguments["setting"]
    authorize_bucket(context, bucket, SETTINGS[name].write_action)
    content, headers = body_of(context.request)
    checked(content, headers)
    if name == "versioning":
        match = re.search(rb"<Status>(Enabled|Suspended)</Status>", content)
        if match is None:
            message = "The Versioning element must be specified"
            raise ApiError(400, "IllegalVersioningConfigurationException", message)
        bucket.versioning = match[1].decode()
    if name == "policy":
        _apply_policy(context, bucket, content)
    bucket.settings[name] = content
    return Response(status=204 if name == "policy" else 200)


def get_setting(context: Context) -> Response:
    bucket, name = find_bucket(context), context.arguments["setting"]
    setting = SETTINGS[name]
    authorize_bucket(context, bucket, setting.read_action)
    content = bucket.settings.get(name)
    if name == "versioning" and bucket.versioning:
        content = xml("VersioningConfiguration", (("Status", bucket.versioning),), namespace=NAMESPACE).encode()
    if content is None and setting.default is None:
        raise ApiError(404, *setting.missing)
    if content is None and setting.default is not None:
        return xml_response(*setting.default, namespace=NAMESPACE)
    return Response(body=content or b"", headers={"Content-Type": "application/xml"})


def _apply_policy(context: Context, bucket: Bucket, content: bytes) -> None:
    """Let in the accounts that the policy allows to read or write objects."""
    try:
        statements = json.loads(content)["Statement"]
    except (ValueError, KeyError):
        raise ApiError(400, "MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'") from None
    allowed = [one for one in statements if one.get("Effect") == "Allow"]
    if any(_is_public(one) for one in allowed) and _blocks_public(bucket):
        reason = "because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access."
        message = (
            f"User: {context.caller.arn} is not authorized to perform: s3:PutBucketPolicy on resource: "
            f'"{bucket_arn(bucket)}" {reason}'
        )
        raise ApiError(403, "AccessDenied", message)
    bucket.readers = {who for one in allowed if _opens(one, "s3:GetObject") for who in _principals(context, one)}
    bucket.writers = {who for one in allowed if _opens(one, "s3:PutObject") for who in _principals(context, one)}


def _opens(statement: Mapping[str, Any], action: str) -> bool:
    from tests.aws_server.iam import Caller

    actions = statement.get("Action", ())
    policy = policy_of([actions] if isinstance(actions, str) else actions)
    return Caller(account="", arn="", policy=policy).verdict(action, "*", region="") is None


def _organization(statement: Mapping[str, Any]) -> str | None:
    found = statement.get("Condition", {}).get("StringEquals", {}).get("aws:PrincipalOrgID")
    return str(found) if found else None


def _is_public(statement: Mapping[str, Any]) -> bool:
    return statement.get("Principal") in ("*", {"AWS": "*"}) and not statement.get("Condition")


def _principals(context: Context, statement: Mapping[str, Any]) -> set[str]:
    principal = statement.get("Principal", {})
    organization = _organization(statement)
    if organization:
        return {account for account, mine in context.state.organizations.items() if mine == organization}
    named = principal.get("AWS", ()) if isinstance(principal, dict) else ()
    return {found[0] for one in ([named] if isinstance(named, str) else named) if (found := re.findall(r"\d{12}", one))}


def _blocks_public(bucket: Bucket) -> bool:
    content = bucket.settings.get("publicAccessBlock")
    return content is None or b"<BlockPublicPolicy>true" in content
