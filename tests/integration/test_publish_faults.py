"""Publishing while everything goes wrong: in the end there is exactly one version, and every report was true."""

import json
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from layerkit.aws.errors import ActionDenied, CredentialsExpired
from layerkit.aws.sessions import close_sessions
from layerkit.model.publishing import Share
from layerkit.publish.outcome import Status
from tests.aws_server import TRANSIENT, AwsServer, Fault, Kind
from tests.publishing import ACCOUNTS, GUEST, LARGE, REGIONS, World, make_zip

HERE = ("111111111111", "eu-west-1")
OPERATIONS = (
    "AssumeRole",
    "ListLayerVersions",
    "GetParameter",
    "PublishLayerVersion",
    "AddLayerVersionPermission",
    "PutParameter",
)
STAGING = (
    "HeadBucket",
    "CreateBucket",
    "PutPublicAccessBlock",
    "PutBucketEncryption",
    "PutBucketVersioning",
    "HeadObject",
    "CreateMultipartUpload",
    "UploadPart",
    "CompleteMultipartUpload",
)


@pytest.fixture(autouse=True)
def sessions() -> Iterator[None]:
    close_sessions()
    yield
    close_sessions()


def use(server: AwsServer, monkeypatch: pytest.MonkeyPatch, *, attempts: int | None) -> None:
    """Let this process find the server; each call is made at most ``attempts`` times by botocore itself."""
    for name, value in server.environment(ACCOUNTS[0]).items():
        monkeypatch.setenv(name, value)
    if attempts is not None:
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", str(attempts))


@pytest.mark.parametrize("seed", range(6))
def test_random_faults_end_with_exactly_one_version_everywhere(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three accounts, four regions, two layers, up to four runs with faults; then it is done within three."""
    dice = random.Random(seed)  # noqa: S311 -- dice, not secrets
    zips = [make_zip(tmp_path, "alpha"), make_zip(tmp_path, "beta", size=5000)]
    kinds = TRANSIENT + ((Kind.EXPIRED, Kind.DENIED) if seed % 2 else ())
    with AwsServer(accounts=ACCOUNTS, regions=REGIONS, throttle=seed % 4 == 0) as server:
        use(server, monkeypatch, attempts=dice.choice((1, 2)))
        world = World.of(server, tmp_path, zips)
        for account, region in dice.sample(world.places, 3):
            server.seed_layer(account, region, world.artifacts[0].layer_name, make_zip(tmp_path, "old").read_bytes())
        rate = dice.choice((0.02, 0.1, 0.3))
        for run in range(dice.randint(1, 4)):
            server.faults.random(seed=seed * 100 + run, rate=rate, kinds=kinds)
            world.check_report(world.run()[1])
            if dice.random() < 0.3:
                world.ledger.unlink(missing_ok=True)
        server.faults.clear()
        until_unchanged(world)
        world.check_end()


def until_unchanged(world: World, *, runs: int = 3) -> None:
    for _ in range(runs):
        plan, outcomes = world.run()
        world.check_report(outcomes)
        if not plan.changes:
            assert {outcome.status for outcome in outcomes} == {Status.UNCHANGED}
            return
    pytest.fail(f"not done after {runs} runs without faults")


@pytest.fixture(scope="module")
def shared_server() -> Iterator[AwsServer]:
    with AwsServer(accounts=ACCOUNTS[:1], regions=REGIONS[:1], throttle=False) as server:
        yield server


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("kind", [*TRANSIENT, Kind.SLOW])
def test_one_fault_at_one_call_leaves_a_true_report_and_a_rerun_that_ends_it(
    kind: Kind, operation: str, shared_server: AwsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(shared_server, monkeypatch, attempts=1)
    world = small_world(shared_server, tmp_path, f"{operation}-{kind}")
    shared_server.faults.add(Fault(kind=kind, operation=operation, seconds=0.2))
    _, outcomes = world.run()
    shared_server.faults.clear()
    world.check_report(outcomes)
    if operation == "PublishLayerVersion" or kind is Kind.SLOW:
        assert [outcome.status for outcome in outcomes] == [Status.PUBLISHED]
    until_unchanged(world)
    world.check_end()


@pytest.mark.parametrize("kind", [Kind.ERROR, Kind.RESET_BEFORE, Kind.RESET_AFTER, Kind.TRUNCATE])
def test_one_fault_at_every_operation_is_got_over_in_one_run(
    kind: Kind, shared_server: AwsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(shared_server, monkeypatch, attempts=2)
    world = small_world(shared_server, tmp_path, f"everywhere-{kind}")
    shared_server.faults.add(*(Fault(kind=kind, operation=operation) for operation in OPERATIONS))
    _, outcomes = world.run()
    shared_server.faults.clear()
    assert [outcome.status for outcome in outcomes] == [Status.PUBLISHED]
    world.check_report(outcomes)
    until_unchanged(world)
    world.check_end()


@pytest.mark.parametrize("operation", ["GetLayerVersionPolicy", "RemoveLayerVersionPermission"])
@pytest.mark.parametrize("kind", [Kind.ERROR, Kind.RESET_AFTER])
def test_permissions_that_are_no_longer_wanted_go_whatever_happens(
    kind: Kind, operation: str, shared_server: AwsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(shared_server, monkeypatch, attempts=2)
    world = small_world(shared_server, tmp_path, f"{operation}-{kind}")
    world.run()
    world.share = Share(accounts=(GUEST,))
    shared_server.faults.add(Fault(kind=kind, operation=operation, seconds=0.2))
    _, outcomes = world.run()
    shared_server.faults.clear()
    assert [(outcome.status, len(outcome.removed)) for outcome in outcomes] == [(Status.UNCHANGED, 1)]
    world.check_end()


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(("kind", "error"), [(Kind.EXPIRED, CredentialsExpired), (Kind.DENIED, ActionDenied)])
def test_what_does_not_pass_is_told_and_the_next_run_does_what_is_missing(
    kind: Kind,
    error: type[Exception],
    operation: str,
    shared_server: AwsServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use(shared_server, monkeypatch, attempts=2)
    world = small_world(shared_server, tmp_path, f"{operation}-{kind}")
    shared_server.faults.add(Fault(kind=kind, operation=operation))
    _, (outcome,) = world.run()
    shared_server.faults.clear()
    assert outcome.status is Status.FAILED
    if operation != "AssumeRole":
        assert isinstance(outcome.error, error)
        assert isinstance(outcome.error, CredentialsExpired) or operation in outcome.error.message
    world.check_report((outcome,))
    until_unchanged(world)
    world.check_end()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_service_that_stays_away_is_given_up(
    operation: str, shared_server: AwsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(shared_server, monkeypatch, attempts=1)
    world = small_world(shared_server, tmp_path, f"{operation}-for-ever")
    shared_server.faults.add(Fault(kind=Kind.ERROR, status=503, operation=operation, times=None))
    _, outcomes = world.run()
    shared_server.faults.clear()
    assert [outcome.status for outcome in outcomes] == [Status.FAILED]
    assert f"{operation}`: ServiceException (503)" in message_of(outcomes[0]) or "(503)" in message_of(outcomes[0])
    world.check_report(outcomes)
    until_unchanged(world)
    world.check_end()


def message_of(outcome: Any) -> str:
    return str(outcome.error.message)


def small_world(server: AwsServer, folder: Path, name: str) -> World:
    """One account, one region, one layer of a name of its own."""
    zips = [make_zip(folder, name.lower())]
    return World.of(server, folder, zips, accounts=ACCOUNTS[:1], regions=REGIONS[:1])


@pytest.fixture(scope="module")
def large_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_zip(tmp_path_factory.mktemp("large"), "large", size=LARGE)


@pytest.mark.parametrize("kind", [Kind.ERROR, Kind.RESET_BEFORE, Kind.RESET_AFTER, Kind.TRUNCATE])
def test_an_upload_that_is_disturbed_at_every_call_ends_with_the_right_object(
    kind: Kind, large_zip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with AwsServer(accounts=ACCOUNTS[:1], regions=REGIONS[:1], throttle=False) as server:
        use(server, monkeypatch, attempts=2)
        world = World.of(
            server,
            tmp_path,
            [large_zip],
            accounts=ACCOUNTS[:1],
            regions=REGIONS[:1],
            bucket="staged-{region}",
            create_bucket=True,
        )
        server.faults.add(*(Fault(kind=kind, operation=operation) for operation in STAGING))
        _, outcomes = world.run()
        server.faults.clear()
        world.check_report(outcomes)
        assert [outcome.status for outcome in outcomes] == [Status.PUBLISHED]
        until_unchanged(world)
        world.check_end()
        bucket = server.bucket("staged-eu-west-1")
        assert (bucket.versioning, sorted(bucket.settings)) == (
            "Enabled",
            ["encryption", "publicAccessBlock", "versioning"],
        )
        (stored,) = bucket.objects.values()
        assert stored[-1].blob.content == large_zip.read_bytes()


@pytest.mark.parametrize("seed", range(2))
def test_a_run_that_is_killed_again_and_again_ends_with_exactly_one_version(seed: int, tmp_path: Path) -> None:
    """A real process, killed before, in or after some call of its, then run again; with and without its ledger."""
    dice = random.Random(seed)  # noqa: S311 -- dice, not secrets
    zips = [make_zip(tmp_path, "alpha"), make_zip(tmp_path, "beta")]
    with AwsServer(accounts=ACCOUNTS, regions=REGIONS, latency=0.01) as server:
        world = World.of(server, tmp_path, zips)
        killed = 0
        for operation, most in (("PublishLayerVersion", 24), ("AddLayerVersionPermission", 20), ("PutParameter", 10)):
            for _ in range(dice.randint(1, 2)):
                process = start(world, server, operation, after=dice.randrange(most), dice=dice)
                process.communicate(timeout=120)
                server.faults.clear()
                killed += process.returncode == -signal.SIGKILL
                if seed % 2 == 0:
                    world.ledger.unlink(missing_ok=True)
                time.sleep(0.3)  # a request that was sent before the end may still be under way
        assert killed
        answers = [ended(start(world, None)) for _ in range(2)]
        assert [code for code, _, _ in answers] == [0, 0]
        statuses = Counter(each["status"] for each in json.loads(answers[1][1])["published"])
        assert statuses == {"unchanged": 24}
        world.check_end()


def start(
    world: World,
    server: AwsServer | None,
    operation: str = "",
    *,
    after: int = 0,
    dice: random.Random | None = None,
) -> "subprocess.Popen[str]":
    """Start publishing in a process; with a server, it is killed at some call."""
    holder: list[subprocess.Popen[str]] = []
    started = threading.Event()

    def kill() -> None:
        started.wait()
        holder[0].kill()

    if server is not None and dice is not None:
        kind = dice.choice((Kind.RESET_BEFORE, Kind.RESET_AFTER, Kind.SLOW))
        server.faults.add(Fault(kind=kind, operation=operation, after=after, then=kill))
    process = subprocess.Popen(
        [sys.executable, "-m", "layerkit", *world.arguments("--json")],
        env=world.environment(),
        cwd=world.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    holder.append(process)
    started.set()
    return process


def ended(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    stdout, stderr = process.communicate(timeout=120)
    return process.returncode, stdout, stderr


def test_what_lambda_still_does_for_a_killed_run_is_not_done_twice(tmp_path: Path) -> None:
    """Lambda takes its time, the client dies, and is run again at once: the ledger tells that something is coming."""
    with AwsServer(accounts=ACCOUNTS[:1], regions=REGIONS[:1]) as server:
        world = small_world(server, tmp_path, "alpha")
        server.faults.add(Fault(kind=Kind.SLOW, operation="PublishLayerVersion", seconds=3))
        process = start(world, None)
        while not (world.ledger.exists() and '"publishing"' in world.ledger.read_text(encoding="utf-8")):
            time.sleep(0.02)
        time.sleep(0.2)
        process.kill()
        process.communicate()
        code, stdout, stderr = ended(start(world, None))
        assert (code, json.loads(stdout)["published"][0]["version_number"]) == (0, 1), stderr
        assert "waiting until what an interrupted run asked for has settled" in stderr
        time.sleep(1)
        world.check_end()


def test_ctrl_c_ends_what_is_under_way_and_tells_what_happened_where(tmp_path: Path) -> None:
    zips = [make_zip(tmp_path, "alpha"), make_zip(tmp_path, "beta")]
    with AwsServer(accounts=ACCOUNTS, regions=REGIONS, latency=0.15) as server:
        world = World.of(server, tmp_path, zips)
        process = start(world, None)
        while len(server.calls_of("PublishLayerVersion")) < 5:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        code, stdout, stderr = ended(process)
        assert (code, "Traceback" in stderr) == (130, False), stderr
        assert time.monotonic() - began < 5
        told = json.loads(stdout)["published"]
        assert len(told) == 24
        for each in told:
            held = server.layers(each["account"], each["region"]).get(each["layer_name"], [])
            assert [version.arn for version in held] == ([each["arn"]] if each["arn"] else [])
        assert any(each["error"] == "interrupted before it was done" for each in told)
        codes = [ended(start(world, None))[0] for _ in range(2)]
        assert codes == [0, 0]
        world.check_end()
