"""Functions invoked with layers by others: zips, folders, versions in AWS; and those that do not fit."""

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from layerkit.aws import errors
from layerkit.aws.layer_zip import DownloadFailed, LayerVersionDenied, NoSuchLayerVersion, OtherBytesDownloaded
from layerkit.aws.sessions import close_sessions
from layerkit.cache import Cache
from layerkit.progress import Silent
from layerkit.rehearsal_arn import VersionNotCached
from layerkit.rehearsal_layers import Layer, read_layers
from tests.aws_server import AwsServer, Fault, Kind
from tests.aws_server.blobs import Blob
from tests.elf_builder import AARCH64, make_elf
from tests.interpreters import find_python
from tests.workbench import call

HOME, GUEST = "111111111111", "222222222222"
HERE = "eu-west-1"
PUBLIC = {"everybody": "*"}


def zip_of(files: Mapping[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in files.items():
            out.writestr(name, content)
    return buffer.getvalue()


SHARED = zip_of({"python/shared.py": "WHERE = 'in AWS'\n"})


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsServer]:
    with AwsServer(accounts=(HOME, GUEST), throttle=False) as started:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            monkeypatch.delenv(name)
        for name, value in started.environment(HOME, region="eu-central-1").items():
            monkeypatch.setenv(name, value)
        yield started
        close_sessions()


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


class TestVersions:
    """Layer versions in AWS, fetched from a strict server on this machine."""

    def read(self, arn: str, cache: Cache, *, offline: bool = False) -> Layer:
        (layer,) = read_layers([arn], cache=cache, progress=Silent(), offline=offline)
        return layer

    def test_a_version_is_fetched_from_its_own_region(self, server: AwsServer, cache: Cache) -> None:
        arn = server.seed_layer(GUEST, "us-east-1", "theirs", SHARED, runtimes=["python3.12"], share=PUBLIC)
        layer = self.read(arn, cache)
        assert (layer.name, layer.runtimes) == ("theirs:1", ("python3.12",))
        assert layer.path.read_bytes() == SHARED
        assert {call.region for call in server.calls} == {"us-east-1"}

    def test_it_is_downloaded_once(self, server: AwsServer, cache: Cache) -> None:
        arn = server.seed_layer(HOME, HERE, "mine", SHARED)
        assert self.read(arn, cache) == self.read(arn, cache)
        assert [len(server.calls_of(name)) for name in ("GetLayerVersion", "Download")] == [2, 1]

    def test_the_same_zip_under_another_number_is_not_downloaded_again(self, server: AwsServer, cache: Cache) -> None:
        arns = [server.seed_layer(HOME, HERE, "mine", SHARED) for _ in range(2)]
        first, second = (self.read(arn, cache) for arn in arns)
        assert (first.path, first.name, second.name) == (second.path, "mine:1", "mine:2")
        assert len(server.calls_of("Download")) == 1

    def test_offline_nobody_is_asked_about_what_is_known(
        self, server: AwsServer, cache: Cache, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        arn = server.seed_layer(HOME, HERE, "mine", SHARED, runtimes=["python3.12"])
        with pytest.raises(VersionNotCached):
            self.read(arn, cache, offline=True)
        known = self.read(arn, cache)
        calls = len(server.calls)
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        assert self.read(arn, cache, offline=True) == known
        assert len(server.calls) == calls

    def test_a_zip_that_was_damaged_in_the_cache_is_fetched_anew(self, server: AwsServer, cache: Cache) -> None:
        arn = server.seed_layer(HOME, HERE, "mine", SHARED)
        path = self.read(arn, cache).path
        path.write_bytes(b"damaged")
        assert self.read(arn, cache).path.read_bytes() == SHARED
        path.write_bytes(b"damaged")
        with pytest.raises(VersionNotCached):
            self.read(arn, cache, offline=True)

    @pytest.mark.parametrize("kind", [Kind.ERROR, Kind.RESET_BEFORE, Kind.TRUNCATE])
    def test_a_download_that_breaks_off_goes_on(self, server: AwsServer, cache: Cache, kind: Kind) -> None:
        arn = server.seed_layer(HOME, HERE, "mine", SHARED)
        server.faults.add(Fault(kind=kind, operation="Download"))
        assert self.read(arn, cache).path.read_bytes() == SHARED

    def test_other_bytes_are_refused_and_not_kept(self, server: AwsServer, cache: Cache) -> None:
        arn = server.seed_layer(HOME, HERE, "mine", SHARED)

        def swap() -> None:
            for link, found in server.state.downloads.items():
                server.state.downloads[link] = replace(found, blob=Blob(SHARED + b"\0"))

        server.faults.add(Fault(kind=Kind.SLOW, operation="GetLayerVersion", then=swap))
        with pytest.raises(OtherBytesDownloaded):
            self.read(arn, cache)
        assert [path for path in cache.root.rglob("*") if path.is_file()] == []

    def test_a_link_that_never_works_is_told_without_it(self, server: AwsServer, cache: Cache) -> None:
        server.switches.download_seconds = -1
        with pytest.raises(DownloadFailed, match="the link does not work") as error:
            self.read(server.seed_layer(HOME, HERE, "mine", SHARED), cache)
        assert "X-Amz" not in error.value.message

    def test_a_version_that_is_gone(self, server: AwsServer, cache: Cache) -> None:
        arn = server.seed_layer(HOME, HERE, "mine", SHARED)
        server.delete_layer(arn)
        with pytest.raises(NoSuchLayerVersion, match="is not there") as error:
            self.read(arn, cache)
        assert error.value.exit_code == 7

    @pytest.mark.parametrize("region", [HERE, "us-east-1"])
    def test_others_layers_that_are_not_shared_or_not_in_the_region_look_alike(
        self, server: AwsServer, cache: Cache, region: str
    ) -> None:
        server.seed_layer(GUEST, HERE, "theirs", SHARED)
        with pytest.raises(LayerVersionDenied, match="AWS denied `lambda:GetLayerVersion`") as error:
            self.read(f"arn:aws:lambda:{region}:{GUEST}:layer:theirs:1", cache)
        assert error.value.exit_code == 7
        assert "check its account, region and version" in str(error.value.hint)

    def test_a_region_that_is_none(self, server: AwsServer, cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
        del server
        monkeypatch.delenv("AWS_ENDPOINT_URL")
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
        with pytest.raises((errors.NoSuchRegion, errors.NotConnected)) as error:
            self.read(f"arn:aws:lambda:xx-nowhere-1:{HOME}:layer:mine:1", cache)
        assert error.value.exit_code == 7

    def test_without_credentials(self, server: AwsServer, cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
        arn = server.seed_layer(HOME, HERE, "mine", SHARED)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)
        monkeypatch.setenv("HOME", str(cache.root))
        with pytest.raises(errors.NoCredentials) as error:
            self.read(arn, cache)
        assert error.value.exit_code == 7


Invoke = Callable[..., tuple[int, Any, str]]
CODE = """
import os, sys, shared
def handler(event, context):
    return [shared.WHERE, oct(os.stat("/opt/bin/run").st_mode & 0o777) if os.path.exists("/opt/bin/run") else None]
"""


@pytest.fixture(scope="session")
def common(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Share what the runtime brings itself: it is fetched once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def invoke(tmp_path: Path, common: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Invoke:
    """Return how to invoke the function above: exit code, answer and the words on stderr come back."""
    if not find_python("3.12"):
        pytest.skip("needs Python 3.12")
    monkeypatch.delenv("PIP_CONFIG_FILE")  # where this machine's index is
    monkeypatch.chdir(tmp_path)
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "app.py").write_text(CODE)

    def run(*options: str | Path, runtime: str = "python3.12") -> tuple[int, Any, str]:
        chosen = ("--runtime", runtime) if runtime else ()
        code = call("invoke", "app.handler", "--code", "code", "--cache-dir", common, *chosen, *options)
        printed = capfd.readouterr()
        return code, json.loads(printed.out) if printed.out else None, printed.err

    return run


def folder_of(path: Path, files: Mapping[str, str]) -> Path:
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(content)
    return path


@pytest.mark.interpreter
@pytest.mark.network
class TestInvoked:
    """Functions that see what they should at ``/opt``."""

    def test_a_folder_is_what_it_is_at_every_run(self, way: str, invoke: Invoke, tmp_path: Path) -> None:
        del way
        layer = folder_of(tmp_path / "layer", {"python/shared.py": "WHERE = 1\n"})
        assert invoke("--layer", layer)[:2] == (0, [1, None])
        (layer / "python" / "shared.py").write_text("WHERE = 22\n")
        assert invoke("--layer", layer)[:2] == (0, [22, None])
        assert [path.name for path in (layer / "python").iterdir()] == ["shared.py"]

    def test_zips_and_folders_are_merged_in_their_order(self, way: str, invoke: Invoke, tmp_path: Path) -> None:
        folder = folder_of(tmp_path / "layer", {"python/shared.py": "WHERE = 'folder'\n", "bin/run": ""})
        (folder / "bin" / "run").chmod(0o755)
        (tmp_path / "a.zip").write_bytes(SHARED)
        mode = "0o755" if way == "namespaces" else None  # else there is no /opt
        assert invoke("--layer", folder, "--layer", "a.zip")[:2] == (0, ["in AWS", mode])
        assert invoke("--layer", "a.zip", "--layer", folder)[:2] == (0, ["folder", mode])

    def test_a_version_in_aws_is_a_layer_like_any_other(self, server: AwsServer, invoke: Invoke) -> None:
        arn = server.seed_layer(GUEST, HERE, "theirs", SHARED, runtimes=["python3.12"], share=PUBLIC)
        assert invoke("--layer", arn, runtime="")[:2] == (0, ["in AWS", None])
        assert invoke("--layer", arn, "--offline", runtime="")[:2] == (0, ["in AWS", None])
        assert [len(server.calls_of(name)) for name in ("GetLayerVersion", "Download")] == [1, 1]

    def test_a_misfit_is_refused_and_tried_by_force(self, invoke: Invoke, tmp_path: Path) -> None:
        name = "python/fast/core.cpython-311-aarch64-linux-gnu.so"
        content = zip_of({"python/shared.py": "WHERE = 'slow'\n", name: make_elf(machine=AARCH64)})
        (tmp_path / "a.zip").write_bytes(content)
        code, answer, said = invoke("--layer", "a.zip")
        assert (code, answer) == (6, None)
        assert f"`a.zip`: `{name}` is for Python 3.11, not for python3.12" in said
        assert f"`a.zip`: `{name}` is for arm64, not for x86_64" in said
        assert invoke("--layer", "a.zip", "--force")[:2] == (0, ["slow", None])

    def test_a_manifest_is_believed_without_a_look(self, invoke: Invoke, tmp_path: Path) -> None:
        name = "python/fast/core.cpython-311-x86_64-linux-gnu.so"
        content = zip_of({"python/shared.py": "WHERE = 'described'\n", name: b""})
        (tmp_path / "a.zip").write_bytes(content)
        said = {"sha256": hashlib.sha256(content).hexdigest(), "compatible_runtimes": ["python3.12"]}
        (tmp_path / "a.layer.json").write_text(json.dumps({"version": 1, "layers": [said]}))
        assert invoke("--layer", "a.zip")[:2] == (0, ["described", None])
