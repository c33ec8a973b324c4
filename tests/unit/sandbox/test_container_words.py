"""What engines and registries say, and what is made of it."""

import contextlib
import errno
from collections.abc import Iterator
from typing import Any

import pytest

from layerkit.progress import Silent, Task
from layerkit.sandbox.container_errors import (
    DiskFull,
    EmulationMissing,
    EngineError,
    EngineLost,
    EngineRefused,
    ImageForOther,
    ImageMissing,
    NetworkMissing,
    OutOfMemory,
    RegistryLimit,
    RegistryUnreachable,
    RegistryWantsLogin,
)
from layerkit.sandbox.container_failures import after_failure, from_foreign, from_refusal, root_of
from layerkit.sandbox.container_output import Deadline, Output, frames
from layerkit.sandbox.container_pull import follow, why_not
from layerkit.sandbox.container_spec import ContainerSpec, Image, creation
from layerkit.sandbox.process import Completed

FACTS = {"MemoryLimit": True, "SwapLimit": True, "PidsLimit": True, "MemTotal": 1000}
IMAGE = Image(identity="sha256:1", machine="x86_64", pulled=False)
SPEC = ContainerSpec(image="some/image:1")


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("manifest for quay.io/pypa/x:1 not found: manifest unknown: manifest unknown", ImageMissing),
        ("pull access denied for x, repository does not exist or may require 'docker login': denied", ImageMissing),
        (
            "errors:\ndenied: requested access to the resource is denied\nunauthorized: authentication required",
            RegistryWantsLogin,
        ),
        ("unauthorized: access to the requested resource is not authorized", RegistryWantsLogin),
        (
            "Head https://registry/v2/x: denied: Your authorization token has expired. Reauthenticate",
            RegistryWantsLogin,
        ),
        ('Get "https://quay.io/v2/": dial tcp: lookup quay.io on 10.0.0.1:53: no such host', RegistryUnreachable),
        ('Get "https://quay.io/v2/": x509: certificate signed by unknown authority', RegistryUnreachable),
        ("net/http: request canceled while waiting for connection (Client.Timeout exceeded)", RegistryUnreachable),
        ("no matching manifest for linux/arm64/v8 in the manifest list entries", ImageForOther),
        ("image with reference x was found but does not match the specified platform", ImageForOther),
        ("toomanyrequests: You have reached your pull rate limit", RegistryLimit),
        ("write /var/lib/docker/tmp/x: no space left on device", DiskFull),
    ],
)
def test_a_failed_pull_is_understood(said: str, kind: type[EngineError]) -> None:
    error = why_not(said, image="quay.io/x", platform="linux/arm64")
    assert type(error) is kind
    assert "quay.io/x" in error.message
    assert error.hint
    assert error.exit_code == 5


def test_docker_login_is_told_with_the_registry_if_it_is_not_dockers_own() -> None:
    assert "`docker login ghcr.io`" in (why_not("unauthorized", image="ghcr.io/a/b", platform=None).hint or "")
    assert "`docker login`" in (why_not("unauthorized", image="a/b", platform=None).hint or "")


class Bars:
    def __init__(self) -> None:
        self.totals: list[tuple[str, int | None]] = []
        self.advanced = 0
        self.open = 0

    @contextlib.contextmanager
    def task(self, description: str, *, total: int | None, unit: str) -> Iterator[Task]:
        assert unit == "B"
        self.totals.append((description, total))
        self.open += 1
        yield self
        self.open -= 1

    def advance(self, amount: int) -> None:
        self.advanced += amount

    def tell(self, text: str) -> None:
        raise AssertionError(text)


def test_each_layer_has_a_bar_that_ends() -> None:
    bars = Bars()
    events: list[dict[str, Any]] = [
        {"status": "Pulling from x", "id": "latest"},
        {"status": "Downloading", "id": "aa", "progressDetail": {"current": 10, "total": 100}},
        {"status": "Downloading", "id": "bb", "progressDetail": {"current": 5, "total": 50}},
        {"status": "Downloading", "id": "aa", "progressDetail": {"current": 100, "total": 100}},
        {"status": "Extracting", "id": "aa", "progressDetail": {"current": 7, "total": 100}},
        {"status": "Downloading", "id": "cc", "progressDetail": {}},
        {"status": "Digest: sha256:…"},
    ]
    follow(events, image="x", platform=None, progress=bars)
    assert bars.totals == [("layer aa", 100), ("layer bb", 50)]
    assert (bars.advanced, bars.open) == (105, 0)


def test_an_error_among_the_events_ends_the_pull() -> None:
    with pytest.raises(ImageMissing):
        follow([{"error": "manifest unknown"}], image="x", platform=None, progress=Silent())


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("network nonet not found", NetworkMissing),
        ("OCI runtime create failed: exec /bin/sh: exec format error", EmulationMissing),
        ("mkdir /var/lib/docker/x: no space left on device", DiskFull),
        ("something else", EngineRefused),
    ],
)
def test_a_refused_start_is_understood(said: str, kind: type[EngineError]) -> None:
    assert type(from_refusal(said, doing="starting", spec=SPEC, image=IMAGE)) is kind


def test_only_what_comes_from_the_transport_is_taken_for_a_lost_engine() -> None:
    assert isinstance(from_foreign(ConnectionResetError(errno.ECONNRESET, "reset"), doing="x"), EngineLost)
    assert from_foreign(KeyError("bug"), doing="x") is None
    assert from_foreign(EngineLost(doing="x", reason="y"), doing="x") is None


def test_the_operating_systems_own_error_is_found_behind_the_others() -> None:
    inner = PermissionError(errno.EACCES, "Permission denied")
    outer = RuntimeError("Error while fetching server API version", OSError("aborted", inner))
    assert root_of(outer) is inner
    alone = RuntimeError("x")
    alone.__context__ = alone
    assert root_of(alone) is alone


def test_a_failed_program_is_the_engines_fault_only_where_it_is() -> None:
    done = Completed(status=1, stdout="", stderr="gcc: No space left on device\n")
    assert isinstance(after_failure(["x"], done, memory=None, out_of_memory=False), DiskFull)
    plain = Completed(status=137, stdout="a\nb\n", stderr="")
    assert isinstance(after_failure(["x"], plain, memory=1 << 20, out_of_memory=True), OutOfMemory)
    assert after_failure(["x"], plain, memory=None, out_of_memory=False) is None


class Bytes:
    """Gives bytes in small pieces, then nothing, or nothing for too long."""

    def __init__(self, content: bytes, *, size: int = 3, hangs: bool = False) -> None:
        self.content, self.size, self.hangs = content, size, hangs

    def receive(self, size: int, *, patience: float | None) -> bytes:
        if not self.content and self.hangs:
            assert patience is not None
            raise TimeoutError
        piece, self.content = self.content[: min(size, self.size)], self.content[min(size, self.size) :]
        return piece


def frame(stream: int, content: bytes) -> bytes:
    return bytes([stream, 0, 0, 0]) + len(content).to_bytes(4, "big") + content


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_both_streams_are_taken_apart_and_no_character_is_torn(size: int) -> None:
    heard: list[str] = []
    output = Output(heard.append)
    source = Bytes(
        frame(1, "ü".encode()[:1]) + frame(2, b"err") + frame(1, "ü".encode()[1:] + b"\xff") + frame(1, b""), size=size
    )
    for stream, piece in frames(source, Deadline(None)):
        output.take(stream, piece)
    output.finish()
    done = output.completed(3)
    assert (done.status, done.stdout, done.stderr) == (3, "ü\ufffd", "err")
    assert sorted("".join(heard)) == sorted("ü\ufffderr")


@pytest.mark.parametrize("kept", [3, 8, 10])
def test_a_connection_that_breaks_within_a_frame_is_no_end(kept: int) -> None:
    with pytest.raises(ConnectionResetError):
        list(frames(Bytes(frame(1, b"hello")[:kept]), Deadline(None)))


def test_a_silent_program_runs_out_of_time() -> None:
    with pytest.raises(TimeoutError):
        list(frames(Bytes(b"", hangs=True), Deadline(0.1)))


@pytest.mark.parametrize(
    ("image", "repository", "tag"),
    [
        ("python", "python", "latest"),
        ("python:3.13", "python", "3.13"),
        ("host:5000/a/b", "host:5000/a/b", "latest"),
        ("host:5000/a/b:1", "host:5000/a/b", "1"),
        ("quay.io/a/b@sha256:00", "quay.io/a/b@sha256:00", None),
        ("quay.io/a/b:1@sha256:00", "quay.io/a/b:1@sha256:00", None),
    ],
)
def test_an_images_name_is_split_as_docker_does(image: str, repository: str, tag: str | None) -> None:
    spec = ContainerSpec(image=image)
    assert (spec.repository, spec.tag) == (repository, tag)


def test_an_image_is_known_by_its_digest_and_pulled_again_only_for_another_platform() -> None:
    digests = ["other/name@sha256:22", "quay.io/a/b@sha256:11"]
    image = Image.from_inspect("quay.io/a/b:1", {"Id": "sha256:33", "RepoDigests": digests, "Architecture": "arm64"})
    assert image.identity == "quay.io/a/b@sha256:11"
    assert image.machine == "aarch64"
    assert image.serves("linux/arm64")
    assert image.serves(None)
    assert not image.serves("linux/amd64")


def test_an_imported_image_is_trusted_whatever_it_is_marked_as() -> None:
    image = Image.from_inspect("mine", {"Id": "sha256:33", "RepoDigests": [], "Architecture": "amd64"})
    assert image.identity == "sha256:33"
    assert image.serves("linux/arm64")
    assert not image.is_marked("linux/arm64")


def test_limits_are_asked_for_where_the_engine_can_keep_them() -> None:
    made = creation(SPEC, IMAGE, facts=FACTS, labels={})
    host = made.config["HostConfig"]
    assert (host["Memory"], host["MemorySwap"], host["PidsLimit"]) == (800, 800, SPEC.processes)
    assert made.unlimited == ()
    bare = creation(SPEC, IMAGE, facts={}, labels={})
    assert not {"Memory", "MemorySwap", "PidsLimit"} & set(bare.config["HostConfig"])
    assert bare.unlimited == ("memory", "processes")


def test_tmp_and_shared_memory_are_as_they_are_wanted() -> None:
    """Without a word the engine's own stand."""
    plain = creation(SPEC, IMAGE, facts=FACTS, labels={}).config["HostConfig"]
    assert (list(plain["Tmpfs"]), "IpcMode" in plain) == (["/run/layerkit"], False)
    spec = ContainerSpec(image="x", tmp=512 << 20, shared_memory=False)
    host = creation(spec, IMAGE, facts=FACTS, labels={}).config["HostConfig"]
    assert host["Tmpfs"].popitem()[1].split(",")[-2:] == ["mode=1777", "size=536870912"]
    assert host["IpcMode"] == "none"


def test_nothing_is_mounted_but_memory_and_the_network_is_left_to_the_engine() -> None:
    host = creation(SPEC, IMAGE, facts=FACTS, labels={}).config["HostConfig"]
    assert not {"Binds", "Mounts", "NetworkMode", "Privileged", "VolumesFrom"} & set(host)
    assert list(host["Tmpfs"]) == ["/run/layerkit"]
    assert host["CapDrop"] == ["ALL"]
    named = creation(ContainerSpec(image="x", network="host"), IMAGE, facts=FACTS, labels={})
    assert named.config["HostConfig"]["NetworkMode"] == "host"
