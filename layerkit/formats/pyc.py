"""The head of a ``.pyc``: which Python compiled it, and how that Python tells whether it still fits its source.

Source: PEP 552; https://github.com/python/cpython/blob/main/Include/internal/pycore_magic_number.h
"""

import struct
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

HEAD_BYTES: Final = 16

_HEAD: Final = struct.Struct("<H2sLLL")
_LINE_END: Final = b"\r\n"
_HASHED, _CHECKED = 0x1, 0x2
# The first magic number of each version; since 3.11 it is 2900 + 50 n.
_FIRST_MAGIC: Final = {(3, 7): 3390, (3, 8): 3400, (3, 9): 3420, (3, 10): 3430} | {
    (3, minor): 2900 + 50 * minor for minor in range(11, 20)
}
_AFTER_LAST_MAGIC: Final = 2900 + 50 * 20


class PycProblem(ValueError):
    """Not the head of a ``.pyc`` that Python 3.7 or later wrote."""


class Validation(StrEnum):
    """How the interpreter tells whether bytecode fits its source."""

    TIMESTAMP = "timestamp"
    CHECKED_HASH = "checked-hash"
    UNCHECKED_HASH = "unchecked-hash"


@dataclass(frozen=True, kw_only=True, slots=True)
class PycHead:
    """What the first 16 bytes say; ``source_bytes`` (the source's size modulo 2**32) is ``None`` for hashes.

    ``python`` also stands for that version's alphas, whose bytecode the release would not load.
    """

    python: tuple[int, int]
    validation: Validation
    source_bytes: int | None


def read_pyc_head(data: bytes) -> PycHead:
    """Read the first 16 bytes of a ``.pyc``. Raises ``PycProblem``."""
    if len(data) < HEAD_BYTES:
        raise PycProblem("shorter than its head")
    magic, line_end, flags, _, last = _HEAD.unpack_from(data)
    python = _python_of(magic)
    if line_end != _LINE_END or python is None:
        raise PycProblem("its magic number is of no Python from 3.7 on")
    if flags & ~(_HASHED | _CHECKED):
        raise PycProblem("flags that PEP 552 does not know")
    if not flags & _HASHED:
        return PycHead(python=python, validation=Validation.TIMESTAMP, source_bytes=last)
    checked = Validation.CHECKED_HASH if flags & _CHECKED else Validation.UNCHECKED_HASH
    return PycHead(python=python, validation=checked, source_bytes=None)


def _python_of(magic: int) -> tuple[int, int] | None:
    if not _FIRST_MAGIC[3, 7] <= magic < _AFTER_LAST_MAGIC:
        return None
    return max(python for python, first in _FIRST_MAGIC.items() if first <= magic)
