"""Zips that nobody vouches for, read into contents."""

import io
import stat
import zipfile
from pathlib import Path

import pytest

from layerkit.audit.zip_source import Memory, UnreadableLayer, read_zip
from layerkit.cache import Cache
from layerkit.files import sha256_of
from layerkit.model.contents import Contents, Kind
from layerkit.model.finding import Code, Severity
from tests.elf_builder import make_elf

KEY = "-----BEGIN PRIVATE KEY-----\nnot really\n"
METADATA = (
    "Metadata-Version: 2.1\nName: Demo_App\nVersion: 1.2\nRequires-Dist: idna>=2\nRequires-Dist: rich; extra == 'x'\n"
)


def entry(name: str, *, mode: int = 0o644, kind: int = stat.S_IFREG) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    info.create_system = 3
    info.external_attr = (kind | mode) << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    return info


def zipped(files: dict[str, bytes | str], *, mode: int = 0o644, **kinds: int) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(entry(name, mode=mode, kind=kinds.get(name, stat.S_IFREG)), content)
    return stream.getvalue()


def read(data: bytes, *, deep: bool = True) -> Contents:
    return read_zip(io.BytesIO(data), where="a.zip", deep=deep)


def codes(contents: Contents) -> list[tuple[Code, Severity]]:
    return [(finding.code, finding.severity) for finding in contents.findings]


def wheel_like(root: str = "python") -> dict[str, bytes | str]:
    listed = ("demo/__init__.py", "demo/fast.abi3.so", "../bin/demo", "/etc/passwd", "../../../x")
    record = "".join(f"{path},,\n" for path in (*listed, "demo_app-1.2.dist-info/RECORD"))
    return {
        f"{root}/demo/__init__.py": "x = 1\n" * 100,
        f"{root}/demo/fast.abi3.so": make_elf(needed=("libz.so.1",)),
        f"{root}/demo/__pycache__/__init__.cpython-312.pyc": b"\xcb\x0d\x0d\x0a" + bytes(40),
        f"{root}/demo_app-1.2.dist-info/METADATA": METADATA,
        f"{root}/demo_app-1.2.dist-info/WHEEL": "Wheel-Version: 1.0\nTag: cp312-abi3-manylinux2014_x86_64\n",
        f"{root}/demo_app-1.2.dist-info/RECORD": record,
        "bin/demo": "#!/bin/sh\n",
        f"{root}/stranger.txt": "who?",
    }


def test_sizes_owners_and_kinds_come_from_directory_and_metadata_alone() -> None:
    data = zipped(wheel_like())
    contents = read(data, deep=False)
    assert contents.insides is None
    assert contents.zipped_bytes == len(data)
    assert contents.unzipped_bytes == sum(file.unzipped_bytes for file in contents.files)
    owners = {file.path: file.owner for file in contents.files}
    assert owners == {path: None if path.endswith("stranger.txt") else "demo-app" for path in wheel_like()}
    kinds = {file.path.rpartition("/")[2]: file.kind for file in contents.files}
    assert (kinds["__init__.py"], kinds["fast.abi3.so"], kinds["RECORD"], kinds["stranger.txt"]) == (
        Kind.PYTHON,
        Kind.NATIVE,
        Kind.METADATA,
        Kind.DATA,
    )


def test_a_distribution_tells_what_it_is_and_wants() -> None:
    (distribution,) = read(zipped(wheel_like())).distributions
    assert (distribution.name, distribution.version, distribution.root) == ("demo-app", "1.2", "python")
    assert distribution.requires == ("idna>=2", "rich; extra == 'x'")
    assert distribution.tags == ("cp312-abi3-manylinux2014_x86_64",)


def test_without_a_record_its_own_folder_is_a_distributions() -> None:
    files = {path: content for path, content in wheel_like().items() if "RECORD" not in path and "demo/" not in path}
    files |= {"python/demo_app/core.py": "", "python/demo_app.py": "", "python/other.py": ""}
    owners = {file.path: file.owner for file in read(zipped(files)).files}
    assert owners["python/demo_app/core.py"] == owners["python/demo_app.py"] == "demo-app"
    assert owners["python/other.py"] is None


def test_a_look_at_every_file_finds_binaries_bytecode_path_files_and_keys() -> None:
    files = {**wheel_like(), "python/x.pth": "import os", "key.pem": KEY, "ca.pem": "-----BEGIN CERTIFICATE-----"}
    files["python/demo/data"] = make_elf()
    contents = read(zipped(files))
    assert contents.insides is not None
    assert set(contents.insides.binaries) == {"python/demo/fast.abi3.so", "python/demo/data"}
    assert contents.insides.binaries["python/demo/fast.abi3.so"].needed == ("libz.so.1",)
    assert set(contents.insides.bytecode) == {"python/demo/__pycache__/__init__.cpython-312.pyc"}
    assert contents.insides.path_files == {"python/x.pth": "import os"}
    assert contents.insides.private_keys == {"key.pem"}
    assert next(file.kind for file in contents.files if file.path == "python/demo/data") is Kind.NATIVE


def test_a_second_look_at_the_same_zip_is_remembered(tmp_path: Path) -> None:
    path, cache = tmp_path / "a.zip", Cache(tmp_path / "cache")
    path.write_bytes(zipped({**wheel_like(), "key.pem": KEY, "broken": b"\x7fELF"}))

    def look() -> Contents:
        with path.open("rb") as stream:
            return read_zip(
                stream, where="a.zip", deep=True, memory=Memory(cache=cache, sha256=lambda: sha256_of(path).hex())
            )

    first = look()
    assert look() == first
    (kept,) = (tmp_path / "cache" / "sights").rglob("??*/*")
    kept.write_text(kept.read_text(encoding="utf-8").replace("key.pem", "key.pom"), encoding="utf-8")
    assert look() == first


@pytest.mark.parametrize("data", [b"", b"PK", b"not a zip at all", bytes(1000)])
def test_what_is_no_zip_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableLayer):
        read(data)


def test_a_zip_cut_short_is_refused() -> None:
    with pytest.raises(UnreadableLayer, match="cut short"):
        read(zipped(wheel_like())[:-30])


def test_bytes_before_and_behind_a_zip_are_passed_over() -> None:
    data = zipped(wheel_like())
    contents = read(b"#!/bin/sh\n" + data + b"\0\0\0")
    assert codes(contents) == []
    assert len(contents.files) == len(wheel_like())


def test_an_empty_zip_is_an_error() -> None:
    assert codes(read(zipped({}))) == [(Code.ZIP_DAMAGED, Severity.ERROR)]


@pytest.mark.parametrize("name", ["/etc/passwd", "../up", "a/../../b", "a\\b", "C:/x", "a//b", "x" * 300])
def test_a_name_that_leaves_its_folder_is_an_error_and_no_file(name: str) -> None:
    contents = read(zipped({"python/a.py": "", name: "x"}))
    assert codes(contents) == [(Code.ZIP_UNSAFE_PATH, Severity.ERROR)]
    assert [file.path for file in contents.files] == ["python/a.py"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_one_name_twice_the_last_counts() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(entry("a.py"), "first")
        archive.writestr(entry("a.py"), "second!")
    contents = read(stream.getvalue())
    assert codes(contents) == [(Code.ZIP_DUPLICATE_PATH, Severity.WARNING)]
    assert [file.unzipped_bytes for file in contents.files] == [7]


def test_modes_that_lambda_cannot_read_are_one_error() -> None:
    (finding,) = read(zipped({f"python/{number}.py": "" for number in range(9)}, mode=0o600)).findings
    assert (finding.code, finding.severity, len(finding.paths)) == (Code.ZIP_NOT_READABLE, Severity.ERROR, 9)


def test_a_zip_from_windows_has_no_modes_and_is_fine() -> None:
    data = zipped({"python/a.py": ""}, mode=0).replace(b"PK\x01\x02\x14\x03", b"PK\x01\x02\x14\x00")
    assert codes(read(data)) == []


def test_an_extension_that_cannot_be_executed_is_an_error() -> None:
    assert codes(read(zipped({"extensions/watch": "", "bootstrap": ""}))) == [(Code.ZIP_NOT_READABLE, Severity.ERROR)]
    assert codes(read(zipped({"extensions/watch": "", "bootstrap": ""}, mode=0o755))) == []


def test_links_survive_and_broken_ones_are_a_warning() -> None:
    files: dict[str, bytes | str] = {"lib/libx.so.1.2": "x", "lib/libx.so.1": "libx.so.1.2", "gone": "/opt/lib/none"}
    contents = read(zipped(files, **{"lib/libx.so.1": stat.S_IFLNK, "gone": stat.S_IFLNK}))
    assert codes(contents) == [(Code.ZIP_SYMLINK, Severity.WARNING), (Code.ZIP_SYMLINK, Severity.NOTE)]
    assert contents.insides is not None
    assert contents.insides.links == {"lib/libx.so.1": "libx.so.1.2", "gone": "/opt/lib/none"}


def test_an_encrypted_entry_is_an_error() -> None:
    data = bytearray(zipped({"secret.txt": "x"}))
    for signature, at in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        data[data.index(signature) + at] |= 1
    (finding,) = read(bytes(data)).findings
    assert (finding.code, finding.message) == (
        Code.ZIP_DAMAGED,
        "`secret.txt` is encrypted, and Lambda cannot unpack it",
    )


def test_content_that_is_not_what_the_directory_promises_is_an_error() -> None:
    data = bytearray(zipped({"a.bin": bytes(range(256)) * 10}))
    data[60] ^= 0xFF
    assert codes(read(bytes(data))) == [(Code.ZIP_DAMAGED, Severity.ERROR)]


def test_a_bomb_is_not_unpacked() -> None:
    data = bytearray(zipped({"bomb": b"x" * 1000}))
    at = data.index(b"PK\x01\x02") + 24
    data[at : at + 4] = (2**31).to_bytes(4, "little")
    (finding,) = read(bytes(data)).findings
    assert "claims 2,147,483,648 bytes" in finding.message


def test_a_name_in_another_encoding_is_shown_and_not_fatal() -> None:
    data = zipped({"python/caf\N{LATIN SMALL LETTER E WITH ACUTE}.py": ""})
    broken = data.replace("é".encode(), b"\xff\xfe")
    assert [file.path for file in read(broken).files] == [
        "python/caf\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}.py"
    ]


def test_a_hundred_thousand_entries_are_read() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for number in range(100_000):
            archive.writestr(entry(f"python/p{number % 100}/f{number}.py"), b"")
    assert len(read(stream.getvalue(), deep=False).files) == 100_000


def test_a_file_that_only_begins_like_a_binary_is_a_warning() -> None:
    assert codes(read(zipped({"python/x.so": b"\x7fELF" + bytes(10)}))) == [(Code.ELF_UNREADABLE, Severity.WARNING)]
