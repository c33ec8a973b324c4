"""The same inputs give the same bytes, wherever and however they are built: each build is a process of its own."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.elf_builder import make_elf
from tests.servers import SimpleIndex
from tests.workbench import TARGET, Workbench, add_sdist, add_wheel, sha256

NATIVE = "cp312-cp312-manylinux_2_17_x86_64"
ZIP = "app-python3.12-x86_64.zip"
MANIFEST = "app-python3.12-x86_64.layer.json"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    for folder in ("shelf", "work", "other/deep"):
        (tmp_path / folder).mkdir(parents=True)
    shelf = tmp_path / "shelf"
    needs = [f"part-{number}" for number in range(6)]
    add_wheel(shelf, "app", needs=[*needs, "native"], scripts={"app": "app:answer", "äpp": "app:answer"})
    for name in needs:
        module = name.replace("-", "_")
        files = {f"{module}/__init__.py": f"'''{name}'''\n" * 50, f"{module}/tests/test_it.py": "pass\n"}
        add_wheel(shelf, name, files=files)
    add_wheel(shelf, "native", files={"native/core.so": make_elf()}, tags=NATIVE)
    with SimpleIndex(shelf) as index:
        yield Workbench(root=tmp_path, index=index)


def built(bench: Workbench, *options: str, folder: Path, out: Path, **environment: str) -> tuple[str, str]:
    """Build and return the sha256 of zip and manifest."""
    answer = bench.run("build", "app", *TARGET, "--out", out, *options, folder=folder, **environment)
    assert answer.code == 0, answer
    return sha256(out / ZIP), sha256(out / MANIFEST)


def test_two_builds_under_different_circumstances_give_the_same_bytes(bench: Workbench) -> None:
    """Umask, time zone, locale, hash seed, number of workers, folder, and a cold, a warm and another cold cache."""
    root = bench.root
    before = os.umask(0o022)
    try:
        first = built(bench, "--jobs", "1", folder=bench.work, out=root / "a", TZ="UTC", LC_ALL="C", PYTHONHASHSEED="1")
        os.umask(0o077)
        elsewhere = {"TZ": "Asia/Tokyo", "LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "4242"}
        other = root / "other" / "deep"
        warm = built(bench, "--jobs", "4", folder=other, out=root / "b", **elsewhere)
        cold = built(
            bench, "--jobs", "3", folder=other, out=root / "c", LAYERKIT_CACHE_DIR=str(root / "cold"), **elsewhere
        )
    finally:
        os.umask(before)
    assert first == warm == cold


def test_order_of_requirements_does_not_matter(bench: Workbench) -> None:
    digests = set()
    for number, names in enumerate((("part-1", "part-2"), ("part-2", "part-1"))):
        out = bench.root / f"out{number}"
        answer = bench.run("build", *names, "--name", "app", *TARGET, "--out", out)
        assert answer.code == 0, answer
        digests.add(sha256(out / ZIP))
    assert len(digests) == 1


def test_a_wheel_from_an_sdist_has_the_same_content_wherever_it_is_built(bench: Workbench) -> None:
    """Even with a fresh cache, when the clock has gone on: the zip of the built wheel is normalised."""
    add_sdist(bench.shelf, "pure")
    digests, zips = set(), set()
    for number in range(2):
        out = bench.root / f"out{number}"
        answer = bench.run(
            "build",
            *("pure", "--name", "app", *TARGET, "--out", str(out), "--json"),
            LAYERKIT_CACHE_DIR=str(bench.root / f"cache{number}"),
            TZ=("UTC", "Asia/Tokyo")[number],
        )
        assert answer.code == 0, answer
        digests.add(json.loads(answer.stdout)["layers"][0]["content_digest"])
        zips.add(sha256(out / ZIP))
    assert len(digests) == len(zips) == 1
