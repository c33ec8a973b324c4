"""Sizes as people write and read them.

AWS's MB is 1,048,576 bytes; so ``MB`` and ``MiB`` both mean that here.
"""

import re
from typing import Final

from layerkit.errors import UsageError

MIB: Final = 1_048_576
_KIB: Final = 1024
_TENTH_OF_MIB: Final = MIB // 10
_FACTORS: Final = {"": 1, "K": 1024, "M": MIB, "G": 1024 * MIB}
_SIZE: Final = re.compile(r"(?P<number>\d{1,15}(?:\.\d{1,15})?)\s*(?:(?P<prefix>[KMG]?)I?B)?", re.ASCII | re.IGNORECASE)


class UnreadableSizeError(UsageError):
    """A text that is not a size."""

    def __init__(self, *, text: str) -> None:
        super().__init__(f"`{text}` is not a size", hint="write for example `50MB`, `120 MiB` or `1048576`")


def parse_size(text: str) -> int:
    """Return the bytes that ``text`` means: a number, perhaps with decimals, and a unit (B, KB, MB, GB, KiB, MiB, GiB).

    Part of a byte is dropped. Raises ``UnreadableSizeError``.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise UnreadableSizeError(text=text)
    from decimal import Decimal

    return int(Decimal(match["number"]) * _FACTORS[(match["prefix"] or "").upper()])


def format_mib(size: int) -> str:
    """Render bytes as MiB with one decimal: ``114.4 MiB``."""
    return f"{size / MIB:.1f} MiB"


def format_size(size: int) -> str:
    """Render bytes in the unit that tells something: ``114.4 MiB``, ``12.5 KiB``, ``100 bytes``."""
    if size >= _TENTH_OF_MIB:
        return format_mib(size)
    return f"{size / _KIB:.1f} KiB" if size >= _KIB else f"{size} bytes"
