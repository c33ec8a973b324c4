"""``layerkit audit`` where AWS says no, or nothing: run as a process, against the tests' own AWS."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.aws_server import AwsServer, Fault, Kind

HOME, GUEST = "111111111111", "222222222222"
HERE = "eu-west-1"
APP = ("--function-name", "app")
SECRETS = ("never-to-be-shown", "X-Amz-Signature", "X-Amz-Security-Token", "Traceback")


@pytest.fixture
def server() -> Iterator[AwsServer]:
    with AwsServer(accounts=(HOME, GUEST)) as started:
        started.seed_function(HOME, HERE, "app")
        yield started


def refused(variables: dict[str, str], *arguments: str) -> tuple[int, str]:
    """Return exit code and the words on stderr of an audit that may not show a secret, nor a traceback."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "LAYERKIT_"))}
    program = [sys.executable, "-W", "error", "-m", "layerkit", "audit", *arguments]
    done = subprocess.run(program, env={**plain, **variables}, capture_output=True, text=True, check=False, timeout=60)
    assert not [secret for secret in SECRETS if secret in done.stdout + done.stderr]
    assert done.stdout == ""
    return done.returncode, done.stderr


def without(environment: dict[str, str], *names: str, **more: str) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name not in names} | more


KEY, SECRET = "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"


def test_no_credentials(server: AwsServer, tmp_path: Path) -> None:
    environment = without(server.environment(HOME, region=HERE), KEY, SECRET, HOME=str(tmp_path))
    code, words = refused(environment, *APP)
    assert (code, words.splitlines()[0]) == (7, "error: no AWS credentials were found")
    assert server.calls == []


def test_half_of_the_credentials(server: AwsServer) -> None:
    code, words = refused(without(server.environment(HOME, region=HERE), SECRET), *APP)
    assert (code, "`AWS_SECRET_ACCESS_KEY` is missing" in words) == (7, True)


def test_keys_that_nobody_knows(server: AwsServer) -> None:
    environment = server.environment(HOME, region=HERE) | {KEY: "AKIASOMEBODYELSE"}
    code, words = refused(environment, *APP)
    assert (code, "does not accept the credentials (UnrecognizedClientException)" in words) == (7, True)


def test_an_expired_token(server: AwsServer) -> None:
    server.faults.add(Fault(kind=Kind.EXPIRED))
    assert refused(server.environment(HOME, region=HERE), *APP) == (
        7,
        "error: the AWS credentials have expired\nhint: get new ones, and run the command again\n",
    )


def test_a_profile_that_is_not_there_names_those_that_are(server: AwsServer, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("[profile one]\nregion=eu-west-1\n[profile two]\n")
    environment = server.environment(HOME, region=HERE) | {"AWS_CONFIG_FILE": str(config)}
    code, words = refused(environment, *APP, "--profile", "three")
    assert (code, words) == (7, "error: there is no AWS profile `three`\nhint: one of one, two\n")


def test_a_login_that_was_never_made_names_its_command(server: AwsServer, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(
        "[profile work]\nsso_session=s\nsso_account_id=111111111111\nsso_role_name=r\nregion=eu-west-1\n"
        "[sso-session s]\nsso_start_url=https://x.example/start\nsso_region=eu-west-1\n"
    )
    environment = server.environment(HOME, region=HERE) | {"AWS_CONFIG_FILE": str(config), "HOME": str(tmp_path)}
    code, words = refused(environment, *APP, "--profile", "work")
    assert (code, words.splitlines()[-1]) == (7, "hint: `aws sso login --profile work`")


def test_a_program_for_credentials_that_fails_keeps_its_words(server: AwsServer, tmp_path: Path) -> None:
    config, program = tmp_path / "config", tmp_path / "program.py"
    program.write_text("raise SystemExit('never-to-be-shown')")
    config.write_text(f"[profile p]\nregion=eu-west-1\ncredential_process={sys.executable} {program}\n")
    environment = server.environment(HOME, region=HERE) | {"AWS_CONFIG_FILE": str(config)}
    code, words = refused(environment, *APP, "--profile", "p")
    assert (code, "`custom-process` brought none" in words) == (7, True)


def test_no_region(server: AwsServer) -> None:
    environment = without(server.environment(HOME, region=HERE), "AWS_REGION", "AWS_DEFAULT_REGION")
    code, words = refused(environment, *APP)
    assert (code, words.splitlines()[0]) == (2, "error: no AWS region is named")


@pytest.mark.parametrize("name", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_a_region_of_the_environment(server: AwsServer, name: str) -> None:
    environment = without(server.environment(HOME, region=HERE), "AWS_REGION", "AWS_DEFAULT_REGION", **{name: HERE})
    code, words = refused(environment, "--function-name", "nobody")
    assert (code, "function:nobody" in words, {call.region for call in server.calls}) == (7, True, {HERE})


def test_a_region_that_is_none(server: AwsServer) -> None:
    code, words = refused(server.environment(HOME, region=HERE), *APP, "--region", "eu west 1")
    assert (code, "does not answer for region `eu west 1`" in words) == (7, True)


def test_throttled_to_the_end(server: AwsServer) -> None:
    server.faults.add(Fault(kind=Kind.THROTTLE, times=None))
    environment = server.environment(HOME, region=HERE) | {"AWS_MAX_ATTEMPTS": "2"}
    code, words = refused(environment, *APP)
    assert (code, "AWS throttles `lambda:GetFunctionConfiguration`" in words) == (7, True)
    assert len(server.calls) == 2


def test_denied_names_action_and_resource(server: AwsServer) -> None:
    role = server.seed_role(f"arn:aws:iam::{HOME}:role/poor", trusted=(HOME,), policy=["lambda:ListFunctions"])
    code, words = refused(server.environment(HOME, region=HERE), *APP, "--role", role)
    assert (code, words.splitlines()[0]) == (
        7,
        f"error: AWS denied `lambda:GetFunctionConfiguration` on `arn:aws:lambda:{HERE}:{HOME}:function:app`",
    )


def test_a_role_that_nobody_may_assume(server: AwsServer) -> None:
    role = f"arn:aws:iam::{GUEST}:role/other"
    code, words = refused(server.environment(HOME, region=HERE), *APP, "--role", role)
    assert (code, words.splitlines()[0]) == (7, f"error: role `{role}` cannot be assumed: AWS denied `sts:AssumeRole`")


def test_nobody_listens(server: AwsServer) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        closed = f"http://me:never-to-be-shown@127.0.0.1:{free.getsockname()[1]}"
    environment = server.environment(HOME, region=HERE) | {"AWS_ENDPOINT_URL": closed, "AWS_MAX_ATTEMPTS": "1"}
    code, words = refused(environment, *APP)
    assert (code, "cannot reach AWS at `http://127.0.0.1:" in words, "connection refused" in words) == (7, True, True)


def test_an_endpoint_that_is_no_url(server: AwsServer) -> None:
    environment = server.environment(HOME, region=HERE) | {"AWS_ENDPOINT_URL": "not a url"}
    code, words = refused(environment, *APP)
    assert (code, "`AWS_ENDPOINT_URL`" in words) == (7, True)


@pytest.mark.parametrize("kind", [Kind.ERROR, Kind.RESET_BEFORE, Kind.RESET_AFTER, Kind.TRUNCATE])
def test_aws_itself_fails(server: AwsServer, kind: Kind) -> None:
    server.faults.add(Fault(kind=kind, times=None))
    environment = server.environment(HOME, region=HERE) | {"AWS_MAX_ATTEMPTS": "2"}
    code, words = refused(environment, *APP)
    assert (code, "`lambda:GetFunctionConfiguration`" in words.splitlines()[0]) == (7, True)


@pytest.mark.parametrize(
    "arn",
    [
        "arn:",
        "arn:aws:lambda:eu-west-1:111111111111:layer:demo",
        "arn:aws:lambda:eu-west-1:111111111111:layer:demo:0",
        "arn:aws:lambda:eu-west-1:111111111111:layer:demo:x",
        "arn:aws:lambda:eu-west-1:1111:layer:demo:1",
        "arn:aws:lambda:eu-west-1:111111111111:function:app",
        "arn:aws:s3:::bucket/key",
        "arn:aws:lambda:eu-west-1:111111111111:layer:demo:1:2",
        "arn:aws:lambda:eu-west-1:111111111111:layer:de mo:1",
    ],
)
def test_arns_of_wrong_shapes_are_refused_before_anything_is_asked(server: AwsServer, arn: str) -> None:
    code, words = refused(server.environment(HOME, region=HERE), arn)
    assert (code, f"`{arn}`" in words, server.calls) == (2, True, [])
