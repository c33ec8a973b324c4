"""``layerkit publish --signing-profile`` against a strict AWS on this machine: signed on the way, known unsigned."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.aws_server import AwsServer, Fault, Kind, LayerVersion
from tests.layer_life import Shell, numbers
from tests.publishing import ACCOUNTS, LARGE, REGIONS, make_zip, write_manifest

ONE, TWO, _ = ACCOUNTS
EU, US = "eu-west-1", "us-east-1"
NAME = "web-python312-x86_64"
PROFILE = "acme_layers"


@pytest.fixture
def server() -> Iterator[AwsServer]:
    with AwsServer(accounts=ACCOUNTS, regions=REGIONS, throttle=False) as server:
        for account in (ONE, TWO):
            for region in (EU, US):
                server.seed_signing_profile(account, region, PROFILE)
        for region in (EU, US):
            server.seed_bucket(
                f"staged-{region}", account=ONE, region=region, versioned=True, readers=[TWO], writers=[TWO]
            )
        yield server


@pytest.fixture
def shell(server: AwsServer, tmp_path: Path) -> Shell:
    lines = ['staging-bucket = "staged-{region}"', f'signing-profile = "{PROFILE}"']
    return Shell(server=server, folder=tmp_path, lines=lines)


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    path = make_zip(tmp_path, "web")
    write_manifest(path)
    return path


def published(server: AwsServer, account: str = ONE, region: str = EU) -> LayerVersion:
    return server.layers(account, region)[NAME][-1]


def test_a_large_layer(server: AwsServer, shell: Shell, tmp_path: Path) -> None:
    path = make_zip(tmp_path, "web", size=LARGE)
    write_manifest(path)
    told = shell("publish", path, "--region", EU)
    assert told.code == 0, told.err
    assert len(server.calls_of("CompleteMultipartUpload", status=200)) == 1
    assert published(server, TWO).signing_profile == server.region(TWO, EU).profiles[PROFILE].version_arn


def test_other_bytes_than_were_staged_are_not_signed(server: AwsServer, shell: Shell, layer: Path) -> None:
    """Somebody overwrites the object between the upload and the signature."""
    bucket = server.bucket(f"staged-{EU}")

    def overwrite() -> None:
        for versions in bucket.objects.values():
            versions[-1].checksums["SHA256"] = "other"

    server.faults.add(Fault(kind=Kind.SLOW, operation="PutObject", then=overwrite))
    told = shell("publish", layer, "--to", "a1", "--region", EU)
    assert (told.code, "has other bytes than were uploaded" in told.err) == (7, True), told.err
    assert not server.calls_of("StartSigningJob")


def test_a_version_with_a_signature_of_another_job_is_taken_back(server: AwsServer, shell: Shell, layer: Path) -> None:
    """Somebody replaces the signed zip before Lambda reads it."""

    def replace() -> None:
        for digest, (arn, profile) in server.state.signatures.items():
            server.state.signatures[digest] = (f"{arn}-of-another", profile)

    server.faults.add(Fault(kind=Kind.SLOW, operation="DescribeSigningJob", then=replace))
    told = shell("publish", layer, "--to", "a1", "--region", EU)
    assert (told.code, "AWS has other bytes in" in told.err) == (7, True), told.err
    assert numbers(server, ONE, EU, NAME) == []


def test_a_layer_that_is_there_signed_is_not_published_again_unsigned(shell: Shell, layer: Path) -> None:
    """Nor the other way round: whether it is signed is no part of a layer's identity."""
    assert shell("publish", layer, "--to", "a1", "--region", EU).code == 0
    shell.lines = ()
    shell.configure()
    again = shell("publish", layer, "--to", "a1", "--json").json["published"]
    assert [one["status"] for one in again] == ["unchanged", "published"]
    shell.lines = ['staging-bucket = "staged-{region}"', f'signing-profile = "{PROFILE}"']
    shell.configure()
    again = shell("publish", layer, "--to", "a1", "--json").json["published"]
    assert [one["status"] for one in again] == ["unchanged", "unchanged"]
