"""The tests' own AWS, asked by boto3: functions, the layers that they may have, and how often one may ask."""

import base64
import hashlib
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.aws_server import AwsServer, Throttle
from tests.aws_server.clients import Clients, refusal, zip_of

HOME, GUEST = "111111111111", "222222222222"
ROLE = f"arn:aws:iam::{HOME}:role/function"
INVALID = "InvalidParameterValueException"
FUNCTION = f"arn:aws:lambda:eu-west-1:{HOME}:function:app"


@pytest.fixture
def server() -> Iterator[AwsServer]:
    with AwsServer(accounts=(HOME, GUEST), throttle=False) as started:
        yield started


@pytest.fixture
def clients(server: AwsServer) -> Iterator[Clients]:
    with Clients(server) as made:
        yield made


@pytest.fixture
def functions(clients: Clients) -> Any:
    return clients("lambda")


def create(client: Any, name: str = "app", size: int = 10, **more: Any) -> Any:
    options = {"Runtime": "python3.12", "Role": ROLE, "Handler": "app.handler", "Code": {"ZipFile": zip_of(size)}}
    return client.create_function(FunctionName=name, **(options | more))


class TestFunctions:
    def test_a_created_function_is_read_back_with_a_link_to_its_code(self, functions: Any) -> None:
        created = create(functions, Environment={"Variables": {"A": "1"}}, Architectures=["arm64"])
        assert created["ResponseMetadata"]["HTTPStatusCode"] == 201
        found = functions.get_function(FunctionName="app")
        configuration = found["Configuration"]
        assert configuration["FunctionArn"] == FUNCTION
        assert configuration["CodeSha256"] == base64.b64encode(hashlib.sha256(zip_of()).digest()).decode()
        assert configuration["Architectures"] == ["arm64"]
        assert configuration["Environment"]["Variables"] == {"A": "1"}
        assert found["Code"]["RepositoryType"] == "S3"
        assert requests.get(found["Code"]["Location"], timeout=5).content == zip_of()

    @pytest.mark.parametrize("name", ["app", f"{HOME}:app", FUNCTION, f"{HOME}:function:app", f"{FUNCTION}:$LATEST"])
    def test_a_function_has_many_names(self, functions: Any, server: AwsServer, name: str) -> None:
        server.seed_function(HOME, "eu-west-1", "app")
        assert functions.get_function_configuration(FunctionName=name)["FunctionName"] == "app"

    def test_what_is_not_there(self, functions: Any) -> None:
        missing = (404, "ResourceNotFoundException", f"Function not found: {FUNCTION}")
        assert refusal(functions.get_function, FunctionName="app") == missing
        assert refusal(functions.get_function_configuration, FunctionName="app") == missing

    def test_a_function_of_another_account_is_refused(self, clients: Clients) -> None:
        status, code, _ = refusal(clients("lambda", account=GUEST).get_function, FunctionName=FUNCTION)
        assert (status, code) == (403, "AccessDeniedException")

    def test_an_image_has_no_zip(self, functions: Any, server: AwsServer) -> None:
        server.seed_function(HOME, "eu-west-1", "app", image="111.dkr.ecr/app:1")
        found = functions.get_function(FunctionName="app")
        assert (found["Code"]["RepositoryType"], found["Configuration"]["PackageType"]) == ("ECR", "Image")
        assert "Runtime" not in found["Configuration"]

    def test_listed_page_by_page(self, functions: Any, server: AwsServer) -> None:
        for number in range(120):
            server.seed_function(HOME, "eu-west-1", f"app-{number:03}")
        pages = list(functions.get_paginator("list_functions").paginate())
        assert [len(page["Functions"]) for page in pages] == [50, 50, 20]
        assert "State" not in pages[0]["Functions"][0]

    def test_published_versions_keep_their_layers(self, functions: Any, server: AwsServer) -> None:
        arn = server.seed_layer(HOME, "eu-west-1", "demo", zip_of())
        create(functions, Layers=[arn])
        assert functions.publish_version(FunctionName="app")["Version"] == "1"
        functions.update_function_configuration(FunctionName="app", Layers=[])
        every = functions.list_functions(FunctionVersion="ALL")["Functions"]
        assert [(one["Version"], len(one.get("Layers", []))) for one in every] == [("$LATEST", 0), ("1", 1)]
        assert functions.get_function(FunctionName="app:1")["Configuration"]["FunctionArn"] == f"{FUNCTION}:1"

    def test_account_settings_count_what_is_there(self, functions: Any) -> None:
        create(functions)
        settings = functions.get_account_settings()
        assert settings["AccountLimit"]["CodeSizeUnzipped"] == 262_144_000
        assert settings["AccountLimit"]["TotalCodeSize"] == 300 * 1024**3
        assert settings["AccountUsage"] == {"TotalCodeSize": len(zip_of()), "FunctionCount": 1}

    def test_variables_have_4_kb(self, functions: Any) -> None:
        _, code, message = refusal(create, client=functions, Environment={"Variables": {"LONG": "x" * 4096}})
        assert (code, "exceeded the 4KB limit. String measured: {" in message) == (INVALID, True)


class TestLayersOfFunctions:
    def layer(self, server: AwsServer, name: str = "demo", *, size: int = 10, region: str = "eu-west-1") -> str:
        return server.seed_layer(HOME, region, name, zip_of(size))

    def test_five_and_not_six(self, functions: Any, server: AwsServer) -> None:
        arns = [self.layer(server, f"demo{number}") for number in range(6)]
        answer = refusal(create, client=functions, Layers=arns)
        assert answer == (400, INVALID, "Cannot reference more than 5 layers.")
        assert [layer["Arn"] for layer in create(functions, Layers=arns[:5])["Layers"]] == arns[:5]

    def test_not_two_versions_of_one(self, functions: Any, server: AwsServer) -> None:
        one, two = self.layer(server), self.layer(server)
        message = (
            "Two different versions of the same layer are not allowed to be referenced in the same function. "
            f"{one} and {two} are versions of the same layer."
        )
        assert refusal(create, client=functions, Layers=[one, two]) == (400, INVALID, message)

    def test_must_be_there(self, functions: Any, server: AwsServer) -> None:
        arn = self.layer(server)
        server.delete_layer(arn)
        message = f"Layer version {arn} does not exist."
        assert refusal(create, client=functions, Layers=[arn]) == (400, INVALID, message)

    def test_must_be_in_the_region(self, functions: Any, server: AwsServer) -> None:
        arn = self.layer(server, region="us-east-1")
        message = "Layers are not in the same region as the function. Layers are expected to be in region eu-west-1."
        assert refusal(create, client=functions, Layers=[arn]) == (400, INVALID, message)

    def test_need_a_version(self, functions: Any) -> None:
        arn = f"arn:aws:lambda:eu-west-1:{HOME}:layer:demo"
        _, code, message = refusal(create, client=functions, Layers=[arn])
        assert code == "ValidationException"
        assert message.startswith(f"1 validation error detected: Value '[{arn}]' at 'layers' failed to satisfy")

    def test_of_others_need_a_grant(self, functions: Any, server: AwsServer) -> None:
        closed = server.seed_layer(GUEST, "eu-west-1", "closed", zip_of())
        shared = server.seed_layer(GUEST, "eu-west-1", "shared", zip_of(), share={"home": HOME})
        status, code, message = refusal(create, client=functions, Layers=[closed])
        assert (status, code) == (403, "AccessDeniedException")
        assert message.endswith("because no resource-based policy allows the lambda:GetLayerVersion action")
        assert create(functions, Layers=[shared])["Layers"][0]["CodeSize"] == len(zip_of())

    def test_a_function_keeps_a_deleted_layer_until_its_list_is_set_again(
        self, functions: Any, server: AwsServer
    ) -> None:
        arn = self.layer(server)
        create(functions, Layers=[arn])
        server.delete_layer(arn)
        found = functions.update_function_configuration(FunctionName="app", Description="d")
        assert [layer["Arn"] for layer in found["Layers"]] == [arn]
        answer = refusal(functions.update_function_configuration, FunctionName="app", Layers=[arn])
        assert answer == (400, INVALID, f"Layer version {arn} does not exist.")

    def test_leave_the_code_what_remains_of_250_mib(self, functions: Any, server: AwsServer) -> None:
        arn = self.layer(server, size=208_501_496)
        message = "Unzipped size must be smaller than 53642504 bytes"
        assert refusal(create, client=functions, Layers=[arn], size=53_642_504) == (400, INVALID, message)
        create(functions, Layers=[arn], size=53_642_503)

    def test_may_not_be_added_beside_code_that_leaves_no_room(self, functions: Any, server: AwsServer) -> None:
        create(functions, size=200_000_000)
        one, two = self.layer(server, size=62_144_000), self.layer(server, "two", size=262_143_999)
        message = (
            "Function code combined with layers exceeds the maximum allowed size of 262144000 bytes. "
            "The actual size is 262144000 bytes."
        )
        update = functions.update_function_configuration
        assert refusal(update, FunctionName="app", Layers=[one]) == (400, INVALID, message)
        message = "Layers consume more than the available size of 262144000 bytes"
        assert refusal(update, FunctionName="app", Layers=[one, two]) == (400, INVALID, message)
        functions.update_function_code(FunctionName="app", ZipFile=zip_of(1000))
        assert update(FunctionName="app", Layers=[one])["Layers"][0]["Arn"] == one


class TestThrottle:
    def test_more_than_the_rate_is_refused_per_account_and_region(self, clients: Clients, server: AwsServer) -> None:
        server.switches.throttle = Throttle(rate=0.001, burst=3)
        layers = clients("lambda")
        for _ in range(3):
            layers.list_layers()
        assert refusal(layers.list_layers) == (429, "TooManyRequestsException", "Rate exceeded")
        clients("lambda", region="us-east-1").list_layers()
        clients("lambda", account=GUEST).list_layers()

    def test_reading_functions_has_a_rate_of_its_own(self, clients: Clients, server: AwsServer) -> None:
        server.switches.throttle = Throttle(rate=0.001, burst=1)
        server.seed_function(HOME, "eu-west-1", "app")
        functions = clients("lambda")
        for _ in range(20):
            functions.get_function(FunctionName="app")

    def test_who_keeps_to_fifteen_a_second_is_never_refused(self, clients: Clients, server: AwsServer) -> None:
        server.switches.throttle = Throttle()
        layers = clients("lambda")
        started = time.monotonic()
        for number in range(40):
            time.sleep(max(0, started + (number - 15) / 15 - time.monotonic()))
            layers.list_layers()
        assert {call.status for call in server.calls} == {200}
