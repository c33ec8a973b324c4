"""``layerkit retire`` where the world changes between the plan and the deed; a process against a strict AWS."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.aws_server import AwsServer, Fault, Kind
from tests.aws_server.clients import zip_of
from tests.layer_life import Shell, Told, numbers
from tests.publishing import ACCOUNTS, GUEST, REGIONS, make_zip, write_manifest

ONE, TWO = ACCOUNTS[:2]
EU, US = "eu-west-1", "us-east-1"
NAME = "web-python312-x86_64"


@pytest.fixture
def server() -> Iterator[AwsServer]:
    with AwsServer(accounts=(ONE, TWO, GUEST), regions=REGIONS, throttle=False) as server:
        yield server


@pytest.fixture
def shell(server: AwsServer, tmp_path: Path) -> Shell:
    return Shell(server=server, folder=tmp_path)


def seed(server: AwsServer, count: int, *, account: str = ONE, region: str = EU) -> list[str]:
    return [server.seed_layer(account, region, NAME, zip_of(10 + number)) for number in range(count)]


def after_first(server: AwsServer, operation: str, then: Callable[[], object], *, account: str = ONE) -> None:
    """Do something right after the plan's own reading of it, before anything else is asked."""
    server.faults.add(Fault(kind=Kind.SLOW, operation=operation, account=account, region=EU, then=then))


def kept(told: Told) -> dict[int, str]:
    return {one["version_number"]: one["reason"] for one in told.json["retired"] if one["status"] == "kept"}


def test_a_function_that_takes_a_version_after_the_plan_keeps_it(server: AwsServer, shell: Shell) -> None:
    arns = seed(server, 4)
    after_first(server, "ListFunctions", lambda: server.seed_function(ONE, EU, "late", layers=[arns[1]]))
    told = shell("retire", NAME, "--keep", "1", "--yes", "--json")
    assert (told.code, kept(told)) == (0, {4: "newest", 2: "used"})
    assert numbers(server, ONE, EU, NAME) == [2, 4]
    assert f"version 2 of `{NAME}` stays in a1 ({ONE}) {EU}: something has changed since this was planned" in told.err
    assert [event["arn"] for event in shell.ledger("retired")] == [arns[0], arns[2]]


def test_a_published_version_of_a_function_counts_after_the_plan_too(server: AwsServer, shell: Shell) -> None:
    arns = seed(server, 3)

    def publish() -> None:
        server.seed_function(ONE, EU, "late", layers=[arns[0]])
        server.publish_function_version(ONE, EU, "late")
        server.region(ONE, EU).functions["late"].layers = []

    after_first(server, "ListFunctions", publish)
    assert shell("retire", NAME, "--keep", "1", "--yes").code == 0
    assert numbers(server, ONE, EU, NAME) == [1, 3]


def test_a_function_of_another_account_counts_after_the_plan_too(server: AwsServer, shell: Shell) -> None:
    arns = seed(server, 3)
    after_first(server, "ListFunctions", lambda: server.seed_function(TWO, EU, "late", layers=[arns[0]]), account=TWO)
    assert shell("retire", NAME, "--to", "a1", "--keep", "1", "--yes").code == 0
    assert numbers(server, ONE, EU, NAME) == [1, 3]


def test_a_version_that_is_shared_after_the_plan_stays(server: AwsServer, shell: Shell) -> None:
    arns = seed(server, 3)
    pattern = server.layer(server.seed_layer(GUEST, EU, NAME, zip_of(9), share={"all": "*"}))
    server.faults.add(
        Fault(
            kind=Kind.SLOW,
            operation="GetLayerVersionPolicy",
            account=ONE,
            after=1,
            then=lambda: server.layer(arns[0]).policy.update(pattern.policy),
        )
    )
    told = shell("retire", NAME, "--keep", "1", "--yes", "--json")
    assert (told.code, kept(told)) == (0, {3: "newest", 1: "shared"})
    assert numbers(server, ONE, EU, NAME) == [1, 3]


def test_a_version_that_is_published_after_the_plan_lets_nothing_more_go(server: AwsServer, shell: Shell) -> None:
    seed(server, 3)
    after_first(server, "ListLayerVersions", lambda: server.seed_layer(ONE, EU, NAME, zip_of(99)))
    assert shell("retire", NAME, "--keep", "1", "--yes").code == 0
    assert numbers(server, ONE, EU, NAME) == [3, 4]


def test_where_it_cannot_be_looked_again_nothing_goes_and_the_others_go_on(server: AwsServer, shell: Shell) -> None:
    for region in (EU, US):
        seed(server, 3, region=region)
    server.faults.add(Fault(kind=Kind.DENIED, operation="ListFunctions", account=ONE, region=EU, after=1, times=None))
    told = shell("retire", NAME, "--keep", "1", "--yes", "--json")
    assert told.code == 7
    assert (numbers(server, ONE, EU, NAME), numbers(server, ONE, US, NAME)) == ([1, 2, 3], [3])
    assert [(one["account"], one["region"]) for one in told.json["failed"]] == [(ONE, EU)]
    assert "AWS denied `lambda:ListFunctions`" in told.err


def test_the_plan_alone_looks_once_and_changes_nothing(server: AwsServer, shell: Shell) -> None:
    seed(server, 3)
    assert shell("retire", NAME, "--keep", "1", "--plan").code == 1
    assert len(server.calls_of("ListFunctions")) == 4, "two accounts in two regions"
    assert numbers(server, ONE, EU, NAME) == [1, 2, 3]
    assert not shell.ledger("retired")


def test_a_zip_names_the_layer(server: AwsServer, shell: Shell, tmp_path: Path) -> None:
    path = make_zip(tmp_path, "web")
    manifest = write_manifest(path)
    seed(server, 3)
    assert shell("retire", manifest, "--keep", "2", "--yes").code == 0
    assert shell("retire", path, "--keep", "1", "--yes").code == 0
    assert numbers(server, ONE, EU, NAME) == [3]


def test_random_faults_take_nothing_that_is_used(server: AwsServer, shell: Shell) -> None:
    """Run again after every failure, until there is nothing to do."""
    arns = seed(server, 8)
    server.seed_function(ONE, EU, "orders", layers=[arns[3]])
    server.faults.random(seed=7, rate=0.2, services=("lambda",))
    codes = [shell("retire", NAME, "--keep", "2", "--yes").code for _ in range(3)]
    server.faults.clear()
    server.faults.random(seed=7, rate=0)
    assert set(codes) <= {0, 7}
    assert shell("retire", NAME, "--keep", "2", "--yes").code == 0
    assert numbers(server, ONE, EU, NAME) == [4, 7, 8]
