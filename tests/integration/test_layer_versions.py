"""``versions`` and ``used-by`` as processes, where accounts, partitions and ARNs are not as they should be."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.aws_server import AwsServer
from tests.aws_server.clients import zip_of
from tests.layer_life import Shell
from tests.publishing import ACCOUNTS, REGIONS, role_of

ONE, TWO, THREE = ACCOUNTS
EU, US = "eu-west-1", "us-east-1"
NAME = "web"


@pytest.fixture
def server() -> Iterator[AwsServer]:
    with AwsServer(accounts=ACCOUNTS, regions=REGIONS, throttle=False) as server:
        yield server


@pytest.fixture
def shell(server: AwsServer, tmp_path: Path) -> Shell:
    return Shell(server=server, folder=tmp_path, accounts=ACCOUNTS)


def test_a_role_that_nobody_may_assume_hides_no_other_account(server: AwsServer, shell: Shell) -> None:
    server.seed_layer(ONE, EU, NAME, zip_of(1))
    server.seed_layer(THREE, EU, NAME, zip_of(1))
    server.seed_role(role_of(TWO), trusted=())
    told = shell("versions", NAME, "--json")
    assert told.code == 7
    rows = {(row["account"], row["region"]): row for row in told.json["destinations"]}
    assert {where: row.get("version_number") for where, row in rows.items()} == {
        (ONE, EU): 1,
        (ONE, US): None,
        (TWO, EU): None,
        (TWO, US): None,
        (THREE, EU): 1,
        (THREE, US): None,
    }
    assert {where for where, row in rows.items() if row["error"]} == {(TWO, EU), (TWO, US)}
    assert f"role `{role_of(TWO)}` cannot be assumed" in told.err
    shown = shell("versions", NAME)
    assert [line.split()[:4] for line in shown.out.splitlines()[1:]] == [
        ["a1", ONE, EU, "1"],
        ["a1", ONE, US, "-"],
        ["a3", THREE, EU, "1"],
        ["a3", THREE, US, "-"],
    ]


def test_where_no_account_answers_it_does_not_say_that_the_layer_is_nowhere(server: AwsServer, shell: Shell) -> None:
    for account in ACCOUNTS:
        server.seed_role(role_of(account), trusted=())
    told = shell("versions", NAME)
    assert told.code == 7
    assert "no destination has" not in told.err
    assert told.err.count("cannot be assumed") == 6


def test_a_role_that_may_list_no_functions_is_told_and_the_others_answer(server: AwsServer, shell: Shell) -> None:
    arn = server.seed_layer(ONE, EU, NAME, zip_of(1))
    server.seed_function(ONE, EU, "orders", layers=[arn])
    server.seed_function(THREE, EU, "billing", layers=[arn])
    server.seed_role(role_of(TWO), trusted=(ONE,), policy=["lambda:ListLayerVersions"])
    told = shell("used-by", arn, "--json")
    assert told.code == 7
    assert [(one["account"], one["function"]) for one in told.json["used_by"]] == [(ONE, "orders"), (THREE, "billing")]
    assert [(one["account"], one["region"]) for one in told.json["failed"]] == [(TWO, EU)]
    assert "AWS denied `lambda:ListFunctions`" in told.err


@pytest.mark.parametrize(
    ("arn", "words"),
    [
        (f"arn:aws:lambda:eu-west-9:{ONE}:layer:web:1", "unknown region `eu-west-9`"),
        (f"arn:aws-cn:lambda:cn-north-1:{ONE}:layer:web:1", "no configured account is in the partition of `arn:aws-cn"),
        ("arn:x", "`arn:x` is not the ARN of a layer"),
    ],
)
def test_an_arn_that_cannot_be_asked_for_is_no_clean_bill(
    arn: str, words: str, server: AwsServer, shell: Shell
) -> None:
    """Saying that nobody uses a layer, without having asked anybody, would let it be deleted."""
    told = shell("used-by", arn)
    assert (told.code, told.out) == (2, "")
    assert words in told.err
    assert not server.calls


def test_a_layer_of_awss_own_in_a_function_does_no_harm(server: AwsServer, shell: Shell) -> None:
    """Its ARN names no account."""
    arn = server.seed_layer(ONE, EU, NAME, zip_of(1))
    server.seed_function(ONE, EU, "odd", layers=[f"arn:aws:lambda:{EU}::layer:AWSManaged:1", arn])
    told = shell("used-by", NAME, "--region", EU)
    assert told.code == 0
    assert [line.split()[3] for line in told.out.splitlines()[1:]] == ["odd"]


def test_a_region_of_one_partition_asks_no_account_of_another(tmp_path: Path) -> None:
    accounts = (ONE, TWO)
    with AwsServer(accounts=accounts, regions=(EU, "cn-north-1"), partitions={TWO: "aws-cn"}, throttle=False) as server:
        arn = server.seed_layer(ONE, EU, NAME, zip_of(1))
        server.seed_function(ONE, EU, "orders", layers=[arn])
        shell = Shell(server=server, folder=tmp_path, accounts=(ONE,))
        chinese = f'role = "{role_of(TWO).replace("arn:aws:", "arn:aws-cn:")}"'
        config = tmp_path / "layerkit.toml"
        text = config.read_text(encoding="utf-8").replace(
            "[publish.share]",
            f'[[publish.accounts]]\nname = "cn"\n{chinese}\nregions = ["cn-north-1"]\n[publish.share]',
        )
        config.write_text(text, encoding="utf-8")
        told = shell("used-by", NAME, "--to", f"a{ONE[0]}", "--region", EU)
    assert told.code == 0, told.err
    assert [line.split()[3] for line in told.out.splitlines()[1:]] == ["orders"]
