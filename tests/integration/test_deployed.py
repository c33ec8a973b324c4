"""Deployed functions and layers, audited through the tests' own AWS: what is read, what is found, what it costs."""

import io
import json
import os
import random
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from layerkit.audit.deployed import (
    Deployed,
    ImageFunction,
    MalformedFunctionName,
    audit_all,
    audit_function,
    read_layer_arn,
)
from layerkit.aws import errors
from layerkit.aws.access import Access
from layerkit.aws.layer_zip import NoSuchLayerVersion
from layerkit.aws.sessions import close_sessions
from layerkit.cli.main import main
from layerkit.model.arn import MalformedArnError
from layerkit.progress import Silent
from tests.aws_server import AwsServer, Fault, Kind

HOME, GUEST = "111111111111", "222222222222"
HERE = "eu-west-1"
MIB = 2**20


def packed(*paths: str, **more: bytes) -> bytes:
    """Return a zip of small files, and of others with their content."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as out:
        for path, content in [*((path, path.encode()) for path in paths), *more.items()]:
            entry = zipfile.ZipInfo(path, (2020, 2, 2, 2, 2, 2))
            entry.external_attr = 0o100644 << 16
            out.writestr(entry, content)
    return buffer.getvalue()


def distribution(name: str, version: str = "1.0") -> bytes:
    folder = f"python/{name}-{version}.dist-info"
    record = "".join(f"{path},,\n" for path in (f"{name}/__init__.py", f"{name}-{version}.dist-info/METADATA"))
    return packed(
        f"python/{name}/__init__.py",
        **{
            f"{folder}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
            f"{folder}/WHEEL": b"Wheel-Version: 1.0\nTag: py3-none-any\n",
            f"{folder}/RECORD": record.encode(),
        },
    )


CODE = packed("app.py")


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsServer]:
    with AwsServer(accounts=(HOME, GUEST)) as started:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        for name, value in started.environment(HOME, region=HERE).items():
            monkeypatch.setenv(name, value)
        yield started
        close_sessions()


def deployed(name: str = "app", access: Access | None = None) -> Deployed:
    return audit_function(name, access=access or Access(), progress=Silent())


def every(access: Access | None = None) -> list[Deployed]:
    return list(audit_all(access=access or Access(), progress=Silent()))


def codes(one: Deployed) -> list[str]:
    return [str(finding.code) for finding in one.findings]


class TestFunction:
    def test_its_layers_and_its_code_are_read_in_order(self, server: AwsServer) -> None:
        one = server.seed_layer(
            HOME, HERE, "one", distribution("one"), runtimes=["python3.12"], architectures=["arm64"]
        )
        two = server.seed_layer(GUEST, HERE, "two", distribution("two"), share={"home": HOME})
        server.seed_function(HOME, HERE, "app", CODE, layers=(one, two), architecture="arm64")
        found = deployed()
        assert (found.name, found.runtime, found.architecture, found.findings) == ("app", "python3.12", "arm64", ())
        assert [layer.where for layer in found.stack.layers] == [one, two]
        assert [[each.name for each in layer.distributions] for layer in found.stack.layers] == [["one"], ["two"]]
        first, code = found.stack.layers[0], found.stack.function
        assert (first.name, first.arn, first.runtimes, first.architectures) == ("one", one, ("python3.12",), ("arm64",))
        assert (first.zipped_bytes, first.unzipped_bytes) == sizes(distribution("one"))
        assert code is not None
        assert [file.path for file in code.files] == ["app.py"]
        assert (code.where, code.runtimes, code.architectures) == ("app", ("python3.12",), ("arm64",))

    @pytest.mark.parametrize("name", [f"arn:aws:lambda:us-east-1:{HOME}:function:app", f"{HOME}:function:app"])
    def test_an_arn_says_itself_where_it_is(self, server: AwsServer, name: str) -> None:
        server.seed_function(HOME, "us-east-1", "app", CODE)
        region = None if name.startswith("arn:") else "us-east-1"
        assert deployed(name, Access(region=region)).name == "app"

    def test_what_is_wrong_with_its_layers_is_found(self, server: AwsServer) -> None:
        old = server.seed_layer(HOME, HERE, "old", distribution("old"))
        server.seed_layer(HOME, HERE, "old", distribution("old", "2.0"))
        gone = server.seed_layer(HOME, HERE, "gone", distribution("gone"))
        private = server.seed_layer(GUEST, HERE, "private", distribution("private"))
        far = server.seed_layer(HOME, "us-east-1", "far", distribution("far"))
        layers = (old, gone, private, far)
        server.seed_function(
            HOME, HERE, "app", CODE, layers=layers, runtime="python3.9", environment={"PYTHONPATH": "/v"}
        )
        server.delete_layer(gone)
        found = deployed()
        assert [(finding.code, finding.severity, finding.where) for finding in found.findings] == [
            ("layer.deleted", "error", gone),
            ("layer.denied", "warning", private),
            ("runtime.deprecated", "warning", "app"),
            ("function.pythonpath", "error", "app"),
            ("layer.outdated", "note", old),
            ("layer.region", "error", far),
        ]
        unread = found.stack.layers[1]
        assert (unread.zipped_bytes, unread.unzipped_bytes, unread.files) == (sizes(distribution("gone"))[0], 0, ())

    @pytest.mark.parametrize("operation", ["GetLayerVersion", "GetFunction"])
    def test_an_api_that_fails_fails_the_audit_of_one_function(self, server: AwsServer, operation: str) -> None:
        one = server.seed_layer(HOME, HERE, "one", distribution("one"))
        server.seed_function(HOME, HERE, "app", CODE, layers=(one,))
        server.faults.add(Fault(kind=Kind.TRUNCATE, operation=operation, times=None))
        with pytest.raises(errors.AnswerIncomplete):
            deployed()

    def test_code_that_may_not_be_read_still_leaves_the_layers(self, server: AwsServer) -> None:
        one = server.seed_layer(HOME, HERE, "one", distribution("one"))
        server.seed_function(HOME, HERE, "app", CODE, layers=(one,))
        server.faults.add(Fault(kind=Kind.DENIED, operation="GetFunction"))
        found = deployed()
        assert codes(found) == ["function.unreadable"]
        assert found.stack.layers[0].files
        assert found.stack.function is not None
        assert (found.stack.function.zipped_bytes, found.stack.function.runtimes) == (len(CODE), ("python3.12",))

    def test_a_zip_that_is_none_is_a_finding(self, server: AwsServer) -> None:
        server.seed_function(HOME, HERE, "app", b"this is not a zip")
        assert codes(deployed()) == ["function.unreadable"]

    def test_a_zip_that_cannot_be_downloaded_is_a_finding(self, server: AwsServer) -> None:
        server.seed_function(HOME, HERE, "app", CODE)
        server.faults.add(Fault(kind=Kind.ERROR, service="download", status=501, times=None))
        (finding,) = deployed().findings
        assert (finding.code, finding.severity, "it answered 501" in finding.message) == (
            "function.unreadable",
            "warning",
            True,
        )

    def test_one_of_awss_own_layers_cannot_be_looked_into(self, server: AwsServer) -> None:
        server.seed_function(HOME, HERE, "app", CODE, layers=("arn:aws:lambda:::awslayer:AmazonLinux1803",))
        assert codes(deployed()) == ["layer.denied"]

    def test_images_and_names_that_are_none(self, server: AwsServer) -> None:
        server.seed_function(HOME, HERE, "image", image="111.dkr.ecr/app:1")
        with pytest.raises(ImageFunction):
            deployed("image")
        with pytest.raises(errors.NotThere, match="Function not found"):
            deployed("nobody")
        for name in ("", "a b", "a/b"):
            with pytest.raises(MalformedFunctionName):
                deployed(name)
        with pytest.raises(MalformedArnError):
            deployed("arn:aws:lambda:eu-west-1:1:function:app")

    def test_another_language_has_no_facts(self, server: AwsServer) -> None:
        server.seed_function(HOME, HERE, "app", CODE, runtime="nodejs22.x", environment={"PYTHONPATH": "/v"})
        found = deployed()
        assert (found.runtime, found.findings) == (None, ())

    def test_a_role_of_another_account(self, server: AwsServer) -> None:
        role = server.seed_role(f"arn:aws:iam::{GUEST}:role/audit", trusted=(HOME,))
        server.seed_function(GUEST, HERE, "theirs", CODE)
        assert deployed("theirs", Access(role_arn=role)).name == "theirs"
        with pytest.raises(errors.RoleRefused, match="audit-all"):
            deployed("theirs", Access(role_arn=role + "-all"))


class TestAllFunctions:
    def test_every_function_and_each_layer_read_once(self, server: AwsServer) -> None:
        one = server.seed_layer(HOME, HERE, "one", distribution("one"))
        for number in range(60):
            server.seed_function(HOME, HERE, f"app-{number:02}", CODE, layers=(one,))
        server.seed_function(HOME, HERE, "image", image="111.dkr.ecr/app:1")
        found = every()
        assert [each.name for each in found] == [f"app-{number:02}" for number in range(60)]
        assert all(codes(each) == [] and each.stack.layers[0].distributions for each in found)
        assert len(server.calls_of("GetLayerVersion")) == 1
        assert len(server.calls_of("ListLayerVersions")) == 1
        assert {call.status for call in server.calls} <= {200, 206}

    def test_images_are_told_of_and_left_out(self, server: AwsServer) -> None:
        class Listener(Silent):
            told: list[str] = []  # noqa: RUF012 -- one listener

            def tell(self, text: str) -> None:
                self.told.append(text)

        server.seed_function(HOME, HERE, "image", image="111.dkr.ecr/app:1")
        listener = Listener()
        assert list(audit_all(access=Access(), progress=listener)) == []
        assert listener.told == ["Left out 1 function: container images have no layers"]

    def test_it_keeps_to_lambdas_rate(self, server: AwsServer) -> None:
        """Forty layers and their newest versions are more calls than one second allows; none is refused."""
        layers = [server.seed_layer(HOME, HERE, f"layer-{number}", distribution("x")) for number in range(40)]
        for number, arn in enumerate(layers):
            server.seed_function(HOME, HERE, f"app-{number}", CODE, layers=(arn,))
        assert len(every()) == 40
        assert [call for call in server.calls if call.status not in {200, 206}] == []

    def test_trouble_with_one_function_does_not_stop_the_others(self, server: AwsServer, monkeypatch: Any) -> None:
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
        layers = [server.seed_layer(HOME, HERE, f"layer-{number}", distribution("x")) for number in range(3)]
        for number, arn in enumerate(layers):
            server.seed_function(HOME, HERE, f"app-{number}", CODE, layers=(arn,))
        server.faults.add(Fault(kind=Kind.THROTTLE, operation="GetLayerVersion"))
        found = every()
        assert len(found) == 3
        assert sorted(code for each in found for code in codes(each)) == ["layer.unreadable"]

    def test_credentials_that_end_stop_everything(self, server: AwsServer) -> None:
        server.seed_function(HOME, HERE, "app", CODE)
        server.faults.add(Fault(kind=Kind.EXPIRED, operation="GetFunction", times=None))
        with pytest.raises(errors.CredentialsExpired):
            every()


class TestLayerArn:
    def test_a_version_by_its_arn_wherever_it_is(self, server: AwsServer) -> None:
        arn = server.seed_layer(HOME, "us-east-1", "one", distribution("one"), runtimes=["python3.12"])
        found = read_layer_arn(arn, access=Access(region="eu-central-1"))
        assert (found.where, found.name, found.runtimes) == (arn, "one", ("python3.12",))
        assert (found.zipped_bytes, found.unzipped_bytes) == sizes(distribution("one"))

    def test_what_is_not_there_or_not_shared(self, server: AwsServer) -> None:
        arn = f"arn:aws:lambda:{HERE}:{HOME}:layer:one:1"
        with pytest.raises(NoSuchLayerVersion):
            read_layer_arn(arn, access=Access())
        private = server.seed_layer(GUEST, HERE, "private", distribution("private"))
        with pytest.raises(errors.ActionDenied, match="lambda:GetLayerVersion"):
            read_layer_arn(private, access=Access())

    @pytest.mark.parametrize("kind", [Kind.RESET_AFTER, Kind.TRUNCATE, Kind.ERROR])
    def test_a_download_that_breaks_off_goes_on(self, server: AwsServer, kind: Kind) -> None:
        arn = server.seed_layer(HOME, HERE, "one", distribution("one"))
        server.faults.add(Fault(kind=kind, service="download", status=503))
        assert read_layer_arn(arn, access=Access()).distributions

    def test_an_answer_that_is_cut_short_is_asked_for_again(self, server: AwsServer) -> None:
        arn = server.seed_layer(HOME, HERE, "one", distribution("one"))
        server.faults.add(Fault(kind=Kind.TRUNCATE, operation="GetLayerVersion"))
        assert read_layer_arn(arn, access=Access()).distributions

    def test_a_link_that_expires_meanwhile_is_replaced(self, server: AwsServer) -> None:
        server.switches.download_seconds = 0

        def last_longer() -> None:
            server.switches.download_seconds = 600

        arn = server.seed_layer(HOME, HERE, "one", distribution("one"))
        server.faults.add(Fault(kind=Kind.SLOW, operation="Download", then=last_longer))
        assert read_layer_arn(arn, access=Access()).distributions
        assert [call.status for call in server.calls_of("Download")] == [403, 206]

    def test_a_hundred_megabytes_cost_some_hundred_kilobytes(self, server: AwsServer) -> None:
        """A layer as large as they come, with 5,000 files, read by its directory alone."""
        paths = [f"python/lib/package{number % 40}/module{number}/__init__.py" for number in range(5000)]
        noise = random.Random(4).randbytes(5 * MIB)  # noqa: S311 -- noise, not secrets
        heavy = {f"python/heavy/data{number}.bin": noise for number in range(20)}
        folder = "python/heavy-1.0.dist-info"
        metadata = {
            f"{folder}/METADATA": b"Metadata-Version: 2.1\nName: heavy\nVersion: 1.0\n",
            f"{folder}/WHEEL": b"Wheel-Version: 1.0\nTag: py3-none-any\n",
            f"{folder}/RECORD": "".join(f"{path.removeprefix('python/')},,\n" for path in heavy).encode(),
        }
        content = packed(*paths, **heavy, **metadata)
        assert len(content) > 100 * MIB
        arn = server.seed_layer(HOME, HERE, "heavy", content)
        found = read_layer_arn(arn, access=Access())
        assert (found.zipped_bytes, found.unzipped_bytes) == sizes(content)
        assert [each.name for each in found.distributions] == ["heavy"]
        downloads = server.calls_of("Download")
        assert sum(call.sent for call in downloads) < 900_000
        assert all(call.range is not None and call.method == "GET" for call in downloads)


def test_the_command_line_tells_it_all(server: AwsServer, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    gone = server.seed_layer(HOME, HERE, "gone", distribution("gone"))
    server.seed_function(HOME, HERE, "app", CODE, layers=(gone,))
    server.delete_layer(gone)
    arguments = ["audit", "--function-name", "app", "--json", "--cache-dir", str(tmp_path)]
    assert main(arguments) == 1
    shape = json.loads(capsys.readouterr().out)
    assert ("layer.deleted", gone) in [(finding["code"], finding["where"]) for finding in shape["findings"]]
    assert shape["stack"]["paths"] == [gone, "app"]


def sizes(content: bytes) -> tuple[int, int]:
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        return len(content), sum(entry.file_size for entry in opened.infolist())
