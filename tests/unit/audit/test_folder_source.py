"""Folders with what no zip would hold."""

import os
import sys
import zlib
from pathlib import Path

import pytest

from layerkit.audit import folder_source
from layerkit.audit.folder_source import NoLayerFolder, read_folder
from layerkit.audit.sources import read_source
from layerkit.audit.zip_source import UnreadableLayer
from layerkit.cache import Cache
from layerkit.facts import limits
from layerkit.model.contents import Contents
from tests.unit.audit.test_sources import with_manifest
from tests.unit.audit.test_zip_source import METADATA


@pytest.mark.skipif(sys.platform != "linux", reason="other systems hold names in Unicode")
def test_a_name_that_is_no_text_can_be_printed(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/d\xe9mo-1.dist-info"
    Path(os.fsdecode(folder)).mkdir()
    Path(os.fsdecode(folder + b"/METADATA")).write_text(METADATA, encoding="utf-8")
    Path(tmp_path / "link").symlink_to(os.fsdecode(b"\xff"))
    contents = read_folder(tmp_path, where="demo")
    assert [file.path.encode().decode() for file in contents.files] == [
        "link",
        "d\N{REPLACEMENT CHARACTER}mo-1.dist-info/METADATA",
    ]
    assert [each.name for each in contents.distributions] == ["demo-app"]


def test_a_file_too_large_for_any_layer_is_counted_and_not_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = limits().unzipped_bytes
    with (tmp_path / "large").open("wb") as stream:
        stream.truncate(size)

    def refuse(path: Path) -> bytes:
        pytest.fail(f"{path} was loaded")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    (file,) = read_folder(tmp_path, where="demo").files
    assert (file.unzipped_bytes, file.crc32) == (size, zlib.crc32(bytes(size)))


def described(folder: Path, **changes: object) -> Contents:
    return read_source(with_manifest(folder, **changes), where="demo.zip", deep=True, cache=Cache(folder / "cache"))


@pytest.mark.parametrize("value", [None, 3, "python3.12", {"a": 1}, [1, None]])
def test_a_manifest_of_other_types_says_nothing(tmp_path: Path, value: object) -> None:
    contents = described(tmp_path, name=[], compatible_runtimes=value, compatible_architectures=value)
    assert (contents.name, contents.runtimes, contents.architectures) == (None, (), ())


def test_a_manifest_without_its_zip_says_which_one_it_misses(tmp_path: Path) -> None:
    with_manifest(tmp_path).unlink()
    with pytest.raises(UnreadableLayer, match=r"its zip `demo\.zip` is not beside it"):
        read_source(tmp_path / "demo.layer.json", where="demo.layer.json", deep=True, cache=Cache(tmp_path))


def test_a_manifest_nested_without_end_is_passed_over(tmp_path: Path) -> None:
    path = with_manifest(tmp_path)
    (tmp_path / "demo.layer.json").write_text("[" * 100_000, encoding="utf-8")
    assert read_source(path, where="demo.zip", deep=True, cache=Cache(tmp_path / "cache")).name is None


def test_a_folder_that_is_no_layer_is_refused_with_the_way_out(tmp_path: Path) -> None:
    for name, files, why in (
        ("empty", (), "the folder is empty"),
        ("dist", ("a.zip", "a.layer.json", "pylock.a.toml"), "it is a folder of zips"),
    ):
        folder = tmp_path / name
        folder.mkdir()
        for file in files:
            (folder / file).write_bytes(b"x")
        with pytest.raises(NoLayerFolder, match=why) as raised:
            read_folder(folder, where=name)
        assert raised.value.exit_code == 2
        assert raised.value.hint


def test_whoever_names_everything_need_not_wait_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_source, "_MOST_FILES", 3)
    for number in range(4):
        (tmp_path / str(number)).write_bytes(b"")
    with pytest.raises(NoLayerFolder, match="over 3 files"):
        read_folder(tmp_path, where="/")
