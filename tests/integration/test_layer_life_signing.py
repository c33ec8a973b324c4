"""``layerkit publish --signing-profile`` against a strict AWS on this machine: signed on the way, known unsigned."""

import io
import json
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.aws_server import AwsServer, Fault, Kind, LayerVersion
from tests.aws_server.signer_api import SIGNATURE
from tests.layer_life import Shell, numbers
from tests.publishing import ACCOUNTS, LARGE, REGIONS, make_zip, role_of, write_manifest

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


def test_every_account_gets_the_layer_signed_with_its_own_profile(server: AwsServer, shell: Shell, layer: Path) -> None:
    """A small zip, too, goes through the bucket; uploaded once a region, signed once an account and region."""
    told = shell("publish", layer, "--json")
    assert told.code == 0, told.err
    for account in (ONE, TWO):
        for region in (EU, US):
            version = published(server, account, region)
            with zipfile.ZipFile(io.BytesIO(version.code.content)) as opened:
                assert SIGNATURE in opened.namelist()
            profile = server.region(account, region).profiles[PROFILE]
            assert version.signing_profile == profile.version_arn
            assert version.description.startswith("Made by hand [content ")
    assert len(server.calls_of("PutObject", service="s3")) == 2
    assert len(server.calls_of("StartSigningJob")) == 4
    assert {key.startswith(f"layerkit/{NAME}/") for key in server.bucket(f"staged-{EU}").objects} == {True}


def test_running_it_again_signs_and_publishes_nothing(server: AwsServer, shell: Shell, layer: Path) -> None:
    assert shell("publish", layer).code == 0
    server.forget_calls()
    (shell.folder / "ledger.jsonl").unlink()
    again = shell("publish", layer, "--json").json["published"]
    assert {one["status"] for one in again} == {"unchanged"}
    assert not server.calls_of("StartSigningJob")
    assert shell("publish", layer, "--plan").code == 0
    shell.lines = ()
    shell.configure()
    assert {one["status"] for one in shell("publish", layer, "--json").json["published"]} == {"unchanged"}


def test_a_job_that_takes_its_time_is_waited_for(server: AwsServer, shell: Shell, layer: Path) -> None:
    server.switches.signing_seconds = 3
    assert shell("publish", layer, "--to", "a1", "--region", EU).code == 0
    assert 2 <= len(server.calls_of("DescribeSigningJob")) <= 7
    assert published(server).signing_job is not None


def test_on_the_command_line_and_through_a_bucket_that_is_made(server: AwsServer, shell: Shell, layer: Path) -> None:
    shell.lines = ['staging-bucket = "made-{region}"']
    shell.configure()
    told = shell("publish", layer, "--signing-profile", PROFILE, "--to", "a1", "--create-bucket")
    assert told.code == 0, told.err
    assert published(server).signing_profile is not None


def test_a_large_layer(server: AwsServer, shell: Shell, tmp_path: Path) -> None:
    path = make_zip(tmp_path, "web", size=LARGE)
    write_manifest(path)
    told = shell("publish", path, "--region", EU)
    assert told.code == 0, told.err
    assert len(server.calls_of("CompleteMultipartUpload", status=200)) == 1
    assert published(server, TWO).signing_profile == server.region(TWO, EU).profiles[PROFILE].version_arn


def test_what_the_signer_refuses_is_told_in_its_words(server: AwsServer, shell: Shell, layer: Path) -> None:
    with zipfile.ZipFile(layer, "a") as out:
        out.writestr(SIGNATURE, "signed before")
    write_manifest(layer)
    told = shell("publish", layer, "--region", EU)
    assert told.code == 7
    assert f"error: signing with profile `{PROFILE}` failed: The source object is already signed" in told.err
    assert "aws signer describe-signing-job --job-id" in told.err
    assert not server.calls_of("PublishLayerVersion")


def test_a_profile_that_is_not_there(server: AwsServer, shell: Shell, layer: Path) -> None:
    del server.region(TWO, EU).profiles[PROFILE]
    told = shell("publish", layer, "--region", EU)
    assert told.code == 7
    assert f"there is no signing profile `{PROFILE}` in a2 ({TWO}) {EU}" in told.err
    assert "--platform-id AWSLambda-SHA384-ECDSA" in told.err
    assert numbers(server, ONE, EU, NAME) == [1]
    server.seed_signing_profile(TWO, EU, PROFILE)
    assert shell("publish", layer, "--region", EU).code == 0
    assert (numbers(server, ONE, EU, NAME), numbers(server, TWO, EU, NAME)) == ([1], [1])


def test_a_bucket_without_versions(server: AwsServer, shell: Shell, layer: Path) -> None:
    server.bucket(f"staged-{EU}").versioning = None
    told = shell("publish", layer, "--to", "a1", "--region", EU)
    assert (told.code, f"bucket `staged-{EU}` keeps no versions" in told.err) == (7, True)
    assert not server.calls_of("StartSigningJob")


@pytest.mark.parametrize(
    ("lines", "arguments", "words"),
    [
        ([], ["--signing-profile", PROFILE], "no `staging-bucket` is named in [publish]"),
        ([f'signing-profile = "{PROFILE}"'], [], "no `staging-bucket` is named in [publish]"),
        (['staging-bucket = "b"'], ["--signing-profile", "a b"], "`a b` is not the name of a signing profile"),
        (['staging-bucket = "b"', 'signing-profile = "a-b"'], [], "`a-b` is not the name of a signing profile"),
    ],
)
def test_mistakes_are_told_before_any_call(
    lines: list[str], arguments: list[str], words: str, server: AwsServer, shell: Shell, layer: Path
) -> None:
    shell.lines = lines
    shell.configure()
    told = shell("publish", layer, "--plan", *arguments)
    assert (told.code, words in told.err) == (2, True), told.err
    assert not server.calls


def test_a_denied_action_is_named(server: AwsServer, shell: Shell, layer: Path) -> None:
    deny = {"Effect": "Deny", "Action": "signer:StartSigningJob", "Resource": "*"}
    policy = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}, deny]}
    server.seed_role(role_of(ONE), trusted=(ONE,), policy=policy)
    told = shell("publish", layer, "--to", "a1", "--region", EU)
    profile = f"arn:aws:signer:{EU}:{ONE}:/signing-profiles/{PROFILE}"
    assert (told.code, f"AWS denied `signer:StartSigningJob` on `{profile}`" in told.err) == (7, True), told.err


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


@pytest.mark.parametrize(
    ("kind", "operation"),
    [
        (Kind.RESET_AFTER, "StartSigningJob"),
        (Kind.THROTTLE, "StartSigningJob"),
        (Kind.ERROR, "DescribeSigningJob"),
        (Kind.TRUNCATE, "DescribeSigningJob"),
        (Kind.RESET_AFTER, "PublishLayerVersion"),
    ],
)
def test_a_lost_answer_signs_and_publishes_once(
    kind: Kind, operation: str, server: AwsServer, shell: Shell, layer: Path
) -> None:
    server.faults.add(Fault(kind=kind, operation=operation))
    assert shell("publish", layer, "--to", "a1", "--region", EU).code == 0
    assert len(server.region(ONE, EU).jobs) == 1
    assert numbers(server, ONE, EU, NAME) == [1]


def test_a_version_with_a_signature_of_another_job_is_taken_back(server: AwsServer, shell: Shell, layer: Path) -> None:
    """Somebody replaces the signed zip before Lambda reads it."""

    def replace() -> None:
        server.state.signatures.clear()

    server.switches.signing_seconds = 1
    server.faults.add(Fault(kind=Kind.SLOW, operation="DescribeSigningJob", then=replace))
    told = shell("publish", layer, "--to", "a1", "--region", EU)
    assert (told.code, "AWS has other bytes in" in told.err) == (7, True), told.err
    assert numbers(server, ONE, EU, NAME) == []


def test_ctrl_c_while_a_job_is_under_way(server: AwsServer, shell: Shell, layer: Path) -> None:
    server.switches.signing_seconds = 60
    with subprocess.Popen(
        [sys.executable, "-m", "layerkit", "publish", str(layer), "--to", "a1", "--region", EU, "--json"],
        cwd=shell.folder,
        env=shell.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        until = time.monotonic() + 30
        while not server.calls_of("DescribeSigningJob") and time.monotonic() < until:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 130, err
    assert "interrupted while signing job" in json.loads(out)["published"][0]["error"]
    server.switches.signing_seconds = 0
    assert shell("publish", layer, "--to", "a1", "--region", EU).code == 0
    assert numbers(server, ONE, EU, NAME) == [1]
