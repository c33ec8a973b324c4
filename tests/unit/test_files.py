"""Files appear whole or not at all."""

import os
import sys
from pathlib import Path
from typing import BinaryIO

import pytest

from layerkit import files
from layerkit.files import DiskFailure, reap, replacing, write_text

DEAD = 999_999_999  # above the highest process id of Linux


def leftover(folder: Path, pid: int, *, host: str | None = None) -> Path:
    path = folder / f".a.txt.{host or files._HOST}-{pid}-0123abcd.tmp"  # noqa: SLF001 -- the shape is the point
    path.write_bytes(b"half")
    return path


def _write_and_fail(stream: BinaryIO, error: type[BaseException]) -> None:
    stream.write(b"new")
    raise error


def test_a_file_appears_when_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.txt"
    with replacing(path) as stream:
        stream.write(b"whole")
        assert not path.exists()
    assert path.read_bytes() == b"whole"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_error_inside_the_block_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, error: type[BaseException]
) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    with pytest.raises(error), replacing(path) as stream:
        _write_and_fail(stream, error)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_dead_process_left_is_removed_and_what_a_live_one_writes_is_not(tmp_path: Path) -> None:
    dead, live = leftover(tmp_path, DEAD), leftover(tmp_path, os.getpid())
    elsewhere = leftover(tmp_path, DEAD, host="00000000")
    strangers = [tmp_path / ".a.tmp", tmp_path / ".b.txt.swp", leftover(tmp_path, 10**30)]
    for stranger in strangers:
        stranger.write_bytes(b"")
    write_text(tmp_path / "a.txt", "x")
    assert not dead.exists()
    assert live.exists()
    assert elsewhere.exists()
    assert all(stranger.exists() for stranger in strangers)


@pytest.mark.skipif(sys.platform != "linux", reason="where /proc tells of zombies")
def test_what_a_zombie_left_is_removed(tmp_path: Path) -> None:
    pid = os.posix_spawn(sys.executable, [sys.executable, "-c", ""], {})
    left = leftover(tmp_path, pid)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    reap(tmp_path)
    os.waitpid(pid, 0)
    assert not left.exists()


def test_containers_with_one_host_name_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process id means another process in each of them."""
    seen = set()
    for namespace in ("pid:[1]", "pid:[2]", None):
        proc = tmp_path / str(namespace)
        (proc / "self" / "ns").mkdir(parents=True)
        if namespace:
            (proc / "self" / "ns" / "pid").symlink_to(namespace)
        monkeypatch.setattr(files, "_PROC", proc)
        seen.add(files._host())  # noqa: SLF001 -- the shape is the point
    assert len(seen) == 3


def test_reaping_an_empty_folder_does_nothing(tmp_path: Path) -> None:
    reap(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_text_is_utf_8_with_line_feeds(tmp_path: Path) -> None:
    write_text(tmp_path / "a", "ä\nb\n")
    assert (tmp_path / "a").read_bytes() == b"\xc3\xa4\nb\n"


def test_a_file_where_a_folder_should_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DiskFailure, match="not a folder"):
        write_text(tmp_path / "file" / "a", "x")


def test_a_folder_where_the_file_should_be_is_told_and_stays(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(DiskFailure, match="cannot write"):
        write_text(tmp_path / "a", "x")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_read_only_folder_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The refusal is made here: root may write anywhere."""

    def refuse(path: Path, mode: str) -> None:
        raise PermissionError(13, "Permission denied", str(path), None, mode)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DiskFailure, match="permission denied"):
        write_text(tmp_path / "a", "x")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (PermissionError(13, "Permission denied"), "permission denied"),
        (OSError(28, "No space left on device"), "no space left on the device"),
        (OSError(30, "Read-only file system"), "the file system is read-only"),
        (OSError(5, "Input/output error"), "input/output error"),
        (OSError("odd"), "odd"),
    ],
)
def test_what_the_disk_refuses_is_told_in_words(tmp_path: Path, error: OSError, reason: str) -> None:
    path = tmp_path / "a"
    with pytest.raises(DiskFailure) as caught, replacing(path):
        raise error
    assert caught.value.message == f"cannot write `{path}`: {reason}"
