"""Publishing through another's AWS: moto's server, over HTTP, with several accounts by their roles."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from layerkit.aws.sessions import close_sessions
from layerkit.cli.main import main
from tests.moto import know_only, moto_server
from tests.publishing import ACCOUNTS, GUEST, ORGANIZATION, PARAMETER, make_zip, role_of, write_manifest

REGIONS = ("eu-west-1", "us-east-1")
NAME = "web-python312-x86_64"


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with moto_server() as url:
        know_only(url, REGIONS[0], monkeypatch)
        close_sessions()
        yield url
        close_sessions()


def configuration(folder: Path) -> Path:
    accounts = "".join(
        f'[[publish.accounts]]\nname = "a{number[0]}"\nrole = "{role_of(number)}"\n' for number in ACCOUNTS
    )
    path = folder / "layerkit.toml"
    path.write_text(
        f'[publish]\nregions = {json.dumps(REGIONS)}\nssm-parameter = "{PARAMETER}"\n'
        f'staging-bucket = "staged-{{account}}-{{region}}"\n{accounts}'
        f'[publish.share]\naccounts = ["{GUEST}"]\norganizations = ["{ORGANIZATION}"]\n',
        encoding="utf-8",
    )
    return path


def aws(account: str, region: str, *arguments: str) -> Any:
    """Ask with the AWS CLI, in the name of an account's role."""
    program = str(Path(sys.executable).with_name("aws"))
    role = ["sts", "assume-role", "--role-arn", role_of(account), "--role-session-name", "tests"]
    given = _answer([program, *role], {})["Credentials"]
    keys = {
        "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
        "AWS_SESSION_TOKEN": given["SessionToken"],
        "AWS_REGION": region,
    }
    return _answer([program, *arguments], keys)


def _answer(command: list[str], changes: dict[str, str]) -> Any:
    environment = {**os.environ, **changes, "AWS_DEFAULT_REGION": changes.get("AWS_REGION", REGIONS[0])}
    answer = subprocess.run([*command, "--output", "json"], env=environment, capture_output=True, text=True, check=True)
    return json.loads(answer.stdout)


@pytest.mark.usefixtures("endpoint")
@pytest.mark.parametrize("size", [100, 53_000_000])
def test_three_accounts_and_two_regions(size: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    layer = make_zip(tmp_path, "web", size=size)
    write_manifest(layer)
    command = ["publish", str(layer), f"--config={configuration(tmp_path)}", f"--ledger={tmp_path / 'ledger'}"]
    command += ["--yes", "--json", "--create-bucket"]
    runs = []
    for _ in range(2):
        assert main(command) == 0
        runs.append(json.loads(capsys.readouterr().out)["published"])
    first, second = runs
    assert [each["status"] for each in first] == ["published"] * 6
    assert [each["status"] for each in second] == ["unchanged"] * 6
    assert [each["arn"] for each in first] == [each["arn"] for each in second]
    for account, region in ((ACCOUNTS[2], REGIONS[1]),):
        listed = aws(account, region, "lambda", "list-layer-versions", "--layer-name", NAME)["LayerVersions"]
        arn = next(each["arn"] for each in first if (each["account"], each["region"]) == (account, region))
        assert [each["LayerVersionArn"] for each in listed] == [arn]
        version = aws(account, region, "lambda", "get-layer-version", "--layer-name", NAME, "--version-number", "1")
        assert version["Content"]["CodeSha256"] == first[0]["code_sha256"]
        policy = aws(
            account, region, "lambda", "get-layer-version-policy", "--layer-name", NAME, "--version-number", "1"
        )
        sids = {each["Sid"] for each in json.loads(policy["Policy"])["Statement"]}
        assert sids == {f"layerkit-account-{GUEST}", f"layerkit-org-{ORGANIZATION}"}
        parameter = aws(account, region, "ssm", "get-parameter", "--name", "/layers/web/python3.12/x86_64")
        assert parameter["Parameter"]["Value"] == arn
