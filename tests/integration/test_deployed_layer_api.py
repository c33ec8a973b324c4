"""The layer API against the tests' own AWS: lists, shares, publishes once, and tells lost answers from refusals."""

import os
from collections.abc import Iterator

import pytest

from layerkit.aws import errors
from layerkit.aws.access import Access
from layerkit.aws.layers import LayerApi, NewVersion, S3Content, Statement
from layerkit.aws.sessions import close_sessions, open_session
from layerkit.model.publishing import Account
from tests.aws_server import AwsServer, Fault, Kind
from tests.aws_server.clients import zip_of

HOME, GUEST = "111111111111", "222222222222"
HERE = "eu-west-1"
HOP, LAST = f"arn:aws:iam::{HOME}:role/hop", f"arn:aws:iam::{GUEST}:role/last"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsServer]:
    with AwsServer(accounts=(HOME, GUEST)) as started:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        for name, value in started.environment(HOME, region=HERE).items():
            monkeypatch.setenv(name, value)
        yield started
        close_sessions()


@pytest.fixture
def layers(server: AwsServer) -> LayerApi:
    del server
    return LayerApi(open_session(Access()), HERE)


def new(content: bytes | S3Content | None = None) -> NewVersion:
    return NewVersion(
        name="demo",
        content=content or zip_of(),
        description="three",
        license="MIT",
        runtimes=("python3.12",),
        architectures=("arm64",),
    )


class TestVersions:
    def test_what_is_published_is_read_back(self, layers: LayerApi) -> None:
        made = layers.publish(new())
        assert (made.number, made.arn) == (1, f"arn:aws:lambda:{HERE}:{HOME}:layer:demo:1")
        found = layers.version(f"arn:aws:lambda:{HERE}:{HOME}:layer:demo", 1)
        assert (found.code_sha256, found.code_size) == (made.code_sha256, len(zip_of()))
        assert (found.description, found.license) == ("three", "MIT")
        assert (found.runtimes, found.architectures) == (("python3.12",), ("arm64",))
        assert found.location
        assert found.location not in repr(found)

    def test_from_a_bucket(self, server: AwsServer, layers: LayerApi) -> None:
        server.seed_bucket("mine", account=HOME, region=HERE)
        client = open_session(Access()).service("s3", HERE).client
        client.put_object(Bucket="mine", Key="layer.zip", Body=zip_of())
        assert layers.publish(new(S3Content(bucket="mine", key="layer.zip"))).code_size == len(zip_of())
        with pytest.raises(errors.Refused, match="NoSuchKey"):
            layers.publish(new(S3Content(bucket="mine", key="nothing")))

    def test_lists_have_pages_and_the_newest_comes_first(self, server: AwsServer, layers: LayerApi) -> None:
        assert (layers.newest("demo"), list(layers.versions("demo"))) == (None, [])
        for _ in range(120):
            server.seed_layer(HOME, HERE, "demo", zip_of())
        newest = layers.newest("demo")
        assert newest is not None
        assert newest.number == 120
        assert [version.number for version in layers.versions("demo")] == list(range(120, 0, -1))

    def test_deleting_twice_is_deleting(self, server: AwsServer, layers: LayerApi) -> None:
        server.seed_layer(HOME, HERE, "demo", zip_of())
        layers.delete("demo", 1)
        layers.delete("demo", 1)
        assert server.layers(HOME, HERE) == {}


class TestSharing:
    def test_grants_are_read_back_as_given(self, server: AwsServer, layers: LayerApi) -> None:
        server.seed_layer(HOME, HERE, "demo", zip_of())
        given = (
            Statement(sid="guest", principal=GUEST, organization=None),
            Statement(sid="all", principal="*", organization=None),
            Statement(sid="org", principal="*", organization="o-abcdefghij"),
        )
        assert layers.statements("demo", 1) == ()
        for statement in given:
            layers.grant("demo", 1, statement)
        assert layers.statements("demo", 1) == given
        layers.revoke("demo", 1, "all")
        layers.revoke("demo", 1, "all")
        assert layers.statements("demo", 1) == (given[0], given[2])

    def test_a_statement_id_that_is_taken_is_refused(self, server: AwsServer, layers: LayerApi) -> None:
        server.seed_layer(HOME, HERE, "demo", zip_of())
        statement = Statement(sid="guest", principal=GUEST, organization=None)
        layers.grant("demo", 1, statement)
        with pytest.raises(errors.CallRefused) as caught:
            layers.grant("demo", 1, statement)
        assert caught.value.code == "ResourceConflictException"


class TestPublishingOnce:
    @pytest.mark.parametrize("kind", [Kind.RESET_AFTER, Kind.TRUNCATE])
    def test_a_lost_answer_may_mean_that_it_was_published(
        self, server: AwsServer, layers: LayerApi, kind: Kind
    ) -> None:
        server.faults.add(Fault(kind=kind, operation="PublishLayerVersion"))
        with pytest.raises(errors.Unanswered):
            layers.publish(new())
        assert len(server.layers(HOME, HERE)["demo"]) == 1
        assert len(server.calls_of("PublishLayerVersion")) == 1

    @pytest.mark.parametrize("kind", [Kind.ERROR, Kind.RESET_BEFORE])
    def test_trouble_on_the_way_is_not_known_to_be_harmless(
        self, server: AwsServer, layers: LayerApi, kind: Kind
    ) -> None:
        server.faults.add(Fault(kind=kind, operation="PublishLayerVersion"))
        with pytest.raises(errors.Unanswered):
            layers.publish(new())
        assert len(server.calls_of("PublishLayerVersion")) == 1

    @pytest.mark.parametrize("kind", [Kind.THROTTLE, Kind.DENIED, Kind.EXPIRED])
    def test_a_refusal_means_that_nothing_was_done(self, server: AwsServer, layers: LayerApi, kind: Kind) -> None:
        server.faults.add(Fault(kind=kind, operation="PublishLayerVersion"))
        with pytest.raises(errors.Refused):
            layers.publish(new())
        assert server.layers(HOME, HERE) == {}
        assert len(server.calls_of("PublishLayerVersion")) == 1

    def test_what_lambda_does_not_take_is_told_in_its_words(self, layers: LayerApi) -> None:
        with pytest.raises(errors.CallRefused, match="Could not unzip uploaded file"):
            layers.publish(new(b"no zip"))


class TestRoles:
    def test_roles_are_assumed_one_after_another_with_id_and_tags_for_the_last(self, server: AwsServer) -> None:
        server.seed_role(HOP, trusted=(HOME,))
        server.seed_role(LAST, trusted=(HOP,), external_id="xyz")
        account = Account(name="guest", roles=(HOP, LAST), external_id="xyz", session_tags={"team": "layers"})
        session = open_session(Access.of(account, HERE))
        assert session.account() == GUEST
        (last,) = [each for each in server.state.sessions.values() if each.role.arn == LAST]
        assert last.tags == {"team": "layers"}
        assert LayerApi(session, "us-east-1").publish(new()).arn.startswith(f"arn:aws:lambda:us-east-1:{GUEST}:")
        assert len(server.calls_of("AssumeRole")) == 2

    def test_credentials_that_end_are_renewed_on_the_way(self, server: AwsServer) -> None:
        server.switches.session_seconds = 1
        server.seed_role(LAST, trusted=(HOME,))
        layers = LayerApi(open_session(Access(region=HERE, role_arn=LAST)), HERE)
        layers.newest("demo"), layers.newest("demo")
        assert len(server.calls_of("AssumeRole")) > 1
        assert len(server.calls_of("ListLayerVersions", status=200)) == 2

    def test_one_session_serves_all_who_go_the_same_way(self) -> None:
        assert open_session(Access(region=HERE)) is open_session(Access(region=HERE))
        assert open_session(Access(region=HERE)) is not open_session(Access(region="us-east-1"))
