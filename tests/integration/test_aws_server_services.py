"""The tests' own AWS, asked by boto3: S3, STS, IAM's verdicts, SSM, Signer and the list of regions."""

import base64
import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.aws_server import AwsServer
from tests.aws_server.clients import Clients, refusal, zip_of

HOME, GUEST, CHINA = "111111111111", "222222222222", "333333333333"
MIB = 1024**2


@pytest.fixture
def server() -> Iterator[AwsServer]:
    regions = ("us-east-1", "eu-west-1", "ap-east-1", "cn-north-1")
    with AwsServer(accounts=(HOME, GUEST, CHINA), regions=regions, partitions={CHINA: "aws-cn"}) as started:
        yield started


@pytest.fixture
def clients(server: AwsServer) -> Iterator[Clients]:
    with Clients(server) as made:
        yield made


@pytest.fixture
def s3(clients: Clients) -> Any:
    return clients("s3")


def sha256(content: bytes) -> str:
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


class TestBuckets:
    def test_are_made_where_their_constraint_says(self, clients: Clients, s3: Any, server: AwsServer) -> None:
        s3.create_bucket(Bucket="europe", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        clients("s3", region="us-east-1").create_bucket(Bucket="usa")
        assert (server.bucket("europe").region, server.bucket("usa").region) == ("eu-west-1", "us-east-1")
        assert s3.get_bucket_location(Bucket="europe")["LocationConstraint"] == "eu-west-1"
        assert s3.get_bucket_location(Bucket="usa")["LocationConstraint"] is None

    def test_constraint_and_region_must_agree(self, clients: Clients, s3: Any) -> None:
        status, code, message = refusal(s3.create_bucket, Bucket="europe")
        assert (status, code) == (400, "IllegalLocationConstraintException")
        assert message.startswith(
            "The unspecified location constraint is incompatible for the region specific endpoint"
        )
        where = {"LocationConstraint": "us-east-1"}
        in_usa = clients("s3", region="us-east-1").create_bucket
        assert refusal(in_usa, Bucket="usa", CreateBucketConfiguration=where)[1] == "InvalidLocationConstraint"

    def test_a_name_is_one_owners(self, clients: Clients, s3: Any) -> None:
        where = {"CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"}}
        s3.create_bucket(Bucket="mine", **where)
        assert refusal(s3.create_bucket, Bucket="mine", **where)[:2] == (409, "BucketAlreadyOwnedByYou")
        other = clients("s3", account=GUEST).create_bucket
        assert refusal(other, Bucket="mine", **where)[:2] == (409, "BucketAlreadyExists")

    def test_of_others_and_elsewhere(self, s3: Any, server: AwsServer) -> None:
        server.seed_bucket("theirs", account=GUEST, region="eu-west-1")
        server.seed_bucket("far", account=HOME, region="us-east-1")
        assert refusal(s3.head_bucket, Bucket="none")[:2] == (404, "404")
        assert refusal(s3.head_bucket, Bucket="theirs")[:2] == (403, "403")
        status, code, message = refusal(s3.put_object, Bucket="theirs", Key="k", Body=b"")
        assert (status, code) == (403, "AccessDenied")
        assert 'perform: s3:PutObject on resource: "arn:aws:s3:::theirs/k" because no resource-based policy' in message
        s3.put_object(Bucket="far", Key="k", Body=b"follows the redirect")
        assert [call.status for call in server.calls_of("PutObject")] == [403, 301, 200]
        owner = refusal(s3.put_object, Bucket="far", Key="k", Body=b"", ExpectedBucketOwner=GUEST)
        assert owner[:2] == (403, "AccessDenied")

    def test_settings_are_kept(self, s3: Any, server: AwsServer) -> None:
        server.seed_bucket("mine", account=HOME, region="eu-west-1")
        assert "Status" not in s3.get_bucket_versioning(Bucket="mine")
        s3.put_bucket_versioning(Bucket="mine", VersioningConfiguration={"Status": "Enabled"})
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
        s3.put_bucket_encryption(Bucket="mine", ServerSideEncryptionConfiguration={"Rules": [rule]})
        block = dict.fromkeys(
            ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
        )
        s3.put_public_access_block(Bucket="mine", PublicAccessBlockConfiguration=block)
        assert refusal(s3.get_bucket_lifecycle_configuration, Bucket="mine")[1] == "NoSuchLifecycleConfiguration"
        days = {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 7}}
        s3.put_bucket_lifecycle_configuration(Bucket="mine", LifecycleConfiguration={"Rules": [days]})
        assert s3.get_bucket_versioning(Bucket="mine")["Status"] == "Enabled"
        found = s3.get_bucket_encryption(Bucket="mine")["ServerSideEncryptionConfiguration"]["Rules"][0]
        assert found["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms"}
        assert s3.get_public_access_block(Bucket="mine")["PublicAccessBlockConfiguration"] == block
        assert s3.get_bucket_lifecycle_configuration(Bucket="mine")["Rules"][0]["Expiration"] == {"Days": 7}

    def test_a_policy_lets_others_in(self, clients: Clients, s3: Any, server: AwsServer) -> None:
        server.seed_bucket("mine", account=HOME, region="eu-west-1")
        s3.put_object(Bucket="mine", Key="k", Body=b"x")
        read = clients("s3", account=GUEST).get_object
        assert refusal(read, Bucket="mine", Key="k")[:2] == (403, "AccessDenied")
        statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::mine/*"}
        mine = statement | {"Principal": {"AWS": f"arn:aws:iam::{GUEST}:root"}}
        s3.put_bucket_policy(Bucket="mine", Policy=json.dumps({"Statement": [mine]}))
        assert read(Bucket="mine", Key="k")["Body"].read() == b"x"
        public = json.dumps({"Statement": [statement | {"Principal": "*"}]})
        assert "BlockPublicPolicy" in refusal(s3.put_bucket_policy, Bucket="mine", Policy=public)[2]


class TestObjects:
    @pytest.fixture(autouse=True)
    def bucket(self, server: AwsServer) -> None:
        server.seed_bucket("mine", account=HOME, region="eu-west-1", versioned=True)

    def test_come_back_whole_and_in_part(self, s3: Any) -> None:
        put = s3.put_object(Bucket="mine", Key="a b/ü.zip", Body=b"0123456789", ChecksumAlgorithm="SHA256")
        assert put["ChecksumSHA256"] == sha256(b"0123456789")
        head = s3.head_object(Bucket="mine", Key="a b/ü.zip", ChecksumMode="ENABLED")
        assert (head["ChecksumSHA256"], head["ContentLength"]) == (sha256(b"0123456789"), 10)
        part = s3.get_object(Bucket="mine", Key="a b/ü.zip", Range="bytes=-3")
        assert (part["Body"].read(), part["ContentRange"]) == (b"789", "bytes 7-9/10")

    def test_are_found_with_their_bucket_in_the_host(self, s3: Any, server: AwsServer) -> None:
        s3.put_object(Bucket="mine", Key="a/b", Body=b"x")
        key = server.keys(HOME)["AWS_ACCESS_KEY_ID"]
        headers = {
            "Host": "mine.localhost:1234",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={key}/20260101/eu-west-1/s3/aws4_request",
        }
        assert requests.get(f"{server.endpoint_url}/a/b", headers=headers, timeout=5).content == b"x"

    def test_have_versions(self, s3: Any) -> None:
        one, two = (s3.put_object(Bucket="mine", Key="k", Body=body)["VersionId"] for body in (b"1", b"2"))
        s3.delete_object(Bucket="mine", Key="k")
        assert refusal(s3.get_object, Bucket="mine", Key="k")[:2] == (404, "NoSuchKey")
        bodies = [s3.get_object(Bucket="mine", Key="k", VersionId=version)["Body"].read() for version in (one, two)]
        assert bodies == [b"1", b"2"]

    @pytest.mark.parametrize(
        ("claim", "code"),
        [
            ({"ChecksumCRC32": "AAAAAA=="}, "BadDigest"),
            ({"ChecksumSHA256": sha256(b"other")}, "BadDigest"),
            ({"ChecksumSHA256": "short"}, "InvalidRequest"),
            ({"ContentMD5": base64.b64encode(bytes(16)).decode()}, "BadDigest"),
        ],
    )
    def test_must_match_their_checksums(self, s3: Any, claim: dict[str, str], code: str) -> None:
        assert refusal(s3.put_object, Bucket="mine", Key="k", Body=b"x", **claim)[:2] == (400, code)

    def test_may_be_sent_in_chunks_with_the_checksum_behind(self, server: AwsServer, s3: Any) -> None:
        def send(checksum: bytes) -> requests.Response:
            crc = base64.b64encode(checksum)
            body = b"5\r\nhello\r\n6\r\n world\r\n0\r\nx-amz-checksum-crc32:" + crc + b"\r\n\r\n"
            key = server.keys(HOME)["AWS_ACCESS_KEY_ID"]
            headers = {
                "Authorization": f"AWS4-HMAC-SHA256 Credential={key}/20260101/eu-west-1/s3/aws4_request",
                "x-amz-content-sha256": "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
                "x-amz-decoded-content-length": "11",
                "x-amz-trailer": "x-amz-checksum-crc32",
                "Content-Encoding": "aws-chunked",
            }
            return requests.put(f"{server.endpoint_url}/mine/chunked", data=body, headers=headers, timeout=5)

        assert send(zlib.crc32(b"hello world").to_bytes(4, "big")).status_code == 200
        assert s3.get_object(Bucket="mine", Key="chunked")["Body"].read() == b"hello world"
        assert "BadDigest" in send(bytes(4)).text

    def test_are_not_overwritten_where_nothing_should_be(self, s3: Any) -> None:
        s3.put_object(Bucket="mine", Key="k", Body=b"1", IfNoneMatch="*")
        again = refusal(s3.put_object, Bucket="mine", Key="k", Body=b"2", IfNoneMatch="*")
        assert again[:2] == (412, "PreconditionFailed")

    def test_that_are_missing_are_forbidden_to_who_may_not_list(self, server: AwsServer, clients: Clients) -> None:
        role = f"arn:aws:iam::{HOME}:role/reader"
        server.seed_role(role, trusted=[HOME], policy=["s3:GetObject"])
        reader = clients("s3", credentials=clients.assume(role))
        assert refusal(reader.head_object, Bucket="mine", Key="none")[0] == 403

    def test_are_listed(self, s3: Any) -> None:
        for key in ("a/1", "a/2", "b"):
            s3.put_object(Bucket="mine", Key=key, Body=b"")
        pages = s3.get_paginator("list_objects_v2").paginate(
            Bucket="mine", Prefix="a/", PaginationConfig={"PageSize": 1}
        )
        assert [item["Key"] for page in pages for item in page["Contents"]] == ["a/1", "a/2"]


class TestMultipart:
    @pytest.fixture(autouse=True)
    def bucket(self, server: AwsServer) -> None:
        server.seed_bucket("mine", account=HOME, region="eu-west-1")

    def upload(self, s3: Any, parts: list[bytes], *, checksums: bool = True) -> Any:
        where = {"Bucket": "mine", "Key": "k"}
        number = s3.create_multipart_upload(**where, ChecksumAlgorithm="SHA256")["UploadId"]
        listed = []
        for index, body in enumerate(parts, 1):
            sent = s3.upload_part(**where, UploadId=number, PartNumber=index, Body=body, ChecksumAlgorithm="SHA256")
            part = {"PartNumber": index, "ETag": sent["ETag"]}
            listed.append(part | ({"ChecksumSHA256": sent["ChecksumSHA256"]} if checksums else {}))
        return s3.complete_multipart_upload(**where, UploadId=number, MultipartUpload={"Parts": listed})

    def test_joins_parts_and_their_checksums(self, s3: Any, server: AwsServer) -> None:
        parts = [bytes(5 * MIB), b"end"]
        done = self.upload(s3, parts)
        digests = b"".join(hashlib.sha256(part).digest() for part in parts)
        assert done["ChecksumSHA256"] == sha256(digests) + "-2"
        head = s3.head_object(Bucket="mine", Key="k", ChecksumMode="ENABLED")
        assert (head["ContentLength"], head["ChecksumType"]) == (5 * MIB + 3, "COMPOSITE")
        assert head["ETag"].endswith('-2"')
        assert not server.state.uploads

    def test_every_part_but_the_last_has_5_mib(self, s3: Any) -> None:
        answer = refusal(self.upload, s3=s3, parts=[b"small", b"end"])
        assert answer == (400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")

    def test_the_checksums_are_asked_for_again_at_the_end(self, s3: Any) -> None:
        status, code, message = refusal(self.upload, s3=s3, parts=[b"end"], checksums=False)
        assert (status, code) == (400, "InvalidRequest")
        assert message.endswith("It was missing for part 1 in the request.")

    def test_parts_must_be_there_and_in_order(self, s3: Any) -> None:
        where = {"Bucket": "mine", "Key": "k"}
        number = s3.create_multipart_upload(**where)["UploadId"]
        tag = s3.upload_part(**where, UploadId=number, PartNumber=1, Body=b"x")["ETag"]
        complete = s3.complete_multipart_upload
        wrong = {"Parts": [{"PartNumber": 2, "ETag": tag}]}
        assert refusal(complete, **where, UploadId=number, MultipartUpload=wrong)[1] == "InvalidPart"
        wrong = {"Parts": [{"PartNumber": 2, "ETag": tag}, {"PartNumber": 1, "ETag": tag}]}
        assert refusal(complete, **where, UploadId=number, MultipartUpload=wrong)[1] == "InvalidPartOrder"

    def test_an_aborted_upload_is_gone(self, s3: Any) -> None:
        where = {"Bucket": "mine", "Key": "k"}
        number = s3.create_multipart_upload(**where)["UploadId"]
        s3.abort_multipart_upload(**where, UploadId=number)
        assert refusal(s3.abort_multipart_upload, **where, UploadId=number)[:2] == (404, "NoSuchUpload")

    def test_boto3s_own_transfer_works(self, s3: Any, server: AwsServer) -> None:
        content = bytes(range(256)) * (17 * MIB // 256)
        s3.upload_fileobj(io.BytesIO(content), "mine", "big")
        assert server.bucket("mine").objects["big"][-1].blob.content == content
        assert len(server.calls_of("UploadPart")) == 3


class TestRoles:
    ROLE = f"arn:aws:iam::{GUEST}:role/team/publisher"

    def test_who_am_i(self, clients: Clients) -> None:
        found = clients("sts").get_caller_identity()
        assert (found["Account"], found["Arn"]) == (HOME, f"arn:aws:iam::{HOME}:user/tester")

    def test_a_role_acts_in_its_account(self, server: AwsServer, clients: Clients) -> None:
        server.seed_role(self.ROLE, trusted=[HOME])
        credentials = clients.assume(self.ROLE)
        found = clients("sts", credentials=credentials).get_caller_identity()
        assert found["Arn"] == f"arn:aws:sts::{GUEST}:assumed-role/publisher/tests"
        clients("ssm", credentials=credentials).put_parameter(Name="/a", Value="v", Type="String")
        assert server.parameters(GUEST, "eu-west-1")["/a"].value == "v"

    @pytest.mark.parametrize("options", [{}, {"ExternalId": "wrong"}])
    def test_needs_trust_and_the_external_id(
        self, server: AwsServer, clients: Clients, options: dict[str, str]
    ) -> None:
        server.seed_role(self.ROLE, trusted=[HOME], external_id="right")
        message = (
            f"User: arn:aws:iam::{HOME}:user/tester is not authorized to perform: sts:AssumeRole "
            f"on resource: {self.ROLE}"
        )
        assert refusal(clients.assume, role=self.ROLE, **options) == (403, "AccessDenied", message)
        assert clients.assume(self.ROLE, ExternalId="right")
        assert refusal(clients.assume, role=self.ROLE, account=GUEST, ExternalId="right")[1] == "AccessDenied"

    def test_tags_need_leave(self, server: AwsServer, clients: Clients) -> None:
        server.seed_role(self.ROLE, trusted=[HOME], tagging=False)
        answer = refusal(clients.assume, role=self.ROLE, Tags=[{"Key": "team", "Value": "data"}])
        assert (answer[1], "perform: sts:TagSession" in answer[2]) == ("AccessDenied", True)
        server.seed_role(self.ROLE, trusted=[HOME])
        credentials = clients.assume(self.ROLE, Tags=[{"Key": "team", "Value": "data"}])
        assert server.state.sessions[credentials["AccessKeyId"]].tags == {"team": "data"}

    def test_chains_last_an_hour(self, server: AwsServer, clients: Clients) -> None:
        first = server.seed_role(f"arn:aws:iam::{HOME}:role/hub", trusted=[HOME])
        server.seed_role(self.ROLE, trusted=[first])
        assert refusal(clients.assume, role=self.ROLE)[1] == "AccessDenied"
        assume = clients("sts", credentials=clients.assume(first)).assume_role
        assert assume(RoleArn=self.ROLE, RoleSessionName="chained")["AssumedRoleUser"]
        answer = refusal(assume, RoleArn=self.ROLE, RoleSessionName="chained", DurationSeconds=7200)
        assert (answer[1], "1 hour session limit" in answer[2]) == ("ValidationError", True)

    def test_a_token_of_an_identity_provider_is_as_good(self, server: AwsServer, clients: Clients) -> None:
        server.seed_role(self.ROLE, web_identity="token-of-ci")
        assume = clients("sts").assume_role_with_web_identity
        where = {"RoleArn": self.ROLE, "RoleSessionName": "ci"}
        credentials = assume(WebIdentityToken="token-of-ci", **where)["Credentials"]
        assert clients("sts", credentials=credentials).get_caller_identity()["Account"] == GUEST
        assert refusal(assume, WebIdentityToken="other", **where)[1] == "InvalidIdentityToken"

    @pytest.mark.parametrize(
        ("service", "operation", "answer"),
        [
            ("lambda", "list_layers", (403, "ExpiredTokenException")),
            ("ssm", "get_parameter", (400, "ExpiredTokenException")),
            ("s3", "list_buckets", (400, "ExpiredToken")),
            ("sts", "get_caller_identity", (403, "ExpiredToken")),
        ],
    )
    def test_expire(
        self, server: AwsServer, clients: Clients, service: str, operation: str, answer: tuple[int, str]
    ) -> None:
        server.seed_role(self.ROLE, trusted=[HOME])
        client = clients(service, credentials=clients.assume(self.ROLE))
        server.expire_sessions()
        parameters = {"Name": "/a"} if service == "ssm" else {}
        assert refusal(getattr(client, operation), **parameters)[:2] == answer

    def test_unknown_keys_and_tokens_are_invalid(self, server: AwsServer, clients: Clients) -> None:
        server.seed_role(self.ROLE, trusted=[HOME])
        wrong = {**clients.assume(self.ROLE), "SessionToken": "made-up"}
        code, message = "UnrecognizedClientException", "The security token included in the request is invalid."
        assert refusal(clients("lambda", credentials=wrong).list_layers) == (403, code, message)
        unknown = {"AccessKeyId": "AKIANOBODY", "SecretAccessKey": "x", "SessionToken": "y"}
        assert refusal(clients("sts", credentials=unknown).get_caller_identity)[1] == "InvalidClientTokenId"

    def test_regions_that_an_account_lacks_know_nobody(self, clients: Clients) -> None:
        assert refusal(clients("lambda", region="sa-east-1").list_layers)[1] == "UnrecognizedClientException"

    def test_and_so_do_those_that_it_has_lost(self, server: AwsServer, clients: Clients) -> None:
        server.disable_region(HOME, "us-east-1")
        assert refusal(clients("lambda", region="us-east-1").list_layers)[1] == "UnrecognizedClientException"
        clients("lambda", region="us-east-1", account=GUEST).list_layers()

    def test_an_unsigned_request_is_refused(self, server: AwsServer) -> None:
        answer = requests.get(f"{server.endpoint_url}/bucket/key", timeout=5)
        assert (answer.status_code, "<Code>AccessDenied</Code>" in answer.text) == (403, True)

    def test_partitions_do_not_know_each_others_keys(self, clients: Clients) -> None:
        assert clients("lambda", account=CHINA, region="cn-north-1").list_layers()["Layers"] == []
        assert refusal(clients("lambda", region="cn-north-1").list_layers)[1] == "UnrecognizedClientException"
        assert refusal(clients("lambda", account=CHINA).list_layers)[1] == "UnrecognizedClientException"


class TestVerdicts:
    ROLE = f"arn:aws:iam::{HOME}:role/least"

    def client(self, server: AwsServer, clients: Clients, service: str, policy: Any) -> Any:
        server.seed_role(self.ROLE, trusted=[HOME], policy=policy)
        return clients(service, credentials=clients.assume(self.ROLE))

    def test_name_action_and_resource(self, server: AwsServer, clients: Clients) -> None:
        client = self.client(server, clients, "lambda", ["lambda:ListLayers"])
        client.list_layers()
        message = (
            f"User: arn:aws:sts::{HOME}:assumed-role/least/tests is not authorized to perform: "
            f"lambda:PublishLayerVersion on resource: arn:aws:lambda:eu-west-1:{HOME}:layer:demo "
            "because no identity-based policy allows the lambda:PublishLayerVersion action"
        )
        answer = refusal(client.publish_layer_version, LayerName="demo", Content={"ZipFile": zip_of()})
        assert answer == (403, "AccessDeniedException", message)

    def test_follow_a_policy_document(self, server: AwsServer, clients: Clients) -> None:
        policy = {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": ["ssm:*"], "Resource": "arn:aws:ssm:*:*:parameter/layers/*"},
                {"Effect": "Deny", "Action": "ssm:PutParameter", "Resource": "arn:aws:ssm:*:*:parameter/layers/b*"},
            ],
        }
        client = self.client(server, clients, "ssm", policy)
        client.put_parameter(Name="/layers/a", Value="v", Type="String")
        for name, reason in (("/other", "because no identity-based policy"), ("/layers/b", "with an explicit deny")):
            status, code, message = refusal(client.put_parameter, Name=name, Value="v", Type="String")
            assert (status, code, reason in message) == (400, "AccessDeniedException", True)

    def test_hold_a_policy_to_its_region(self, server: AwsServer, clients: Clients) -> None:
        condition = {"StringEquals": {"aws:RequestedRegion": ["us-east-1"]}}
        allow = {"Effect": "Allow", "Action": "lambda:List*", "Resource": "*", "Condition": condition}
        server.seed_role(self.ROLE, trusted=[HOME], policy={"Statement": [allow]})
        credentials = clients.assume(self.ROLE)
        clients("lambda", region="us-east-1", credentials=credentials).list_layers()
        assert refusal(clients("lambda", credentials=credentials).list_layers)[1] == "AccessDeniedException"

    def test_each_service_has_its_own_words(self, server: AwsServer, clients: Clients) -> None:
        server.seed_bucket("mine", account=HOME, region="eu-west-1")
        s3 = self.client(server, clients, "s3", ["none:None"])
        assert refusal(s3.put_object, Bucket="mine", Key="k", Body=b"")[:2] == (403, "AccessDenied")
        ec2 = self.client(server, clients, "ec2", ["none:None"])
        assert refusal(ec2.describe_regions)[:2] == (403, "UnauthorizedOperation")
        signer = self.client(server, clients, "signer", ["none:None"])
        assert refusal(signer.list_signing_jobs)[:2] == (403, "AccessDeniedException")


class TestParameters:
    def test_have_versions(self, clients: Clients) -> None:
        ssm = clients("ssm")
        assert ssm.put_parameter(Name="/layers/x", Value="1", Type="String")["Version"] == 1
        assert ssm.put_parameter(Name="/layers/x", Value="2", Overwrite=True)["Version"] == 2
        found = ssm.get_parameter(Name="/layers/x")["Parameter"]
        assert (found["Value"], found["Version"]) == ("2", 2)
        assert found["ARN"] == f"arn:aws:ssm:eu-west-1:{HOME}:parameter/layers/x"
        assert ssm.get_parameter(Name="/layers/x:1")["Parameter"]["Value"] == "1"
        assert ssm.get_parameters(Names=["/layers/x", "/y"])["InvalidParameters"] == ["/y"]
        assert [one["Name"] for one in ssm.get_parameters_by_path(Path="/layers")["Parameters"]] == ["/layers/x"]

    def test_are_overwritten_only_on_request(self, clients: Clients) -> None:
        ssm = clients("ssm")
        ssm.put_parameter(Name="/x", Value="1", Type="String")
        message = (
            "The parameter already exists. To overwrite this value, set the overwrite option in the request to true."
        )
        answer = refusal(ssm.put_parameter, Name="/x", Value="2", Type="String")
        assert answer == (400, "ParameterAlreadyExists", message)

    def test_that_are_aws_s_own_are_refused(self, clients: Clients) -> None:
        put = clients("ssm").put_parameter
        answer = refusal(put, Name="/aws/x", Value="1", Type="String")
        assert answer == (400, "AccessDeniedException", "No access to reserved parameter name: /aws/x.")
        assert refusal(put, Name="a/b", Value="1", Type="String")[1] == "ValidationException"

    def test_that_are_not_there(self, clients: Clients) -> None:
        ssm = clients("ssm")
        assert refusal(ssm.get_parameter, Name="/x")[:2] == (400, "ParameterNotFound")
        assert refusal(ssm.delete_parameter, Name="/x")[:2] == (400, "ParameterNotFound")


class TestRegions:
    def test_ec2_tells_the_opt_in_status(self, clients: Clients) -> None:
        ec2 = clients("ec2")
        enabled = {one["RegionName"]: one["OptInStatus"] for one in ec2.describe_regions()["Regions"]}
        none_needed = "opt-in-not-required"
        assert enabled == {"ap-east-1": "opted-in", "eu-west-1": none_needed, "us-east-1": none_needed}
        every = {one["RegionName"]: one["OptInStatus"] for one in ec2.describe_regions(AllRegions=True)["Regions"]}
        assert every["me-south-1"] == "not-opted-in"

    def test_the_account_service_lists_page_by_page(self, clients: Clients) -> None:
        pages = (
            clients("account")
            .get_paginator("list_regions")
            .paginate(RegionOptStatusContains=["ENABLED", "ENABLED_BY_DEFAULT"], PaginationConfig={"PageSize": 2})
        )
        assert [one["RegionName"] for page in pages for one in page["Regions"]] == [
            "ap-east-1", "eu-west-1", "us-east-1",
        ]  # fmt: skip


class TestSigner:
    @pytest.fixture
    def version(self, server: AwsServer, s3: Any) -> str:
        server.seed_bucket("mine", account=HOME, region="eu-west-1", versioned=True)
        server.seed_signing_profile(HOME, "eu-west-1", "team_profile")
        return str(s3.put_object(Bucket="mine", Key="unsigned.zip", Body=zip_of())["VersionId"])

    def start(self, signer: Any, version: str, key: str = "unsigned.zip") -> str:
        source = {"s3": {"bucketName": "mine", "key": key, "version": version}}
        answer = signer.start_signing_job(
            source=source, destination={"s3": {"bucketName": "mine", "prefix": "signed/"}}, profileName="team_profile"
        )
        return str(answer["jobId"])

    def test_signs_a_zip_and_lambda_tells_by_whom(
        self, clients: Clients, server: AwsServer, s3: Any, version: str
    ) -> None:
        signer = clients("signer")
        server.switches.signing_seconds = 60
        job = self.start(signer, version)
        assert signer.describe_signing_job(jobId=job)["status"] == "InProgress"
        server.region(HOME, "eu-west-1").jobs[job]["ready"] = 0
        done = signer.describe_signing_job(jobId=job)
        key = done["signedObject"]["s3"]["key"]
        assert (done["status"], key) == ("Succeeded", f"signed/{job}.zip")
        signed = zipfile.ZipFile(io.BytesIO(s3.get_object(Bucket="mine", Key=key)["Body"].read()))
        assert signed.namelist() == ["python/module0.py", "META_INF/aws_signer_signature_v1.0.SF"]
        content = clients("lambda").publish_layer_version(LayerName="l", Content={"S3Bucket": "mine", "S3Key": key})
        profile = signer.get_signing_profile(profileName="team_profile")
        assert content["Content"]["SigningProfileVersionArn"] == profile["profileVersionArn"]

    def test_fails_for_what_is_signed_or_no_zip(self, clients: Clients, s3: Any, version: str) -> None:
        signer = clients("signer")
        key = signer.describe_signing_job(jobId=self.start(signer, version))["signedObject"]["s3"]["key"]
        signed = s3.head_object(Bucket="mine", Key=key)["VersionId"]
        text = s3.put_object(Bucket="mine", Key="text", Body=b"no zip")["VersionId"]
        for job in (self.start(signer, signed, key), self.start(signer, text, "text")):
            assert signer.describe_signing_job(jobId=job)["status"] == "Failed"

    def test_an_unknown_profile_or_object_is_refused(self, clients: Clients, version: str) -> None:
        signer = clients("signer")
        assert refusal(signer.get_signing_profile, profileName="none")[:2] == (404, "ResourceNotFoundException")
        assert refusal(self.start, signer=signer, version="0")[:2] == (400, "ValidationException")
        assert version
