"""Heads of ``.pyc`` files: real ones, and what is none."""

import importlib.util
import py_compile
import sys
from pathlib import Path

import pytest

from layerkit.formats.pyc import HEAD_BYTES, PycHead, PycProblem, Validation, read_pyc_head


def head(magic: int, flags: int = 0, size: int = 7, line_end: bytes = b"\r\n") -> bytes:
    return magic.to_bytes(2, "little") + line_end + flags.to_bytes(4, "little") + bytes(4) + size.to_bytes(4, "little")


@pytest.mark.parametrize(
    ("mode", "validation"),
    [
        (py_compile.PycInvalidationMode.TIMESTAMP, Validation.TIMESTAMP),
        (py_compile.PycInvalidationMode.CHECKED_HASH, Validation.CHECKED_HASH),
        (py_compile.PycInvalidationMode.UNCHECKED_HASH, Validation.UNCHECKED_HASH),
    ],
)
def test_what_this_interpreter_writes_is_read(
    tmp_path: Path, mode: py_compile.PycInvalidationMode, validation: Validation
) -> None:
    source = tmp_path / "x.py"
    source.write_bytes(b"x = 1\n")
    py_compile.compile(str(source), cfile=str(tmp_path / "x.pyc"), invalidation_mode=mode)
    size = 6 if validation is Validation.TIMESTAMP else None
    assert read_pyc_head((tmp_path / "x.pyc").read_bytes()[:HEAD_BYTES]) == PycHead(
        python=sys.version_info[:2], validation=validation, source_bytes=size
    )


def test_this_interpreters_magic_is_its_own() -> None:
    assert read_pyc_head(importlib.util.MAGIC_NUMBER + bytes(12)).python == sys.version_info[:2]


@pytest.mark.parametrize(
    ("magic", "python"),
    [
        (3394, (3, 7)),
        (3413, (3, 8)),
        (3425, (3, 9)),
        (3439, (3, 10)),
        (3495, (3, 11)),
        (3531, (3, 12)),
        (3571, (3, 13)),
        (3627, (3, 14)),
        (3650, (3, 15)),
    ],
)
def test_the_magic_numbers_that_were_released(magic: int, python: tuple[int, int]) -> None:
    assert read_pyc_head(head(magic)).python == python


@pytest.mark.parametrize(
    "data",
    [
        b"",
        head(3531)[:15],
        head(62211),  # Python 2.7
        head(3379),  # Python 3.6
        head(3900),
        head(3531, line_end=b"\n\n"),
        head(3531, flags=4),
        b"# not bytecode at all",
    ],
)
def test_anything_else_is_a_problem(data: bytes) -> None:
    with pytest.raises(PycProblem):
        read_pyc_head(data)
