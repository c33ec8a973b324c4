"""Layers merged into one folder, and zips that would write somewhere else."""

import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from layerkit.cache import Cache
from layerkit.invoke.modules import LayerUnreadable
from layerkit.invoke.unpack import unpack, unpacked, unzipped_bytes

LINK = stat.S_IFLNK | 0o777


def zip_of(path: Path, files: Mapping[str, str], *, modes: Mapping[str, int] | None = None) -> Path:
    with zipfile.ZipFile(path, "w") as out:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.create_system = 3
            info.external_attr = (modes or {}).get(name, stat.S_IFREG | 0o644) << 16
            out.writestr(info, content)
    return path


def test_a_later_layer_overwrites_files_and_keeps_the_others(tmp_path: Path) -> None:
    first = zip_of(tmp_path / "a.zip", {"python/x.py": "1", "python/y.py": "1"})
    second = zip_of(tmp_path / "b.zip", {"python/x.py": "2", "bin/run": "2"})
    folder = unpacked([first, second], Cache(tmp_path / "cache"))
    assert {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()} == {
        "python/x.py": "2",
        "python/y.py": "1",
        "bin/run": "2",
    }


def test_content_and_order_decide_what_is_unpacked_again(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    first, second = zip_of(tmp_path / "a.zip", {"x": "1"}), zip_of(tmp_path / "b.zip", {"x": "2"})
    copy = tmp_path / "copy.zip"
    copy.write_bytes(first.read_bytes())
    assert unpacked([first, second], cache) == unpacked([copy, second], cache)
    assert unpacked([first, second], cache) != unpacked([second, first], cache)


def test_no_layers_are_an_empty_folder(tmp_path: Path) -> None:
    assert list(unpacked([], Cache(tmp_path / "cache")).iterdir()) == []


def test_what_is_executable_stays_so(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "a.zip", {"bin/run": "", "data": ""}, modes={"bin/run": stat.S_IFREG | 0o755})
    folder = unpacked([path], Cache(tmp_path / "cache"))
    assert [bool((folder / name).stat().st_mode & 0o111) for name in ("bin/run", "data")] == [True, False]


def test_links_are_kept_and_never_written_through(tmp_path: Path) -> None:
    """The second zip's file would land outside if its folder were the link that the first one brought."""
    outside = tmp_path / "outside"
    outside.mkdir()
    first = zip_of(tmp_path / "a.zip", {"lib/now": "old", "away": str(outside)}, modes={"lib/now": LINK, "away": LINK})
    second = zip_of(tmp_path / "b.zip", {"away/file": "x"})
    (tmp_path / "opt").mkdir()
    unpack(first, tmp_path / "opt")
    assert (tmp_path / "opt/lib/now").readlink() == Path("old")
    unpack(second, tmp_path / "opt")
    assert list(outside.iterdir()) == []
    assert (tmp_path / "opt/away/file").read_text() == "x"


def test_a_file_over_a_link_replaces_the_link_only(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("mine")
    first = zip_of(tmp_path / "a.zip", {"x": str(target)}, modes={"x": LINK})
    folder = unpacked([first, zip_of(tmp_path / "b.zip", {"x": "new"})], Cache(tmp_path / "cache"))
    assert ((folder / "x").read_text(), target.read_text()) == ("new", "mine")


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x"])
def test_a_name_that_leads_outside_is_refused(tmp_path: Path, name: str) -> None:
    path = zip_of(tmp_path / "a.zip", {name: "x"})
    with pytest.raises(LayerUnreadable):
        unpacked([path], Cache(tmp_path / "cache"))
    assert not (tmp_path / "x").exists()


def test_a_refused_zip_leaves_nothing_in_the_cache(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "cache")
    with pytest.raises(LayerUnreadable):
        unpacked([zip_of(tmp_path / "a.zip", {"ok": "x", "../x": "x"})], cache)
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file()] == []


def test_what_is_no_zip_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_text("no zip")
    with pytest.raises(LayerUnreadable):
        unzipped_bytes(tmp_path / "a.zip")
    with pytest.raises(LayerUnreadable):
        unpacked([tmp_path / "none.zip"], Cache(tmp_path / "cache"))


def test_sizes_are_added_up(tmp_path: Path) -> None:
    assert unzipped_bytes(zip_of(tmp_path / "a.zip", {"a": "123", "b": "45"})) == 5
