"""``layerkit adopt`` as a process against a strict AWS on this machine: what is copied, kept and refused."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.aws_server import AwsServer, Fault, Kind
from tests.aws_server.blobs import Blob
from tests.aws_server.clients import zip_of
from tests.layer_life import Shell, numbers
from tests.publishing import ACCOUNTS, GUEST, LARGE, REGIONS, make_zip, permissions

ONE, TWO, _ = ACCOUNTS
EU, US = "eu-west-1", "us-east-1"
PLACES = [(account, region) for account in (ONE, TWO) for region in (EU, US)]
PUBLIC = {"everybody": "*"}


@pytest.fixture
def server() -> Iterator[AwsServer]:
    with AwsServer(accounts=(*ACCOUNTS, GUEST), regions=REGIONS, throttle=False) as server:
        yield server


@pytest.fixture
def shell(server: AwsServer, tmp_path: Path) -> Shell:
    return Shell(server=server, folder=tmp_path)


@pytest.fixture
def theirs(server: AwsServer) -> str:
    """Return a layer of somebody else, in a region that is none of ours."""
    return server.seed_layer(
        GUEST,
        "ap-southeast-2",
        "their-tools",
        zip_of(300, files=3),
        description="Tools of theirs",
        license="Apache-2.0",
        runtimes=("python3.12", "python3.8", "nodejs22.x"),
        architectures=("x86_64", "arm64"),
        share=PUBLIC,
    )


# What it does


def test_the_same_bytes_and_labels_arrive_everywhere_and_name_their_origin(
    server: AwsServer, shell: Shell, theirs: str
) -> None:
    told = shell("adopt", theirs, "--yes", "--json")
    assert [(row["status"], row["layer_name"]) for row in told.json["published"]] == [("published", "their-tools")] * 4
    origin = server.layer(theirs)
    for place in PLACES:
        (copy,) = server.layers(*place)["their-tools"]
        assert copy.code.content == origin.code.content
        assert (copy.license, copy.runtimes, copy.architectures) == (
            origin.license,
            origin.runtimes,
            origin.architectures,
        )
        assert copy.description.startswith(f"Tools of theirs (from {theirs}) [content ")
    assert len(server.calls_of("Download")) == 1


def test_twice_publishes_once(server: AwsServer, shell: Shell, theirs: str) -> None:
    assert shell("adopt", theirs, "--yes").code == 0
    again = shell("adopt", theirs, "--yes", "--json")
    assert {row["status"] for row in again.json["published"]} == {"unchanged"}
    assert shell("adopt", theirs, "--plan").code == 0
    assert [numbers(server, *place, "their-tools") for place in PLACES] == [[1]] * 4


def test_the_ledger_keeps_the_origin_of_what_was_copied(shell: Shell, theirs: str) -> None:
    shell("adopt", theirs, "--plan")
    assert shell.ledger("adopting") == []
    shell("adopt", theirs, "--yes")
    shell("adopt", theirs, "--yes")
    (noted,) = shell.ledger("adopting")
    assert (noted["origin"], noted["layer_name"]) == (theirs, "their-tools")
    assert {event["content_digest"] for event in shell.ledger("published")} == {noted["content_digest"]}


def test_a_plan_changes_nothing(server: AwsServer, shell: Shell, theirs: str) -> None:
    told = shell("adopt", theirs, "--plan", "--json")
    assert (told.code, {row["status"] for row in told.json["published"]}) == (1, {"planned"})
    assert not server.calls_of("PublishLayerVersion")


def test_only_some_places_and_under_another_name(server: AwsServer, shell: Shell, theirs: str) -> None:
    assert shell("adopt", theirs, "--to", "a2", "--region", US, "--name", "ours", "--yes").code == 0
    assert list(server.layers(TWO, US)) == ["ours"]
    assert [place for place in PLACES if server.layers(*place)] == [(TWO, US)]


def test_permissions_and_parameters_are_those_of_the_configuration(
    server: AwsServer, shell: Shell, theirs: str
) -> None:
    shell.configure('ssm-parameter = "/layers/{name}"', share=f'accounts = ["{ACCOUNTS[2]}"]')
    assert shell("adopt", theirs, "--yes").code == 0
    (copy,) = server.layers(TWO, EU)["their-tools"]
    assert list(permissions(copy)) == [f"layerkit-account-{ACCOUNTS[2]}"]
    assert server.parameters(TWO, EU)["/layers/their-tools"].value == copy.arn


def test_a_long_description_makes_room_for_the_origin(server: AwsServer, shell: Shell) -> None:
    arn = server.seed_layer(GUEST, EU, "long", zip_of(), description="ä" * 256, share=PUBLIC)
    assert shell("adopt", arn, "--yes").code == 0
    description = server.layers(ONE, EU)["long"][0].description
    assert len(description) == 256
    assert f"… (from {arn}) [content " in description


def test_a_layer_without_any_labels(server: AwsServer, shell: Shell) -> None:
    arn = server.seed_layer(GUEST, EU, "bare", zip_of(), share=PUBLIC)
    assert shell("adopt", arn, "--yes").code == 0
    copy = server.layers(ONE, US)["bare"][0]
    assert (copy.runtimes, copy.architectures, copy.license) == ((), (), None)


def test_a_layer_that_layerkit_published_keeps_its_identity(server: AwsServer, shell: Shell, tmp_path: Path) -> None:
    zip_path = make_zip(tmp_path, "web")
    assert shell("publish", zip_path, "--to", "a1", "--region", EU, "--name", "web", "--public", "--yes").code == 0
    original = server.layers(ONE, EU)["web"][0]
    assert shell("adopt", original.arn, "--to", "a2", "--yes").code == 0
    copy = server.layers(TWO, EU)["web"][0]
    assert copy.description.rpartition("[content ")[2] == original.description.rpartition("[content ")[2]


def test_a_large_layer_goes_through_the_staging_bucket(server: AwsServer, shell: Shell, tmp_path: Path) -> None:
    content = make_zip(tmp_path / "large", "large", size=LARGE).read_bytes()
    arn = server.seed_layer(GUEST, EU, "large", content, share=PUBLIC)
    refused = shell("adopt", arn, "--to", "a1", "--yes")
    assert (refused.code, "staging-bucket" in refused.err) == (7, True)
    shell.configure('staging-bucket = "acme-{region}"')
    assert shell("adopt", arn, "--to", "a1", "--create-bucket", "--yes").code == 0
    assert server.layers(ONE, US)["large"][0].code.content == content


def test_who_may_read_it_only_as_the_caller(server: AwsServer, shell: Shell) -> None:
    """The roles that publish may not read the layer; the credentials with which layerkit is started may."""
    shell.accounts = (TWO,)
    shell.configure()
    shell.variables = server.keys(ONE)
    server.seed_role(f"arn:aws:iam::{TWO}:role/publisher", trusted=(ONE,))
    arn = server.seed_layer(GUEST, EU, "for-one", zip_of(), share={"one": ONE})
    assert shell("adopt", arn, "--yes").code == 0
    assert numbers(server, TWO, EU, "for-one") == [1]


# A download that goes wrong


@pytest.mark.parametrize("kind", [Kind.ERROR, Kind.RESET_BEFORE, Kind.TRUNCATE])
def test_a_download_that_breaks_off_goes_on(kind: Kind, server: AwsServer, shell: Shell, theirs: str) -> None:
    server.faults.add(Fault(kind=kind, operation="Download"))
    assert shell("adopt", theirs, "--yes").code == 0
    assert server.layers(ONE, EU)["their-tools"][0].code.content == server.layer(theirs).code.content


def test_a_link_that_has_expired_is_asked_for_again(server: AwsServer, shell: Shell, theirs: str) -> None:
    server.switches.download_seconds = -1

    def mend() -> None:
        server.switches.download_seconds = 600

    server.faults.add(Fault(kind=Kind.SLOW, operation="Download", then=mend))
    assert shell("adopt", theirs, "--yes").code == 0
    assert len(server.calls_of("Download")) == 2


def test_a_link_that_never_works(server: AwsServer, shell: Shell, theirs: str) -> None:
    server.switches.download_seconds = -1
    told = shell("adopt", theirs, "--yes")
    assert (told.code, "cannot be downloaded from `127.0.0.1`: the link does not work" in told.err) == (4, True)


@pytest.mark.parametrize("content", [zip_of(600, files=3), b"", b"\0" * 4096])
def test_other_bytes_are_not_published(content: bytes, server: AwsServer, shell: Shell, theirs: str) -> None:
    def swap() -> None:
        for link, found in server.state.downloads.items():
            server.state.downloads[link] = replace(found, blob=Blob(content))

    server.faults.add(Fault(kind=Kind.SLOW, operation="GetLayerVersion", then=swap))
    told = shell("adopt", theirs, "--yes")
    assert (told.code, "is not the layer" in told.err, "and AWS says" in told.err) == (4, True, True)
    assert not server.calls_of("PublishLayerVersion")


# What is refused


@pytest.mark.parametrize(
    ("arn", "words"),
    [
        ("their-tools", "is not the ARN of a layer version"),
        (f"arn:aws:lambda:{EU}:{GUEST}:layer:their-tools", "none of its versions"),
        (f"arn:aws:lambda:{EU}:{GUEST}:layer:their-tools:0", "a version below 1"),
        (f"arn:aws:lambda:{EU}:{GUEST}:function:their-tools:1", "is not the ARN of a layer version"),
        (f"arn:aws-cn:lambda:cn-north-1:{GUEST}:layer:x:1", "no configured account is in the partition"),
    ],
)
def test_what_names_no_version_that_could_be_read(arn: str, words: str, server: AwsServer, shell: Shell) -> None:
    told = shell("adopt", arn, "--yes")
    assert (told.code, words in told.err) == (2, True), told.err
    assert not server.calls_of("PublishLayerVersion")


def test_a_layer_that_nobody_shares(server: AwsServer, shell: Shell) -> None:
    arn = server.seed_layer(GUEST, EU, "private", zip_of())
    told = shell("adopt", arn, "--yes")
    assert (told.code, f"AWS denied `lambda:GetLayerVersion` on `{arn}`" in told.err) == (7, True)
    assert "ask the owner to share it" in told.err


def test_a_version_of_ones_own_that_is_deleted(server: AwsServer, shell: Shell) -> None:
    arn = server.seed_layer(ONE, EU, "gone", zip_of())
    server.delete_layer(arn)
    told = shell("adopt", arn, "--yes")
    assert (told.code, "AWS does not find it" in told.err) == (7, True)


def test_a_name_that_lambda_does_not_take(server: AwsServer, shell: Shell, theirs: str) -> None:
    told = shell("adopt", theirs, "--name", "python3.12", "--yes")
    assert (told.code, "`python3.12` cannot be a layer's name" in told.err) == (2, True)
    assert not server.calls


def test_no_account_of_that_name(shell: Shell, theirs: str) -> None:
    told = shell("adopt", theirs, "--to", "nobody")
    assert (told.code, "no account is named `nobody`" in told.err) == (2, True)


def test_without_credentials(server: AwsServer, shell: Shell, theirs: str) -> None:
    shell.variables = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}
    told = shell("adopt", theirs, "--yes")
    assert (told.code, "no AWS credentials were found" in told.err) == (7, True)
    assert not server.calls


def test_without_a_region(shell: Shell, theirs: str, tmp_path: Path) -> None:
    (tmp_path / "none.toml").write_text("[publish]\n", encoding="utf-8")
    shell.variables = {"AWS_REGION": "", "AWS_DEFAULT_REGION": ""}
    told = shell("adopt", theirs, "--config", "none.toml")
    assert (told.code, "no AWS region is named" in told.err) == (2, True)


# What may go wrong elsewhere


def test_a_destination_that_fails_stops_no_other_and_the_next_run_does_the_rest(
    server: AwsServer, shell: Shell, theirs: str
) -> None:
    server.faults.add(Fault(kind=Kind.DENIED, operation="PublishLayerVersion", account=TWO, region=US))
    told = shell("adopt", theirs, "--yes", "--json")
    assert (told.code, [row["status"] for row in told.json["published"]].count("published")) == (7, 3)
    again = shell("adopt", theirs, "--yes", "--json")
    assert sorted(row["status"] for row in again.json["published"]) == ["published"] + ["unchanged"] * 3
    assert [numbers(server, *place, "their-tools") for place in PLACES] == [[1]] * 4


def test_a_lost_answer_makes_no_second_version(server: AwsServer, shell: Shell, theirs: str) -> None:
    server.faults.add(Fault(kind=Kind.RESET_AFTER, operation="PublishLayerVersion"))
    assert shell("adopt", theirs, "--yes").code == 0
    assert [numbers(server, *place, "their-tools") for place in PLACES] == [[1]] * 4


def test_the_signing_profile_of_the_configuration_is_left_aside(server: AwsServer, shell: Shell, theirs: str) -> None:
    shell.configure('signing-profile = "acme"')
    assert shell("adopt", theirs, "--to", "a1", "--yes").code == 0
    assert not server.calls_of("StartSigningJob")
