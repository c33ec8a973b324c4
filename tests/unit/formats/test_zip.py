"""Zip files are read with suspicion: everything that lies is refused, everything honest is read."""

import io
import struct
import zipfile

import pytest

from layerkit.formats.zip import (
    STORED,
    ZipProblem,
    case_collisions,
    data_offset,
    files_that_are_folders,
    read_entries,
    reserved_name,
    too_long,
    unsafe_name,
)
from tests.builders import RawEntry, deflated, raw_zip, raw_zip64


def names(data: bytes) -> list[str]:
    return [entry.name for entry in read_entries(io.BytesIO(data))]


def refuse(data: bytes, why: str) -> None:
    with pytest.raises(ZipProblem, match=why):
        read_entries(io.BytesIO(data))


def test_entries_are_read_in_the_order_of_the_directory() -> None:
    assert names(raw_zip(RawEntry(name=b"z"), RawEntry(name=b"a"))) == ["z", "a"]


def test_directories_are_left_out() -> None:
    folder = RawEntry(name=b"a/", content=b"", method=0, attributes=0o40755 << 16)
    assert names(raw_zip(folder, RawEntry(name=b"a/b"))) == ["a/b"]


def test_data_is_found_behind_the_local_header_and_its_own_extra_field() -> None:
    data = raw_zip(RawEntry(local_extra=b"\x99\x99\x04\x00abcd"))
    (entry,) = read_entries(io.BytesIO(data))
    at = data_offset(io.BytesIO(data), entry)
    assert data[at : at + entry.compressed_bytes] == RawEntry().data


def test_data_descriptors_are_read() -> None:
    data = raw_zip(RawEntry(descriptor=True), RawEntry(name=b"b", descriptor=True))
    assert names(data) == ["a.txt", "b"]
    first = read_entries(io.BytesIO(data))[0]
    assert first.unzipped_bytes == len(RawEntry().content)


def test_a_comment_and_a_prefix_of_other_entries_do_no_harm() -> None:
    assert names(raw_zip(RawEntry(), comment=b"made by hand")) == ["a.txt"]


def test_an_empty_zip_has_no_entries() -> None:
    assert names(raw_zip()) == []


def test_a_zip_cut_at_any_byte_is_refused() -> None:
    whole = raw_zip(RawEntry(), RawEntry(name=b"b/c"))
    for end in range(len(whole)):
        with pytest.raises(ZipProblem):
            read_entries(io.BytesIO(whole[:end]))


def test_a_zip64_cut_at_any_byte_is_refused() -> None:
    whole = raw_zip64(RawEntry(), RawEntry(name=b"b/c"))
    for end in range(len(whole)):
        with pytest.raises(ZipProblem):
            read_entries(io.BytesIO(whole[:end]))


def test_no_single_changed_byte_ends_in_anything_but_a_zip_problem() -> None:
    for whole in (raw_zip(RawEntry(), RawEntry(name=b"b/c")), raw_zip64(RawEntry(), RawEntry(name=b"b/c"))):
        for at in range(len(whole)):
            for value in (0x00, 0x7F, 0xFF):
                stream = io.BytesIO(whole[:at] + bytes([value]) + whole[at + 1 :])
                try:
                    for entry in read_entries(stream):
                        data_offset(stream, entry)
                except ZipProblem:
                    pass


def test_bytes_behind_the_end_are_refused() -> None:
    refuse(raw_zip(RawEntry(), trailing=b"x"), "bytes behind its end")


@pytest.mark.parametrize(
    "name",
    [
        b"../x",
        b"a/../../x",
        b"..",
        b"/etc/x",
        b"C:/x",
        b"c:x",
        b"a\\b",
        b"a\0b",
        b"a//b",
        b"./a",
        b"a/.",
        b"a\nb",
        b"",
        b"a\x7f",
        b"/",
        b"a//",
    ],
)
def test_names_that_leave_their_folder_or_make_no_path_are_refused(name: bytes) -> None:
    refuse(raw_zip(RawEntry(name=name)), "the name")


def test_a_name_that_is_not_the_utf_8_it_claims_is_refused() -> None:
    refuse(raw_zip(RawEntry(name=b"\xff\xfe", flags=0x800)), "not UTF-8")


def test_a_name_without_the_utf_8_flag_is_code_page_437() -> None:
    assert names(raw_zip(RawEntry(name=b"\x82.py"))) == ["é.py"]


def test_duplicates_are_refused() -> None:
    refuse(raw_zip(RawEntry(), RawEntry()), "twice")


@pytest.mark.parametrize("kind", [0o120777, 0o010644, 0o020644, 0o060644, 0o140644])
def test_links_and_special_files_are_refused(kind: int) -> None:
    refuse(raw_zip(RawEntry(attributes=kind << 16)), "link or a special file")


@pytest.mark.parametrize("flag", [0x1, 0x40, 0x2000])
def test_encryption_is_refused(flag: int) -> None:
    refuse(raw_zip(RawEntry(flags=flag)), "encrypted")


@pytest.mark.parametrize("method", [1, 9, 12, 14, 93, 98])
def test_other_methods_than_deflate_are_refused(method: int) -> None:
    refuse(raw_zip(RawEntry(method=method)), f"method {method}")


def test_a_size_that_the_compressed_bytes_cannot_have_is_refused() -> None:
    refuse(raw_zip(RawEntry(unzipped_bytes=2**31)), "cannot hold")
    refuse(raw_zip(RawEntry(method=STORED, unzipped_bytes=41)), "cannot hold")


def test_a_compressed_size_that_reaches_into_what_follows_is_refused() -> None:
    size = len(RawEntry().data)
    refuse(raw_zip(RawEntry(compressed_bytes=size + 1), RawEntry(name=b"b")), "overlaps")
    refuse(raw_zip(RawEntry(compressed_bytes=size + 1)), "overlaps")


def test_entries_that_share_their_bytes_are_refused() -> None:
    refuse(raw_zip(RawEntry(), RawEntry(name=b"b", offset=0)), "overlaps")


def test_an_offset_in_the_directory_is_refused() -> None:
    refuse(raw_zip(RawEntry(offset=60)), "overlaps")


@pytest.mark.parametrize(("count", "why"), [(1, "more entries"), (3, "damaged"), (0, "more entries")])
def test_a_directory_of_another_count_is_refused(count: int, why: str) -> None:
    refuse(raw_zip(RawEntry(), RawEntry(name=b"b"), count=count), why)


@pytest.mark.parametrize("told", [{"start": 0}, {"start": 10**9}, {"length": 1}, {"length": 10**9}])
def test_a_directory_at_another_place_is_refused(told: dict[str, int]) -> None:
    refuse(raw_zip(RawEntry(), **told), "central directory is not where")  # type: ignore[arg-type]


def test_split_archives_are_refused() -> None:
    refuse(raw_zip(RawEntry(), disk=1), "several disks")
    refuse(raw_zip64(RawEntry(), disk=1), "several disks")


@pytest.mark.parametrize(
    ("entry", "why"),
    [
        (RawEntry(local_name=b"b.txt"), "another name"),
        (RawEntry(local_method=0), "another compression method"),
    ],
)
def test_a_local_header_that_contradicts_the_directory_is_refused(entry: RawEntry, why: str) -> None:
    stream = io.BytesIO(raw_zip(entry))
    (read,) = read_entries(stream)
    with pytest.raises(ZipProblem, match=why):
        data_offset(stream, read)


def test_a_missing_local_header_is_refused() -> None:
    stream = io.BytesIO(raw_zip(RawEntry(), RawEntry(name=b"b", local_extra=bytes(8))))
    first, second = read_entries(stream)
    assert data_offset(stream, second) > data_offset(stream, first)
    broken = bytearray(raw_zip(RawEntry()))
    broken[:4] = b"XXXX"
    with pytest.raises(ZipProblem, match="no local header"):
        data_offset(io.BytesIO(bytes(broken)), first)


def test_zip64_is_read() -> None:
    assert names(raw_zip64(RawEntry(), RawEntry(name=b"b"))) == ["a.txt", "b"]


def test_zip64_sizes_in_the_extra_field_are_read() -> None:
    content = b"x" * 100
    wide = struct.pack("<2H2Q", 1, 16, 100, len(deflated(content)))
    entry = RawEntry(content=content, extra=wide, compressed_bytes=0xFFFFFFFF, unzipped_bytes=0xFFFFFFFF)
    (read,) = read_entries(io.BytesIO(raw_zip(entry)))
    assert (read.unzipped_bytes, read.compressed_bytes) == (100, len(deflated(content)))


@pytest.mark.parametrize(
    "extra", [b"", b"\1\0\x08\0" + bytes(8), b"\1\0\xff\xff", b"\1\0", b"\x05\0\x10\0" + bytes(16)]
)
def test_zip64_sizes_that_are_missing_are_refused(extra: bytes) -> None:
    refuse(raw_zip(RawEntry(extra=extra, compressed_bytes=0xFFFFFFFF, unzipped_bytes=0xFFFFFFFF)), "zip64 sizes")


@pytest.mark.parametrize(
    ("lie", "why"),
    [
        ({"locator": b"XXXX"}, "locator"),
        ({"signature": b"XXXX"}, "end record is missing"),
        ({"position": 0}, "end record is missing"),
        ({"position": 2**64 - 1}, "not where its locator says"),
        ({"position": 2**63}, "not where its locator says"),
        ({"count": 2**63}, "damaged"),
        ({"count": 0}, "more entries"),
        ({"size": 45}, "another size"),
        ({"gap": b"hidden"}, "another size"),
    ],
)
def test_zip64_records_that_lie_are_refused(lie: dict[str, int], why: str) -> None:
    refuse(raw_zip64(RawEntry(), **lie), why)  # type: ignore[arg-type]


def test_a_zip_by_the_standard_library_is_read() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("é/ü.py", "x = 1\n" * 100)
        out.writestr("empty", "")
    assert [entry.name for entry in read_entries(stream)] == ["é/ü.py", "empty"]


def test_permission_bits_are_those_of_unix_only() -> None:
    unix, other = read_entries(io.BytesIO(raw_zip(RawEntry(attributes=0o100755 << 16), RawEntry(name=b"b", made_by=0))))
    assert (unix.mode & 0o777, other.mode) == (0o755, 0)


def test_safe_names_are_safe() -> None:
    assert [unsafe_name(name) for name in ("a", "a/b.c", "..a", "a..", "...", "ä b")] == [None] * 6


@pytest.mark.parametrize("name", ["aux.py", "a/NUL", "con/x", "lib/com1.tar.gz"])
def test_device_names_of_windows_are_reserved(name: str) -> None:
    assert reserved_name(name)


def test_names_that_only_begin_like_devices_are_not_reserved() -> None:
    assert not any(map(reserved_name, ("auxiliary.py", "a/config", "com10", "xaux.py", "prn_")))


def test_names_that_differ_by_case_or_composition_collide() -> None:
    assert list(case_collisions(["a/B.py", "a/b.py"])) == [("a/B.py", "a/b.py")]
    assert list(case_collisions(["A/x", "a/y"])) == [("A", "a")]
    assert len(list(case_collisions(["caf\u00e9", "cafe\u0301"]))) == 1
    assert list(case_collisions(["a/b", "a/c", "b/a"])) == []


def test_a_file_that_is_also_a_folder_is_seen() -> None:
    assert list(files_that_are_folders(["a", "a/b/c", "ab/c", "a-b"])) == [("a", "a/b/c")]
    assert list(files_that_are_folders(["a/b", "a/b/c/d"])) == [("a/b", "a/b/c/d")]


def test_names_longer_than_linux_allows_are_seen() -> None:
    assert too_long("a/" + "x" * 256)
    assert too_long("é" * 128)
    assert not too_long("x" * 255)
    assert too_long("/".join(["x" * 200] * 21))
