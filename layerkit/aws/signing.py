"""AWS Signer, as far as layers are signed with it: jobs that read a zip from a bucket and write a signed one to it."""

from dataclasses import dataclass
from enum import StrEnum

from layerkit.aws.layers import S3Content
from layerkit.aws.sessions import Session


class JobStatus(StrEnum):
    """How far a job is, in AWS's words."""

    IN_PROGRESS = "InProgress"
    FAILED = "Failed"
    SUCCEEDED = "Succeeded"


@dataclass(frozen=True, kw_only=True, slots=True)
class SigningJob:
    """A job; ``reason`` says why it failed, ``signed`` where the signed zip lies when it succeeded."""

    id: str
    status: JobStatus
    reason: str | None = None
    signed: S3Content | None = None


class SigningApi:
    """AWS Signer in one region, with one session. Raises ``AwsError`` subclasses."""

    def __init__(self, session: Session, region: str) -> None:
        self._service = session.service("signer", region)

    def start(self, profile: str, source: S3Content, *, prefix: str, token: str) -> str:
        """Start a job on one version of an object, and return its id; the same token again is the same job.

        The signed zip goes into the same bucket, under a key that begins with ``prefix``.
        """
        answer = self._service.call(
            "StartSigningJob",
            needs="jobId",
            profileName=profile,
            source={"s3": {"bucketName": source.bucket, "key": source.key, "version": source.version}},
            destination={"s3": {"bucketName": source.bucket, "prefix": prefix}},
            clientRequestToken=token,
        )
        return str(answer["jobId"])

    def job(self, job_id: str) -> SigningJob:
        """Return how far a job is."""
        answer = self._service.call("DescribeSigningJob", needs="status", jobId=job_id)
        where = (answer.get("signedObject") or {}).get("s3")
        return SigningJob(
            id=job_id,
            status=JobStatus(answer["status"]),
            reason=answer.get("statusReason"),
            signed=S3Content(bucket=where["bucketName"], key=where["key"]) if where else None,
        )
