"""A layer composed, judged and written: refused before a byte is written, manifest and zip agreeing."""

import json
from pathlib import Path

import pytest

from layerkit.cache import Cache
from layerkit.composition import Composed, EmptyLayer, LayerRefused, Making, compose, write_layer
from layerkit.model.finding import Code, Severity
from layerkit.model.layer import Layer
from layerkit.model.recipe import Budget, Prune, Recipe
from layerkit.model.recipe import Layer as LayerSection
from layerkit.model.target import parse_target
from tests.builders import RawEntry, fragments_of, make_wheel, raw_zip
from tests.elf_builder import make_elf


def composed(
    folder: Path,
    *wheels: Path,
    prune: Prune = Prune(),  # noqa: B008 -- frozen
    budget: Budget = Budget(),  # noqa: B008 -- frozen
    making: Making = Making(),  # noqa: B008 -- frozen
) -> Composed:
    recipe = Recipe(path=folder / "layerkit.toml", layer=LayerSection(name="demo"), prune=prune, budget=budget)
    fragments = fragments_of(wheels, folder / "cache")
    targets = (parse_target("python3.12-x86_64"),)
    return compose(recipe, targets, fragments, cache=Cache(folder / "cache"), making=making)


def written(layer: Composed, folder: Path, *, beside: int = 0, force: bool = False) -> Layer:
    path = folder / "out" / "demo.zip"
    cache = Cache(folder / "cache")
    return write_layer(layer, path=path, title="`demo`", beside_bytes=beside, force=force, cache=cache)


def test_the_manifest_tells_the_zip_beside_it(tmp_path: Path) -> None:
    layer = written(composed(tmp_path, make_wheel(tmp_path, files={"a.py": "x = 1", "a.c": "int"})), tmp_path)
    (told,) = json.loads(layer.manifest_path.read_text())["layers"]
    assert (told["path"], told["sha256"], told["zipped_bytes"]) == (
        "demo.zip",
        layer.sha256,
        layer.path.stat().st_size,
    )
    assert told["pruned"][0]["rule"] == "native-source"
    assert str(tmp_path) not in layer.manifest_path.read_text()


def zeros(folder: Path, size: int) -> Path:
    """Return a wheel with files of zeros, which are ``size`` bytes unzipped and few on disk."""
    half = size // 2
    parts = (half, size - half)
    entries = [RawEntry(name=f"z{number}".encode(), content=bytes(part)) for number, part in enumerate(parts)]
    info = [
        RawEntry(name=b"big-1.dist-info/" + name, content=b"Root-Is-Purelib: true\n")
        for name in (b"METADATA", b"WHEEL")
    ]
    wheel = folder / "big-1-py3-none-any.whl"
    wheel.write_bytes(raw_zip(*entries, *info))
    return wheel


def test_the_limit_is_held_to_the_last_byte(tmp_path: Path) -> None:
    layer = composed(tmp_path, zeros(tmp_path, 4_000_000))
    room = 262_144_000 - layer.unzipped_bytes
    with pytest.raises(LayerRefused) as caught:
        written(layer, tmp_path, beside=room)
    assert not (tmp_path / "out").exists()
    assert "by 1 bytes" in caught.value.details[0]
    assert written(layer, tmp_path, beside=room - 1).unzipped_bytes == layer.unzipped_bytes
    assert written(layer, tmp_path, beside=room, force=True).findings[0].code is Code.SIZE_UNZIPPED


def test_a_refused_layer_takes_its_former_zip_with_it(tmp_path: Path) -> None:
    fine = written(composed(tmp_path, make_wheel(tmp_path, files={"a.py": ""})), tmp_path)
    foreign = composed(tmp_path, make_wheel(tmp_path, files={"a.so": make_elf(machine=183)}))
    with pytest.raises(LayerRefused):
        written(foreign, tmp_path)
    assert (fine.path.exists(), fine.manifest_path.exists()) == (False, False)


def test_a_binary_that_cannot_load_is_refused_unless_it_is_dropped(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, files={"a.so": make_elf(machine=183), "a.py": ""})
    with pytest.raises(LayerRefused, match="would not work on Lambda"):
        written(composed(tmp_path, wheel), tmp_path)
    assert written(composed(tmp_path, wheel, prune=Prune(drop=("a.so",))), tmp_path).findings == ()


def test_patterns_that_took_nothing_and_a_budget_that_was_passed_are_findings(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, files={"a.py": "x"})
    layer = composed(tmp_path, wheel, prune=Prune(drop=("b.py",)), budget=Budget(unzipped=1))
    codes = [finding.code for finding in written(layer, tmp_path).findings]
    assert codes == [Code.SIZE_BUDGET, Code.PRUNE_UNMATCHED]


def test_distributions_add_up_to_the_layer(tmp_path: Path) -> None:
    wheels = [make_wheel(tmp_path, name=name, files={f"{name}.py": name}) for name in ("one", "two")]
    layer = composed(tmp_path, *wheels)
    assert sum(part.unzipped_bytes for part in layer.distributions) == layer.unzipped_bytes
    assert [part.name for part in composed(tmp_path, *wheels[::-1]).distributions] == ["one", "two"]


def test_a_binary_that_cannot_be_read_is_a_warning_not_a_silence(tmp_path: Path) -> None:
    layer = composed(tmp_path, make_wheel(tmp_path, files={"demo/x.so": b"\x7fELF" + b"\xff" * 60}))
    (finding,) = (finding for finding in layer.findings if finding.code is Code.ELF_UNREADABLE)
    assert finding.where == "python/demo/x.so"
    assert finding.message.startswith("demo brings a file that begins like a binary, but")
    assert written(layer, tmp_path).path.is_file()


def test_a_layer_without_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmptyLayer, match="holds no files"):
        written(composed(tmp_path), tmp_path)
    assert not (tmp_path / "out").exists()


def test_a_layer_that_lacks_a_library_is_refused_unless_another_brings_what_is_missing(tmp_path: Path) -> None:
    layer = composed(tmp_path, make_wheel(tmp_path, files={"fast.so": make_elf(soname=None, needed=["libgomp.so.1"])}))
    with pytest.raises(LayerRefused) as caught:
        written(layer, tmp_path)
    assert "needs `libgomp.so.1`" in caught.value.details[0]
    assert (caught.value.hint or "").endswith("if another layer brings what is missing, build with `--force`")
    assert written(layer, tmp_path, force=True).findings[0].code is Code.ELF_MISSING_LIBRARY


def test_libraries_taken_from_the_image_are_part_of_the_layer(tmp_path: Path) -> None:
    library = tmp_path / "libgomp.so.1"
    library.write_bytes(make_elf(soname="libgomp.so.1"))
    wheel = make_wheel(tmp_path, files={"fast.so": make_elf(soname=None, needed=["libgomp.so.1"])})
    making = Making(libraries=(("libgomp.so.1", library),))
    assert composed(tmp_path, wheel, making=making).findings == ()


def test_an_optional_binary_of_a_wheel_for_any_platform_does_not_refuse_a_layer(tmp_path: Path) -> None:
    """So debugpy builds for arm64, though it brings a helper that attaches to processes on x86."""
    wheel = make_wheel(tmp_path, files={"demo/attach_linux_arm64.so": make_elf(machine=183), "demo/__init__.py": ""})
    (finding,) = written(composed(tmp_path, wheel), tmp_path).findings
    assert (finding.code, finding.severity) == (Code.ELF_ARCHITECTURE, Severity.NOTE)
