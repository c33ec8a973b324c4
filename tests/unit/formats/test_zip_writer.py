"""What is written around a layer's files: plain zip, zip64 only where a number does not fit."""

import io
import struct
import zipfile
import zlib

import pytest

from layerkit.formats.zip import DEFLATED, STORED, ZipEntry, data_offset, read_entries
from layerkit.formats.zip_writer import ZipHeader, directory, zip_size
from tests.builders import deflated


def header(name: str, content: bytes = b"", *, executable: bool = False, method: int = STORED) -> ZipHeader:
    return ZipHeader(
        name=name,
        executable=executable,
        method=method,
        crc32=zlib.crc32(content),
        compressed_bytes=len(content) if method == STORED else len(deflated(content)),
        unzipped_bytes=len(content),
    )


def written(files: dict[str, bytes], *, method: int = DEFLATED) -> bytes:
    headers = [header(name, content, method=method) for name, content in files.items()]
    body, offsets = b"", []
    for one, content in zip(headers, files.values(), strict=True):
        offsets.append(len(body))
        body += one.local() + (content if method == STORED else deflated(content))
    return body + directory(headers, offsets, start=len(body))


FILES = {"python/a.py": b"x = 1\n" * 50, "python/é.txt": b"", "bin/run": b"#!/bin/sh\n"}


def test_the_standard_library_reads_what_is_written() -> None:
    with zipfile.ZipFile(io.BytesIO(written(FILES))) as read:
        assert read.testzip() is None
        assert {name: read.read(name) for name in read.namelist()} == FILES


@pytest.mark.parametrize("method", [STORED, DEFLATED])
def test_entries_read_back_are_those_written(method: int) -> None:
    stream = io.BytesIO(written(FILES, method=method))
    entries = read_entries(stream)
    assert [entry.name for entry in entries] == list(FILES)
    for entry, content in zip(entries, FILES.values(), strict=True):
        stream.seek(data_offset(stream, entry))
        data = stream.read(entry.compressed_bytes)
        assert (data if method == STORED else zlib.decompress(data, -15)) == content


def test_ordinary_output_has_no_zip64_no_descriptors_no_extra_fields_and_no_comment() -> None:
    data = written(FILES)
    assert b"PK\6\6" not in data
    assert b"PK\7\x08" not in data
    with zipfile.ZipFile(io.BytesIO(data)) as read:
        for info in read.infolist():
            assert (info.extra, info.comment, info.flag_bits & 8) == (b"", b"", 0)
            assert info.extract_version == 20
        assert read.comment == b""


def test_time_is_1980_and_the_system_is_unix() -> None:
    with zipfile.ZipFile(io.BytesIO(written(FILES))) as read:
        assert {(info.date_time, info.create_system) for info in read.infolist()} == {((1980, 1, 1, 0, 0, 0), 3)}


def test_only_names_beyond_ascii_have_the_utf_8_flag() -> None:
    with zipfile.ZipFile(io.BytesIO(written(FILES))) as read:
        flags = {info.filename: info.flag_bits for info in read.infolist()}
    assert flags == {"python/a.py": 0, "python/é.txt": 0x800, "bin/run": 0}


@pytest.mark.parametrize(("executable", "attributes"), [(False, 0o100644 << 16), (True, 0o100755 << 16)])
def test_external_attributes_are_a_regular_file_of_two_modes(executable: bool, attributes: int) -> None:
    record = header("a", executable=executable).central(0)
    assert struct.unpack_from("<L", record, 38)[0] == attributes


def test_the_size_is_known_before_a_byte_is_written() -> None:
    headers = [header(name, content, method=DEFLATED) for name, content in FILES.items()]
    assert zip_size(headers) == len(written(FILES))


def _many(count: int) -> bytes:
    headers = [header(f"python/{number:06}") for number in range(count)]
    body = [one.local() for one in headers]
    size = len(body[0])
    offsets = range(0, count * size, size)
    return b"".join(body) + directory(headers, offsets, start=count * size)


def test_70_000_entries_are_written_with_a_zip64_end_record_and_read_back() -> None:
    data = _many(70_000)
    assert b"PK\6\6" in data[-200:]
    assert len(read_entries(io.BytesIO(data))) == 70_000
    with zipfile.ZipFile(io.BytesIO(data)) as read:
        assert len(read.namelist()) == 70_000


@pytest.mark.parametrize(("count", "wide"), [(65_534, False), (65_535, True)])
def test_zip64_begins_where_the_count_no_longer_fits(count: int, wide: bool) -> None:
    data = _many(count)
    assert (b"PK\6\6" in data[-200:]) is wide
    assert len(read_entries(io.BytesIO(data))) == count


def test_an_offset_beyond_4_gib_stands_in_a_zip64_extra_field() -> None:
    record = header("a").central(2**32 + 5)
    assert struct.unpack_from("<L", record, 42)[0] == 0xFFFFFFFF
    assert record.endswith(struct.pack("<2HQ", 1, 8, 2**32 + 5))
    assert struct.unpack_from("<H", record, 6)[0] == 45


def test_an_entry_knows_where_its_header_lies() -> None:
    entries = read_entries(io.BytesIO(written({"a": b"", "b": b""}, method=STORED)))
    assert entries[1] == ZipEntry(
        name="b", method=0, crc32=0, compressed_bytes=0, unzipped_bytes=0, mode=0o100644, header_offset=31
    )
