"""AWS Signer: jobs that put a signature into a zip of one bucket and write it to another."""

import io
import re
import time
import uuid
import zipfile
from collections.abc import Mapping
from typing import Any, Final

from tests.aws_server.blobs import BadZipError, Blob
from tests.aws_server.context import Context
from tests.aws_server.s3_access import may_read, may_write
from tests.aws_server.s3_objects import store
from tests.aws_server.s3_reading import find_object
from tests.aws_server.state import Bucket, SigningProfile
from tests.aws_server.wire import ApiError, Operation, Request, Response, json_error, json_response

SIGNATURE: Final = "META_INF/aws_signer_signature_v1.0.SF"
_PLATFORM: Final = "AWSLambda-SHA384-ECDSA"


class SignerApi:
    """The REST operations on profiles and jobs."""

    name = "signer"

    def operation_of(self, request: Request) -> Operation:
        match request.method, request.path.strip("/").split("/"):
            case "POST", ["signing-jobs"]:
                return Operation(name="StartSigningJob", handler=_start)
            case "GET", ["signing-jobs"]:
                return Operation(name="ListSigningJobs", handler=_list)
            case "GET", ["signing-jobs", job]:
                return Operation(name="DescribeSigningJob", handler=_describe, arguments={"job": job})
            case "GET", ["signing-profiles", profile]:
                return Operation(name="GetSigningProfile", handler=_profile, arguments={"profile": profile})
            case _:
                raise ApiError(404, "UnknownOperationException", f"Unknown operation: {request.path}")

    def render(self, error: ApiError, *, request_id: str) -> Response:
        return json_error(error, request_id=request_id)


def _find_profile(context: Context, name: str, owner: str | None, action: str) -> SigningProfile:
    account = owner or context.account
    arn = f"arn:{context.partition}:signer:{context.region}:{account}:/signing-profiles/{name}"
    if not re.fullmatch(r"[a-zA-Z0-9_]{2,64}", name):
        message = (
            f"1 validation error detected: Value '{name}' at 'profileName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: ^[a-zA-Z0-9_]{2,}"
        )
        raise ApiError(400, "ValidationException", message)
    context.authorize(action, arn)
    if account != context.account:
        raise context.refuse(action, arn)
    found = context.here.profiles.get(name)
    if found is None:
        raise ApiError(404, "ResourceNotFoundException", "Signing profile not found.")
    return found


def _profile(context: Context) -> Response:
    owner = context.request.query.get("profileOwner")
    found = _find_profile(context, context.arguments["profile"], owner, "signer:GetSigningProfile")
    return json_response(
        200,
        {
            "profileName": found.name,
            "profileVersion": found.version,
            "profileVersionArn": found.version_arn,
            "platformId": found.platform,
            "platformDisplayName": "AWS Lambda",
            "signatureValidityPeriod": {"value": 135, "type": "MONTHS"},
            "status": found.status,
            "arn": found.arn,
        },
    )


def _start(context: Context) -> Response:
    """Start a job; the same token again is the same job."""
    wanted = context.json()
    profile = _find_profile(
        context, wanted.get("profileName", ""), wanted.get("profileOwner"), "signer:StartSigningJob"
    )
    token = wanted.get("clientRequestToken")
    jobs = context.here.jobs
    for job in jobs.values():
        if token and job["token"] == token:
            return json_response(200, {"jobId": job["jobId"], "jobOwner": context.account})
    if profile.status != "Active":
        raise ApiError(400, "ValidationException", f"Signing profile {profile.name} is not active.")
    source, destination = wanted["source"]["s3"], wanted["destination"]["s3"]
    content = _source(context, source)
    job_id, prefix = str(uuid.uuid4()), destination.get("prefix") or ""
    target = _writable(context, destination["bucketName"], f"{prefix}{job_id}.zip")
    job = {
        "jobId": job_id,
        "token": token,
        "source": wanted["source"],
        "createdAt": time.time(),
        "profile": profile,
        "ready": time.monotonic() + context.switches.signing_seconds,
    }
    jobs[job_id] = job
    _sign(context, job, content, target, prefix=prefix)
    return json_response(200, {"jobId": job_id, "jobOwner": context.account})


def _source(context: Context, source: Mapping[str, Any]) -> Blob:
    bucket = context.state.buckets.get(source["bucketName"])
    key, version = source["key"], source.get("version")
    if bucket is None or bucket.region != context.region or bucket.versioning != "Enabled" or not version:
        message = f"Source bucket {source['bucketName']} must exist in this region and be versioned."
        raise ApiError(400, "ValidationException", message)
    if not may_read(context.caller, bucket, key, region=context.region, version=version):
        raise ApiError(403, "AccessDeniedException", f"Access denied to source object {source['bucketName']}/{key}.")
    found = find_object(bucket, key, version)
    if found is None:
        message = f"Source object {key} with version {version} does not exist in bucket {source['bucketName']}."
        raise ApiError(400, "ValidationException", message)
    return found.blob


def _writable(context: Context, name: str, key: str) -> Bucket:
    bucket = context.state.buckets.get(name)
    if bucket is None or bucket.region != context.region:
        raise ApiError(400, "ValidationException", f"Destination bucket {name} must exist in this region.")
    if not may_write(context.caller, bucket, key, region=context.region):
        raise ApiError(403, "AccessDeniedException", f"Access denied to destination bucket {name}.")
    return bucket


def _sign(context: Context, job: dict[str, Any], content: Blob, bucket: Bucket, *, prefix: str) -> None:
    """Write the signed zip at once; the job says that it is done when its time has come."""
    signed = _signed(content, job["jobId"])
    if isinstance(signed, str):
        job["reason"] = signed
        return
    key = f"{prefix}{job['jobId']}.zip"
    store(context.state, bucket, key, Blob(signed))
    job["signedObject"] = {"s3": {"bucketName": bucket.name, "key": key}}
    arn = f"arn:{context.partition}:signer:{context.region}:{context.account}:/signing-jobs/{job['jobId']}"
    context.state.signatures[Blob(signed).sha256] = (arn, job["profile"].version_arn)


def _signed(content: Blob, job_id: str) -> bytes | str:
    """Return the zip with a signature in it, of which no two are the same, or why there is none."""
    try:
        content.unzipped_size()
    except BadZipError:
        return "The source object is not a valid zip file."
    buffer = io.BytesIO(content.content)
    with zipfile.ZipFile(buffer, "a") as opened:
        if SIGNATURE in opened.namelist():
            return "The source object is already signed."
        opened.writestr(zipfile.ZipInfo(SIGNATURE, (2020, 2, 2, 2, 2, 2)), f"{content.sha256.hex()} {job_id}")
    return buffer.getvalue()


def _status(job: Mapping[str, Any]) -> str:
    if time.monotonic() < job["ready"]:
        return "InProgress"
    return "Failed" if "reason" in job else "Succeeded"


def _describe(context: Context) -> Response:
    job_id = context.arguments["job"]
    arn = f"arn:{context.partition}:signer:{context.region}:{context.account}:/signing-jobs/{job_id}"
    context.authorize("signer:DescribeSigningJob", arn)
    job = context.here.jobs.get(job_id)
    if job is None:
        raise ApiError(404, "ResourceNotFoundException", "Signing job not found.")
    status = _status(job)
    content = {
        "jobId": job["jobId"],
        "source": job["source"],
        "platformId": _PLATFORM,
        "platformDisplayName": "AWS Lambda",
        "profileName": job["profile"].name,
        "profileVersion": job["profile"].version,
        "createdAt": job["createdAt"],
        "completedAt": None if status == "InProgress" else job["createdAt"] + context.switches.signing_seconds,
        "requestedBy": context.caller.arn,
        "status": status,
        "statusReason": job["reason"] if status == "Failed" else None,
        "signedObject": job.get("signedObject") if status == "Succeeded" else None,
        "jobOwner": context.account,
        "jobInvoker": context.account,
    }
    return json_response(200, content)


def _list(context: Context) -> Response:
    context.authorize("signer:ListSigningJobs", "*")
    wanted = context.request.query.get("status")
    jobs = [
        {"jobId": job["jobId"], "source": job["source"], "createdAt": job["createdAt"], "status": _status(job)}
        for job in context.here.jobs.values()
        if wanted in {None, _status(job)}
    ]
    return json_response(200, {"jobs": jobs})
