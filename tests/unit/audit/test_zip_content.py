"""Zips that lie about where and how much, and names as tools really write them."""

import io
import stat
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from layerkit.audit.insides import Sights
from layerkit.audit.sight_cache import keep, recall
from layerkit.audit.zip_content import ZipContent
from layerkit.audit.zip_source import Memory, read_zip
from layerkit.cache import Cache
from layerkit.formats.zip import ZipProblem
from layerkit.formats.zip_directory import ZipEntry, list_entries
from layerkit.model.finding import Code, Severity
from tests.unit.audit.test_zip_source import codes, entry, read, zipped


class Watched(io.BytesIO):
    """A stream that knows the largest read asked of it."""

    most = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self.most = max(self.most, size or 0)
        return super().read(size)


def stored(content: bytes) -> tuple[Watched, ZipEntry]:
    stream = Watched()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a", content)
    (only,) = list_entries(stream)
    return stream, only


@pytest.mark.parametrize(("compressed", "unzipped"), [(10**7, 100), (2**40, 100), (100, 5), (100, 10**7)])
def test_no_more_is_read_than_an_honest_file_has(compressed: int, unzipped: int) -> None:
    stream, only = stored(b"x" * 100)
    stream.most = 0
    with pytest.raises(ZipProblem):
        ZipContent(stream).read(replace(only, compressed_bytes=compressed, unzipped_bytes=unzipped))
    assert stream.most == 0


def test_files_that_share_their_bytes_are_an_error_and_not_unpacked() -> None:
    """As small zips do that unpack without end."""
    inner = zipped({"b": "x" * 50})
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(entry_stored("a"), inner[: inner.index(b"PK\x01\x02")])
        archive.writestr(entry_stored("b"), "")
    at = stream.getvalue().rindex(b"PK\x01\x02")
    data = bytearray(stream.getvalue())
    data[at : at + 46] = inner[inner.index(b"PK\x01\x02") :][:46]
    data[at + 42 : at + 46] = (30 + 1).to_bytes(4, "little")
    contents = read(bytes(data))
    assert codes(contents) == [(Code.ZIP_DAMAGED, Severity.ERROR)]
    assert contents.findings[0].paths == ("a",)
    assert "overlaps" in contents.findings[0].message


def entry_stored(name: str) -> zipfile.ZipInfo:
    info = entry(name)
    info.compress_type = zipfile.ZIP_STORED
    return info


def test_exactly_65535_files_need_no_zip64() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for number in range(0xFFFF):
            archive.writestr(entry(f"p{number}.py"), b"")
    assert b"PK\x06\x07" not in stream.getvalue()
    assert len(list_entries(stream)) == 0xFFFF


def test_zip64_entries_and_directory_are_read() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive, archive.open(entry("python/a.py"), "w", force_zip64=True) as file:
        file.write(b"x = 1\n")
    contents = read(stream.getvalue())
    assert codes(contents) == []
    assert contents.unzipped_bytes == len(b"x = 1\n")


def test_names_that_begin_with_a_dot_are_paths_like_others() -> None:
    contents = read(zipped({"./": "", "./python/a.py": "x", "./extensions/e": ""}, mode=0o755))
    assert [file.path for file in contents.files] == ["python/a.py", "extensions/e"]
    assert codes(contents) == []


def test_a_unix_name_in_utf8_that_does_not_say_so_is_still_utf8() -> None:
    data = bytearray(zipped({"python/café.py": "x"}))
    for signature, at in ((b"PK\x01\x02", 9), (b"PK\x03\x04", 7)):
        data[data.index(signature) + at] &= ~0x08
    contents = read(bytes(data))
    assert [file.path for file in contents.files] == ["python/café.py"]
    assert codes(contents) == []


def test_a_link_may_lead_through_a_link() -> None:
    files: dict[str, bytes | str] = {"lib/a.so": "x", "lib64": "lib", "b.so": "lib64/a.so", "here": "."}
    contents = read(zipped(files, **{"lib64": stat.S_IFLNK, "b.so": stat.S_IFLNK, "here": stat.S_IFLNK}))
    assert codes(contents) == [(Code.ZIP_SYMLINK, Severity.NOTE)]


def test_links_in_a_circle_lead_nowhere() -> None:
    contents = read(zipped({"a": "b", "b": "a"}, a=stat.S_IFLNK, b=stat.S_IFLNK))
    assert codes(contents) == [(Code.ZIP_SYMLINK, Severity.WARNING)]


def test_what_another_version_kept_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = Cache(tmp_path)
    with monkeypatch.context() as older:
        older.setattr(Sights, "to_json", lambda _: {"binaries": {"a.so": {"no": "facts"}}})
        keep(cache, "0" * 64, Sights())
    assert recall(cache, "0" * 64) is None
    keep(cache, "0" * 64, Sights(private_keys={"k"}))
    assert recall(cache, "0" * 64) == Sights(private_keys={"k"})


def test_an_audit_needs_no_cache_that_can_be_written(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    memory = Memory(cache=Cache(blocked), sha256=lambda: "0" * 64)
    contents = read_zip(io.BytesIO(zipped({"python/a.py": ""})), where="a.zip", deep=True, memory=memory)
    assert len(contents.files) == 1


def test_a_broken_library_of_a_layer_that_was_built_here_is_seen(tmp_path: Path) -> None:
    memory = Memory(cache=Cache(tmp_path), sha256=lambda: "0" * 64)
    keep(memory.cache, "0" * 64, Sights(has_only_binaries=True))
    data = zipped({"python/x.so": b"\x7fELF" + bytes(10)})
    contents = read_zip(io.BytesIO(data), where="a.zip", deep=True, memory=memory)
    assert codes(contents) == [(Code.ELF_UNREADABLE, Severity.WARNING)]
