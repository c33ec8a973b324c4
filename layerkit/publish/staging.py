"""How a layer's bytes get to Lambda: in the request while they are small, else through a bucket of the region."""

import base64
import hashlib
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

from layerkit.aws.errors import ActionDenied
from layerkit.aws.layers import S3Content
from layerkit.aws.sessions import open_session
from layerkit.aws.storage import Bucket, BucketElsewhere, NoSuchBucket
from layerkit.errors import AwsError, UsageError
from layerkit.facts import limits
from layerkit.files import sha256_of
from layerkit.publish.artifact import Artifact
from layerkit.publish.artifacts import ChangedSinceRead
from layerkit.publish.destinations import access_to
from layerkit.publish.plan import Destination, Step
from layerkit.publish.sign import Signing
from layerkit.publish.wanted import bucket_name

PREFIX: Final = "layerkit"
"""How the keys of staged objects begin."""

_DENIED_BY_S3: Final = "denied by S3"


class NeedsStaging(UsageError):
    """A layer that is too large for a request, and no bucket to put it into."""

    def __init__(self, *, artifact: Artifact) -> None:
        limit = limits().zipped_direct_bytes
        super().__init__(
            f"`{artifact.path}` has {artifact.zipped_bytes:,} bytes zipped; a direct upload must be below {limit:,}",
            hint='name a bucket in each region: `staging-bucket = "acme-layers-{region}"` in [publish]',
        )


class StagingUnreadable(ActionDenied):
    """A staged object that the publishing account may not read."""

    def __init__(self, *, resource: str, account: str) -> None:
        super().__init__(action="s3:GetObject", resource=resource, reason="Lambda reads it in the caller's name")
        self.hint = f"let account {account} read it, in the bucket's policy and in that of the user or role that calls"


class Staging:
    """Gives each step its content; an object is uploaded once a bucket, for all that read it there. Shared by threads.

    ``created`` are the buckets that were made.
    """

    def __init__(self, template: str | None, *, create: bool, signing: Signing | None = None) -> None:
        self.created: list[str] = []
        self.advance: Callable[[int], None] = lambda _: None
        self._template = template
        self._create = create
        self._signing = signing
        self._users: dict[tuple[str, str], list[Destination]] = {}
        self._locks: dict[tuple[str, str], threading.Lock] = {}
        self._ready: set[tuple[str, str]] = set()
        self._guard = threading.Lock()

    def is_direct(self, artifact: Artifact) -> bool:
        """Whether a zip goes in the request itself; what is to be signed does not."""
        return self._signing is None and artifact.zipped_bytes < limits().zipped_direct_bytes

    def expect(self, steps: Iterable[Step]) -> int:
        """Take note of who will use which bucket; return how many bytes there are to upload at most."""
        sizes: dict[tuple[str, str], int] = {}
        for step in steps:
            artifact = step.wanted.artifact
            if self._template is not None and step.publications and not self.is_direct(artifact):
                place = self._place(artifact, step.destination, self._template)
                users = self._users.setdefault(place, [])
                if step.destination not in users:
                    users.append(step.destination)
                sizes[place] = artifact.zipped_bytes
        return sum(sizes.values())

    def content_for(self, step: Step) -> bytes | S3Content:
        """Return the zip itself, or where it lies. Raises ``NeedsStaging`` and ``AwsError`` subclasses."""
        artifact = step.wanted.artifact
        if self.is_direct(artifact):
            return _read(artifact)
        if self._template is None:
            raise NeedsStaging(artifact=artifact)
        place = self._place(artifact, step.destination, self._template)
        with self._guard:
            lock = self._locks.setdefault(place, threading.Lock())
        with lock:
            if place not in self._ready:
                self._stage(artifact, place, self._users.get(place) or [step.destination])
                self._ready.add(place)
        staged = S3Content(bucket=place[0], key=place[1])
        return staged if self._signing is None else self._signed(staged, step, self._signing)

    def _signed(self, staged: S3Content, step: Step, signing: Signing) -> S3Content:
        """Return the signed zip: one for each account, which signs with a profile of its own."""
        bucket = Bucket(open_session(access_to(step.destination)), step.destination.region, staged.bucket)
        version = bucket.version_of(step.wanted.artifact.path, staged.key)
        return signing.signed(replace(staged, version=version), step.destination)

    def _place(self, artifact: Artifact, destination: Destination, template: str) -> tuple[str, str]:
        digest = base64.b64decode(artifact.code_sha256).hex()
        return bucket_name(template, artifact, destination), f"{PREFIX}/{artifact.layer_name}/{digest}.zip"

    def _stage(self, artifact: Artifact, place: tuple[str, str], users: Sequence[Destination]) -> None:
        """Bring the object there in the name of the first of its users who can."""
        failures: list[AwsError] = []
        for user in users:
            try:
                self._stage_as(user, artifact, place, others=[one.number for one in users if one != user])
            except (NoSuchBucket, BucketElsewhere):
                raise
            except AwsError as exc:
                failures.append(exc)
            else:
                return
        raise failures[0]

    def _stage_as(self, user: Destination, artifact: Artifact, place: tuple[str, str], *, others: list[str]) -> None:
        """Upload unless the very object is there."""
        name, key = place
        bucket = Bucket(open_session(access_to(user)), user.region, name)
        try:
            bucket.check()
        except NoSuchBucket:
            if not self._create:
                raise
            bucket.create(readers=others, prefix=PREFIX)
            self.created.append(name)
        except ActionDenied:
            pass  # whoever may not list a bucket may still read it, or write to it
        if bucket.holds(artifact.path, key):
            self.advance(artifact.zipped_bytes)
            return
        if _sha256(artifact) != artifact.code_sha256:
            raise ChangedSinceRead(path=artifact.path)
        try:
            bucket.upload(artifact.path, key, advance=self.advance)
        except AwsError:  # of an upload in parts, the last call cannot be repeated: it may be done all the same
            if not bucket.holds(artifact.path, key):
                raise


def unreadable(exc: ActionDenied, content: bytes | S3Content, destination: Destination) -> ActionDenied:
    """Say which object Lambda may not read, where it says no more than that S3 denied it."""
    if not isinstance(content, S3Content) or _DENIED_BY_S3 not in (exc.reason or ""):
        return exc
    resource = f"arn:{destination.partition}:s3:::{content.bucket}/{content.key}"
    return StagingUnreadable(resource=resource, account=destination.number)


def _read(artifact: Artifact) -> bytes:
    try:
        content = artifact.path.read_bytes()
    except OSError as exc:
        raise ChangedSinceRead(path=artifact.path) from exc
    if base64.b64encode(hashlib.sha256(content).digest()).decode() != artifact.code_sha256:
        raise ChangedSinceRead(path=artifact.path)
    return content


def _sha256(artifact: Artifact) -> str:
    try:
        return base64.b64encode(sha256_of(artifact.path)).decode()
    except OSError as exc:
        raise ChangedSinceRead(path=artifact.path) from exc
