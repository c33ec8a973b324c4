"""``layerkit adopt`` against a strict AWS on this machine: somebody else's layer, copied unchanged, once."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.aws_server import AwsServer, Fault, Kind, LayerVersion
from tests.aws_server.clients import zip_of
from tests.layer_life import Shell, numbers
from tests.publishing import ACCOUNTS, GUEST, LARGE, REGIONS, make_zip, permissions

ONE, TWO, _ = ACCOUNTS
EU, US = "eu-west-1", "us-east-1"
NAME = "TheirLayer"


@pytest.fixture
def server() -> Iterator[AwsServer]:
    with AwsServer(accounts=(*ACCOUNTS, GUEST), regions=REGIONS, throttle=False) as server:
        yield server


@pytest.fixture
def shell(server: AwsServer, tmp_path: Path) -> Shell:
    return Shell(server=server, folder=tmp_path)


def seed(server: AwsServer, content: bytes | None = None, *, principal: str = "*", description: str = "Theirs") -> str:
    return server.seed_layer(
        GUEST,
        US,
        NAME,
        content if content is not None else zip_of(500, files=3),
        description=description,
        runtimes=["python3.12", "nodejs22.x"],
        architectures=["x86_64", "arm64"],
        license="Apache-2.0",
        share={"x": principal},
    )


def adopted(server: AwsServer, account: str = ONE, region: str = EU, name: str = NAME) -> LayerVersion:
    (version,) = server.layers(account, region)[name]
    return version


def test_a_layer_is_copied_unchanged_into_every_destination(server: AwsServer, shell: Shell) -> None:
    """Bytes, licence, runtimes and architectures; its ARN goes into the description; the configuration says who may."""
    shell.configure(share='accounts = ["333333333333"]')
    arn = seed(server)
    told = shell("adopt", arn, "--json")
    assert told.code == 0, told.err
    assert [one["status"] for one in told.json["published"]] == ["published"] * 4
    for account in (ONE, TWO):
        for region in (EU, US):
            version = adopted(server, account, region)
            assert version.code.content == server.layer(arn).code.content
            assert (version.license, version.runtimes) == ("Apache-2.0", ("python3.12", "nodejs22.x"))
            assert version.architectures == ("x86_64", "arm64")
            assert version.description.startswith(f"Theirs (from {arn}) [content ")
            assert permissions(version) == {"layerkit-account-333333333333": ("333333333333", None)}
    assert [event["origin"] for event in shell.ledger("adopting")] == [arn]
    assert len(shell.ledger("published")) == 4


def test_twice_publishes_once(server: AwsServer, shell: Shell) -> None:
    arn = seed(server)
    planned = shell("adopt", arn, "--plan")
    assert (planned.code, "1 (new)" in planned.out) == (1, True)
    assert not server.calls_of("PublishLayerVersion")
    assert shell("adopt", arn).code == 0
    (shell.folder / "ledger.jsonl").unlink()
    again = shell("adopt", arn, "--json")
    assert {one["status"] for one in again.json["published"]} == {"unchanged"}
    assert shell("adopt", arn, "--plan").code == 0
    assert numbers(server, ONE, EU, NAME) == [1]


def test_under_another_name_and_only_somewhere(server: AwsServer, shell: Shell) -> None:
    assert shell("adopt", seed(server), "--name", "ours", "--to", "a2", "--region", "eu-central-1").code == 0
    assert adopted(server, TWO, "eu-central-1", "ours").number == 1
    assert len(server.calls_of("PublishLayerVersion")) == 1


def test_the_account_that_may_read_it_reads_it_for_all(server: AwsServer, shell: Shell) -> None:
    assert shell("adopt", seed(server, principal=TWO)).code == 0
    assert adopted(server, ONE).number == 1


def test_a_long_description_makes_room_for_where_it_comes_from(server: AwsServer, shell: Shell) -> None:
    arn = seed(server, description="é" * 256)
    assert shell("adopt", arn, "--to", "a1", "--region", EU).code == 0
    description = adopted(server).description
    assert len(description) <= 256
    assert f"é… (from {arn}) [content " in description


def test_what_layerkit_published_elsewhere_keeps_its_identity(server: AwsServer, shell: Shell, tmp_path: Path) -> None:
    """A layer published from a zip and adopted from another account is one content."""
    path = make_zip(tmp_path, "web")
    assert shell("publish", path, "--to", "a1", "--region", EU, "--share-account", TWO).code == 0
    arn = server.layers(ONE, EU)["web"][0].arn
    assert shell("adopt", arn, "--to", "a2").code == 0
    assert adopted(server, TWO, EU, "web").description.startswith(f"(from {arn}) [content ")
    told = shell("publish", path, "--json").json["published"]
    assert [one["status"] for one in told] == ["unchanged", "published", "unchanged", "unchanged"]


def test_a_large_layer_goes_through_the_bucket(server: AwsServer, shell: Shell, tmp_path: Path) -> None:
    content = make_zip(tmp_path, "large", size=LARGE).read_bytes()
    arn = seed(server, content)
    told = shell("adopt", arn, "--to", "a1", "--region", EU)
    assert (told.code, "a direct upload must be below" in told.err) == (7, True)
    server.seed_bucket("staged", account=ONE, region=EU)
    shell.configure('staging-bucket = "staged"')
    assert shell("adopt", arn, "--to", "a1", "--region", EU).code == 0
    assert adopted(server).code.content == content


def test_a_download_that_breaks_off_goes_on(server: AwsServer, shell: Shell) -> None:
    arn = seed(server, zip_of(3_000_000, files=3))
    server.faults.add(Fault(kind=Kind.TRUNCATE, operation="Download", times=2))
    assert shell("adopt", arn, "--to", "a1", "--region", EU).code == 0
    assert adopted(server).code.content == server.layer(arn).code.content


def test_a_link_that_has_expired_is_asked_for_again(server: AwsServer, shell: Shell) -> None:
    arn = seed(server)
    server.faults.add(Fault(kind=Kind.DENIED, operation="Download"))
    assert shell("adopt", arn, "--to", "a1", "--region", EU).code == 0
    assert len(server.calls_of("GetLayerVersion", region=US)) == 2


def test_a_link_that_never_works_is_told_without_showing_it(server: AwsServer, shell: Shell) -> None:
    arn = seed(server)
    server.switches.download_seconds = -1
    told = shell("adopt", arn)
    assert (told.code, f"the zip of `{arn}` cannot be downloaded from `127.0.0.1`" in told.err) == (4, True)
    assert "snapshots" not in told.err
    assert not server.calls_of("PublishLayerVersion")


def test_other_bytes_than_aws_says_are_refused(server: AwsServer, shell: Shell) -> None:
    """Something on the way changes the zip."""
    arn = seed(server)
    blob = server.layer(arn).code
    claimed = blob.code_sha256
    blob.content = zip_of(501)
    told = shell("adopt", arn)
    assert (told.code, f"and AWS says {claimed}" in told.err) == (4, True), told.err
    assert not server.calls_of("PublishLayerVersion")


def test_a_layer_that_is_no_longer_there(server: AwsServer, shell: Shell) -> None:
    arn = seed(server)
    server.delete_layer(arn)
    told = shell("adopt", arn)
    assert (told.code, "AWS denied `lambda:GetLayerVersion`" in told.err) == (7, True)
    assert "ask the owner to share it with this account" in told.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["arn:aws:lambda:us-east-1:444444444444:layer:x"], "names a layer, but none of its versions"),
        (["x"], "is not the ARN of a layer version"),
        (["arn:aws-cn:lambda:cn-north-1:444444444444:layer:x:1"], "no configured account is in the partition of"),
        (["arn:aws:lambda:us-east-1:444444444444:layer:x:1", "--name", "../x"], "`../x` cannot be a layer's name"),
        (["arn:aws:lambda:us-east-1:444444444444:layer:x:1", "--to", "nobody"], "no account is named `nobody`"),
    ],
)
def test_mistakes(arguments: list[str], words: str, server: AwsServer, shell: Shell) -> None:
    told = shell("adopt", *arguments)
    assert (told.code, words in told.err) == (2, True), told.err
    assert not server.calls_of("Download")


def test_a_zip_that_is_no_layer(server: AwsServer, shell: Shell) -> None:
    """Lambda takes odd zips; one without files is of no use to anybody."""
    empty = shell.folder / "empty.zip"
    with zipfile.ZipFile(empty, "w"):
        pass
    told = shell("adopt", seed(server, empty.read_bytes()))
    assert (told.code, "it holds no files" in told.err) == (2, True), told.err


def test_nothing_is_left_behind(server: AwsServer, shell: Shell, tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    shell.variables = {"TMPDIR": str(temporary)}
    assert shell("adopt", seed(server)).code == 0
    assert list(temporary.iterdir()) == []
