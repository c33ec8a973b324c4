"""Deployed functions through another's AWS: moto's server, over HTTP."""

from collections.abc import Iterator

import pytest
import requests

from layerkit.audit.deployed import audit_all, audit_function, read_layer_arn
from layerkit.aws.access import Access
from layerkit.aws.functions import FunctionApi
from layerkit.aws.layers import LayerApi, NewVersion, Statement
from layerkit.aws.sessions import close_sessions, open_session
from layerkit.http_range import LinkUnusable
from layerkit.progress import Silent
from tests.aws_server.clients import zip_of
from tests.moto import know_only, moto_server

HERE = "eu-west-1"
GUEST = "222222222222"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with moto_server() as url:
        yield url


@pytest.fixture
def layers(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[LayerApi]:
    know_only(endpoint, HERE, monkeypatch)
    # moto's links to functions' code lead to AWS itself: out of reach here
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    requests.post(f"{endpoint}/moto-api/reset", timeout=10)
    yield LayerApi(open_session(Access()), HERE)
    close_sessions()


def create(name: str, *arns: str) -> None:
    session = open_session(Access())
    role = session.service("iam", "us-east-1").client
    if not role.list_roles()["Roles"]:
        role.create_role(RoleName="function", AssumeRolePolicyDocument="{}")
    arn = role.get_role(RoleName="function")["Role"]["Arn"]
    session.service("lambda").client.create_function(
        FunctionName=name,
        Runtime="python3.12",
        Role=arn,
        Handler="app.handler",
        Code={"ZipFile": zip_of()},
        Layers=list(arns),
        Environment={"Variables": {"PYTHONPATH": "/elsewhere"}},
    )


def new(name: str = "demo") -> NewVersion:
    return NewVersion(name=name, content=zip_of(), runtimes=("python3.12",), architectures=("x86_64",))


def test_versions_are_published_listed_shared_and_deleted(layers: LayerApi) -> None:
    assert [layers.publish(new()).number for _ in range(2)] == [1, 2]
    newest = layers.newest("demo")
    assert newest is not None
    assert (newest.number, newest.runtimes) == (2, ("python3.12",))
    assert [version.number for version in layers.versions("demo")] == [2, 1]
    found = layers.version(newest.arn.rpartition(":")[0], 1)
    assert (found.number, found.code_size) == (1, len(zip_of()))
    layers.grant("demo", 1, Statement(sid="guest", principal=GUEST, organization=None))
    assert layers.statements("demo", 1) == (Statement(sid="guest", principal=GUEST, organization=None),)
    layers.delete("demo", 1)
    layers.delete("demo", 1)
    layers.delete("never", 1)
    assert [version.number for version in layers.versions("demo")] == [2]


def test_a_function_is_audited_and_what_moto_cannot_give_is_told(layers: LayerApi) -> None:
    """Moto's link to a zip is ``s3://``, which nobody can download."""
    one, two = layers.publish(new("one")), layers.publish(new("two"))
    layers.publish(new("one"))
    create("app", one.arn, two.arn)
    layers.delete("two", 1)
    found = audit_function("app", access=Access(), progress=Silent())
    assert (found.runtime, found.architecture) == ("python3.12", "x86_64")
    assert [layer.where for layer in found.stack.layers] == [one.arn, two.arn]
    told = {(str(finding.code), finding.where): finding.message for finding in found.findings}
    assert set(told) == {
        ("layer.unreadable", one.arn),
        ("layer.deleted", two.arn),
        ("function.unreadable", "app"),
        ("function.pythonpath", "app"),
        ("layer.outdated", one.arn),
    }
    assert "`s3:`, which cannot be downloaded" in told["layer.unreadable", one.arn]


def test_every_function(layers: LayerApi) -> None:
    one = layers.publish(new("one"))
    for number in range(3):
        create(f"app-{number}", one.arn)
    assert {one.name for one in audit_all(access=Access(), progress=Silent())} == {"app-0", "app-1", "app-2"}
    assert len(list(FunctionApi(open_session(Access()), HERE).all_functions())) == 3


def test_a_layer_by_its_arn_says_that_its_link_is_none(layers: LayerApi) -> None:
    arn = layers.publish(new()).arn
    with pytest.raises(LinkUnusable, match="`s3:`"):
        read_layer_arn(arn, access=Access())
