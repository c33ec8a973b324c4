"""Writing the zip: copied bytes, true hashes, nothing half-done."""

import base64
import hashlib
import os
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from layerkit.assemble.layout import ExtraFile, LayerFile, lay_out, made
from layerkit.assemble.link import SourceCutShort, link
from layerkit.assemble.prune import plan_pruning
from layerkit.cache import DamagedEntry
from layerkit.model.recipe_parts import Prune
from tests.builders import PLACEMENT, contents, fragments_of, make_wheel


def damage(path: Path) -> None:
    """Change four bytes in the middle of a file, and neither its size nor its time."""
    times = path.stat()
    with path.open("r+b") as stream:
        stream.seek(times.st_size // 2)
        found = stream.read(4)
        stream.seek(-4, os.SEEK_CUR)
        stream.write(bytes(byte ^ 0xFF for byte in found))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def files_of(folder: Path) -> tuple[LayerFile, ...]:
    noise = bytes((number * number) % 251 for number in range(3_000_000))
    wheel = make_wheel(folder, files={"demo.py": "x = 1\n" * 99, "noise.bin": noise})
    plan = plan_pruning(fragments_of([wheel], folder / "cache"), Prune())
    return lay_out(plan.selections, placement=PLACEMENT)


def test_sizes_and_hashes_are_those_of_the_file_on_disk(tmp_path: Path) -> None:
    result = link(files_of(tmp_path), tmp_path / "layer.zip")
    data = result.path.read_bytes()
    digest = hashlib.sha256(data)
    assert (result.zipped_bytes, result.sha256) == (len(data), digest.hexdigest())
    assert result.code_sha256 == base64.b64encode(digest.digest()).decode()


def test_names_in_the_zip_are_sorted(tmp_path: Path) -> None:
    with zipfile.ZipFile(link(files_of(tmp_path), tmp_path / "layer.zip").path) as read:
        assert read.namelist() == sorted(read.namelist())


def test_compressed_bytes_are_those_of_the_wheel(tmp_path: Path) -> None:
    layer = link(files_of(tmp_path), tmp_path / "layer.zip").path.read_bytes()
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        info = wheel.getinfo("noise.bin")
    start = info.header_offset + 30 + len("noise.bin")
    wheel_bytes = next(tmp_path.glob("*.whl")).read_bytes()
    assert wheel_bytes[start : start + info.compress_size] in layer


def test_an_empty_layer_is_a_zip(tmp_path: Path) -> None:
    assert contents(link((), tmp_path / "layer.zip").path) == {}


def test_a_source_that_became_shorter_is_told_and_nothing_is_written(tmp_path: Path) -> None:
    files = files_of(tmp_path)
    wheel = next(tmp_path.glob("*.whl"))
    wheel.write_bytes(wheel.read_bytes()[:200])
    with pytest.raises(SourceCutShort, match="became shorter"):
        link(files, tmp_path / "out" / "layer.zip")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(("folder", "is_entry"), [("de", True), ("wheels", False)])
def test_a_damaged_source_is_told_nothing_is_written_and_the_cache_forgets_it(
    tmp_path: Path, folder: str, is_entry: bool
) -> None:
    """A file that does not lie as a cache's entries do is somebody's own and stays."""
    files = files_of(tmp_path / folder)
    (wheel,) = (tmp_path / folder).glob("*.whl")
    damage(wheel)
    with pytest.raises(DamagedEntry, match="`demo`"):
        link(files, tmp_path / "out" / "layer.zip")
    assert list((tmp_path / "out").iterdir()) == []
    assert wheel.exists() is not is_entry


def test_content_made_here_is_deflated_where_that_helps() -> None:
    small = ExtraFile(name="a", content=b"x", executable=False, owner="demo")
    assert (made(small).header.method, made(replace(small, content=b"x" * 99)).header.method) == (0, 8)
