"""What an adopted layer version is made of, without any network."""

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from layerkit.aws.layer_zip import DownloadFailed, Origin, OtherBytesDownloaded
from layerkit.aws.layers import PublishedVersion
from layerkit.http_errors import AccessDenied, IndexUnreachable
from layerkit.http_range import LinkUnusable
from layerkit.model.arn import LayerVersionArn
from layerkit.model.publishing import UnfitLayerNameError
from layerkit.progress import Silent
from layerkit.publish.adopt import bring, description_of
from layerkit.publish.artifacts import Labels, read_artifact
from tests.aws_server.clients import zip_of

ARN = LayerVersionArn.parse("arn:aws:lambda:eu-west-1:123456789012:layer:tools:7")
LINK = "https://layers.example/tools?X-Amz-Signature=secret"
ZIP = zip_of(5000)


class _Api:
    """Answers for the version with a new link each time."""

    def __init__(self, *links: str) -> None:
        self._links = list(links)

    def version(self, name: str, number: int) -> PublishedVersion:
        assert (name, number) == (ARN.layer, ARN.version)
        return version_of(location=self._links.pop(0))


class _Client:
    """Gives pieces of the zip; a link that is expired works until a position, or not at all."""

    def __init__(self, *, content: bytes = ZIP, ends: dict[str, int] | None = None) -> None:
        self._content = content
        self._ends = ends or {}
        self.asked: list[tuple[str, int]] = []

    def get(self, url: str, *, offset: int = 0) -> Iterator[bytes]:
        self.asked.append((url, offset))
        end = self._ends.get(url, len(self._content))
        for start in range(offset, end, 50):
            yield self._content[start : min(start + 50, end)]
        if url in self._ends:
            raise AccessDenied(url=url, status=403, tried=False)


def version_of(*, description: str = "", location: str | None = LINK, content: bytes = ZIP) -> PublishedVersion:
    return PublishedVersion(
        arn=str(ARN),
        number=7,
        description=description,
        license="MIT",
        runtimes=("python3.12", "python2.7"),
        architectures=("arm64",),
        created=None,
        code_sha256=base64.b64encode(hashlib.sha256(content).digest()).decode(),
        code_size=len(content),
        location=location,
    )


def origin_of(*links: str, description: str = "", location: str | None = LINK) -> Origin:
    version = version_of(description=description, location=location)
    return Origin(arn=ARN, version=version, api=_Api(*links))  # type: ignore[arg-type]


def brought(origin: Origin, folder: Path, client: _Client, *, name: str | None = None) -> object:
    return bring(origin, folder, name=name, client=client, progress=Silent())  # type: ignore[arg-type]


def test_it_is_the_version_as_it_was(tmp_path: Path) -> None:
    artifact = bring(origin_of(), tmp_path, name=None, client=_Client(), progress=Silent())  # type: ignore[arg-type]
    assert artifact.path.read_bytes() == ZIP
    assert (artifact.layer_name, artifact.license) == ("tools", "MIT")
    assert (artifact.runtimes, artifact.architectures) == (("python3.12", "python2.7"), ("arm64",))
    assert artifact.code_sha256 == version_of().code_sha256


def test_its_identity_is_that_of_the_same_zip_when_published(tmp_path: Path) -> None:
    artifact = bring(origin_of(), tmp_path, name=None, client=_Client(), progress=Silent())  # type: ignore[arg-type]
    (tmp_path / "own").mkdir()
    own = tmp_path / "own" / "tools.zip"
    own.write_bytes(ZIP)
    assert artifact.content_digest == read_artifact(own, labels=Labels(), template="{name}").content_digest


def test_another_name_is_taken_as_it_is(tmp_path: Path) -> None:
    artifact = bring(origin_of(), tmp_path, name="our_Tools", client=_Client(), progress=Silent())  # type: ignore[arg-type]
    assert artifact.layer_name == "our_Tools"
    with pytest.raises(UnfitLayerNameError):
        brought(origin_of(), tmp_path, _Client(), name="our.tools")


@pytest.mark.parametrize(
    ("description", "beginning"),
    [
        ("", f"(from {ARN})"),
        ("Tools", f"Tools (from {ARN})"),
        (f"Tools [content {'ab' * 16}]", f"Tools (from {ARN})"),
        ("x" * 256, "x" * (256 - 43 - 1 - len(f"(from {ARN})") - 1) + f"… (from {ARN})"),
        ("日本" * 128, "日本日本"),
    ],
)
def test_the_description_ends_with_origin_and_identity(description: str, beginning: str, tmp_path: Path) -> None:
    origin = origin_of(description=description)
    assert description_of(origin).startswith(beginning)
    artifact = bring(origin, tmp_path, name=None, client=_Client(), progress=Silent())  # type: ignore[arg-type]
    marked = artifact.marked_description
    assert len(marked) <= 256
    assert marked.endswith(f"(from {ARN}) [content {artifact.content_digest[:32]}]")
    assert artifact.is_in(description=marked, code_sha256=None)


def test_the_longest_arn_still_fits() -> None:
    arn = LayerVersionArn.parse(f"arn:aws-us-gov:lambda:us-gov-west-1:123456789012:layer:{'n' * 140}:{'9' * 5}")
    origin = Origin(arn=arn, version=version_of(description="words " * 40), api=_Api())  # type: ignore[arg-type]
    assert len(description_of(origin)) <= 256 - 43
    assert description_of(origin).endswith(f"… (from {arn})")


def test_a_link_that_ends_midway_is_renewed_and_the_rest_fetched(tmp_path: Path) -> None:
    client = _Client(ends={LINK: 100})
    artifact = bring(origin_of(LINK + "2"), tmp_path, name=None, client=client, progress=Silent())  # type: ignore[arg-type]
    assert client.asked == [(LINK, 0), (LINK + "2", 100)]
    assert artifact.path.read_bytes() == ZIP


def test_a_second_link_that_does_not_work_is_the_end_of_it(tmp_path: Path) -> None:
    with pytest.raises(DownloadFailed) as caught:
        brought(origin_of(LINK + "2"), tmp_path, _Client(ends={LINK: 0, LINK + "2": 0}))
    assert "from `layers.example`: the link does not work" in caught.value.message
    assert "secret" not in f"{caught.value.message} {caught.value.hint}"


def test_a_link_that_leads_nowhere_is_told_without_the_link(tmp_path: Path) -> None:
    class Broken(_Client):
        def get(self, url: str, *, offset: int = 0) -> Iterator[bytes]:
            raise IndexUnreachable(url=url, reason=f"no answer at {offset}")

    with pytest.raises(DownloadFailed) as caught:
        brought(origin_of(), tmp_path, Broken())
    assert "secret" not in f"{caught.value.message} {caught.value.hint}"


@pytest.mark.parametrize("location", [None, "", "s3://bucket/key", "file:///etc/passwd"])
def test_only_links_into_the_network_are_followed(location: str | None, tmp_path: Path) -> None:
    client = _Client()
    with pytest.raises(LinkUnusable):
        brought(origin_of(location=location), tmp_path, client)
    assert client.asked == []


@pytest.mark.parametrize("content", [ZIP[:-1], ZIP + b"\0", b"", zip_of(4999)])
def test_other_bytes_are_refused(content: bytes, tmp_path: Path) -> None:
    with pytest.raises(OtherBytesDownloaded) as caught:
        brought(origin_of(), tmp_path, _Client(content=content))
    assert caught.value.exit_code == 4
    assert str(ARN) in caught.value.message
