"""What a layer, or a function's own code, holds, whoever built it."""

import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from layerkit.formats.elf import BinaryFacts
from layerkit.model.finding import Finding

_SUFFIXES: Final = {
    ".py": "python",
    ".pyc": "bytecode",
    ".so": "native",
    ".pyi": "types",
    ".h": "sources",
    ".hpp": "sources",
    ".c": "sources",
    ".cpp": "sources",
    ".pyx": "sources",
    ".pxd": "sources",
    ".pxi": "sources",
}


class Kind(StrEnum):
    """What a file is for."""

    PYTHON = "python"
    BYTECODE = "bytecode"
    NATIVE = "native"
    METADATA = "metadata"  # dist-info and egg-info
    TYPES = "types"
    SOURCES = "sources"  # headers, C and Cython: nothing that runs
    DATA = "data"

    @classmethod
    def of(cls, path: str, *, is_native: bool = False) -> "Kind":
        """Return the kind of a file by its path; ``is_native`` tells that its content is a binary's."""
        folder, _, name = path.rpartition("/")
        if any(part.endswith((".dist-info", ".egg-info")) for part in folder.split("/")):
            return cls.METADATA
        if is_native or ".so." in name:
            return cls.NATIVE
        if name == "py.typed":
            return cls.TYPES
        return cls(_SUFFIXES.get(name[name.rfind(".") :] if "." in name else "", "data"))


@dataclass(frozen=True, slots=True)
class HeldFile:
    """One file below ``/opt`` (or ``/var/task`` for a function's code).

    Sizes in bytes; ``zipped_bytes`` are the compressed ones, 0 in a folder. ``mode`` holds Unix mode and file type, 0
    where the zip has none. ``owner`` is the distribution (normalized name) that lists it in its RECORD, if any.
    """

    path: str
    unzipped_bytes: int
    zipped_bytes: int
    crc32: int
    mode: int
    kind: Kind
    owner: str | None

    @property
    def is_link(self) -> bool:
        """Whether it is a symbolic link."""
        return stat.S_ISLNK(self.mode)


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldDistribution:
    """A distribution by its dist-info: where that lies below ``/opt``, and what it says.

    ``name`` is normalized; ``requires`` holds Requires-Dist lines; ``tags`` are those of its wheel (PEP 425).
    """

    name: str
    version: str
    folder: str
    requires: tuple[str, ...] = ()
    requires_python: str | None = None
    tags: tuple[str, ...] = ()

    @property
    def root(self) -> str:
        """The folder from which it is imported: where its dist-info lies; empty at the top of a function's code."""
        return self.folder.rpartition("/")[0]


@dataclass(frozen=True, kw_only=True, slots=True)
class Insides:
    """What was found by reading the files themselves, by path.

    ``bytecode`` holds the first 16 bytes of each ``.pyc``; ``path_files`` the text of each ``.pth`` that ``site`` would
    read; ``links`` where symbolic links point; ``private_keys`` are files that hold one.
    """

    binaries: Mapping[str, BinaryFacts] = field(default_factory=dict)
    bytecode: Mapping[str, bytes] = field(default_factory=dict)
    path_files: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    private_keys: frozenset[str] = frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class Contents:
    """A layer, or a function's own code, as it was read.

    ``where`` is how the user named it. ``unzipped_bytes`` is what AWS counts; ``zipped_bytes`` is ``None`` for a
    folder. ``insides`` is ``None`` where only the directory of a zip was read. ``name``, ``runtimes`` and
    ``architectures`` are what its manifest, or Lambda, says. ``findings`` are what reading it already brought up.
    Where it could not be read (``is_read``), there are no files, and no more than its zipped size is known.
    """

    where: str
    zipped_bytes: int | None
    unzipped_bytes: int
    files: tuple[HeldFile, ...]
    distributions: tuple[HeldDistribution, ...]
    insides: Insides | None
    name: str | None = None
    arn: str | None = None
    runtimes: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    is_read: bool = True

    @property
    def binaries(self) -> Mapping[str, BinaryFacts]:
        """The ELF files by path; none where nobody read them."""
        return self.insides.binaries if self.insides is not None else {}
