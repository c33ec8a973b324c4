"""S3, as far as Lambda reads layers from it: one bucket in one region."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from layerkit.aws.errors import NotThere, Refused
from layerkit.aws.sessions import Session
from layerkit.aws.translation import translated

_PART: Final = 16 * 1024 * 1024  # bytes
_FIRST_REGION: Final = "us-east-1"  # the one region that CreateBucket is not told


class BucketElsewhere(Refused):
    """A bucket in another region than the layer's, from which Lambda does not read."""

    def __init__(self, *, bucket: str, region: str, wanted: str) -> None:
        super().__init__(
            f"bucket `{bucket}` is in {region}, and Lambda in {wanted} reads only from buckets of its own region",
            hint='name a bucket for each region, as `staging-bucket = "acme-layers-{region}"`',
        )


class NoSuchBucket(Refused):
    """A staging bucket that is not there."""

    def __init__(self, *, bucket: str) -> None:
        super().__init__(f"there is no bucket `{bucket}`", hint="make it with `--create-bucket`, or name another one")


class Bucket:
    """A bucket, used from one region. Raises ``AwsError`` subclasses."""

    def __init__(self, session: Session, region: str, name: str) -> None:
        self.name = name
        self._region = region
        self._service = session.service("s3", region)

    def check(self) -> None:
        """Raise ``NoSuchBucket`` or ``BucketElsewhere`` unless Lambda in this region can read from it."""
        try:
            answer = self._service.call("HeadBucket", Bucket=self.name)
        except NotThere as exc:
            raise NoSuchBucket(bucket=self.name) from exc
        region = answer.get("BucketRegion") or self._region
        if region != self._region:
            raise BucketElsewhere(bucket=self.name, region=region, wanted=self._region)

    def create(self) -> None:
        """Make it: encrypted, closed to the public, and with versions, which signing needs."""
        place: dict[str, Any] = {}
        if self._region != _FIRST_REGION:
            place = {"CreateBucketConfiguration": {"LocationConstraint": self._region}}
        self._service.call("CreateBucket", Bucket=self.name, **place)
        self._service.call(
            "PutPublicAccessBlock",
            Bucket=self.name,
            PublicAccessBlockConfiguration=dict.fromkeys(
                ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
            ),
        )
        encryption = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
        self._service.call("PutBucketEncryption", Bucket=self.name, ServerSideEncryptionConfiguration=encryption)
        self._service.call("PutBucketVersioning", Bucket=self.name, VersioningConfiguration={"Status": "Enabled"})

    def size_of(self, key: str) -> int | None:
        """Return an object's size in bytes; ``None`` if there is none that may be seen."""
        try:
            answer = self._service.call("HeadObject", needs="ContentLength", Bucket=self.name, Key=key)
            return int(answer["ContentLength"])
        except NotThere:
            return None

    def upload(self, path: Path, key: str, *, advance: Callable[[int], None]) -> None:
        """Upload a file, in parts where it is large, with checksums; ``advance`` is told of bytes sent."""
        from boto3.exceptions import S3UploadFailedError
        from boto3.s3.transfer import S3Transfer, TransferConfig
        from botocore.exceptions import ClientError

        config: Any = TransferConfig(multipart_threshold=_PART, multipart_chunksize=_PART)
        transfer = S3Transfer(client=self._service.client, config=config)
        with translated(self._service.asking("PutObject")):
            try:
                transfer.upload_file(
                    str(path), self.name, key, callback=advance, extra_args={"ChecksumAlgorithm": "SHA256"}
                )
            except S3UploadFailedError as exc:
                if isinstance(exc.__context__, ClientError):
                    raise exc.__context__ from None
                raise
