"""Publish exactly once, although AWS knows no token that would make a second attempt harmless.

An answer that is lost may mean that the version is there. So before another attempt one looks, and looks again after a
while, whether it has arrived: a version newer than the one known before, with the identity in its description.
"""

import contextlib
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from layerkit.aws.errors import Refused, ServiceFailed, Throttled, Unanswered
from layerkit.aws.layers import LayerApi, LayerSummary, NewVersion, PublishedVersion, S3Content
from layerkit.errors import AwsError
from layerkit.publish.artifact import Artifact

_ATTEMPTS: Final = 6
_FIRST_PAUSE: Final = 0.5  # seconds
_LONGEST_PAUSE: Final = 20.0
_LOOKS: Final = 5  # over 4 to 7 seconds: what lost its connection may still be under way
_LOOKS_IF_FAILED: Final = 2  # AWS itself said that it failed


class OtherBytesArrived(AwsError):
    """A version whose bytes are not those that were sent."""

    def __init__(self, *, arn: str, deleted: bool) -> None:
        super().__init__(
            f"AWS has other bytes in `{arn}` than were sent" + (", so it was deleted again" if deleted else ""),
            hint="see who writes to the staging bucket, and publish again"
            if deleted
            else "delete the version, see who writes to the staging bucket, and publish again",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrived:
    """A version that is there: its number and ARN."""

    number: int
    arn: str

    @classmethod
    def of(cls, version: LayerSummary) -> "Arrived":
        """Return what a list or an answer says of a version."""
        return cls(number=version.number, arn=version.arn)


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """How to wait: ``pause`` waits that many seconds, at most; ``stopped`` tells that nothing more is to be begun."""

    pause: Callable[[float], object]
    stopped: Callable[[], bool]


def publish_once(api: LayerApi, new: NewVersion, artifact: Artifact, *, after: int, patience: Patience) -> Arrived:
    """Publish one version newer than number ``after``, and no second one, whatever answers are lost.

    Raises ``AwsError`` subclasses: of ``Refused`` the version is certainly not there.
    """
    lost: Unanswered | None = None
    for attempt in itertools.count(1):
        try:
            return _checked(api, api.publish(new), artifact, new.content)
        except Unanswered as exc:
            lost = exc
            found = _look_for(api, artifact, after=after, lost=lost, patience=patience)
            if found is not None:
                return Arrived.of(found)
            _wait_or_give_up(lost, attempt, patience)
        except Throttled as exc:
            _wait_or_give_up(lost or exc, attempt, patience)
        except Refused as exc:
            if lost is None:
                raise
            raise lost from exc
    raise AssertionError("attempts never end by themselves")


def _wait_or_give_up(failure: AwsError, attempt: int, patience: Patience) -> None:
    if attempt < _ATTEMPTS:
        patience.pause(pause_before(attempt))
    if attempt == _ATTEMPTS or patience.stopped():
        raise failure


def _checked(api: LayerApi, version: PublishedVersion, artifact: Artifact, content: bytes | S3Content) -> Arrived:
    """Compare what AWS has with what was sent; a version with other bytes would pass for the right one from now on."""
    if _is_what_was_sent(version, artifact, content):
        return Arrived.of(version)
    deleted = False
    with contextlib.suppress(AwsError):
        api.delete(artifact.layer_name, version.number)
        deleted = True
    raise OtherBytesArrived(arn=version.arn, deleted=deleted)


def _is_what_was_sent(version: PublishedVersion, artifact: Artifact, content: bytes | S3Content) -> bool:
    """Whether the bytes are the artifact's, or of no other signing job than the one that was made of it."""
    if isinstance(content, S3Content) and content.signing_job is not None:
        told = (version.signing_job or "").rpartition("/")[2]
        return told in {"", content.signing_job}
    return version.code_sha256 == artifact.code_sha256


def _look_for(
    api: LayerApi, artifact: Artifact, *, after: int, lost: Unanswered, patience: Patience
) -> LayerSummary | None:
    """Return the oldest version newer than ``after`` that is this content, if it arrives within some looks.

    Raises ``lost`` if one may not look.
    """
    looks = _LOOKS_IF_FAILED if isinstance(lost, ServiceFailed) else _LOOKS
    for look in range(1, looks + 1):
        try:
            found = _oldest_after(api, artifact, after)
        except AwsError as exc:
            raise lost from exc
        if found is not None or look == looks:
            return found
        patience.pause(pause_before(look))
    return None


def _oldest_after(api: LayerApi, artifact: Artifact, after: int) -> LayerSummary | None:
    """Return the oldest version newer than ``after`` that is this content."""
    own = None
    for version in api.versions(artifact.layer_name):
        if version.number <= after:
            break
        if artifact.is_in(description=version.description, code_sha256=None):
            own = version
    return own


def pause_before(attempt: int) -> float:
    """Return how many seconds to wait before the next attempt: longer each time, with jitter."""
    return min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** (attempt - 1)) * random.uniform(0.5, 1.0)  # noqa: S311
