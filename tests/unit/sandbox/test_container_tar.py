"""Tar streams into and out of containers: fixed on the way in, distrusted on the way out."""

import io
import os
import tarfile
from pathlib import Path
from typing import IO

import pytest

from layerkit.sandbox.container_errors import StrangeArchive
from layerkit.sandbox.container_tar import every_link, inside, links_within, pack, pack_folder, unpack


def entries(stream: IO[bytes]) -> dict[str, tarfile.TarInfo]:
    with stream, tarfile.open(fileobj=stream) as tar:
        return {entry.name: entry for entry in tar}


def stream_of(*members: tarfile.TarInfo, content: bytes = b"") -> list[bytes]:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for member in members:
            member.size = len(content) if member.isreg() else 0
            tar.addfile(member, io.BytesIO(content))
    data = made.getvalue()
    return [data[at : at + 700] for at in range(0, len(data), 700)]


def member(name: str, *, kind: bytes = tarfile.REGTYPE, link: str = "", mode: int = 0o644) -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.type, found.linkname, found.mode = kind, link, mode
    return found


def test_folders_come_before_what_is_in_them_and_once() -> None:
    with pack({"a/b/c": b"1", "a/d": b"2"}, at="/home/x") as stream, tarfile.open(fileobj=stream) as tar:
        names = tar.getnames()
    assert names == ["home", "home/x", "home/x/a", "home/x/a/b", "home/x/a/b/c", "home/x/a/d"]


def test_owner_time_and_mode_do_not_depend_on_who_sends() -> None:
    found = entries(pack({"f": b"x"}, at="/h"))
    assert {(entry.uid, entry.gid, entry.uname, entry.mtime) for entry in found.values()} == {(0, 0, "", 315619200)}
    assert (found["h"].mode, found["h/f"].mode) == (0o755, 0o644)


def test_absolute_names_stand_and_others_are_below() -> None:
    assert inside("/home", "/etc/x") == "/etc/x"
    assert inside("/home", "a/b") == "/home/a/b"


@pytest.mark.parametrize("path", ["../x", "a/../../x", "/etc/../x"])
def test_names_that_climb_are_refused(path: str) -> None:
    with pytest.raises(ValueError, match=r"\.\."):
        inside("/home", path)


def test_a_folder_is_packed_in_order_with_empty_folders_and_links_as_what_they_point_at(tmp_path: Path) -> None:
    (tmp_path / "b" / "empty").mkdir(parents=True)
    (tmp_path / "a").write_bytes(b"content")
    (tmp_path / "a").chmod(0o700)
    (tmp_path / "link").symlink_to("a")
    found = entries(pack_folder(tmp_path, at="/t"))
    assert list(found) == ["t", "t/a", "t/link", "t/b", "t/b/empty"]
    assert found["t/link"].isreg()
    assert found["t/a"].mode == 0o755


@pytest.fixture
def linked(tmp_path: Path) -> Path:
    """Return a folder with links to a file and a folder in it, to others outside, and to nothing."""
    (tmp_path / "outside/deep").mkdir(parents=True)
    (tmp_path / "outside/deep/far").write_bytes(b"far")
    inner = tmp_path / "folder"
    (inner / "real").mkdir(parents=True)
    (inner / "real/near").write_bytes(b"near")
    (inner / "file").symlink_to("real/near")
    (inner / "folder").symlink_to("real")
    (inner / "nothing").symlink_to("/no/such/place")
    (inner / "out").symlink_to(tmp_path / "outside")
    return inner


def test_links_are_kept_where_that_is_wanted_wherever_they_lead(linked: Path) -> None:
    found = entries(pack_folder(linked, at="/t", keeps=every_link))
    assert {name: entry.linkname for name, entry in found.items() if entry.issym()} == {
        "t/file": "real/near",
        "t/folder": "real",
        "t/nothing": "/no/such/place",
        "t/out": str(linked.parent / "outside"),
    }
    assert set(found) == {"t", "t/file", "t/folder", "t/nothing", "t/out", "t/real", "t/real/near"}


def test_links_that_lead_out_of_the_folder_can_become_what_they_point_at(linked: Path) -> None:
    found = entries(pack_folder(linked, at="/t", keeps=links_within(linked)))
    assert {name for name, entry in found.items() if entry.issym()} == {"t/file", "t/folder", "t/nothing"}
    assert found["t/out/deep/far"].isreg()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_what_is_neither_file_nor_folder_is_left_out(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(b"")
    assert list(entries(pack_folder(tmp_path, at="/t"))) == ["t", "t/file"]


def test_what_comes_out_lands_below_the_folder_whole(tmp_path: Path) -> None:
    chunks = stream_of(
        member("out", kind=tarfile.DIRTYPE),
        member("out/deep/file", mode=0o777),
        member("./out/other"),
        content=b"y" * 2000,
    )
    unpack(chunks, tmp_path / "into")
    assert (tmp_path / "into/deep/file").read_bytes() == b"y" * 2000
    assert (tmp_path / "into/deep/file").stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize(
    "strange",
    [
        member("out/../../evil"),
        member("/etc/evil"),
        member("out/link", kind=tarfile.SYMTYPE, link="/etc/passwd"),
        member("out/hard", kind=tarfile.LNKTYPE, link="out/x"),
        member("out/device", kind=tarfile.CHRTYPE),
        member("out/pipe", kind=tarfile.FIFOTYPE),
        member("out"),
    ],
    ids=lambda entry: entry.name,
)
def test_strange_members_are_refused(tmp_path: Path, strange: tarfile.TarInfo) -> None:
    with pytest.raises(StrangeArchive, match="not taken"):
        unpack(stream_of(strange), tmp_path / "into")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_an_older_file_is_replaced_and_never_written_through(tmp_path: Path) -> None:
    (tmp_path / "victim").write_bytes(b"keep")
    (tmp_path / "into").mkdir()
    (tmp_path / "into/file").symlink_to(tmp_path / "victim")
    unpack(stream_of(member("out/file"), content=b"new"), tmp_path / "into")
    assert (tmp_path / "victim").read_bytes() == b"keep"
    assert (tmp_path / "into/file").read_bytes() == b"new"
