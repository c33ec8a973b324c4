"""Wheel tags that an interpreter accepts, best first (PEP 425, 600), as pip orders them.

Computed here and not by ``packaging.tags``, which costs more to import than a cached build takes.
"""

import functools
import itertools
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final

from layerkit.facts import Architecture

_LEGACY_NAMES: Final = {(2, 17): "manylinux2014", (2, 12): "manylinux2010", (2, 5): "manylinux1"}  # PEP 600
_LOWEST_GLIBC_MINOR: Final = {Architecture.X86_64: 5, Architecture.ARM64: 17}  # manylinux1, manylinux2014
_FIRST_ABI3_MINOR: Final = 2  # PEP 384
_LAST_ABI_WITH_PYMALLOC_FLAG: Final = (3, 7)  # bpo-36707 dropped the `m` of cp37m


def platforms(glibc: tuple[int, int], architecture: Architecture) -> tuple[str, ...]:
    """Return the platform tags from the glibc that is there down to the lowest that wheels are made for."""
    return tuple(_platforms(glibc, architecture))


def _platforms(glibc: tuple[int, int], architecture: Architecture) -> Iterator[str]:
    major, ceiling = glibc
    for minor in range(ceiling, _LOWEST_GLIBC_MINOR[architecture] - 1, -1):
        yield f"manylinux_{major}_{minor}_{architecture.machine}"
        if legacy := _LEGACY_NAMES.get((major, minor)):
            yield f"{legacy}_{architecture.machine}"


@functools.cache
def wheel_tags(python: tuple[int, int], glibc: tuple[int, int], architecture: Architecture) -> tuple[str, ...]:
    """Return every tag of CPython ``python``, best first; never musllinux, nor ``linux_*``, which promises no glibc."""
    there = platforms(glibc, architecture)
    cpython = f"cp{python[0]}{python[1]}"
    native = [f"{cpython}-{abi_tag(python)}", f"{cpython}-abi3", f"{cpython}-none", *_older_abi3(python)]
    generic = [f"{version}-none" for version in _generic_versions(python)]
    return (
        *(f"{prefix}-{platform}" for prefix in native + generic for platform in there),
        f"{cpython}-none-any",
        *(f"{prefix}-any" for prefix in generic),
    )


@functools.cache
def wheel_ranks(python: tuple[int, int], glibc: tuple[int, int], architecture: Architecture) -> Mapping[str, int]:
    """Return the place of each tag in ``wheel_tags``."""
    tags = wheel_tags(python, glibc, architecture)
    return MappingProxyType({tag: rank for rank, tag in enumerate(tags)})


def abi_tag(python: tuple[int, int]) -> str:
    """Return CPython's own ABI tag."""
    return f"cp{python[0]}{python[1]}" + ("m" if python <= _LAST_ABI_WITH_PYMALLOC_FLAG else "")


def expand(tags: str) -> Iterator[str]:
    """Yield each tag of a compressed set as it stands in a wheel's name: ``py2.py3-none-any``."""
    for parts in itertools.product(*(part.split(".") for part in tags.lower().split("-"))):
        yield "-".join(parts)


def _older_abi3(python: tuple[int, int]) -> list[str]:
    return [f"cp{python[0]}{minor}-abi3" for minor in range(python[1] - 1, _FIRST_ABI3_MINOR - 1, -1)]


def _generic_versions(python: tuple[int, int]) -> list[str]:
    major, minor = python
    return [f"py{major}{minor}", f"py{major}", *(f"py{major}{older}" for older in range(minor - 1, -1, -1))]
