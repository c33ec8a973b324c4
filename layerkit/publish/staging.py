"""How a layer's bytes get to Lambda: in the request while they are small, else through a bucket of the region."""

import base64
import threading
from collections.abc import Callable
from typing import Final

from layerkit.aws.layers import S3Content
from layerkit.aws.sessions import open_session
from layerkit.aws.storage import Bucket, NoSuchBucket
from layerkit.errors import AwsError, UsageError
from layerkit.facts import limits
from layerkit.publish.artifact import Artifact
from layerkit.publish.destinations import access_to
from layerkit.publish.plan import Destination, Step
from layerkit.publish.wanted import bucket_name

_PREFIX: Final = "layerkit"


class NeedsStaging(UsageError):
    """A layer that is too large for a request, and no bucket to put it into."""

    def __init__(self, *, artifact: Artifact) -> None:
        limit = limits().zipped_direct_bytes
        super().__init__(
            f"`{artifact.path}` has {artifact.zipped_bytes:,} bytes zipped, over the {limit:,} of a direct upload",
            hint='name a bucket in each region: `staging-bucket = "acme-layers-{region}"` in [publish]',
        )


class Staging:
    """Gives each step its content; an object is uploaded once a bucket, whoever comes first. Shared by threads."""

    def __init__(self, template: str | None, *, create: bool, advance: Callable[[int], None]) -> None:
        self._template = template
        self._create = create
        self._advance = advance
        self._locks: dict[tuple[str, str], threading.Lock] = {}
        self._ready: set[tuple[str, str]] = set()
        self._guard = threading.Lock()

    def content_for(self, step: Step) -> bytes | S3Content:
        """Return the zip itself, or where it lies. Raises ``NeedsStaging`` and ``AwsError`` subclasses."""
        artifact = step.wanted.artifact
        if artifact.zipped_bytes <= limits().zipped_direct_bytes:
            return artifact.path.read_bytes()
        if self._template is None:
            raise NeedsStaging(artifact=artifact)
        return self._staged(artifact, step.destination, self._template)

    def _staged(self, artifact: Artifact, destination: Destination, template: str) -> S3Content:
        name = bucket_name(template, artifact, destination)
        key = f"{_PREFIX}/{artifact.layer_name}/{base64.b64decode(artifact.code_sha256).hex()}.zip"
        with self._guard:
            lock = self._locks.setdefault((name, key), threading.Lock())
        with lock:
            if (name, key) not in self._ready:
                bucket = Bucket(open_session(access_to(destination)), destination.region, name)
                self._upload(bucket, artifact, key)
                self._ready.add((name, key))
        return S3Content(bucket=name, key=key)

    def _upload(self, bucket: Bucket, artifact: Artifact, key: str) -> None:
        """Upload unless the very object is there: its key is the digest of its bytes."""
        try:
            bucket.check()
        except NoSuchBucket:
            if not self._create:
                raise
            bucket.create()
        if _size_of(bucket, key) == artifact.zipped_bytes:
            self._advance(artifact.zipped_bytes)
        else:
            bucket.upload(artifact.path, key, advance=self._advance)


def _size_of(bucket: Bucket, key: str) -> int | None:
    """Return an object's size; S3 hides what is not there from those who may not list the bucket."""
    try:
        return bucket.size_of(key)
    except AwsError:
        return None
