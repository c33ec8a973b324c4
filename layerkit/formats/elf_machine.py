"""For which machine an ELF file is, by its first bytes alone. Source: System V gABI 4.1, chapter 4."""

import struct
from typing import Final

_MACHINES: Final = {62: "x86_64", 183: "aarch64"}
_MAGIC: Final = b"\x7fELF"
_ORDERS: Final = {1: "<", 2: ">"}
_KIND_AND_MACHINE_AT: Final = 16
_NEEDED: Final = 20  # bytes
_LOADABLE: Final = frozenset({2, 3})  # ET_EXEC, ET_DYN


def machine_name(number: int) -> str:
    """Return the name of a machine: ``x86_64``, ``aarch64`` or ``em_<number>``."""
    return _MACHINES.get(number, f"em_{number}")


def machine_of(head: bytes) -> str | None:
    """Return the machine that loads or runs a file that begins so; ``None`` if it is not for any to load."""
    order = _ORDERS.get(head[5]) if len(head) >= _NEEDED and head.startswith(_MAGIC) else None
    if order is None:
        return None
    kind, number = struct.unpack_from(f"{order}HH", head, _KIND_AND_MACHINE_AT)
    return machine_name(number) if kind in _LOADABLE else None
