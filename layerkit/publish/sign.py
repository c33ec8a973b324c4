"""A layer signed by AWS Signer on its way to Lambda: the zip in the bucket is signed, and the signed one published.

The identity stays that of the unsigned zip, so a layer that is there is neither published nor signed again. A zip's
signature changes its bytes; that Lambda got the right ones is told by the job that it names as theirs.
"""

import random
import threading
import time
import uuid
from dataclasses import dataclass, field, replace
from typing import Final

from layerkit.aws.errors import NotThere, Refused
from layerkit.aws.layers import S3Content
from layerkit.aws.sessions import open_session
from layerkit.aws.signing import JobStatus, SigningApi, SigningJob
from layerkit.errors import AwsError, UsageError
from layerkit.model.publishing import Publishing
from layerkit.publish.destinations import access_to
from layerkit.publish.plan import Destination

_FIRST_PAUSE: Final = 1.0  # seconds
_LONGEST_PAUSE: Final = 10.0
_GROWTH: Final = 1.5
_PATIENCE: Final = 900.0  # seconds; a job takes some seconds


class SigningNeedsStaging(UsageError):
    """Layers that are to be signed, and no bucket in which that could be done."""

    def __init__(self) -> None:
        super().__init__(
            "AWS Signer reads and writes zips in a bucket, and no `staging-bucket` is named in [publish]",
            hint='name a bucket with versions in each region, as `staging-bucket = "acme-layers-{region}"`',
        )


class NoSuchSigningProfile(Refused):
    """A signing profile that an account does not have in a region."""

    def __init__(self, *, profile: str, destination: Destination) -> None:
        super().__init__(
            f"there is no signing profile `{profile}` in {destination}",
            hint=f"`aws signer put-signing-profile --profile-name {profile} --platform-id AWSLambda-SHA384-ECDSA`",
        )


class BucketUnversioned(Refused):
    """A staging bucket without versions, of which AWS Signer signs nothing."""

    def __init__(self, *, bucket: str) -> None:
        super().__init__(
            f"bucket `{bucket}` keeps no versions, and AWS Signer signs only versions of objects",
            hint=f"`aws s3api put-bucket-versioning --bucket {bucket} --versioning-configuration Status=Enabled`",
        )


class SigningFailed(AwsError):
    """A signing job that AWS Signer gave up, or did not end."""

    def __init__(self, *, job: str, profile: str, reason: str) -> None:
        super().__init__(
            f"signing with profile `{profile}` failed: {reason}",
            details=(f"signing job {job}",),
            hint=f"`aws signer describe-signing-job --job-id {job}` tells more",
        )


class SigningInterrupted(AwsError):
    """A signing job that was not waited for, because the user stopped the run."""

    def __init__(self, *, job: str) -> None:
        super().__init__(f"interrupted while signing job {job} was under way", hint="run the command again")


@dataclass(frozen=True, kw_only=True, slots=True)
class Signing:
    """Signs with a profile of each destination's own account and region. Every pause is ``pace`` times as long."""

    profile: str
    stop: threading.Event = field(default_factory=threading.Event)
    pace: float = 1.0

    @classmethod
    def of(cls, publishing: Publishing, *, stop: threading.Event | None = None) -> "Signing | None":
        """Return who signs, if layers are to be signed. Raises ``SigningNeedsStaging``."""
        if publishing.signing_profile is None:
            return None
        if publishing.staging_bucket is None:
            raise SigningNeedsStaging
        return cls(profile=publishing.signing_profile, stop=stop or threading.Event())

    def signed(self, source: S3Content, destination: Destination) -> S3Content:
        """Sign a version of an object, and return where the signed zip lies. Raises ``AwsError`` subclasses."""
        if source.version is None:
            raise BucketUnversioned(bucket=source.bucket)
        api = SigningApi(open_session(access_to(destination)), destination.region)
        ended = self._ended(api, source, destination, token=self._token(source))
        if ended.status is JobStatus.FAILED:  # perhaps a job of an earlier run, whose cause was mended since
            ended = self._ended(api, source, destination, token=str(uuid.uuid4()))
        if ended.status is not JobStatus.SUCCEEDED or ended.signed is None:
            raise SigningFailed(job=ended.id, profile=self.profile, reason=_reason(ended))
        return replace(ended.signed, signing_job=ended.id)

    def _ended(self, api: SigningApi, source: S3Content, destination: Destination, *, token: str) -> SigningJob:
        """Start a job, and return it when it has ended."""
        prefix = source.key.removesuffix(".zip") + "/signed-"
        try:
            job = api.start(self.profile, source, prefix=prefix, token=token)
        except NotThere as exc:
            raise NoSuchSigningProfile(profile=self.profile, destination=destination) from exc
        return self._wait_for(api, job)

    def _token(self, source: S3Content) -> str:
        """Return what makes a repeated call the same job: the same for one profile and version of an object."""
        what = " ".join((self.profile, source.bucket, source.key, source.version or ""))
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"layerkit {what}"))

    def _wait_for(self, api: SigningApi, job: str) -> SigningJob:
        """Ask until the job has ended: less often the longer it takes, and never all at the same time."""
        until, pause = time.monotonic() + _PATIENCE * self.pace, _FIRST_PAUSE
        while True:
            found = api.job(job)
            if found.status is not JobStatus.IN_PROGRESS:
                return found
            if time.monotonic() >= until:
                return replace(found, reason=f"it has not ended within {_PATIENCE / 60:g} minutes")
            self.stop.wait(pause * random.uniform(0.5, 1.0) * self.pace)  # noqa: S311 -- jitter, no secret
            if self.stop.is_set():
                raise SigningInterrupted(job=job)
            pause = min(_LONGEST_PAUSE, pause * _GROWTH)


def _reason(job: SigningJob) -> str:
    return (job.reason or "AWS Signer says no more than that").rstrip(".")
