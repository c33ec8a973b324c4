"""From what the user names to contents."""

import json
import tarfile
from pathlib import Path

import pytest

from layerkit.audit.folder_source import UnreadableFolder, read_folder
from layerkit.audit.sources import read_source
from layerkit.audit.zip_source import UnreadableLayer
from layerkit.cache import Cache
from layerkit.errors import LayerkitError
from layerkit.files import sha256_of
from layerkit.model.contents import Contents
from layerkit.model.finding import Code, Severity
from tests.unit.audit.test_zip_source import wheel_like, zipped


def read(path: Path, *, deep: bool = True) -> Contents:
    return read_source(path, where=str(path), deep=deep, cache=Cache(path.parent / "cache"))


def unpacked(folder: Path) -> Path:
    for name, content in wheel_like().items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def with_manifest(folder: Path, **changes: object) -> Path:
    path = folder / "demo.zip"
    path.write_bytes(zipped(wheel_like()))
    layer = {
        "name": "demo",
        "sha256": sha256_of(path).hex(),
        "compatible_runtimes": ["python3.12"],
        "compatible_architectures": ["x86_64"],
        **changes,
    }
    (folder / "demo.layer.json").write_text(json.dumps({"version": 1, "layers": [layer]}), encoding="utf-8")
    return path


def test_a_folder_holds_what_its_zip_holds(tmp_path: Path) -> None:
    path = tmp_path / "demo.zip"
    path.write_bytes(zipped(wheel_like()))
    folder, archive = read(unpacked(tmp_path / "demo")), read(path)
    assert folder.zipped_bytes is None
    assert {(file.path, file.crc32, file.owner, file.kind) for file in folder.files} == {
        (file.path, file.crc32, file.owner, file.kind) for file in archive.files
    }
    assert folder.distributions == archive.distributions
    assert folder.insides is not None
    assert archive.insides is not None
    assert folder.insides.binaries == archive.insides.binaries


def test_links_in_a_folder_are_told_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "layer" / "lib").mkdir(parents=True)
    (tmp_path / "layer" / "lib" / "around").symlink_to("..")
    (tmp_path / "layer" / "away").symlink_to(tmp_path)
    contents = read(tmp_path / "layer")
    assert {file.path for file in contents.files} == {"lib/around", "away"}
    assert (Code.ZIP_SYMLINK, Severity.WARNING) in {(each.code, each.severity) for each in contents.findings}


def test_a_manifest_beside_a_zip_tells_more_about_it(tmp_path: Path) -> None:
    path = with_manifest(tmp_path)
    for named in (path, tmp_path / "demo.layer.json"):
        contents = read(named)
        assert (contents.name, contents.runtimes, contents.architectures) == ("demo", ("python3.12",), ("x86_64",))


def test_a_manifest_of_another_zip_is_not_believed(tmp_path: Path) -> None:
    contents = read(with_manifest(tmp_path, sha256="0" * 64))
    assert contents.runtimes == ()
    assert [(each.code, each.severity) for each in contents.findings] == [(Code.ZIP_DAMAGED, Severity.WARNING)]


@pytest.mark.parametrize("text", ["", "[]", '{"layers": []}', '{"layers": [3]}', "{"])
def test_a_manifest_that_is_none_is_passed_over(tmp_path: Path, text: str) -> None:
    path = with_manifest(tmp_path)
    (tmp_path / "demo.layer.json").write_text(text, encoding="utf-8")
    assert read(path).name is None


def refusal(path: Path) -> LayerkitError:
    with pytest.raises(UnreadableLayer) as raised:
        read(path)
    return raised.value


def test_what_is_no_layer_is_refused_with_the_way_out(tmp_path: Path) -> None:
    assert "there is no such file" in refusal(tmp_path / "none.zip").message
    wheel = tmp_path / "demo-1-py3-none-any.whl"
    wheel.write_bytes(zipped(wheel_like()))
    assert f"layerkit build {wheel}" in (refusal(wheel).hint or "")
    archive = tmp_path / "demo.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(wheel, "demo")
    assert "tar archive" in refusal(archive).message
    assert "it is no file" in refusal(Path("/dev/null")).message


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unpacked(tmp_path / "demo")

    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(UnreadableFolder, match="permission denied"):
        read_folder(tmp_path / "demo", where="demo")
