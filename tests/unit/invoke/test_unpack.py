"""Layers merged into one folder, and zips that would write somewhere else."""

import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from layerkit.cache import Cache
from layerkit.invoke.listing import Listing
from layerkit.invoke.merge import merged, unpacked
from layerkit.invoke.unpack import unpack
from layerkit.invoke.unreadable import LayerUnreadable

LINK = stat.S_IFLNK | 0o777


def zip_of(path: Path, files: Mapping[str, str], *, modes: Mapping[str, int] | None = None) -> Path:
    with zipfile.ZipFile(path, "w") as out:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.create_system = 3
            info.external_attr = (modes or {}).get(name, stat.S_IFREG | 0o644) << 16
            out.writestr(info, content)
    return path


def folder_of(path: Path, files: Mapping[str, str]) -> Path:
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(content)
    return path


def files_of(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_a_later_layer_overwrites_files_and_keeps_the_others(tmp_path: Path) -> None:
    first = zip_of(tmp_path / "a.zip", {"python/x.py": "1", "python/y.py": "1"})
    second = zip_of(tmp_path / "b.zip", {"python/x.py": "2", "bin/run": "2"})
    folder = unpacked([first, second], Cache(tmp_path / "cache"))
    assert files_of(folder) == {"python/x.py": "2", "python/y.py": "1", "bin/run": "2"}


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
        Listing.of(tmp_path / "a.zip")
    with pytest.raises(LayerUnreadable):
        unpacked([tmp_path / "none.zip"], Cache(tmp_path / "cache"))


class TestFolders:
    """Layers that are folders, alone and among zips."""

    def test_one_alone_is_used_as_it_is(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        layer = folder_of(tmp_path / "layer", {"python/x.py": "1"})
        monkeypatch.chdir(tmp_path)
        with merged([Path("layer")], Cache(tmp_path / "cache")) as opt:
            assert opt == layer
        assert files_of(layer) == {"python/x.py": "1"}
        assert not (tmp_path / "cache").exists()

    def test_later_ones_win_whether_zip_or_folder(self, tmp_path: Path) -> None:
        first = folder_of(tmp_path / "first", {"x": "1", "y": "1", "z": "1"})
        second = zip_of(tmp_path / "b.zip", {"x": "2", "y": "2"})
        third = folder_of(tmp_path / "third", {"x": "3"})
        with merged([first, second, third], Cache(tmp_path / "cache")) as opt:
            assert files_of(opt) == {"x": "3", "y": "2", "z": "1"}

    def test_nothing_of_the_merge_stays_and_nobodys_files_change(self, tmp_path: Path) -> None:
        cache = Cache(tmp_path / "cache")
        first = folder_of(tmp_path / "first", {"x": "1"})
        second = zip_of(tmp_path / "b.zip", {"x": "2", "y": "2"})
        with merged([first, second, folder_of(tmp_path / "third", {"y": "3"})], cache) as opt:
            (opt / "x").unlink()
        assert not opt.exists()
        assert (first / "x").read_text() == "1"
        assert files_of(unpacked([second], cache)) == {"x": "2", "y": "2"}

    def test_an_edit_is_seen_the_next_time(self, tmp_path: Path) -> None:
        layers = [folder_of(tmp_path / "first", {"x": "1"}), zip_of(tmp_path / "b.zip", {"y": "2"})]
        for content in ("1", "2"):
            (tmp_path / "first" / "x").write_text(content)
            with merged(layers, Cache(tmp_path / "cache")) as opt:
                assert (opt / "x").read_text() == content

    def test_modes_and_links_are_kept(self, tmp_path: Path) -> None:
        layer = folder_of(tmp_path / "layer", {"bin/run": "", "data": ""})
        (layer / "bin/run").chmod(0o750)
        (layer / "bin/link").symlink_to("run")
        (layer / "away").symlink_to(tmp_path)
        with merged([zip_of(tmp_path / "b.zip", {"y": ""}), layer], Cache(tmp_path / "cache")) as opt:
            assert stat.S_IMODE((opt / "bin/run").stat().st_mode) == 0o750
            assert ((opt / "bin/link").readlink(), (opt / "away").readlink()) == (Path("run"), tmp_path)

    def test_nothing_is_written_through_a_link(self, tmp_path: Path) -> None:
        outside = tmp_path / "outside"
        outside.mkdir()
        (outside / "file").write_text("mine")
        layer = folder_of(tmp_path / "layer", {"y": ""})
        (layer / "away").symlink_to(outside)
        (layer / "x").symlink_to(outside / "file")
        later = folder_of(tmp_path / "later", {"away/file": "new", "x": "new"})
        with merged([layer, later], Cache(tmp_path / "cache")) as opt:
            assert files_of(opt) == {"y": "", "away/file": "new", "x": "new"}
        assert files_of(outside) == {"file": "mine"}

    def test_a_file_does_not_take_the_place_of_a_folder(self, tmp_path: Path) -> None:
        layers = [folder_of(tmp_path / "a", {"x/y": "1"}), folder_of(tmp_path / "b", {"x": "2"})]
        with merged(layers, Cache(tmp_path / "cache")) as opt:
            assert files_of(opt) == {"x/y": "1"}

    def test_a_folder_takes_the_place_of_a_file(self, tmp_path: Path) -> None:
        layers = [folder_of(tmp_path / "a", {"x": "1"}), zip_of(tmp_path / "b.zip", {"x/y": "2"})]
        with merged(layers, Cache(tmp_path / "cache")) as opt:
            assert files_of(opt) == {"x/y": "2"}

    def test_where_links_are_not_possible_there_are_copies(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_: object) -> None:
            raise PermissionError

        monkeypatch.setattr(Path, "hardlink_to", refuse)
        path = zip_of(tmp_path / "a.zip", {"run": "1"}, modes={"run": stat.S_IFREG | 0o755})
        with merged([path, folder_of(tmp_path / "b", {"y": "2"})], Cache(tmp_path / "cache")) as opt:
            assert files_of(opt) == {"run": "1", "y": "2"}
            assert ((opt / "run").stat().st_nlink, (opt / "run").stat().st_mode & 0o777) == (1, 0o755)

    def test_a_hash_that_is_known_is_not_asked_for_again(self, tmp_path: Path) -> None:
        path = zip_of(tmp_path / "a.zip", {"x": "1"})
        cache = Cache(tmp_path / "cache")
        with merged([path], cache, known={path: "0" * 64}) as opt:
            assert opt != unpacked([path], cache)
