"""A fragment: one wheel prepared, for every layer that will ever use it.

It says what each file is and where its compressed bytes lie, in the wheel or in the fragment's own blob (files that
were stripped or compressed anew). It knows no target, prefix or pruning. On disk it is one file: the blob, a JSON
index, and a trailer that tells where the index begins, and the checksum of all before it.
"""

import hashlib
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import deflate

from layerkit.assemble.strip import STRIP_RULES
from layerkit.cache import DamagedEntry
from layerkit.facts.pruning import words_of_interest
from layerkit.formats.elf import BinaryFacts
from layerkit.formats.wheel import Scheme, Script
from layerkit.model.recipe_parts import Compression

FORMAT: Final = 3
"""Part of every fragment's key; raised whenever a fragment of the same wheel would say something else."""

_TRAILER: Final = struct.Struct("<QL8s")
_MAGIC: Final = b"LKFRAG02"
_CHUNK: Final = 1024 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Preparation:
    """How wheels are prepared; with the wheel's hash this is the whole key of a fragment."""

    strip: bool = True
    compression: Compression = Compression.COPY

    def key(self, wheel_sha256: str) -> str:
        """Return the fragment's key in the cache."""
        folders, readers = words_of_interest()
        parts = (FORMAT, wheel_sha256, self.strip and STRIP_RULES, deflate.__version__, self.compression.value)
        return hashlib.sha256(repr((*parts, folders, readers)).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True, slots=True)
class VerifiedWheel:
    """A wheel on disk whose sha256 (hex) was checked; ``name`` is its file name."""

    name: str
    path: Path
    sha256: str


@dataclass(frozen=True, slots=True)
class FragmentFile:
    """One file of a wheel. Sizes and ``offset`` in bytes; ``stripped_bytes`` is what stripping saved; sha256 in hex.

    ``checksum`` is the CRC-32 of the compressed bytes, as ``crc32`` is of the content.
    """

    scheme: Scheme
    path: str
    executable: bool
    method: int
    crc32: int
    compressed_bytes: int
    unzipped_bytes: int
    stripped_bytes: int
    sha256: str
    in_blob: bool
    offset: int
    checksum: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Fragment:
    """A prepared wheel.

    ``references`` maps a file to the dotted names in it that pruning must know; ``unreadable`` tells why a file that
    begins like a binary is none; ``stub_readers`` are modules that read ``.pyi`` files at run time;
    ``hashbang_scripts`` begin with ``#!python`` and want the target's interpreter.
    """

    distribution: str
    version: str
    wheel: str
    wheel_sha256: str
    is_pure: bool
    dist_info: str
    files: tuple[FragmentFile, ...]
    scripts: tuple[Script, ...]
    hashbang_scripts: frozenset[str]
    binaries: Mapping[tuple[Scheme, str], BinaryFacts]
    unreadable: Mapping[tuple[Scheme, str], str]
    references: Mapping[str, tuple[str, ...]]
    stub_readers: frozenset[str]
    wheel_path: Path
    blob_path: Path

    def source_of(self, file: FragmentFile) -> Path:
        """Return the file on disk that holds the compressed bytes of ``file``, at ``file.offset``."""
        return self.blob_path if file.in_blob else self.wheel_path

    def compressed(self, file: FragmentFile) -> bytes:
        """Return the compressed bytes of ``file``. Raises ``DamagedEntry``, and removes what is damaged."""
        path = self.source_of(file)
        with path.open("rb") as stream:
            stream.seek(file.offset)
            data = stream.read(file.compressed_bytes)
        if deflate.crc32(data) != file.checksum:
            damaged = DamagedEntry(paths=[path], of=[self.distribution])
            damaged.discard()
            raise damaged
        return data


def write_index(stream: BinaryIO, fragment: Fragment, *, wheel_mtime_ns: int) -> None:
    """Append the index and the trailer behind the blob that is already in ``stream``."""
    index = {
        "distribution": fragment.distribution,
        "version": fragment.version,
        "wheel": fragment.wheel,
        "wheel_sha256": fragment.wheel_sha256,
        "wheel_mtime_ns": wheel_mtime_ns,
        "is_pure": fragment.is_pure,
        "dist_info": fragment.dist_info,
        "files": [[getattr(file, name) for name in FragmentFile.__slots__] for file in fragment.files],
        "scripts": [[script.name, script.module, script.attribute] for script in fragment.scripts],
        "hashbang_scripts": sorted(fragment.hashbang_scripts),
        "binaries": [[*place, facts.to_json()] for place, facts in fragment.binaries.items()],
        "unreadable": [[*place, why] for place, why in fragment.unreadable.items()],
        "references": fragment.references,
        "stub_readers": sorted(fragment.stub_readers),
    }
    start = stream.seek(0, 2)
    stream.write(json.dumps(index, separators=(",", ":")).encode())
    stream.write(_TRAILER.pack(start, _checksum(stream, stream.tell()), _MAGIC))


def read(path: Path, *, wheel: VerifiedWheel) -> Fragment | None:
    """Read a fragment; ``None`` if it is damaged or ``wheel`` is not the very file it was made from."""
    index = _read_index(path)
    if index is None or index["wheel"] != wheel.name or wheel.path.stat().st_mtime_ns != index["wheel_mtime_ns"]:
        return None
    return Fragment(
        distribution=index["distribution"],
        version=index["version"],
        wheel=index["wheel"],
        wheel_sha256=index["wheel_sha256"],
        is_pure=index["is_pure"],
        dist_info=index["dist_info"],
        files=tuple(FragmentFile(Scheme(row[0]), *row[1:]) for row in index["files"]),
        scripts=tuple(Script(name=name, module=module, attribute=attr) for name, module, attr in index["scripts"]),
        hashbang_scripts=frozenset(index["hashbang_scripts"]),
        binaries={(Scheme(scheme), name): BinaryFacts.from_json(facts) for scheme, name, facts in index["binaries"]},
        unreadable={(Scheme(scheme), name): why for scheme, name, why in index["unreadable"]},
        references={name: tuple(modules) for name, modules in index["references"].items()},
        stub_readers=frozenset(index["stub_readers"]),
        wheel_path=wheel.path,
        blob_path=path,
    )


def _read_index(path: Path) -> dict[str, Any] | None:
    with path.open("rb") as stream:
        size = stream.seek(0, 2)
        if size < _TRAILER.size:
            return None
        stream.seek(size - _TRAILER.size)
        start, checksum, magic = _TRAILER.unpack(stream.read())
        if magic != _MAGIC or checksum != _checksum(stream, size - _TRAILER.size):
            return None
        stream.seek(start)
        index: dict[str, Any] = json.loads(stream.read(size - _TRAILER.size - start))
        return index


def _checksum(stream: BinaryIO, length: int) -> int:
    """Return the CRC-32 of the stream's first ``length`` bytes and leave it behind them."""
    stream.seek(0)
    checksum = 0
    while length and (chunk := stream.read(min(length, _CHUNK))):
        checksum = deflate.crc32(chunk, checksum)
        length -= len(chunk)
    return checksum
