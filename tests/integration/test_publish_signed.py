"""Layers signed by AWS Signer on their way, as processes against a strict AWS on this machine."""

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
from tests.layer_life import Shell
from tests.publishing import ACCOUNTS, REGIONS, base64_sha256, make_zip, write_manifest

ONE, TWO, _ = ACCOUNTS
EU, US = "eu-west-1", "us-east-1"
PLACES = [(account, region) for account in (ONE, TWO) for region in (EU, US)]
NAME = "web-python312-x86_64"
BUCKET = 'staging-bucket = "acme-{region}"'
PROFILE = 'signing-profile = "acme_layers"'


@pytest.fixture
def server() -> Iterator[AwsServer]:
    """Yield a server with a versioned bucket in each region, and a signing profile in each place."""
    with AwsServer(accounts=ACCOUNTS, regions=REGIONS, throttle=False) as server:
        for region in (EU, US):
            server.seed_bucket(
                f"acme-{region}", account=ONE, region=region, versioned=True, readers=[TWO], writers=[TWO]
            )
        for place in PLACES:
            server.seed_signing_profile(*place, "acme_layers")
        yield server


@pytest.fixture
def shell(server: AwsServer, tmp_path: Path) -> Shell:
    return Shell(server=server, folder=tmp_path, lines=(BUCKET, PROFILE))


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    path = make_zip(tmp_path, "web")
    write_manifest(path)
    return path


def published(server: AwsServer, account: str = ONE, region: str = EU) -> list[LayerVersion]:
    return server.layers(account, region).get(NAME, [])


def statuses(told_json: object) -> list[str]:
    assert isinstance(told_json, dict)
    return [row["status"] for row in told_json["published"]]


# What it does


def test_every_place_gets_a_version_that_its_own_account_signed(server: AwsServer, shell: Shell, layer: Path) -> None:
    assert shell("publish", layer, "--yes").code == 0
    for account, region in PLACES:
        (version,) = published(server, account, region)
        assert version.signing_profile is not None
        assert version.signing_profile.split(":")[3:5] == [region, account]
        assert version.code.code_sha256 != base64_sha256(layer.read_bytes())


def test_the_signed_zip_holds_what_the_zip_did(server: AwsServer, shell: Shell, layer: Path, tmp_path: Path) -> None:
    assert shell("publish", layer, "--to", "a1", "--region", EU).code == 0
    signed = tmp_path / "signed.zip"
    signed.write_bytes(published(server)[0].code.content)
    with zipfile.ZipFile(signed) as after, zipfile.ZipFile(layer) as before:
        assert set(after.namelist()) - set(before.namelist()) == {SIGNATURE}
        assert all(after.read(name) == before.read(name) for name in before.namelist())


def test_by_an_option_alone(server: AwsServer, shell: Shell, layer: Path) -> None:
    shell.lines = (BUCKET,)
    shell.configure()
    assert shell("publish", layer, "--to", "a1", "--region", EU, "--signing-profile", "acme_layers").code == 0
    assert published(server)[0].signing_job is not None


def test_again_publishes_nothing_and_signs_nothing(server: AwsServer, shell: Shell, layer: Path) -> None:
    assert shell("publish", layer, "--yes").code == 0
    (shell.folder / "ledger.jsonl").unlink()
    server.forget_calls()
    assert statuses(shell("publish", layer, "--yes", "--json").json) == ["unchanged"] * 4
    assert shell("publish", layer, "--plan").code == 0
    assert not server.calls_of("StartSigningJob")
    assert not server.calls_of("PublishLayerVersion")


def test_new_content_is_signed_anew(server: AwsServer, shell: Shell, layer: Path) -> None:
    here = ("--to", "a1", "--region", EU)
    assert shell("publish", layer, *here).code == 0
    write_manifest(make_zip(layer.parent, "web", seed=1), content_digest="sha256:" + "a" * 64)
    assert shell("publish", layer, *here).code == 0
    assert len({version.signing_job for version in published(server)}) == 2


def test_it_waits_for_the_job(server: AwsServer, shell: Shell, layer: Path) -> None:
    server.switches.signing_seconds = 2
    assert shell("publish", layer, "--to", "a1", "--region", EU).code == 0
    assert len(server.calls_of("DescribeSigningJob")) > 1
    assert published(server)[0].signing_job is not None


def test_a_bucket_that_layerkit_makes_will_do(server: AwsServer, shell: Shell, layer: Path) -> None:
    shell.lines = ('staging-bucket = "own-{region}-{account}"', PROFILE)
    shell.configure()
    assert shell("publish", layer, "--create-bucket", "--yes").code == 0
    assert all(published(server, *place)[0].signing_job for place in PLACES)


# What goes wrong on the way


@pytest.mark.parametrize("operation", ["StartSigningJob", "DescribeSigningJob", "PublishLayerVersion"])
@pytest.mark.parametrize("kind", [Kind.ERROR, Kind.RESET_BEFORE, Kind.RESET_AFTER, Kind.TRUNCATE])
def test_a_lost_answer_makes_no_second_version(
    kind: Kind, operation: str, server: AwsServer, shell: Shell, layer: Path
) -> None:
    server.faults.add(Fault(kind=kind, operation=operation))
    assert shell("publish", layer, "--to", "a1", "--region", EU).code == 0
    assert [version.number for version in published(server)] == [1]
    assert len(server.region(ONE, EU).jobs) == 1


def test_the_next_run_goes_on_with_the_job_of_the_last(server: AwsServer, shell: Shell, layer: Path) -> None:
    here = ("--to", "a1", "--region", EU)
    server.faults.add(Fault(kind=Kind.DENIED, operation="PublishLayerVersion"))
    assert shell("publish", layer, *here).code == 7
    assert shell("publish", layer, *here).code == 0
    (job,) = server.region(ONE, EU).jobs
    assert (published(server)[0].signing_job or "").endswith(job)


def test_a_failed_job_of_an_earlier_run_is_not_the_last_word(server: AwsServer, shell: Shell, layer: Path) -> None:
    here = ("--to", "a1", "--region", EU)
    server.faults.add(Fault(kind=Kind.DENIED, operation="PublishLayerVersion"))
    assert shell("publish", layer, *here).code == 7
    for job in server.region(ONE, EU).jobs.values():
        job["reason"] = "The signing service had a bad day."
    assert shell("publish", layer, *here).code == 0
    assert [version.number for version in published(server)] == [1]


def test_why_a_job_failed_is_told(server: AwsServer, shell: Shell, layer: Path) -> None:
    with zipfile.ZipFile(layer, "a") as opened:
        opened.writestr(SIGNATURE, "signed by somebody else")
    write_manifest(layer)
    told = shell("publish", layer, "--to", "a1", "--region", EU)
    assert told.code == 7
    assert "signing with profile `acme_layers` failed: The source object is already signed\n" in told.err
    assert "aws signer describe-signing-job --job-id" in told.err
    assert not server.calls_of("PublishLayerVersion")


def test_a_profile_that_one_account_lacks_stops_no_other(server: AwsServer, shell: Shell, layer: Path) -> None:
    del server.region(TWO, US).profiles["acme_layers"]
    told = shell("publish", layer, "--yes", "--json")
    assert (told.code, sorted(statuses(told.json))) == (7, ["failed"] + ["published"] * 3)
    assert f"there is no signing profile `acme_layers` in a2 ({TWO}) {US}" in told.err
    server.seed_signing_profile(TWO, US, "acme_layers")
    assert sorted(statuses(shell("publish", layer, "--yes", "--json").json)) == ["published"] + ["unchanged"] * 3


def test_a_bucket_without_versions(server: AwsServer, shell: Shell, layer: Path) -> None:
    server.bucket(f"acme-{EU}").versioning = None
    told = shell("publish", layer, "--to", "a1", "--region", EU)
    assert (told.code, f"bucket `acme-{EU}` keeps no versions" in told.err) == (7, True)
    assert "put-bucket-versioning" in told.err


def test_whoever_may_not_sign_is_told_what_to_allow(server: AwsServer, shell: Shell, layer: Path) -> None:
    server.faults.add(Fault(kind=Kind.DENIED, operation="StartSigningJob", times=None))
    told = shell("publish", layer, "--to", "a1", "--region", EU)
    assert (told.code, "AWS denied `signer:StartSigningJob`" in told.err) == (7, True)


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is another thing on Windows")
def test_ctrl_c_does_not_wait_for_the_job_and_the_next_run_does(server: AwsServer, shell: Shell, layer: Path) -> None:
    here = ("publish", str(layer), "--to", "a1", "--region", EU)
    server.switches.signing_seconds = 3600
    command = [sys.executable, "-m", "layerkit", *here]
    with subprocess.Popen(
        command, cwd=shell.folder, env=shell.environment(), stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        until = time.monotonic() + 60
        while not server.calls_of("DescribeSigningJob") and time.monotonic() < until:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    assert (process.returncode, "interrupted while signing job" in told) == (130, True), told
    for job in server.region(ONE, EU).jobs.values():
        job["ready"] = 0
    assert shell(*here).code == 0
    assert [version.number for version in published(server)] == [1]
    assert len(server.region(ONE, EU).jobs) == 1


# What is refused


def test_a_profile_needs_a_staging_bucket(server: AwsServer, shell: Shell, layer: Path) -> None:
    shell.lines = (PROFILE,)
    shell.configure()
    told = shell("publish", layer, "--yes")
    assert (told.code, "no `staging-bucket` is named in [publish]" in told.err) == (2, True)
    assert not server.calls


def test_a_name_that_no_profile_can_have(server: AwsServer, shell: Shell, layer: Path) -> None:
    told = shell("publish", layer, "--signing-profile", "acme layers")
    assert (told.code, "`acme layers` is not the name of a signing profile" in told.err) == (2, True)
    assert not server.calls
