"""The cache: entries by key, and nothing but entries."""

from pathlib import Path

import pytest

from layerkit.cache import Cache, Usage


def store(cache: Cache, bucket: str, key: str, content: bytes = b"12345") -> Path:
    with cache.store(bucket, key) as stream:
        stream.write(content)
    return cache.path(bucket, key)


def test_an_entry_is_found_once_it_is_whole(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    assert cache.find("wheels", "abcd") is None
    with cache.store("wheels", "abcd") as stream:
        stream.write(b"x")
        assert cache.find("wheels", "abcd") is None
    assert cache.find("wheels", "abcd") == tmp_path / "wheels" / "ab" / "abcd"


def test_a_relative_folder_is_the_same_wherever_one_is_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cache = Cache(Path("kept"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert cache.path("wheels", "abcd") == tmp_path / "kept" / "wheels" / "ab" / "abcd"


def test_an_entry_whose_making_failed_is_not_there(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    with pytest.raises(RuntimeError), cache.store("wheels", "abcd"):
        raise RuntimeError
    assert cache.find("wheels", "abcd") is None
    assert cache.usage() == ()


def test_discarding_forgets_and_may_be_done_twice(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    store(cache, "wheels", "abcd")
    cache.discard("wheels", "abcd")
    cache.discard("wheels", "abcd")
    assert cache.find("wheels", "abcd") is None


def test_usage_counts_files_and_bytes_by_bucket(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    for bucket, key in (("wheels", "abcd"), ("wheels", "abce"), ("fragments", "ffff")):
        store(cache, bucket, key)
    assert cache.usage() == (
        Usage(bucket="fragments", files=1, bytes=5),
        Usage(bucket="wheels", files=2, bytes=10),
    )


def test_a_cache_that_is_not_there_is_empty(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "none")
    assert (cache.usage(), cache.clean()) == ((), 0)
    assert not cache.root.exists()


def test_cleaning_removes_entries_locks_and_leftovers_and_tells_the_bytes(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    entry = store(cache, "wheels", "abcd")
    entry.with_suffix(".lock").write_bytes(b"1")
    entry.with_name(".abcd.00000000-1-0123abcd.tmp").write_bytes(b"22")
    assert cache.clean() == 8
    assert cache.usage() == ()
    assert list(tmp_path.iterdir()) == []


def test_cleaning_a_folder_that_holds_other_things_leaves_them(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    store(cache, "wheels", "abcd")
    others = [tmp_path / "thesis.txt", tmp_path / "photos" / "me.jpg", tmp_path / "src" / "ab" / "main.py"]
    others.append(tmp_path / "wheels" / "note.txt")
    for other in others:
        other.parent.mkdir(parents=True, exist_ok=True)
        other.write_text("mine")
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    target = store(Cache(outside), "x", "abcd")
    (tmp_path / "link").symlink_to(outside / "x", target_is_directory=True)
    (tmp_path / "wheels" / "zz").symlink_to(outside / "x" / "ab", target_is_directory=True)
    assert cache.clean() == 5
    assert all(other.exists() for other in others)
    assert target.exists()
    assert [usage.bucket for usage in cache.usage()] == []
