"""What is in a layer, without unpacking it."""

import os
import zipfile
from pathlib import Path

import pytest

from layerkit.invoke import listing as module
from layerkit.invoke.listing import Listing, files_in
from layerkit.invoke.unreadable import LayerUnreadable
from tests.builders import RawEntry, raw_zip

LONG = os.urandom(2000) + bytes(2000)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_is_listed_without_its_folders(tmp_path: Path, method: int) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as out:
        out.mkdir("python")
        out.writestr("python/x.py", "123")
        out.writestr("bin/long", LONG)
    found = Listing.of(tmp_path / "a.zip")
    assert (dict(found.sizes), found.total) == ({"python/x.py": 3, "bin/long": 4000}, 4003)
    assert dict(found.heads(["bin/long", "python/x.py"])) == {"bin/long": LONG[:64], "python/x.py": b"123"}


def test_a_folder_is_listed_as_its_zip_would_be(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "long").write_bytes(LONG)
    (tmp_path / "x").write_text("1")
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe")
    found = Listing.of(tmp_path)
    assert (dict(found.sizes), found.total) == ({"x": 1, "a/b/long": 4000}, 4001)
    assert dict(found.heads(["a/b/long"])) == {"a/b/long": LONG[:64]}


def test_no_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "secret").write_text("mine")
    (tmp_path / "inside" / "folder").symlink_to("..")
    (tmp_path / "inside" / "file").symlink_to("../secret")
    found = Listing.of(tmp_path / "inside")
    assert set(found.sizes) == {"folder", "file"}
    assert list(found.heads(["folder", "file"])) == []


def test_an_entry_that_lies_has_no_first_bytes(tmp_path: Path) -> None:
    entries = [RawEntry(name=b"a", local_name=b"b"), RawEntry(name=b"c", raw=b"\xff\xff"), RawEntry(name=b"d")]
    (tmp_path / "a.zip").write_bytes(raw_zip(*entries))
    assert [name for name, _ in Listing.of(tmp_path / "a.zip").heads(["a", "c", "d"])] == ["d"]


def test_whoever_names_the_root_does_not_wait_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_FILES", 2)
    for name in "ab":
        (tmp_path / name).write_text("")
    assert len(list(files_in(tmp_path))) == 2
    (tmp_path / "c").write_text("")
    with pytest.raises(LayerUnreadable, match="it holds over 2 files"):
        Listing.of(tmp_path)
