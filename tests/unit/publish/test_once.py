"""Publishing once, with an AWS that loses answers."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from layerkit.aws.errors import ActionDenied, ConnectionLost, Refused, ServiceFailed, Throttled, Unanswered
from layerkit.aws.layers import LayerApi, LayerSummary, NewVersion, PublishedVersion
from layerkit.errors import AwsError
from layerkit.publish.artifact import Artifact
from layerkit.publish.once import Arrived, OtherBytesArrived, Patience, pause_before, publish_once
from tests.unit.publish.test_plan import artifact

ARTIFACT = artifact()
NEW = NewVersion(name="requests", content=b"zip", description=ARTIFACT.marked_description)
LOST = ConnectionLost(action="lambda:PublishLayerVersion", reason="the connection broke off")
FAILED = ServiceFailed(action="lambda:PublishLayerVersion", code="ServiceException", status=500)
SLOW = Throttled(action="lambda:PublishLayerVersion")
DENIED = ActionDenied(action="lambda:PublishLayerVersion", resource=None, reason=None)


@dataclass(kw_only=True)
class Lambda:
    """Publishes as its ``script`` says: an error raised before the work, one raised ``("after", error)``, or nothing.

    What is published late is listed only after so many ``looks``.
    """

    script: list[Any]
    held: list[LayerSummary] = field(default_factory=list)
    coming: list[tuple[int, LayerSummary]] = field(default_factory=list)
    looks: int = 0
    code_sha256: str = ARTIFACT.code_sha256
    unlisted: AwsError | None = None
    deleted: list[int] = field(default_factory=list)

    def publish(self, new: NewVersion) -> PublishedVersion:
        match self.script.pop(0) if self.script else None:
            case ("after", AwsError() as error):
                self._add(new)
                raise error
            case ("late", int() as looks, AwsError() as error):
                self.coming.append((self.looks + looks, self.version_of(new)))
                raise error
            case AwsError() as error:
                raise error
        return self._add(new)

    def versions(self, name: str) -> Iterator[LayerSummary]:
        assert name == "requests"
        if self.unlisted is not None:
            raise self.unlisted
        self.looks += 1
        self.held += [version for look, version in self.coming if look <= self.looks]
        self.coming = [each for each in self.coming if each[0] > self.looks]
        return iter(sorted(self.held, key=lambda version: -version.number))

    def delete(self, name: str, number: int) -> None:
        assert name == "requests"
        self.deleted.append(number)

    def _add(self, new: NewVersion) -> PublishedVersion:
        version = self.version_of(new)
        self.held.append(version)
        return version

    def version_of(self, new: NewVersion) -> PublishedVersion:
        number = len(self.held) + len(self.coming) + 1
        return PublishedVersion(
            arn=f"arn:aws:lambda:eu-west-1:111111111111:layer:requests:{number}",
            number=number,
            description=new.description,
            license=None,
            runtimes=(),
            architectures=(),
            created=None,
            code_sha256=self.code_sha256,
            code_size=3,
            location=None,
        )


def publish(
    aws: Lambda, *, after: int = 0, pauses: list[float] | None = None, stopped: bool = False, of: Artifact = ARTIFACT
) -> Arrived:
    waited = pauses if pauses is not None else []
    patience = Patience(pause=waited.append, stopped=lambda: stopped)
    return publish_once(cast("LayerApi", aws), NEW, of, after=after, patience=patience)


@pytest.mark.parametrize("error", [LOST, FAILED])
def test_an_answer_lost_after_the_work_is_found_and_nothing_is_published_again(error: AwsError) -> None:
    aws = Lambda(script=[("after", error)])
    assert publish(aws).number == 1
    assert len(aws.held) == 1


@pytest.mark.parametrize("error", [LOST, FAILED, SLOW])
def test_a_call_lost_before_the_work_is_made_again(error: AwsError) -> None:
    aws = Lambda(script=[error, error])
    assert publish(aws).number == 1
    assert len(aws.held) == 1


def test_a_version_that_comes_late_is_waited_for() -> None:
    aws = Lambda(script=[("late", 4, LOST)])
    assert publish(aws).number == 1
    assert len(aws.held) == 1


def test_an_older_version_of_the_same_content_is_not_taken_for_the_new_one() -> None:
    aws = Lambda(script=[None, LOST])
    publish(aws)
    assert publish(aws, after=1).number == 2


def test_somebody_elses_version_is_not_taken_for_ours() -> None:
    aws = Lambda(script=[("after", LOST)])
    other = replace(aws.version_of(NEW), description="theirs")
    aws.held.append(other)
    assert publish(aws, after=0).number == 2


@pytest.mark.parametrize("error", [LOST, FAILED, SLOW])
def test_it_is_given_up_after_six_attempts_with_ever_longer_pauses(error: AwsError) -> None:
    pauses: list[float] = []
    aws = Lambda(script=[error] * 20)
    with pytest.raises(type(error)):
        publish(aws, pauses=pauses)
    assert len(aws.script) == 14
    assert 15 * 0.5 <= sum(pauses) <= 80


def test_a_refusal_is_final() -> None:
    aws = Lambda(script=[DENIED, None])
    with pytest.raises(ActionDenied):
        publish(aws)
    assert not aws.held


@pytest.mark.parametrize("then", [DENIED, SLOW])
def test_a_refusal_after_a_lost_answer_does_not_say_that_nothing_was_done(then: Refused) -> None:
    with pytest.raises(Unanswered):
        publish(Lambda(script=[LOST, *[then] * 6]))


def test_who_may_not_look_does_not_publish_again() -> None:
    aws = Lambda(script=[("after", LOST)], unlisted=DENIED)
    with pytest.raises(ConnectionLost):
        publish(aws)
    assert len(aws.held) == 1


def test_nothing_is_begun_after_a_stop_but_what_arrived_is_told() -> None:
    with pytest.raises(ConnectionLost):
        publish(stopped := Lambda(script=[LOST, None]), stopped=True)
    assert not stopped.held
    assert publish(Lambda(script=[("after", LOST)]), stopped=True).number == 1


def test_a_version_with_other_bytes_is_deleted_again() -> None:
    """Its description would make it pass for the right one from now on."""
    aws = Lambda(script=[], code_sha256="other=")
    with pytest.raises(OtherBytesArrived, match="so it was deleted again"):
        publish(aws)
    assert aws.deleted == [1]


def test_pauses_grow_to_twenty_seconds() -> None:
    assert all(0.25 <= pause_before(1) <= 0.5 for _ in range(50))
    assert all(10 <= pause_before(12) <= 20 for _ in range(50))
