"""Which zips go through a bucket, and how often."""

from dataclasses import replace
from pathlib import Path

import pytest

from layerkit.aws.errors import ActionDenied
from layerkit.aws.layers import S3Content
from layerkit.model.publishing import Share
from layerkit.publish.artifact import Artifact
from layerkit.publish.artifacts import ChangedSinceRead, Labels, read_artifact
from layerkit.publish.plan import Destination, Seen, Step, Wanted
from layerkit.publish.staging import NeedsStaging, Staging, unreadable
from tests.publishing import make_zip
from tests.unit.publish.test_plan import artifact, destination

LIMIT = 52_428_800


def step(of: Artifact, where: Destination, *, publications: int = 1) -> Step:
    wanted = Wanted(artifact=of, share=Share())
    return Step(wanted=wanted, destination=where, seen=Seen(), publications=publications)


def sized(zipped_bytes: int) -> Artifact:
    return replace(artifact(), zipped_bytes=zipped_bytes, code_sha256="YWJj")


def test_a_request_carries_what_is_below_the_limit() -> None:
    staging = Staging(None, create=False)
    assert staging.is_direct(sized(LIMIT - 1))
    assert not staging.is_direct(sized(LIMIT))


def test_what_is_not_below_it_needs_a_bucket() -> None:
    with pytest.raises(NeedsStaging, match="a direct upload must be below 52,428,800"):
        Staging(None, create=False).content_for(step(sized(LIMIT), destination()))


def test_one_upload_a_bucket_serves_every_account() -> None:
    places = [
        replace(destination(region), number=number)
        for region in ("eu-west-1", "us-east-1")
        for number in ("111111111111", "222222222222")
    ]
    steps = [step(sized(LIMIT), place) for place in places]
    assert Staging("acme-{region}", create=False).expect(steps) == 2 * LIMIT
    assert Staging("acme-{account}-{region}", create=False).expect(steps) == 4 * LIMIT


def test_nothing_is_uploaded_for_what_is_there_or_small() -> None:
    steps = [step(sized(LIMIT), destination(), publications=0), step(sized(10), destination())]
    assert Staging("acme-{region}", create=False).expect(steps) == 0


def test_a_zip_that_changed_or_went_since_it_was_read_is_not_published(tmp_path: Path) -> None:
    path = make_zip(tmp_path, "web")
    read = read_artifact(path, labels=Labels(), template="{name}")
    staging = Staging(None, create=False)
    assert staging.content_for(step(read, destination())) == path.read_bytes()
    make_zip(tmp_path, "web", seed=1)
    with pytest.raises(ChangedSinceRead):
        staging.content_for(step(read, destination()))
    path.unlink()
    with pytest.raises(ChangedSinceRead):
        staging.content_for(step(read, destination()))


def test_what_s3_denies_lambda_is_told_with_action_and_resource() -> None:
    content = S3Content(bucket="acme", key="layerkit/a.zip")
    denied = ActionDenied(
        action="lambda:PublishLayerVersion", resource=None, reason="Your access has been denied by S3, please …"
    )
    told = unreadable(denied, content, destination())
    assert (told.action, told.resource) == ("s3:GetObject", "arn:aws:s3:::acme/layerkit/a.zip")
    other = ActionDenied(action="lambda:PublishLayerVersion", resource="x", reason="because")
    assert unreadable(other, content, destination()) is other
    assert unreadable(denied, b"zip", destination()) is denied
