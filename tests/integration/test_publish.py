"""``layerkit publish`` against a strict AWS on this machine: what it does, what it refuses, and how it says so."""

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from layerkit.aws.sessions import close_sessions
from layerkit.cli.main import main
from tests.aws_server import AwsServer, Fault, Kind
from tests.publishing import (
    ACCOUNTS,
    GUEST,
    ORGANIZATION,
    REGIONS,
    World,
    make_zip,
    permissions,
    role_of,
    write_manifest,
)

HERE = "eu-west-1"


@dataclass(frozen=True, kw_only=True)
class Told:
    code: int
    out: str
    err: str


Run = Callable[..., Told]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsServer]:
    close_sessions()
    with AwsServer(accounts=ACCOUNTS, regions=REGIONS) as server:
        for name, value in server.environment(ACCOUNTS[0]).items():
            monkeypatch.setenv(name, value)
        yield server
    close_sessions()


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command line in an empty folder; whatever it says holds no secret and no traceback."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAYERKIT_LEDGER", str(tmp_path / "ledger.jsonl"))
    for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)

    def run(*arguments: str | Path) -> Told:
        code = main(["publish", *map(str, arguments)])
        told = capsys.readouterr()
        for text in (told.out, told.err):
            assert "never-to-be-shown" not in text
            assert "Traceback" not in text
        return Told(code=code, out=told.out, err=told.err)

    return run


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    path = make_zip(tmp_path, "web")
    write_manifest(path)
    return path


def world_of(server: AwsServer, folder: Path, layer: Path, **more: object) -> World:
    return World.of(server, folder, [layer], **more)


def published(told: Told) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(told.out)["published"]
    return found


# What it does


def test_a_plan_then_the_same_then_nothing(server: AwsServer, tmp_path: Path, run: Run, layer: Path) -> None:
    world = world_of(server, tmp_path, layer)
    config = world.configuration()
    planned = run(layer, "--config", config, "--plan", "--json")
    assert (planned.code, {each["status"] for each in published(planned)}) == (1, {"planned"})
    assert not server.calls_of("PublishLayerVersion")
    done = run(layer, "--config", config, "--json")
    assert (done.code, [each["version_number"] for each in published(done)]) == (0, [1] * 12)
    assert {each["status"] for each in published(done)} == {"published"}
    world.check_end()
    again = run(layer, "--config", config, "--plan", "--json")
    assert (again.code, {each["status"] for each in published(again)}) == (0, {"unchanged"})
    version = server.layers(ACCOUNTS[1], HERE)["web-python312-x86_64"][0]
    assert (version.license, version.architectures) == ("MIT", ("x86_64",))
    assert version.description.startswith("Made by hand [content ")


def test_only_some_accounts_and_regions(server: AwsServer, tmp_path: Path, run: Run, layer: Path) -> None:
    config = world_of(server, tmp_path, layer).configuration()
    told = run(layer, "--config", config, "--to", "a2", "--region", "us-east-1", "--json")
    assert [(each["account"], each["region"]) for each in published(told)] == [(ACCOUNTS[1], "us-east-1")]


def test_every_enabled_region(server: AwsServer, run: Run, layer: Path) -> None:
    server.disable_region(ACCOUNTS[0], "us-east-1")
    told = run(layer, "--region", "all-enabled", "--json")
    assert {each["region"] for each in published(told)} == set(REGIONS) - {"us-east-1"}


def test_without_a_configuration_it_goes_where_the_credentials_point(server: AwsServer, run: Run, layer: Path) -> None:
    told = run(layer, "--share-account", GUEST, "--share-org", ORGANIZATION, "--json")
    assert [(each["account"], each["region"]) for each in published(told)] == [(ACCOUNTS[0], HERE)]
    version = server.layers(ACCOUNTS[0], HERE)["web-python312-x86_64"][0]
    assert permissions(version) == {
        f"layerkit-account-{GUEST}": (GUEST, None),
        f"layerkit-org-{ORGANIZATION}": ("*", ORGANIZATION),
    }


def test_a_zip_without_a_manifest_is_labelled_on_the_command_line(server: AwsServer, run: Run, tmp_path: Path) -> None:
    path = make_zip(tmp_path, "bare")
    told = run(
        path, "--name", "mine", "--runtime", "python3.12", "--runtime", "nodejs22.x", "--arch", "arm64", "--json"
    )
    (one,) = published(told)
    assert (one["layer_name"], one["compatible_runtimes"]) == ("mine", ["python3.12", "nodejs22.x"])
    assert server.layers(ACCOUNTS[0], HERE)["mine"][0].architectures == ("arm64",)


def test_a_region_that_refuses_architectures_gets_the_layer_without_them(
    server: AwsServer, run: Run, layer: Path
) -> None:
    server.switches.refuses_architectures.add(HERE)
    assert run(layer).code == 0
    assert server.layers(ACCOUNTS[0], HERE)["web-python312-x86_64"][0].architectures == ()
    assert published(run(layer, "--json"))[0]["status"] == "unchanged"


def test_a_zip_deflated_anew_is_the_same_layer(server: AwsServer, run: Run, tmp_path: Path) -> None:
    """Identity is the content, not the zip's bytes: without a manifest it is computed from the files."""
    path = make_zip(tmp_path, "web")
    with zipfile.ZipFile(path) as opened:
        (entry,) = opened.infolist()
        content = opened.read(entry)
    first = run(path, "--json")
    with zipfile.ZipFile(path, "w") as out:
        entry.compress_type = zipfile.ZIP_DEFLATED
        out.writestr(entry, content, zipfile.ZIP_DEFLATED)
    second = run(path, "--json")
    assert [published(told)[0]["status"] for told in (first, second)] == ["published", "unchanged"]
    assert len(server.layers(ACCOUNTS[0], HERE)["web"]) == 1


def test_credentials_of_a_role_that_end_midway_are_fetched_again(
    server: AwsServer, tmp_path: Path, run: Run, layer: Path
) -> None:
    server.switches.session_seconds = 3
    server.switches.latency = 0.5
    world = world_of(server, tmp_path, layer, accounts=ACCOUNTS[:1], regions=REGIONS[:2])
    assert run(layer, "--config", world.configuration()).code == 0
    assert len(server.calls_of("AssumeRole")) > 1
    world.check_end()


def test_a_clock_for_which_new_credentials_are_over_already_is_told(
    server: AwsServer, tmp_path: Path, run: Run, layer: Path
) -> None:
    server.switches.session_seconds = 0.001
    world = world_of(server, tmp_path, layer, accounts=ACCOUNTS[:1], regions=REGIONS[:1])
    told = run(layer, "--config", world.configuration())
    assert (told.code, "this machine's clock is wrong" in told.err) == (7, True)


def test_github_gets_outputs_and_a_summary(
    server: AwsServer, run: Run, layer: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
        monkeypatch.setenv(name, str(tmp_path / name))
        (tmp_path / name).write_text("before=1\n", encoding="utf-8")
    assert run(layer).code == 0
    outputs = dict(line.split("=", 1) for line in (tmp_path / "GITHUB_OUTPUT").read_text("utf-8").splitlines())
    arn = server.layers(ACCOUNTS[0], HERE)["web-python312-x86_64"][0].arn
    assert json.loads(outputs["arns"]) == {"web-python312-x86_64": {ACCOUNTS[0]: {HERE: arn}}}
    assert (outputs["before"], outputs["changed"], outputs["failed"]) == ("1", "true", "false")
    summary = (tmp_path / "GITHUB_STEP_SUMMARY").read_text("utf-8")
    assert f"| web-python312-x86_64 | current {ACCOUNTS[0]} | {HERE} | published | `{arn}` |" in summary


def test_gitlab_gets_a_dotenv(server: AwsServer, run: Run, layer: Path) -> None:
    told = run(layer, "--output", "env")
    arn = server.layers(ACCOUNTS[0], HERE)["web-python312-x86_64"][0].arn
    assert told.out == f"LAYER_ARN_WEB_PYTHON312_X86_64_{ACCOUNTS[0]}_EU_WEST_1={arn}\n"


# Through a bucket


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_zip(tmp_path_factory.mktemp("large"), "large", size=80_000_000)


def test_a_large_layer_is_uploaded_once_a_region(server: AwsServer, tmp_path: Path, run: Run, large: Path) -> None:
    """80 MB to three accounts in four regions: four uploads, by whoever may write to the bucket."""
    for region in REGIONS:
        server.seed_bucket(f"staged-{region}", account=ACCOUNTS[2], region=region, readers=ACCOUNTS[:2])
    world = world_of(server, tmp_path, large, bucket="staged-{region}")
    told = run(*world.arguments("--json")[1:])
    assert told.code == 0, told.err
    world.check_end()
    assert len(server.calls_of("CompleteMultipartUpload", status=200)) == 4
    sent = sum(call.sent for call in server.calls if call.service == "s3")
    assert sent < 4 * 80_000_000 * 1.02
    assert not server.state.uploads
    server.forget_calls()
    for account, region in world.places:
        for version in server.layers(account, region)["large-python312-x86_64"]:
            server.delete_layer(version.arn)
    assert run(*world.arguments()[1:]).code == 0
    assert not server.calls_of("UploadPart"), "the same object was there"
    world.check_end()


def test_buckets_are_made_closed_and_readable_for_those_who_share_them(
    server: AwsServer, tmp_path: Path, run: Run, large: Path
) -> None:
    world = world_of(server, tmp_path, large, bucket="made-{region}", regions=REGIONS[:2])
    told = run(*world.arguments("--create-bucket")[1:])
    assert told.code == 0, told.err
    assert told.err.count("put-bucket-lifecycle-configuration") == 1
    world.check_end()
    bucket = server.bucket("made-us-east-1")
    assert (bucket.account, bucket.versioning, bucket.readers) == (ACCOUNTS[0], "Enabled", set(ACCOUNTS[1:]))
    assert b"<BlockPublicPolicy>true" in bucket.settings["publicAccessBlock"]
    assert b"AES256" in bucket.settings["encryption"]
    assert "lifecycle" not in run(*world.arguments("--create-bucket")[1:]).err


def test_another_object_under_the_same_key_is_replaced(
    server: AwsServer, tmp_path: Path, run: Run, large: Path
) -> None:
    """Of the same size, but with other bytes: S3's checksum tells."""
    server.seed_bucket("staged", account=ACCOUNTS[0], region=HERE)
    world = world_of(server, tmp_path, large, bucket="staged", accounts=ACCOUNTS[:1], regions=REGIONS[:1])
    assert run(*world.arguments()[1:]).code == 0
    ((key, (stored,)),) = server.bucket("staged").objects.items()
    stored.blob.content = bytes(len(stored.blob))
    stored.checksums["SHA256"] = "b3RoZXI=-5"
    server.delete_layer(world.versions(world.artifacts[0], ACCOUNTS[0], HERE)[0].arn)
    assert run(*world.arguments()[1:]).code == 0
    world.check_end()
    assert server.bucket("staged").objects[key][-1].blob.content == large.read_bytes()


def test_an_upload_that_is_cut_off_leaves_nothing_that_passes_for_the_layer(
    server: AwsServer, tmp_path: Path, run: Run, large: Path
) -> None:
    server.seed_bucket("staged", account=ACCOUNTS[0], region=HERE)
    world = world_of(server, tmp_path, large, bucket="staged", accounts=ACCOUNTS[:1], regions=REGIONS[:1])
    server.faults.add(Fault(kind=Kind.DENIED, operation="UploadPart", after=2))
    told = run(*world.arguments()[1:])
    assert told.code == 7
    assert "AWS denied `s3:" in told.err
    assert not server.bucket("staged").objects
    assert not server.calls_of("PublishLayerVersion")
    assert run(*world.arguments()[1:]).code == 0
    world.check_end()


@pytest.mark.parametrize(
    ("bucket", "words"),
    [
        ("missing", "there is no bucket `missing`"),
        ("elsewhere", "bucket `elsewhere` is in us-east-1, and Lambda in eu-west-1 reads only from buckets of its own"),
        ("foreign", "AWS denied `s3:PutObject` on `arn:aws:s3:::foreign/layerkit/large-python312-x86_64/"),
        (None, "a direct upload must be below 52,428,800"),
    ],
)
def test_buckets_that_will_not_do(
    bucket: str | None, words: str, server: AwsServer, tmp_path: Path, run: Run, large: Path
) -> None:
    server.seed_bucket("elsewhere", account=ACCOUNTS[0], region="us-east-1")
    server.seed_bucket("foreign", account=ACCOUNTS[1], region=HERE)
    world = world_of(server, tmp_path, large, bucket=bucket, accounts=ACCOUNTS[:1], regions=REGIONS[:1])
    told = run(*world.arguments()[1:])
    assert (told.code, words in told.err) == (7, True), told.err
    assert not server.calls_of("PublishLayerVersion")


def test_a_bucket_that_lambda_may_not_read_for_an_account(
    server: AwsServer, tmp_path: Path, run: Run, large: Path
) -> None:
    server.seed_bucket("staged", account=ACCOUNTS[0], region=HERE)
    world = world_of(server, tmp_path, large, bucket="staged", accounts=ACCOUNTS[:2], regions=REGIONS[:1])
    told = run(*world.arguments()[1:])
    assert told.code == 7
    assert "AWS denied `s3:GetObject` on `arn:aws:s3:::staged/layerkit/large-python312-x86_64/" in told.err
    assert f"let account {ACCOUNTS[1]} read it" in told.err
    assert world.versions(world.artifacts[0], ACCOUNTS[0], HERE)


# What is refused


def test_a_layer_over_the_limit_is_refused_before_any_call(server: AwsServer, tmp_path: Path, run: Run) -> None:
    path = tmp_path / "huge.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("python/huge.bin", bytes(262_144_000))
    told = run(path)
    assert (told.code, "262,144,000 bytes unzipped" in told.err) == (6, True)
    assert not server.calls


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda _: None, "no such file or directory"),
        (lambda path: path.mkdir(), "is a directory"),
        (lambda path: path.write_bytes(b"no zip"), "cannot be published"),
        (lambda path: path.write_bytes(b"PK\5\6" + bytes(18)), "it holds no files"),
        (lambda path: path.write_bytes(make_zip(path.parent, "whole").read_bytes()[:-9]), "cannot be published"),
    ],
)
def test_what_is_no_layer(
    make: Callable[[Path], object], words: str, server: AwsServer, tmp_path: Path, run: Run
) -> None:
    make(tmp_path / "x.zip")
    told = run(tmp_path / "x.zip")
    assert (told.code, words in told.err) == (2, True), told.err
    assert not server.calls


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "it is no manifest of a layer"),
        ('{"layers": []}', "it is no manifest of a layer"),
        ("[" * 100_000, "it is no manifest of a layer"),
        ('{"layers": [{"name": NaN, "sha256": "x", "content_digest": "sha256:x"}]}', "it is no manifest of a layer"),
        ('{"layers": [{"name": "x", "sha256": 1e999, "content_digest": "sha256:x"}]}', "it is no manifest of a layer"),
    ],
)
def test_what_is_no_manifest(text: str, words: str, server: AwsServer, layer: Path, run: Run) -> None:
    layer.with_name("web.layer.json").write_text(text, encoding="utf-8")
    told = run(layer)
    assert (told.code, words in told.err) == (2, True), told.err
    assert not server.calls


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "x" * 200}, "cannot be a layer's name"),
        ({"name": "a.b"}, "`a.b-python312-x86_64` cannot be a layer's name"),
        ({"name": float("nan")}, "it is no manifest of a layer"),
        ({"license": "x" * 513}, "licence of one line with at most 512 characters"),
        ({"license": "a\nb"}, "licence of one line"),
        ({"compatible_runtimes": ["python9.9"]}, "unknown runtime `python9.9`"),
        ({"compatible_runtimes": [f"nodejs{n}.x" for n in range(16)]}, "it is for 16 runtimes"),
        ({"compatible_architectures": ["sparc"]}, "unknown architecture `sparc`"),
        ({"sha256": "0" * 64}, "it has changed since its manifest was written"),
    ],
)
def test_what_lambda_would_not_take_is_refused_before_any_call(
    changes: dict[str, object], words: str, server: AwsServer, layer: Path, run: Run
) -> None:
    write_manifest(layer, **changes)
    told = run(layer)
    assert (told.code, words in told.err) == (2, True), told.err
    assert not server.calls


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--region", "eu-wst-1"], "did you mean `eu-west-1`?"),
        (["--region", "cn-north-1"], "is in the partition `aws-cn`"),
        (["--to", "nobody"], "no account is named `nobody`"),
        (["--share-account", "12"], "`12` is not an account's number"),
        (["--share-org", "x"], "`x` is not an organisation's id"),
        (["--public"], "this would let everybody use the layers"),
        (["--runtime", "python3"], "unknown runtime `python3`"),
        (["--arch", "ppc"], "unknown architecture `ppc`"),
        (["--name", "a b"], "cannot be a layer's name"),
        (["--output", "yaml"], "yaml"),
    ],
)
def test_mistakes_on_the_command_line(
    arguments: list[str], words: str, server: AwsServer, tmp_path: Path, layer: Path, run: Run
) -> None:
    config = world_of(server, tmp_path, layer).configuration()
    told = run(layer, "--config", config, *arguments)
    assert (told.code, words in told.err) == (2, True), told.err
    assert not server.calls_of("PublishLayerVersion")


def test_every_mistake_of_a_configuration_at_once(server: AwsServer, tmp_path: Path, layer: Path, run: Run) -> None:
    config = tmp_path / "bad.toml"
    config.write_text(
        '[publish]\nregions = ["eu-wst-1"]\nssm-parameter = "x"\nlayer-name = "{who}"\nother = 1\n'
        '[[publish.accounts]]\nrole = "arn"\n[publish.share]\naccounts = ["1"]\n',
        encoding="utf-8",
    )
    told = run(layer, "--config", config)
    assert told.code == 2
    for words in ("eu-wst-1", "SSM parameter", "{who}", "other", "`arn`", "has no `name`", "`1` is not"):
        assert words in told.err, words
    assert not server.calls


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('ssm-parameter = "/{name}/a b"', "cannot be an SSM parameter's name"),
        (f'ssm-parameter = "/{"x" * 2000}"', "cannot be an SSM parameter's name"),
        (f'ssm-parameter = "{"/x" * 20}"', "cannot be an SSM parameter's name"),
    ],
)
def test_names_that_aws_does_not_take(
    line: str, words: str, server: AwsServer, tmp_path: Path, layer: Path, run: Run
) -> None:
    config = tmp_path / "bad.toml"
    config.write_text(f"[publish]\n{line}\n", encoding="utf-8")
    told = run(layer, "--config", config)
    assert (told.code, words in told.err) == (2, True), told.err
    assert not server.calls_of("PublishLayerVersion")


def test_an_account_that_does_not_answer_is_told(server: AwsServer, layer: Path, run: Run) -> None:
    server.faults.add(Fault(kind=Kind.DENIED, operation="GetCallerIdentity"))
    told = run(layer, "--json")
    assert (told.code, "AWS denied `sts:GetCallerIdentity`" in told.err) == (7, True)
    assert [(each["account"], each["status"], each["arn"]) for each in published(told)] == [("?", "failed", None)]


def test_no_region_anywhere(server: AwsServer, layer: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    told = run(layer)
    assert (told.code, "no AWS region is named" in told.err) == (2, True)
    assert not server.calls


def test_a_role_that_cannot_be_assumed_stops_nobody_else(
    server: AwsServer, tmp_path: Path, layer: Path, run: Run
) -> None:
    world = world_of(server, tmp_path, layer)
    server.seed_role(role_of(ACCOUNTS[1]), trusted=())
    told = run(layer, "--config", world.configuration(), "--json")
    assert told.code == 7
    assert f"role `{role_of(ACCOUNTS[1])}` cannot be assumed" in told.err
    status = {(each["account"], each["region"]): each["status"] for each in published(told)}
    assert status == {
        (account, region): "failed" if account == ACCOUNTS[1] else "published" for account, region in world.places
    }


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("lambda:ListLayerVersions", None),
        ("lambda:PublishLayerVersion", "arn:aws:lambda:eu-west-1:111111111111:layer:web-python312-x86_64"),
        ("lambda:AddLayerVersionPermission", "arn:aws:lambda:eu-west-1:111111111111:layer:web-python312-x86_64:1"),
        ("ssm:GetParameter", "arn:aws:ssm:eu-west-1:111111111111:parameter/layers/web/python3.12/x86_64"),
        ("ssm:PutParameter", "arn:aws:ssm:eu-west-1:111111111111:parameter/layers/web/python3.12/x86_64"),
    ],
)
def test_a_missing_permission_is_named_with_its_resource(
    action: str, resource: str | None, server: AwsServer, tmp_path: Path, layer: Path, run: Run
) -> None:
    world = world_of(server, tmp_path, layer, accounts=ACCOUNTS[:1], regions=REGIONS[:1])
    deny = {"Effect": "Deny", "Action": action, "Resource": "*"}
    policy = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}, deny]}
    server.seed_role(role_of(ACCOUNTS[0]), trusted=(ACCOUNTS[0],), policy=policy)
    told = run(layer, "--config", world.configuration())
    assert told.code == 7
    assert f"AWS denied `{action}`" in told.err
    assert resource is None or f"on `{resource}`" in told.err, told.err


def test_the_printed_policy_is_enough(server: AwsServer, tmp_path: Path, run: Run, large: Path) -> None:
    server.seed_bucket("staged-eu-west-1", account=ACCOUNTS[0], region=HERE)
    world = world_of(server, tmp_path, large, bucket="staged-{region}", accounts=ACCOUNTS[:1], regions=REGIONS[:1])
    policy = json.loads(run(*world.arguments("--print-policy")[1:]).out)
    server.seed_role(role_of(ACCOUNTS[0]), trusted=(ACCOUNTS[0],), policy=policy)
    close_sessions()
    told = run(*world.arguments()[1:])
    assert told.code == 0, told.err
    close_sessions()
    assert run(*world.arguments()[1:]).code == 0
    world.check_end()


def test_a_ledger_that_cannot_be_written_is_told_and_stops_nothing(
    server: AwsServer, tmp_path: Path, layer: Path, run: Run
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    told = run(layer, "--ledger", tmp_path / "file" / "ledger.jsonl")
    assert (told.code, told.err.count("warning:")) == (0, 1), told.err
    assert len(server.layers(ACCOUNTS[0], HERE)["web-python312-x86_64"]) == 1


# What another client says


def test_the_aws_cli_says_the_same(server: AwsServer, tmp_path: Path, layer: Path, run: Run) -> None:
    world = world_of(server, tmp_path, layer, accounts=ACCOUNTS[:1], regions=REGIONS[:1])
    (one,) = published(run(layer, "--config", world.configuration(), "--json"))
    environment = {**os.environ, **server.environment(ACCOUNTS[0])}

    def aws(*arguments: str) -> object:
        command = [str(Path(sys.executable).with_name("aws")), *arguments, "--output", "json"]
        answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        return json.loads(answer.stdout)

    name = "web-python312-x86_64"
    listed = aws("lambda", "list-layer-versions", "--layer-name", name)
    assert [each["LayerVersionArn"] for each in listed["LayerVersions"]] == [one["arn"]]  # type: ignore[index]
    policy = aws("lambda", "get-layer-version-policy", "--layer-name", name, "--version-number", "1")
    statements = {each["Sid"]: each for each in json.loads(policy["Policy"])["Statement"]}  # type: ignore[index]
    assert set(statements) == {f"layerkit-account-{GUEST}", f"layerkit-org-{ORGANIZATION}"}
    parameter = aws("ssm", "get-parameter", "--name", "/layers/web/python3.12/x86_64")
    assert parameter["Parameter"]["Value"] == one["arn"]  # type: ignore[index]
