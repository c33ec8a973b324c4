"""The tests' own AWS when things go wrong, when it is slow, and asked by the AWS CLI."""

import base64
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from botocore.exceptions import ConnectionClosedError

from tests.aws_server import AwsServer, Fault, Kind
from tests.aws_server.clients import Clients, refusal, zip_of

HOME, GUEST = "111111111111", "222222222222"
REGIONS = ("us-east-1", "eu-west-1", "eu-central-1", "ap-southeast-2")


@pytest.fixture
def server() -> Iterator[AwsServer]:
    with AwsServer(accounts=(HOME, GUEST), regions=REGIONS, throttle=False) as started:
        yield started


@pytest.fixture
def clients(server: AwsServer) -> Iterator[Clients]:
    with Clients(server) as made:
        yield made


def publish(client: Any, name: str = "demo") -> Any:
    return client.publish_layer_version(LayerName=name, Content={"ZipFile": zip_of()})["Version"]


class TestFaults:
    @pytest.mark.parametrize(
        ("fault", "answer"),
        [
            (Fault(kind=Kind.ERROR), (500, "ServiceException")),
            (Fault(kind=Kind.ERROR, status=503), (503, "ServiceException")),
            (Fault(kind=Kind.THROTTLE), (429, "TooManyRequestsException")),
            (Fault(kind=Kind.EXPIRED), (403, "ExpiredTokenException")),
            (Fault(kind=Kind.DENIED), (403, "AccessDeniedException")),
        ],
        ids=["500", "503", "429", "expired", "denied"],
    )
    def test_an_error_comes_once_and_before_the_work(
        self, server: AwsServer, clients: Clients, fault: Fault, answer: tuple[int, str]
    ) -> None:
        server.faults.add(fault)
        layers = clients("lambda")
        assert refusal(publish, client=layers)[:2] == answer
        assert server.layers(HOME, "eu-west-1") == {}
        assert publish(layers) == 1

    def test_a_reset_before_the_work_leaves_nothing(self, server: AwsServer, clients: Clients) -> None:
        server.faults.add(Fault(kind=Kind.RESET_BEFORE))
        with pytest.raises(ConnectionClosedError):
            publish(clients("lambda"))
        assert server.layers(HOME, "eu-west-1") == {}
        assert (server.calls[0].status, server.calls[0].fault) == (0, Kind.RESET_BEFORE)

    def test_a_reset_after_the_work_loses_the_answer_alone(self, server: AwsServer, clients: Clients) -> None:
        server.faults.add(Fault(kind=Kind.RESET_AFTER, operation="PublishLayerVersion"))
        layers = clients("lambda")
        with pytest.raises(ConnectionClosedError):
            publish(layers)
        assert [version["Version"] for version in layers.list_layer_versions(LayerName="demo")["LayerVersions"]] == [1]

    def test_a_truncated_answer_is_taken_by_boto3_for_one_without_members(
        self, server: AwsServer, clients: Clients
    ) -> None:
        server.faults.add(Fault(kind=Kind.TRUNCATE, operation="PublishLayerVersion"))
        answer = clients("lambda").publish_layer_version(LayerName="demo", Content={"ZipFile": zip_of()})
        assert (answer["ResponseMetadata"]["HTTPStatusCode"], "Version" in answer) == (201, False)
        assert len(server.layers(HOME, "eu-west-1")["demo"]) == 1

    def test_faults_fit_by_service_operation_account_region_and_number(
        self, server: AwsServer, clients: Clients
    ) -> None:
        server.faults.add(
            Fault(
                kind=Kind.ERROR,
                service="lambda",
                operation="ListLayers",
                account=HOME,
                region="us-east-1",
                after=1,
                times=2,
            )
        )
        clients("lambda").list_layers(), clients("lambda", account=GUEST, region="us-east-1").list_layers()
        hit = clients("lambda", region="us-east-1")
        hit.list_functions(), hit.list_layers()
        assert [refusal(hit.list_layers)[0] for _ in range(2)] == [500, 500]
        hit.list_layers()

    def test_a_test_can_act_when_a_call_suffers(self, server: AwsServer, clients: Clients) -> None:
        seen: list[int] = []
        server.faults.add(
            Fault(kind=Kind.SLOW, then=lambda: seen.append(len(server.layers(HOME, "eu-west-1").get("demo", []))))
        )
        publish(clients("lambda"))
        assert seen == [1]

    def test_downloads_suffer_too(self, server: AwsServer, clients: Clients) -> None:
        server.seed_layer(HOME, "eu-west-1", "demo", zip_of(1000))
        link = clients("lambda").get_layer_version(LayerName="demo", VersionNumber=1)["Content"]["Location"]
        server.faults.add(
            Fault(kind=Kind.ERROR, service="download", status=503), Fault(kind=Kind.TRUNCATE, service="download")
        )
        assert requests.get(link, timeout=5).status_code == 503
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            requests.get(link, timeout=5)
        assert requests.get(link, timeout=5).content == zip_of(1000)

    def test_a_client_that_dies_while_it_sends_has_done_nothing(self, server: AwsServer) -> None:
        port = int(server.endpoint_url.rpartition(":")[2])
        key = server.keys(HOME)["AWS_ACCESS_KEY_ID"]
        head = (
            "POST /2018-10-31/layers/demo/versions HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\nAuthorization: "
            f"AWS4-HMAC-SHA256 Credential={key}/20260101/eu-west-1/lambda/aws4_request\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", port)) as dying:
            dying.sendall(head.encode() + b'{"Content":')
            dying.shutdown(socket.SHUT_WR)
            assert dying.recv(100) == b""
        assert server.calls == []

    def test_a_hanging_call_ends_with_the_server(self) -> None:
        with AwsServer() as server, Clients(server) as clients:
            server.faults.add(Fault(kind=Kind.HANG))
            layers = clients("lambda")

            def ask() -> None:
                with pytest.raises(ConnectionClosedError):
                    layers.list_layers()

            hanging = threading.Thread(target=ask)
            hanging.start()
            hanging.join(0.2)
            assert hanging.is_alive()
        hanging.join(5)
        assert not hanging.is_alive()

    def test_a_seed_deals_the_same_faults_whatever_the_threads_do(self, server: AwsServer, clients: Clients) -> None:
        def suffered() -> dict[str, list[Kind | None]]:
            server.faults.random(seed=7, rate=0.4, kinds=(Kind.ERROR, Kind.THROTTLE), services=("lambda",))
            server.forget_calls()
            by_region = {region: clients("lambda", region=region) for region in REGIONS}

            def ask(region: str) -> None:
                for _ in range(20):
                    try:
                        by_region[region].list_layers()
                    except by_region[region].exceptions.ClientError:
                        continue

            with ThreadPoolExecutor() as pool:
                list(pool.map(ask, REGIONS))
            return {region: [call.fault for call in server.calls if call.region == region] for region in REGIONS}

        first = suffered()
        assert first == suffered()
        kinds = [kind for region in REGIONS for kind in first[region]]
        assert {Kind.ERROR, Kind.THROTTLE, None} == set(kinds)
        assert 15 < sum(kind is not None for kind in kinds) < 50


class TestTime:
    def test_latency_is_waited_for_side_by_side(self, clients: Clients, server: AwsServer) -> None:
        server.switches.latency = 0.2
        made = [clients("lambda", region=region) for region in REGIONS]
        started = time.monotonic()
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda client: client.list_layers(), made))
        assert 0.2 <= time.monotonic() - started < 0.75

    def test_many_at_once_get_each_its_own_number(self, clients: Clients, server: AwsServer) -> None:
        layers = clients("lambda")
        with ThreadPoolExecutor(8) as pool:
            numbers = sorted(pool.map(lambda _: publish(layers), range(24)))
        assert numbers == list(range(1, 25))
        assert len(server.calls_of("PublishLayerVersion", status=201)) == 24

    def test_calls_are_written_down(self, clients: Clients, server: AwsServer) -> None:
        publish(clients("lambda", account=GUEST))
        call = server.calls[0]
        assert (call.service, call.operation, call.account, call.region) == (
            "lambda",
            "PublishLayerVersion",
            GUEST,
            "eu-west-1",
        )
        assert (call.status, call.code, call.path) == (201, None, "/2018-10-31/layers/demo/versions")
        assert call.sent > len(base64.b64encode(zip_of()))
        assert call.received > 100


class TestAwsCli:
    """The CLI is another client: what it understands was not only made for boto3's calls above."""

    def run(self, server: AwsServer, *command: str) -> Any:
        environment = {**os.environ, **server.environment(HOME, region="eu-west-1")}
        program = [sys.executable, "-m", "awscli", *command, "--output", "json"]
        done = subprocess.run(program, env=environment, capture_output=True, text=True, check=False)
        return json.loads(done.stdout) if done.stdout.startswith("{") else done.stdout + done.stderr

    def test_publishes_shares_and_lists(self, server: AwsServer, tmp_path: Path) -> None:
        pytest.importorskip("awscli")
        path = tmp_path / "layer.zip"
        path.write_bytes(zip_of())
        name = ("--layer-name", "demo")
        made = self.run(
            server, "lambda", "publish-layer-version", *name, "--zip-file", f"fileb://{path}",
            "--compatible-runtimes", "python3.12",
        )  # fmt: skip
        assert made["Version"] == 1
        self.run(
            server, "lambda", "add-layer-version-permission", *name, "--version-number", "1", "--statement-id", "s",
            "--action", "lambda:GetLayerVersion", "--principal", GUEST,
        )  # fmt: skip
        policy = self.run(server, "lambda", "get-layer-version-policy", *name, "--version-number", "1")
        assert json.loads(policy["Policy"])["Statement"][0]["Principal"] == {"AWS": f"arn:aws:iam::{GUEST}:root"}
        assert self.run(server, "lambda", "list-layer-versions", *name)["LayerVersions"][0]["Version"] == 1
        refused = self.run(server, "lambda", "get-layer-version", *name, "--version-number", "9")
        assert "(ResourceNotFoundException) when calling the GetLayerVersion operation: The resource you" in refused

    def test_copies_to_a_bucket_and_back(self, server: AwsServer, tmp_path: Path) -> None:
        pytest.importorskip("awscli")
        big, back = tmp_path / "big", tmp_path / "back"
        big.write_bytes(os.urandom(20 * 1024**2))
        self.run(server, "s3", "mb", "s3://mine")
        self.run(server, "s3", "cp", str(big), "s3://mine/big", "--quiet")
        self.run(server, "s3", "cp", "s3://mine/big", str(back), "--quiet")
        assert back.read_bytes() == big.read_bytes()
        assert server.calls_of("CompleteMultipartUpload", status=200)
