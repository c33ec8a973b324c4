"""The machine that a binary is for, by its first bytes."""

import pytest

from layerkit.formats.elf_machine import machine_of
from tests.elf_builder import AARCH64, EXEC, REL, X86_64, make_elf


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize(("machine", "name"), [(X86_64, "x86_64"), (AARCH64, "aarch64"), (3, "em_3")])
def test_it_is_told_in_every_class_and_byte_order(machine: int, name: str, bits: int, order: str) -> None:
    assert machine_of(make_elf(machine=machine, bits=bits, order=order)[:20]) == name


def test_programs_have_one_as_libraries_do() -> None:
    assert machine_of(make_elf(kind=EXEC)) == "x86_64"


@pytest.mark.parametrize("head", [b"", b"\x7fELF", b"#!/bin/sh\n" * 4, make_elf()[:19], b"\x7fELF\x02\x03" + bytes(20)])
def test_what_is_no_binary_has_none(head: bytes) -> None:
    assert machine_of(head) is None


def test_objects_that_nothing_loads_have_none() -> None:
    assert machine_of(make_elf(kind=REL)) is None
