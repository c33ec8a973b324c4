"""Publish exactly once, although AWS knows no token that would make a second attempt harmless.

An answer that is lost may mean that the version is there. So before another attempt one looks, and looks again after a
while, whether it has arrived: a version newer than the one known before, with the identity in its description.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from layerkit.aws.errors import Throttled, Unanswered
from layerkit.aws.layers import LayerApi, LayerSummary, NewVersion, PublishedVersion
from layerkit.errors import AwsError
from layerkit.publish.artifact import Artifact

_ATTEMPTS: Final = 6
_FIRST_PAUSE: Final = 0.5  # seconds
_LONGEST_PAUSE: Final = 20.0
_LOOKS: Final = 3


class OtherBytesArrived(AwsError):
    """A version whose bytes are not those that were sent."""

    def __init__(self, *, arn: str) -> None:
        super().__init__(
            f"AWS has other bytes in `{arn}` than were sent",
            hint="remove the object from the staging bucket, delete the version, and publish again",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrived:
    """A version that is there: its number and ARN."""

    number: int
    arn: str


def publish_once(
    api: LayerApi,
    new: NewVersion,
    artifact: Artifact,
    *,
    after: int,
    sleep: Callable[[float], object] = time.sleep,
) -> Arrived:
    """Publish one version newer than number ``after``, and no second one, whatever answers are lost.

    Raises ``AwsError`` subclasses: of ``Refused`` the version is certainly not there.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            return _checked(api.publish(new), artifact)
        except Throttled:
            if attempt == _ATTEMPTS:
                raise
        except Unanswered:
            found = _look_for(api, artifact, after=after, sleep=sleep)
            if found is not None:
                return Arrived(number=found.number, arn=found.arn)
            if attempt == _ATTEMPTS:
                raise
        sleep(_pause(attempt))
    raise AssertionError("the last attempt returns or raises")


def _checked(version: PublishedVersion, artifact: Artifact) -> Arrived:
    if version.code_sha256 != artifact.code_sha256:
        raise OtherBytesArrived(arn=version.arn)
    return Arrived(number=version.number, arn=version.arn)


def _look_for(
    api: LayerApi, artifact: Artifact, *, after: int, sleep: Callable[[float], object]
) -> LayerSummary | None:
    """Return the oldest version newer than ``after`` that is this content, if it arrives within some looks."""
    for look in range(1, _LOOKS + 1):
        newer = []
        for version in api.versions(artifact.layer_name):
            if version.number <= after:
                break
            newer.append(version)
        own = [each for each in newer if artifact.is_in(description=each.description, code_sha256=None)]
        if own:
            return min(own, key=lambda each: each.number)
        if look < _LOOKS:
            sleep(_pause(look))
    return None


def _pause(attempt: int) -> float:
    return min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0 ** (attempt - 1)) * random.uniform(0.5, 1.0)  # noqa: S311
