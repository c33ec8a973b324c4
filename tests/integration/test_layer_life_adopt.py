"""``layerkit adopt`` against a strict AWS on this machine: somebody else's layer, copied unchanged, once."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.aws_server import AwsServer, LayerVersion
from tests.aws_server.clients import zip_of
from tests.layer_life import Shell
from tests.publishing import ACCOUNTS, GUEST, REGIONS

ONE, TWO, _ = ACCOUNTS
EU, US = "eu-west-1", "us-east-1"
NAME = "TheirLayer"


@pytest.fixture
def server() -> Iterator[AwsServer]:
    with AwsServer(accounts=(*ACCOUNTS, GUEST), regions=REGIONS, throttle=False) as server:
        yield server


@pytest.fixture
def shell(server: AwsServer, tmp_path: Path) -> Shell:
    return Shell(server=server, folder=tmp_path)


def seed(server: AwsServer, content: bytes | None = None, *, principal: str = "*", description: str = "Theirs") -> str:
    return server.seed_layer(
        GUEST,
        US,
        NAME,
        content if content is not None else zip_of(500, files=3),
        description=description,
        runtimes=["python3.12", "nodejs22.x"],
        architectures=["x86_64", "arm64"],
        license="Apache-2.0",
        share={"x": principal},
    )


def adopted(server: AwsServer, account: str = ONE, region: str = EU, name: str = NAME) -> LayerVersion:
    (version,) = server.layers(account, region)[name]
    return version


def test_the_account_that_may_read_it_reads_it_for_all(server: AwsServer, shell: Shell) -> None:
    assert shell("adopt", seed(server, principal=TWO)).code == 0
    assert adopted(server, ONE).number == 1


def test_a_zip_that_is_no_layer(server: AwsServer, shell: Shell) -> None:
    """Lambda takes odd zips; one without files is of no use to anybody."""
    empty = shell.folder / "empty.zip"
    with zipfile.ZipFile(empty, "w"):
        pass
    told = shell("adopt", seed(server, empty.read_bytes()))
    assert (told.code, "it holds no files" in told.err) == (2, True), told.err


def test_nothing_is_left_behind(server: AwsServer, shell: Shell, tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    shell.variables = {"TMPDIR": str(temporary)}
    assert shell("adopt", seed(server)).code == 0
    assert list(temporary.iterdir()) == []
