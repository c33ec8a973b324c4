"""``audit --print-policy``: enough to audit what is deployed, and no more."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.aws_server import AwsServer
from tests.aws_server.clients import zip_of
from tests.layer_life import Shell, Told
from tests.publishing import ACCOUNTS

ONE = ACCOUNTS[0]
EU = "eu-west-1"
AUDITOR = f"arn:aws:iam::{ONE}:role/auditor"


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    with AwsServer(accounts=(ONE,), regions=(EU,), throttle=False) as server:
        arn = server.seed_layer(ONE, EU, "web", zip_of(1), architectures=("x86_64",))
        server.seed_function(ONE, EU, "orders", zip_of(2), layers=[arn], runtime="python3.12")
        yield Shell(server=server, folder=tmp_path, accounts=(ONE,), regions=(EU,))


def policy_of(shell: Shell) -> dict[str, Any]:
    policy: dict[str, Any] = shell("audit", "--print-policy").json
    return policy


def audited(shell: Shell, policy: dict[str, Any]) -> Told:
    shell.server.seed_role(AUDITOR, trusted=(ONE,), policy=policy)
    return shell("audit", "--all-functions", "--region", EU, "--role", AUDITOR, "--fail-on", "never", "--json")


def test_what_is_printed_is_enough(shell: Shell) -> None:
    told = audited(shell, policy_of(shell))
    assert told.code == 0, told.err
    assert {layer["name"] for layer in told.json["layers"]} == {"web"}
    assert all(layer["unzipped_bytes"] for layer in told.json["layers"])
    unread = {"layer.denied", "layer.unreadable", "function.unreadable"}
    assert unread.isdisjoint(finding["code"] for finding in told.json["findings"])


@pytest.mark.parametrize("action", ["lambda:ListFunctions", "lambda:GetLayerVersion"])
def test_without_one_of_its_actions_something_is_denied(action: str, shell: Shell) -> None:
    text = json.dumps(policy_of(shell))
    assert f'"{action}"' in text
    told = audited(shell, json.loads(text.replace(f'"{action}"', '"lambda:Nothing"')))
    denied = told.code == 7 or "layer.denied" in told.out
    assert denied, told
