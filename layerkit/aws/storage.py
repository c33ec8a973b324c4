"""S3, as far as Lambda reads layers from it: one bucket in one region."""

import base64
import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from layerkit.aws.errors import ActionDenied, CallRefused, NotThere, Refused
from layerkit.aws.sessions import Session
from layerkit.aws.translation import translated
from layerkit.errors import AwsError
from layerkit.facts.regions import regions

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


class BucketTaken(Refused):
    """A bucket's name that somebody else in the world has."""

    def __init__(self, *, bucket: str) -> None:
        super().__init__(
            f"bucket `{bucket}` belongs to another account, which lets nobody of this one in",
            hint="name another one: `staging-bucket` in [publish] may hold `{account}` and `{region}`",
        )


class ObjectReplaced(Refused):
    """A staged object that somebody else overwrote."""

    def __init__(self, *, resource: str) -> None:
        super().__init__(
            f"`{resource}` has other bytes than were uploaded",
            hint="see who writes to the staging bucket, and run the command again",
        )


class Bucket:
    """A bucket, used from one region. Raises ``AwsError`` subclasses."""

    def __init__(self, session: Session, region: str, name: str) -> None:
        self.name = name
        self._region = region
        self._service = session.service("s3", region)
        self._partition = regions()[region].partition if region in regions() else "aws"
        self._arn = f"arn:{self._partition}:s3:::{name}"

    def check(self) -> None:
        """Raise ``NoSuchBucket`` or ``BucketElsewhere`` unless Lambda in this region can read from it."""
        try:
            with self._naming("s3:ListBucket"):
                answer = self._service.call("HeadBucket", Bucket=self.name)
        except NotThere as exc:
            raise NoSuchBucket(bucket=self.name) from exc
        region = answer.get("BucketRegion") or self._region
        if region != self._region:
            raise BucketElsewhere(bucket=self.name, region=region, wanted=self._region)

    def create(self, *, readers: Sequence[str] = (), prefix: str = "") -> None:
        """Make it: encrypted, closed to the public, and with versions, which signing needs.

        The accounts ``readers`` may read what lies under ``prefix``.
        """
        place: dict[str, Any] = {}
        if self._region != _FIRST_REGION:
            place = {"CreateBucketConfiguration": {"LocationConstraint": self._region}}
        with self._naming("s3:CreateBucket"):
            self._made(place)
        self._set(
            "PutPublicAccessBlock",
            "s3:PutBucketPublicAccessBlock",
            PublicAccessBlockConfiguration=dict.fromkeys(
                ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
            ),
        )
        encryption = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
        self._set("PutBucketEncryption", "s3:PutEncryptionConfiguration", ServerSideEncryptionConfiguration=encryption)
        self._set("PutBucketVersioning", "s3:PutBucketVersioning", VersioningConfiguration={"Status": "Enabled"})
        if readers:
            policy = _readers_policy(f"{self._arn}/{prefix}/*", self._partition, readers)
            self._set("PutBucketPolicy", "s3:PutBucketPolicy", Policy=json.dumps(policy))

    def _made(self, place: dict[str, Any]) -> None:
        """Create it; an earlier attempt whose answer was lost may have done that."""
        try:
            self._service.call("CreateBucket", Bucket=self.name, **place)
        except CallRefused as exc:
            if exc.code == "BucketAlreadyExists":
                raise BucketTaken(bucket=self.name) from exc
            if exc.code != "BucketAlreadyOwnedByYou":
                raise

    def _set(self, operation: str, action: str, **arguments: Any) -> None:
        with self._naming(action):
            self._service.call(operation, Bucket=self.name, **arguments)

    def holds(self, path: Path, key: str) -> bool:
        """Tell whether an object has a file's very bytes, by S3's own checksum; where that cannot be seen, it has not.

        An object that somebody else uploaded, in parts of another size, has another checksum.
        """
        try:
            answer = self._head(key)
        except AwsError:
            return False
        return _is_of(path, answer)

    def version_of(self, path: Path, key: str) -> str | None:
        """Return the version of an object that has a file's very bytes; ``None`` where the bucket keeps no versions.

        Raises ``ObjectReplaced`` if the newest version has other bytes.
        """
        with self._naming("s3:GetObject", key):
            answer = self._head(key)
        if not _is_of(path, answer):
            raise ObjectReplaced(resource=f"{self._arn}/{key}")
        version = answer.get("VersionId")
        return None if version in {None, "null"} else str(version)

    def _head(self, key: str) -> Mapping[str, Any]:
        return self._service.call(
            "HeadObject", needs="ContentLength", Bucket=self.name, Key=key, ChecksumMode="ENABLED"
        )

    def upload(self, path: Path, key: str, *, advance: Callable[[int], None]) -> None:
        """Upload a file, in parts where it is large, with checksums; ``advance`` is told of bytes sent."""
        from boto3.exceptions import S3UploadFailedError
        from boto3.s3.transfer import S3Transfer, TransferConfig
        from botocore.exceptions import ClientError

        config: Any = TransferConfig(multipart_threshold=_PART, multipart_chunksize=_PART)
        transfer = S3Transfer(client=self._service.client, config=config)
        with self._naming("s3:PutObject", key), translated(self._service.asking("PutObject")):
            try:
                transfer.upload_file(
                    str(path), self.name, key, callback=advance, extra_args={"ChecksumAlgorithm": "SHA256"}
                )
            except S3UploadFailedError as exc:
                if isinstance(exc.__context__, ClientError):
                    raise exc.__context__ from None
                raise

    @contextlib.contextmanager
    def _naming(self, action: str, key: str | None = None) -> Iterator[None]:
        """Name action and resource of a denial as IAM does; S3 itself often says no more than that it denies."""
        try:
            yield
        except ActionDenied as exc:
            if exc.resource is not None:
                raise
            resource = self._arn + (f"/{key}" if key is not None else "")
            raise ActionDenied(action=action, resource=resource, reason=None) from exc


def _readers_policy(resource: str, partition: str, readers: Sequence[str]) -> dict[str, Any]:
    principals = [f"arn:{partition}:iam::{number}:root" for number in dict.fromkeys(readers)]
    statement = {
        "Sid": "LayerkitReaders",
        "Effect": "Allow",
        "Principal": {"AWS": principals},
        "Action": ["s3:GetObject", "s3:GetObjectVersion"],
        "Resource": resource,
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _is_of(path: Path, answer: Mapping[str, Any]) -> bool:
    """Whether what ``HeadObject`` says of an object fits a file."""
    size = path.stat().st_size
    return int(answer["ContentLength"]) == size and answer.get("ChecksumSHA256") == _checksum(path, size)


def _checksum(path: Path, size: int) -> str:
    """Return what S3 gives as SHA-256 of an object that was uploaded by ``upload``."""
    with path.open("rb") as stream:
        if size < _PART:
            return base64.b64encode(hashlib.file_digest(stream, "sha256").digest()).decode()
        digests = [hashlib.sha256(part).digest() for part in iter(lambda: stream.read(_PART), b"")]
    return f"{base64.b64encode(hashlib.sha256(b''.join(digests)).digest()).decode()}-{len(digests)}"
