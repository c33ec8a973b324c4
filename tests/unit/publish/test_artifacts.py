"""What is published is read from zips and manifests, and what Lambda would refuse is refused here."""

import base64
import hashlib
import zipfile
from pathlib import Path

import pytest

from layerkit.errors import UnknownArchitectureError, UnknownRuntimeError
from layerkit.model.identity import content_digest
from layerkit.publish.artifacts import Labels, TooLargeForLambda, UnpublishableFile, read_artifact, read_artifacts
from tests.builders import RawEntry, raw_zip
from tests.publishing import make_zip, write_manifest

TEMPLATE = "{name}-{runtime}-{architecture}"


def test_a_zip_with_its_manifest(tmp_path: Path) -> None:
    zip_path = make_zip(tmp_path, "web")
    manifest = write_manifest(zip_path, license="Apache-2.0")
    found = read_artifact(zip_path, labels=Labels(), template=TEMPLATE)
    assert found == read_artifact(manifest, labels=Labels(), template=TEMPLATE)
    assert (found.name, found.layer_name, found.path) == ("web", "web-python312-x86_64", zip_path)
    assert (found.license, found.runtimes, found.architectures) == ("Apache-2.0", ("python3.12",), ("x86_64",))
    assert found.code_sha256 == base64.b64encode(hashlib.sha256(zip_path.read_bytes()).digest()).decode()
    assert (found.zipped_bytes, found.unzipped_bytes) == (zip_path.stat().st_size, 20)


def test_a_zip_alone_goes_by_its_files_and_what_is_said_of_it(tmp_path: Path) -> None:
    zip_path = make_zip(tmp_path, "web")
    found = read_artifact(zip_path, labels=Labels(name="mine", runtimes=("java21",)), template=TEMPLATE)
    assert (found.name, found.layer_name, found.runtimes) == ("mine", "mine", ("java21",))
    with zipfile.ZipFile(zip_path) as opened:
        content = opened.read("python/web.py")
    identity = content_digest([("python/web.py", 0o644, hashlib.sha256(content).hexdigest())])
    assert f"sha256:{found.content_digest}" == identity


def test_labels_go_before_the_manifest(tmp_path: Path) -> None:
    zip_path = make_zip(tmp_path, "web")
    write_manifest(zip_path)
    labels = Labels(name="other", runtimes=("python3.13",), architectures=("arm64",))
    assert read_artifact(zip_path, labels=labels, template=TEMPLATE).layer_name == "other-python313-arm64"


def test_two_layers_of_one_name_are_refused_and_one_named_twice_is_one(tmp_path: Path) -> None:
    one, two = make_zip(tmp_path, "one"), make_zip(tmp_path, "two")
    assert len(read_artifacts((one, one), labels=Labels(), template=TEMPLATE)) == 1
    with pytest.raises(UnpublishableFile, match=r"it would be `same`, and so would"):
        read_artifacts((one, two), labels=Labels(name="same"), template=TEMPLATE)


@pytest.mark.parametrize(
    "changes",
    [
        {"content_digest": "sha256:short"},
        {"content_digest": 1},
        {"name": None},
        {"sha256": None},
        {"compatible_runtimes": "python3.12"},
        {"compatible_runtimes": [1]},
        {"compatible_architectures": {"x86_64": 1}},
        {"license": ["MIT"]},
        {"name": float("nan")},
    ],
)
def test_manifests_that_say_nothing_sensible(changes: dict[str, object], tmp_path: Path) -> None:
    zip_path = make_zip(tmp_path, "web")
    write_manifest(zip_path, **changes)
    with pytest.raises(UnpublishableFile, match="it is no manifest of a layer"):
        read_artifact(zip_path, labels=Labels(), template=TEMPLATE)


def test_a_zip_that_changed_since_its_manifest(tmp_path: Path) -> None:
    zip_path = make_zip(tmp_path, "web")
    write_manifest(zip_path)
    make_zip(tmp_path, "web", seed=1)
    with pytest.raises(UnpublishableFile, match="it has changed since its manifest was written"):
        read_artifact(zip_path, labels=Labels(), template=TEMPLATE)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"text",
        raw_zip(),
        raw_zip(RawEntry(raw=b"\xff\xff\xff")),
        raw_zip(RawEntry(flags=1)),
        raw_zip(RawEntry(name=b"../a")),
        raw_zip(RawEntry(crc32=1)),
    ],
)
def test_files_that_are_no_layer(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(UnpublishableFile):
        read_artifact(tmp_path / "x.zip", labels=Labels(), template=TEMPLATE)


def test_a_zip_that_only_says_that_it_is_too_large(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(raw_zip(RawEntry(unzipped_bytes=262_144_000)))
    with pytest.raises(TooLargeForLambda, match="262,144,000 bytes unzipped"):
        read_artifact(tmp_path / "x.zip", labels=Labels(), template=TEMPLATE)


def test_a_foreign_zip_may_hold_links(tmp_path: Path) -> None:
    """Lambda unpacks them; a link is another layer than a file that holds the path."""
    found = []
    for kind in (0o120000, 0o100000):
        content = raw_zip(
            RawEntry(),
            RawEntry(name=b"lib/", content=b"", method=0),
            RawEntry(name=b"b", attributes=(kind | 0o777) << 16),
        )
        (tmp_path / "x.zip").write_bytes(content)
        found.append(read_artifact(tmp_path / "x.zip", labels=Labels(), template=TEMPLATE).content_digest)
    assert found[0] != found[1]


def test_runtimes_and_architectures_that_lambda_does_not_have(tmp_path: Path) -> None:
    zip_path = make_zip(tmp_path, "web")
    for runtime in ("python3.5", "provided.al9", "cobol", ""):
        with pytest.raises(UnknownRuntimeError):
            read_artifact(zip_path, labels=Labels(runtimes=(runtime,)), template=TEMPLATE)
    for runtime in ("nodejs22.x", "java8.al2", "dotnet8", "ruby3.4", "go1.x", "provided.al2023", "custom"):
        read_artifact(zip_path, labels=Labels(runtimes=(runtime,)), template=TEMPLATE)
    with pytest.raises(UnknownArchitectureError):
        read_artifact(zip_path, labels=Labels(architectures=("aarch64",)), template=TEMPLATE)
