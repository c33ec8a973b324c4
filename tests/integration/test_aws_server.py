"""The tests' own AWS, asked by boto3: what Lambda allows, refuses and says of layers."""

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.aws_server import AwsServer
from tests.aws_server.clients import Clients, refusal, zip_of

HOME, GUEST, ELSEWHERE = "111111111111", "222222222222", "333333333333"
ARN = f"arn:aws:lambda:eu-west-1:{HOME}:layer:demo"
INVALID = "InvalidParameterValueException"
NO_POLICY = "because no resource-based policy allows the lambda:GetLayerVersion action"


@pytest.fixture
def server() -> Iterator[AwsServer]:
    with AwsServer(accounts=(HOME, GUEST, ELSEWHERE), throttle=False) as started:
        yield started


@pytest.fixture
def clients(server: AwsServer) -> Iterator[Clients]:
    with Clients(server) as made:
        yield made


@pytest.fixture
def layers(clients: Clients) -> Any:
    return clients("lambda")


def publish(client: Any, name: str = "demo", content: bytes | None = None, **more: Any) -> dict[str, Any]:
    answer: dict[str, Any] = client.publish_layer_version(
        LayerName=name, Content={"ZipFile": content or zip_of()}, **more
    )
    return answer


class TestPublish:
    def test_answers_what_was_sent_and_a_link_to_it(self, layers: Any) -> None:
        content = zip_of()
        answer = publish(
            layers,
            content=content,
            Description="d",
            LicenseInfo="MIT",
            CompatibleRuntimes=["python3.12"],
            CompatibleArchitectures=["arm64"],
        )
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 201
        assert (answer["LayerArn"], answer["LayerVersionArn"], answer["Version"]) == (ARN, f"{ARN}:1", 1)
        assert (answer["Description"], answer["LicenseInfo"]) == ("d", "MIT")
        assert (answer["CompatibleRuntimes"], answer["CompatibleArchitectures"]) == (["python3.12"], ["arm64"])
        assert answer["Content"]["CodeSha256"] == base64.b64encode(hashlib.sha256(content).digest()).decode()
        assert answer["Content"]["CodeSize"] == len(content)
        assert requests.get(answer["Content"]["Location"], timeout=5).content == content

    def test_the_same_bytes_again_are_a_new_version(self, layers: Any) -> None:
        assert [publish(layers)["Version"] for _ in range(3)] == [1, 2, 3]

    def test_a_number_is_never_used_again(self, layers: Any) -> None:
        publish(layers), publish(layers)
        for number in (1, 2):
            layers.delete_layer_version(LayerName="demo", VersionNumber=number)
        assert publish(layers)["Version"] == 3

    def test_regions_and_accounts_are_apart(self, clients: Clients, server: AwsServer) -> None:
        publish(clients("lambda")), publish(clients("lambda", region="us-east-1"))
        publish(clients("lambda", account=GUEST))
        found = server.layers(HOME, "eu-west-1")["demo"]
        assert [version.number for version in found] == [1]
        assert server.layers(GUEST, "eu-west-1")["demo"][0].arn.split(":")[4] == GUEST

    def test_says_at_once_all_that_is_wrong_with_the_members(self, layers: Any) -> None:
        _, code, message = refusal(
            layers.publish_layer_version,
            LayerName="with.dot",
            Content={"ZipFile": zip_of()},
            Description="d" * 257,
            LicenseInfo="l" * 513,
            CompatibleRuntimes=["python3.99"],
            CompatibleArchitectures=["mips"],
        )
        assert code == "ValidationException"
        assert message.startswith("5 validation errors detected: Value 'with.dot' at 'layerName' failed to satisfy")
        assert "at 'description' failed to satisfy constraint: Member must have length less than or equal to 256" in (
            message
        )
        assert "Value '[python3.99]' at 'compatibleRuntimes'" in message
        assert "Member must satisfy enum value set: [x86_64, arm64]" in message

    def test_takes_fifteen_runtimes_and_not_sixteen(self, layers: Any) -> None:
        known = [f"python3.{minor}" for minor in range(6, 15)]
        known += ["nodejs18.x", "nodejs20.x", "nodejs22.x", "java17", "java21", "ruby3.3"]
        publish(layers, CompatibleRuntimes=known)
        _, code, message = refusal(publish, client=layers, CompatibleRuntimes=[*known, "ruby3.4"])
        assert code == "ValidationException"
        assert message.endswith("Member must have length less than or equal to 15")

    def test_names_have_140_characters_at_most(self, layers: Any) -> None:
        publish(layers, name="n" * 140)
        assert refusal(publish, client=layers, name="n" * 141)[1] == "ValidationException"

    @pytest.mark.parametrize("content", [b"no zip", zip_of()[:-9]], ids=["text", "truncated"])
    def test_refuses_what_is_no_zip(self, layers: Any, content: bytes) -> None:
        message = "Could not unzip uploaded file. Please check your file, then try to upload again."
        assert refusal(publish, client=layers, content=content) == (400, INVALID, message)

    def test_refuses_an_empty_zip(self, layers: Any) -> None:
        answer = refusal(publish, client=layers, content=zip_of(files=0))
        assert answer == (400, INVALID, "Uploaded file must be a non-empty zip")

    def test_unzipped_must_be_smaller_than_250_mib(self, layers: Any) -> None:
        publish(layers, content=zip_of(262_144_000 - 1))
        message = "Unzipped size must be smaller than 262144000 bytes"
        assert refusal(publish, client=layers, content=zip_of(262_144_000)) == (400, INVALID, message)

    def test_sent_directly_at_most_50_mib(self, layers: Any) -> None:
        content = zip_of() + bytes(52_428_800)
        message = "Zipped size must be smaller than 52428800 bytes"
        assert refusal(publish, client=layers, content=content) == (413, "RequestEntityTooLargeException", message)

    def test_a_request_has_less_than_67_mib(self, layers: Any) -> None:
        message = "Request must be smaller than 70167211 bytes for the PublishLayerVersion operation"
        answer = refusal(publish, client=layers, content=bytes(53_000_000))
        assert answer == (413, "RequestEntityTooLargeException", message)

    def test_all_code_of_a_region_has_a_limit(self, layers: Any, server: AwsServer) -> None:
        server.switches.code_storage_limit = len(zip_of())
        publish(layers)
        answer = refusal(publish, client=layers)
        assert answer == (400, "CodeStorageExceededException", "Code storage limit exceeded.")

    def test_a_region_may_refuse_architectures(self, layers: Any, server: AwsServer) -> None:
        server.switches.refuses_architectures.add("eu-west-1")
        message = (
            "CompatibleArchitectures are not supported in eu-west-1. "
            "Please remove the CompatibleArchitectures value from your request and try again"
        )
        assert refusal(publish, client=layers, CompatibleArchitectures=["arm64"]) == (400, INVALID, message)
        assert publish(layers)["Version"] == 1


class TestPublishFromS3:
    @pytest.fixture
    def stored(self, server: AwsServer, clients: Clients) -> str:
        server.seed_bucket("staging", account=HOME, region="eu-west-1", versioned=True)
        answer = clients("s3").put_object(Bucket="staging", Key="a/layer.zip", Body=zip_of(20))
        return str(answer["VersionId"])

    def publish(self, client: Any, **source: str) -> Any:
        where = {"S3Bucket": "staging", "S3Key": "a/layer.zip"} | source
        return client.publish_layer_version(LayerName="demo", Content=where)

    def test_reads_the_object_or_a_version_of_it(self, layers: Any, stored: str, clients: Clients) -> None:
        clients("s3").put_object(Bucket="staging", Key="a/layer.zip", Body=zip_of(30))
        old, new = self.publish(layers, S3ObjectVersion=stored), self.publish(layers)
        assert old["Content"]["CodeSha256"] == base64.b64encode(hashlib.sha256(zip_of(20)).digest()).decode()
        assert new["Content"]["CodeSha256"] != old["Content"]["CodeSha256"]

    def test_a_reference_names_its_object(self, layers: Any, stored: str) -> None:
        answer = self.publish(layers, S3ObjectVersion=stored, S3ObjectStorageMode="REFERENCE")
        assert answer["Content"]["ResolvedS3Object"]["S3ObjectVersion"] == stored

    @pytest.mark.parametrize(
        ("source", "region", "said"),
        [
            ({"S3Key": "none"}, "eu-west-1", "NoSuchKey. S3 Error Message: The specified key does not exist."),
            ({"S3Bucket": "none"}, "eu-west-1", "NoSuchBucket. S3 Error Message: The specified bucket does not exist"),
            ({"S3ObjectVersion": "v"}, "eu-west-1", "NoSuchVersion. S3 Error Message: The specified version does not"),
            ({}, "us-east-1", "PermanentRedirect. S3 Error Message: The bucket is in this region: eu-west-1."),
        ],
    )
    def test_says_what_s3_said(
        self, clients: Clients, stored: str, source: dict[str, str], region: str, said: str
    ) -> None:
        assert stored
        status, code, message = refusal(self.publish, client=clients("lambda", region=region), **source)
        assert (status, code) == (400, INVALID)
        assert message.startswith(f"Error occurred while GetObject. S3 Error Code: {said}")

    def test_another_account_reads_it_only_if_let_in(self, clients: Clients, stored: str, server: AwsServer) -> None:
        guest = clients("lambda", account=GUEST)
        status, code, message = refusal(self.publish, client=guest)
        assert (status, code) == (403, "AccessDeniedException")
        assert "permission to GetObject for staging/a/layer.zip. S3 Error Code: AccessDenied." in message
        server.bucket("staging").readers.add(GUEST)
        assert self.publish(guest)["Version"] == 1
        assert stored


class TestRead:
    def test_by_name_and_by_arn(self, layers: Any) -> None:
        publish(layers)
        by_name = layers.get_layer_version(LayerName="demo", VersionNumber=1)
        by_arn = layers.get_layer_version_by_arn(Arn=f"{ARN}:1")
        assert by_name["LayerVersionArn"] == by_arn["LayerVersionArn"] == f"{ARN}:1"

    def test_what_is_not_there(self, layers: Any) -> None:
        missing = (404, "ResourceNotFoundException", "The resource you requested does not exist.")
        assert refusal(layers.get_layer_version, LayerName="demo", VersionNumber=1) == missing
        assert refusal(layers.get_layer_version_by_arn, Arn=f"{ARN}:1") == missing
        assert refusal(layers.get_layer_version, LayerName="demo", VersionNumber=0) == (
            400,
            INVALID,
            "Layer Version Cannot be less than 1",
        )

    def test_an_arn_needs_a_version(self, layers: Any) -> None:
        _, code, message = refusal(layers.get_layer_version_by_arn, Arn=ARN)
        assert code == "ValidationException"
        assert message.startswith(f"1 validation error detected: Value '{ARN}' at 'arn' failed to satisfy constraint:")

    def test_versions_are_listed_newest_first_page_by_page_without_a_hash(self, layers: Any) -> None:
        for _ in range(5):
            publish(layers)
        first = layers.list_layer_versions(LayerName="demo", MaxItems=2)
        second = layers.list_layer_versions(LayerName="demo", MaxItems=2, Marker=first["NextMarker"])
        third = layers.list_layer_versions(LayerName="demo", MaxItems=2, Marker=second["NextMarker"])
        numbers = [version["Version"] for page in (first, second, third) for version in page["LayerVersions"]]
        assert numbers == [5, 4, 3, 2, 1]
        assert "NextMarker" not in third
        assert {"CodeSha256", "Content"}.isdisjoint(first["LayerVersions"][0])

    def test_a_page_has_fifty_at_most(self, layers: Any) -> None:
        _, code, message = refusal(layers.list_layer_versions, LayerName="demo", MaxItems=51)
        assert code == "ValidationException"
        assert message.endswith(
            "at 'maxItems' failed to satisfy constraint: Member must have value less than or equal to 50"
        )
        for _ in range(51):
            publish(layers)
        assert len(layers.list_layer_versions(LayerName="demo")["LayerVersions"]) == 50

    def test_lists_by_runtime_and_architecture(self, layers: Any) -> None:
        publish(layers, CompatibleRuntimes=["python3.12"], CompatibleArchitectures=["arm64"])
        publish(layers, CompatibleRuntimes=["python3.13"], CompatibleArchitectures=["x86_64"])
        found = layers.list_layer_versions(LayerName="demo", CompatibleRuntime="python3.12")["LayerVersions"]
        assert [version["Version"] for version in found] == [1]
        latest = layers.list_layers(CompatibleArchitecture="arm64")["Layers"][0]["LatestMatchingVersion"]
        assert latest["Version"] == 1

    def test_an_unknown_layer_has_no_versions(self, layers: Any) -> None:
        assert layers.list_layer_versions(LayerName="none")["LayerVersions"] == []

    def test_a_layer_without_versions_is_not_listed(self, layers: Any) -> None:
        publish(layers), publish(layers, name="other")
        layers.delete_layer_version(LayerName="demo", VersionNumber=1)
        assert [layer["LayerName"] for layer in layers.list_layers()["Layers"]] == ["other"]

    def test_deleting_what_is_not_there_is_done(self, layers: Any) -> None:
        answer = layers.delete_layer_version(LayerName="none", VersionNumber=9)
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204


class TestPermissions:
    @pytest.fixture(autouse=True)
    def published(self, layers: Any) -> None:
        publish(layers)

    def add(self, client: Any, sid: str = "s1", principal: str = GUEST, **more: Any) -> Any:
        return client.add_layer_version_permission(
            LayerName="demo",
            VersionNumber=1,
            StatementId=sid,
            Action="lambda:GetLayerVersion",
            Principal=principal,
            **more,
        )

    def policy(self, client: Any) -> Any:
        return json.loads(client.get_layer_version_policy(LayerName="demo", VersionNumber=1)["Policy"])

    def test_statements_read_as_aws_writes_them(self, layers: Any) -> None:
        answer = self.add(layers)
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 201
        self.add(layers, "s2", "*", OrganizationId="o-abcdefghij")
        self.add(layers, "s3", "*")
        common = {"Effect": "Allow", "Action": "lambda:GetLayerVersion", "Resource": f"{ARN}:1"}
        of_account = common | {"Sid": "s1", "Principal": {"AWS": f"arn:aws:iam::{GUEST}:root"}}
        condition = {"StringEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}}
        assert json.loads(answer["Statement"]) == of_account
        assert self.policy(layers) == {
            "Version": "2012-10-17",
            "Id": "default",
            "Statement": [
                of_account,
                common | {"Sid": "s2", "Principal": "*", "Condition": condition},
                common | {"Sid": "s3", "Principal": "*"},
            ],
        }

    def test_an_id_is_used_once(self, layers: Any) -> None:
        self.add(layers)
        status, code, message = refusal(self.add, client=layers, principal="*")
        assert (status, code) == (409, "ResourceConflictException")
        assert message.startswith("The statement id (s1) provided already exists.")

    def test_a_revision_must_be_the_latest(self, layers: Any) -> None:
        first = self.add(layers)["RevisionId"]
        self.add(layers, "s2", RevisionId=first)
        message = (
            "The Revision Id provided does not match the latest Revision Id. "
            "Call the GetLayerPolicy API to retrieve the latest Revision Id"
        )
        assert refusal(self.add, client=layers, sid="s3", RevisionId=first) == (
            412,
            "PreconditionFailedException",
            message,
        )

    @pytest.mark.parametrize(
        "wrong", [{"principal": "acme"}, {"sid": "a b"}, {"principal": "*", "OrganizationId": "o-UPPER"}]
    )
    def test_members_have_patterns(self, layers: Any, wrong: dict[str, str]) -> None:
        assert refusal(self.add, client=layers, **wrong)[:2] == (400, "ValidationException")

    def test_the_only_action_is_to_get_the_version(self, layers: Any) -> None:
        wrong = {"LayerName": "demo", "VersionNumber": 1, "StatementId": "s", "Action": "lambda:*", "Principal": "*"}
        _, code, message = refusal(layers.add_layer_version_permission, **wrong)
        assert code == "ValidationException"
        assert message.endswith("pattern: lambda:GetLayerVersion")

    def test_removing(self, layers: Any) -> None:
        where = {"LayerName": "demo", "VersionNumber": 1}
        none = (404, "ResourceNotFoundException", "No policy is associated with the given resource.")
        assert refusal(layers.get_layer_version_policy, **where) == none
        self.add(layers)
        unknown = (404, "ResourceNotFoundException", "Statement zz is not found in resource policy.")
        assert refusal(layers.remove_layer_version_permission, StatementId="zz", **where) == unknown
        answer = layers.remove_layer_version_permission(StatementId="s1", **where)
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
        assert refusal(layers.get_layer_version_policy, **where) == none

    def test_a_version_that_is_not_there_has_no_policy(self, layers: Any) -> None:
        answer = refusal(layers.get_layer_version_policy, LayerName="demo", VersionNumber=2)
        assert answer == (404, "ResourceNotFoundException", f"Layer version {ARN}:2 does not exist.")

    def test_a_policy_has_a_limit(self, layers: Any, server: AwsServer) -> None:
        server.switches.policy_limit = 200
        status, code, message = refusal(self.add, client=layers)
        assert (status, code) == (400, "PolicyLengthExceededException")
        assert message.endswith("is bigger than the limit (200).")

    def test_others_read_it_only_with_a_grant_of_theirs(self, layers: Any, clients: Clients, server: AwsServer) -> None:
        def reads(account: str) -> bool:
            client = clients("lambda", account=account)
            try:
                return bool(client.get_layer_version(LayerName=ARN, VersionNumber=1))
            except client.exceptions.ClientError:
                return False

        assert not reads(GUEST)
        self.add(layers)
        assert (reads(GUEST), reads(ELSEWHERE)) == (True, False)
        server.seed_organization("o-abcdefghij", [ELSEWHERE])
        self.add(layers, "s2", "*", OrganizationId="o-abcdefghij")
        assert reads(ELSEWHERE)

    def test_a_stranger_is_told_that_nothing_allows_it(self, clients: Clients) -> None:
        guest = clients("lambda", account=GUEST)
        user = f"User: arn:aws:iam::{GUEST}:user/tester is not authorized to perform: lambda:GetLayerVersion"
        for arn in (f"{ARN}:1", f"{ARN}:9"):
            message = f"{user} on resource: {arn} {NO_POLICY}"
            assert refusal(guest.get_layer_version_by_arn, Arn=arn) == (403, "AccessDeniedException", message)


class TestLink:
    @pytest.fixture
    def link(self, layers: Any) -> str:
        publish(layers, content=zip_of(1000, files=10))
        return str(layers.get_layer_version(LayerName="demo", VersionNumber=1)["Content"]["Location"])

    def get(self, link: str, wanted: str) -> requests.Response:
        return requests.get(link, headers={"Range": wanted}, timeout=5)

    def test_gives_ranges(self, link: str) -> None:
        content = zip_of(1000, files=10)
        total = len(content)
        middle, end, rest = (self.get(link, f"bytes={span}") for span in ("5-9", "-22", "100-"))
        assert (middle.status_code, middle.content) == (206, content[5:10])
        assert middle.headers["Content-Range"] == f"bytes 5-9/{total}"
        assert (end.content, rest.content) == (content[-22:], content[100:])
        assert self.get(link, "bytes=0-1,4-5").content == content

    def test_has_nothing_behind_the_end(self, link: str) -> None:
        answer = self.get(link, "bytes=99999-")
        total = len(zip_of(1000, files=10))
        assert (answer.status_code, answer.headers["Content-Range"]) == (416, f"bytes */{total}")
        assert "InvalidRange" in answer.text

    def test_expires(self, link: str, server: AwsServer) -> None:
        at = server.state.wall()
        server.state.wall = lambda: at + 599
        assert requests.get(link, timeout=5).status_code == 200
        server.state.wall = lambda: at + 601
        answer = requests.get(link, timeout=5)
        assert (answer.status_code, "Request has expired" in answer.text) == (403, True)

    def test_is_signed_for_get_alone(self, link: str) -> None:
        assert requests.head(link, timeout=5).status_code == 403
        assert requests.get(link[:-1] + "x", timeout=5).status_code == 403
        signed_twice = requests.get(link, headers={"Authorization": "Basic eDp5"}, timeout=5)
        assert (signed_twice.status_code, "Only one auth mechanism allowed" in signed_twice.text) == (400, True)
