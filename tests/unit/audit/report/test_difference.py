"""A difference between two layers, as people read it."""

from dataclasses import replace

import pytest

from layerkit.audit.diff import compare
from layerkit.audit.report.difference import render_markdown, render_text
from tests.unit.audit.holding import MIB, holding, installed

SITE = "python/lib/python3.12/site-packages"
OLD = holding(
    *installed("python", "numpy", "gone"),
    sizes={"python/numpy/core.so": 60 * MIB, "python/gone/data.bin": 2 * MIB},
    where="old.zip",
)
NEW = holding(
    *installed("python", "pandas"),
    *installed("python", "numpy", version="2.0"),
    sizes={"python/numpy/core.so": 70 * MIB, "python/pandas/lib.so": 30 * MIB},
    where="new.zip",
)


def test_text_tells_totals_the_limit_distributions_types_and_files() -> None:
    assert render_text(compare(OLD, NEW)) == [
        "old.zip -> new.zip",
        "                 OLD        NEW     CHANGE",
        "  unzipped  62.0 MiB  100.0 MiB  +38.0 MiB",
        "  zipped    31.0 MiB   50.0 MiB  +19.0 MiB",
        "  files           16         16          0",
        "",
        "25% -> 40% of 250 MiB, 150.0 MiB left",
        "",
        "  DISTRIBUTION  OLD  NEW  UNZIPPED     CHANGE",
        "  + pandas      -    1.0  30.0 MiB  +30.0 MiB",
        "  ~ numpy       1.0  2.0  70.0 MiB  +10.0 MiB",
        "  - gone        1.0  -           -   -2.0 MiB",
        "",
        "  TYPE         OLD        NEW     CHANGE",
        "  native  60.0 MiB  100.0 MiB  +40.0 MiB",
        "  data     2.0 MiB    0.0 MiB   -2.0 MiB",
        "",
        "files: 8 added, 8 removed, 1 changed, 4 moved:",
        "  ~ python/numpy/core.so  +10.0 MiB",
    ]


def test_the_same_is_said_to_be_the_same() -> None:
    assert render_text(compare(OLD, OLD))[5:] == [
        "",
        "no difference: the same files with the same content",
        "25% of 250 MiB, 188.0 MiB left",
    ]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (200, 260, "no longer fits: 80% -> 104% of 250 MiB, over Lambda's limit by 10,485,761 bytes"),
        (270, 260, "still does not fit: 108% -> 104% of 250 MiB, over Lambda's limit by 10,485,761 bytes"),
        (260, 200, "fits now: 104% -> 80% of 250 MiB, 50.0 MiB left"),
    ],
)
def test_what_it_means_for_the_limit(old: int, new: int, said: str) -> None:
    layers = [holding(sizes={"bin/x": size * MIB}) for size in (old, new)]
    assert said in render_text(compare(*layers))


def test_a_move_is_one_line() -> None:
    lines = render_text(compare(holding(*installed("python", "a")), holding(*installed(SITE, "a"))))
    assert "  > a           1.0  1.0   0.0 MiB   moved" in lines
    assert lines[-2:] == ["files: 7 moved:", f"  > python -> {SITE}  7 files"]


def test_many_files_are_counted_after_the_largest() -> None:
    new = holding(sizes={f"bin/{number:02}": 1000 - number for number in range(25)})
    lines = render_text(compare(holding(), new))
    assert lines[-2].split() == ["+", "bin/19", "+981", "bytes"]
    assert lines[-1].split() == ["and", "5", "more", "+4.8", "KiB"]


def test_a_folder_has_no_zipped_size() -> None:
    lines = render_text(compare(replace(OLD, zipped_bytes=None), NEW))
    assert lines[3] == "  zipped           -   50.0 MiB          -"


def test_markdown_tells_the_same() -> None:
    lines = render_markdown(compare(OLD, NEW))
    assert lines[:8] == [
        "### old.zip → new.zip",
        "",
        "25% -\\> 40% of 250 MiB, 150.0 MiB left",
        "",
        "|  | old | new | change |",
        "| --- | ---: | ---: | ---: |",
        "| unzipped | 62.0 MiB | 100.0 MiB | +38.0 MiB |",
        "| zipped | 31.0 MiB | 50.0 MiB | +19.0 MiB |",
    ]
    assert "| + pandas | - | 1.0 | 30.0 MiB | +30.0 MiB |" in lines
    assert "<details><summary>files: 8 added, 8 removed, 1 changed, 4 moved</summary>" in lines
    assert lines[-1] == "</details>"


def test_markdown_stays_text_whatever_files_are_called() -> None:
    lines = render_markdown(compare(holding(where="a|b"), holding("x|<script>`*.py")))
    assert lines[0] == "### a\\|b → layer.zip"
    assert "| + x\\|\\<script\\>\\`\\*.py | +100 bytes |" in lines
