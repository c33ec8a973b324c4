"""Fragments: what is known of a wheel survives the cache, and a cache that lies costs time, never a wrong layer."""

import hashlib
import os
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from layerkit.assemble.examine import CorruptWheel, HopelessWheel
from layerkit.assemble.fragment import Fragment, Preparation
from layerkit.assemble.layout import lay_out
from layerkit.assemble.prepare import prepare
from layerkit.assemble.prune import plan_pruning
from layerkit.cache import Cache, DamagedEntry
from layerkit.formats.wheel import Scheme, Script
from layerkit.formats.zip import DEFLATED, STORED
from layerkit.model.recipe_parts import Compression, Prune
from layerkit.progress import Silent
from tests.builders import PLACEMENT, RawEntry, contents, fragments_of, linked, make_wheel, raw_zip, verified
from tests.elf_builder import make_elf

REPEATED = "x = 1\n" * 500


def entry_file(cache: Path) -> Path:
    (found,) = (path for path in (cache / "fragments").rglob("*") if path.is_file())
    return found


def rich_wheel(folder: Path) -> Path:
    return make_wheel(
        folder,
        files={"demo/__init__.py": REPEATED, "demo/empty.py": "", "demo/lib.so": make_elf()},
        data={"scripts/run": "#!python\nprint(1)\n", "headers/demo.h": "//", "data/share/x": "x"},
        entry_points="[console_scripts]\ndemo = demo:main\n",
        purelib=False,
    )


def test_a_fragment_read_from_the_cache_is_the_one_that_was_made(tmp_path: Path) -> None:
    wheel = rich_wheel(tmp_path)
    (made,) = fragments_of([wheel], tmp_path / "cache")
    written = entry_file(tmp_path / "cache").stat().st_mtime_ns
    (read,) = fragments_of([wheel], tmp_path / "cache")
    assert read == made
    assert entry_file(tmp_path / "cache").stat().st_mtime_ns == written
    assert read.scripts == (Script(name="demo", module="demo", attribute="main"),)
    assert read.hashbang_scripts == {"run"}
    assert (Scheme.LIB, "demo/lib.so") in read.binaries
    assert not read.is_pure


def _cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def _empty(data: bytes) -> bytes:
    return data[:0]


def _garbage(data: bytes) -> bytes:
    return hashlib.shake_128(b"noise").digest(len(data))


def _one_bit_of_the_blob(data: bytes) -> bytes:
    return bytes([data[0] ^ 1]) + data[1:]


def _one_letter_of_the_index(data: bytes) -> bytes:
    return data.replace(b'"scripts"', b'"Scripts"')


@pytest.mark.parametrize("damage", [_cut, _empty, _garbage, _one_bit_of_the_blob, _one_letter_of_the_index])
def test_a_damaged_fragment_is_made_again(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    wheel = make_wheel(tmp_path, files={"demo.py": REPEATED}, method=zipfile.ZIP_STORED)
    before = linked([wheel], tmp_path).read_bytes()
    entry = entry_file(tmp_path / "cache")
    entry.write_bytes(damage(entry.read_bytes()))
    assert linked([wheel], tmp_path).read_bytes() == before


def test_a_wheel_replaced_under_the_same_name_gets_a_fragment_of_its_own(tmp_path: Path) -> None:
    first = contents(linked([make_wheel(tmp_path, files={"demo.py": "a = 1"})], tmp_path))
    second = contents(linked([make_wheel(tmp_path, files={"demo.py": "b = 2"})], tmp_path))
    assert (first["python/demo.py"], second["python/demo.py"]) == (b"a = 1", b"b = 2")


def test_the_same_wheel_with_another_time_or_name_is_looked_at_again(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, files={"demo.py": "a = 1"})
    (made,) = fragments_of([wheel], tmp_path / "cache")
    os.utime(wheel, ns=(1, 1))
    assert fragments_of([wheel], tmp_path / "cache") == (made,)
    renamed = wheel.rename(tmp_path / "demo-1.0-2-py3-none-any.whl")
    (again,) = fragments_of([renamed], tmp_path / "cache")
    assert again == replace(made, wheel=renamed.name, wheel_path=renamed, version="1.0")


def test_a_damaged_wheel_is_no_fault_of_its_makers_and_the_cache_forgets_it(tmp_path: Path) -> None:
    wheels = [make_wheel(tmp_path / name[:2], name=name, files={f"{name}.py": REPEATED}) for name in ("demo", "good")]
    both = [verified(wheel) for wheel in wheels]
    wheels[0].write_bytes(wheels[0].read_bytes().replace(b"demo.py", b"demo.pz", 1))
    with pytest.raises(DamagedEntry) as caught:
        prepare(both, cache=Cache(tmp_path), preparation=Preparation(), jobs=2, progress=Silent())
    assert wheels[0].name in caught.value.message
    assert wheels[1].name not in caught.value.message
    assert [wheel.exists() for wheel in wheels] == [False, True]


def test_a_script_is_not_rewritten_from_damaged_bytes(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path / "de", data={"scripts/run": "#!python\n"}, method=zipfile.ZIP_STORED)
    (fragment,) = fragments_of([wheel], tmp_path / "cache")
    blob = fragment.source_of(next(file for file in fragment.files if file.path == "run"))
    blob.write_bytes(blob.read_bytes().replace(b"#!python\n", b"#!pyth0n\n"))
    with pytest.raises(DamagedEntry):
        lay_out(plan_pruning([fragment], Prune()).selections, placement=PLACEMENT)
    assert not blob.exists()


def file_of(fragment: Fragment, path: str) -> tuple[int, bool, int]:
    (found,) = (file for file in fragment.files if file.path == path)
    return found.method, found.in_blob, found.compressed_bytes


def test_stored_files_are_deflated_where_that_makes_them_smaller(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "a.py": REPEATED,
        "noise.bin": hashlib.shake_128(b"noise").digest(500),
        "empty.py": "",
    }
    (fragment,) = fragments_of([make_wheel(tmp_path, files=files, method=zipfile.ZIP_STORED)], tmp_path / "cache")
    assert file_of(fragment, "a.py")[:2] == (DEFLATED, True)
    assert file_of(fragment, "noise.bin") == (STORED, False, 500)
    assert file_of(fragment, "empty.py") == (STORED, False, 0)


def test_deflated_bytes_stay_where_they_are_unless_the_best_are_asked_for(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, files={"a.py": "".join(f"x{n} = {n * n}\n" for n in range(900))}, level=1)
    (copied,) = fragments_of([wheel], tmp_path / "cache")
    (best,) = fragments_of([wheel], tmp_path / "cache", compression=Compression.BEST)
    assert file_of(copied, "a.py")[:2] == (DEFLATED, False)
    assert file_of(best, "a.py")[1]
    assert file_of(best, "a.py")[2] < file_of(copied, "a.py")[2]


def test_empty_files_take_no_bytes_however_they_were_compressed(tmp_path: Path) -> None:
    (fragment,) = fragments_of([make_wheel(tmp_path, files={"empty.py": ""})], tmp_path / "cache")
    assert file_of(fragment, "empty.py") == (STORED, False, 0)


def test_junk_of_other_installers_does_not_survive(tmp_path: Path) -> None:
    junk = dict.fromkeys(("RECORD.jws", "RECORD.p7s", "direct_url.json", "INSTALLER", "REQUESTED"), "junk")
    layer = contents(linked([make_wheel(tmp_path, files={"demo.py": ""}, metadata=junk)], tmp_path))
    names = {name.rpartition("/")[2] for name in layer if ".dist-info/" in name}
    assert names == {"METADATA", "WHEEL", "RECORD", "INSTALLER"}
    assert layer["python/demo-1.0.dist-info/INSTALLER"] == b"layerkit\n"


@pytest.mark.parametrize("missing", ["METADATA", "WHEEL"])
def test_a_wheel_without_its_metadata_is_refused(tmp_path: Path, missing: str) -> None:
    with pytest.raises(CorruptWheel, match=f"{missing}` is missing"):
        fragments_of([make_wheel(tmp_path, metadata={missing: None})], tmp_path / "cache")


def test_a_record_that_lists_files_which_are_not_there_is_written_anew(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, files={"demo.py": ""}, metadata={"RECORD": "ghost.py,sha256=x,1\nnonsense"})
    assert b"ghost" not in contents(linked([wheel], tmp_path))["python/demo-1.0.dist-info/RECORD"]


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip at all" * 10, raw_zip()])
def test_what_is_no_wheel_is_refused(tmp_path: Path, content: bytes) -> None:
    wheel = tmp_path / "demo-1.0-py3-none-any.whl"
    wheel.write_bytes(content)
    with pytest.raises(CorruptWheel, match="cannot be used"):
        fragments_of([wheel], tmp_path / "cache")


@pytest.mark.parametrize(
    "entry",
    [
        RawEntry(crc32=1),
        RawEntry(unzipped_bytes=39),
        RawEntry(unzipped_bytes=41),
        RawEntry(method=0, unzipped_bytes=39),
        RawEntry(raw=b"\xff" * 30),
        RawEntry(local_name=b"other"),
        RawEntry(name=b"../evil.py"),
        RawEntry(attributes=0o120777 << 16),
    ],
)
def test_a_wheel_whose_zip_lies_is_refused_and_nothing_stays_in_the_cache(tmp_path: Path, entry: RawEntry) -> None:
    info = (RawEntry(name=b"demo-1.0.dist-info/METADATA"), RawEntry(name=b"demo-1.0.dist-info/WHEEL"))
    wheel = tmp_path / "demo-1.0-py3-none-any.whl"
    wheel.write_bytes(raw_zip(entry, *info))
    with pytest.raises(CorruptWheel):
        fragments_of([wheel], tmp_path / "cache")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [wheel]


def test_two_files_for_one_place_are_refused(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, files={"demo.py": "a"}, data={"purelib/demo.py": "b"})
    with pytest.raises(CorruptWheel, match="would be one file"):
        fragments_of([wheel], tmp_path / "cache")


def test_a_record_smuggled_in_by_a_scheme_is_left_out(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, files={"demo.py": ""}, data={"purelib/demo-1.0.dist-info/INSTALLER": "pip"})
    assert contents(linked([wheel], tmp_path))["python/demo-1.0.dist-info/INSTALLER"] == b"layerkit\n"


def test_a_file_that_no_layer_can_hold_is_refused_before_it_is_inflated(tmp_path: Path) -> None:
    wheel = tmp_path / "demo-1.0-py3-none-any.whl"
    wheel.write_bytes(raw_zip(RawEntry(raw=bytes(300_000), unzipped_bytes=262_144_000)))
    with pytest.raises(HopelessWheel, match=r"a\.txt"):
        fragments_of([wheel], tmp_path / "cache")


def test_python_of_an_odd_spelling_or_broken_python_is_just_a_file(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"A.PY": "import x.tests", "b.py": b"\xff\0(", "c.py": "x = '\\d'  # a.tests\n"}
    layer = contents(linked([make_wheel(tmp_path, files=files)], tmp_path))
    assert layer["python/A.PY"] == b"import x.tests"
    assert layer["python/b.py"] == b"\xff\0("


def test_what_claims_to_be_elf_and_is_not_is_copied(tmp_path: Path) -> None:
    broken = b"\x7fELF" + bytes(range(200))
    assert contents(linked([make_wheel(tmp_path, files={"x.so": broken})], tmp_path))["python/x.so"] == broken
