"""What the files of a layer are, found by looking at all of them; what they are is cached by the layer's content."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from layerkit.formats import elf
from layerkit.formats.elf import BinaryFacts
from layerkit.model.contents import Insides

_PATH_FILE: Final = re.compile(r"(?:python/(?:lib/python\d+\.\d+/site-packages/)?)?[^/]+\.pth")
_PYC_HEADER: Final = 16
_LARGEST_TEXT: Final = 64 * 1024  # bytes; keys and .pth files are far smaller
_PRIVATE_KEY: Final = re.compile(rb"^-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY-----", re.MULTILINE)
_KEY_SUFFIXES: Final = frozenset({"pem", "key", "crt", "cert", "pk8", "p8", "ppk"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Sight:
    """What one file turned out to be; a field is ``None`` where it is not that."""

    binary: BinaryFacts | None = None
    unreadable: str | None = None
    bytecode: bytes | None = None
    path_file: str | None = None
    private_key: bool = False


def look_at(path: str, content: bytes) -> Sight:
    """Look at one file."""
    if elf.is_elf(content):
        try:
            return Sight(binary=elf.binary_facts(content))
        except elf.ElfError as exc:
            return Sight(unreadable=str(exc))
    if path.endswith(".pyc"):
        return Sight(bytecode=content[:_PYC_HEADER])
    if len(content) > _LARGEST_TEXT:
        return Sight()
    if _PATH_FILE.fullmatch(path):
        return Sight(path_file=content.decode("utf-8", errors="replace"))
    return Sight(private_key=_may_be_key(path) and _PRIVATE_KEY.search(content) is not None)


def is_telling(path: str) -> bool:
    """Tell whether a file that is not known to be a binary may still be worth a look."""
    by_name = path.endswith((".pyc", ".so")) or ".so." in path
    return by_name or _PATH_FILE.fullmatch(path) is not None or _may_be_key(path)


def _may_be_key(path: str) -> bool:
    name = path.rpartition("/")[2]
    _, dot, suffix = name.rpartition(".")
    return not dot or suffix.lower() in _KEY_SUFFIXES or name.startswith(".")


@dataclass(kw_only=True, slots=True)
class Sights:
    """What all files turned out to be, by path; ``damaged`` tells why a file could not be read at all.

    ``has_only_binaries`` tells that whoever built the layer kept what it knew, and nobody has looked at other files.
    """

    binaries: dict[str, BinaryFacts] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)
    bytecode: dict[str, bytes] = field(default_factory=dict)
    path_files: dict[str, str] = field(default_factory=dict)
    private_keys: set[str] = field(default_factory=set)
    damaged: dict[str, str] = field(default_factory=dict)
    has_only_binaries: bool = False

    def add(self, path: str, sight: Sight) -> None:
        """Take note of one file."""
        if sight.binary is not None:
            self.binaries[path] = sight.binary
        if sight.unreadable is not None:
            self.unreadable[path] = sight.unreadable
        if sight.bytecode is not None:
            self.bytecode[path] = sight.bytecode
        if sight.path_file is not None:
            self.path_files[path] = sight.path_file
        if sight.private_key:
            self.private_keys.add(path)

    def insides(self, links: Mapping[str, str]) -> Insides:
        """Return what the checks read; ``links`` tells where symbolic links point."""
        return Insides(
            binaries=self.binaries,
            bytecode=self.bytecode,
            path_files=self.path_files,
            links=links,
            private_keys=frozenset(self.private_keys),
        )

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "binaries": {path: facts.to_json() for path, facts in self.binaries.items()},
            "unreadable": self.unreadable,
            "bytecode": {path: header.hex() for path, header in self.bytecode.items()},
            "path_files": self.path_files,
            "private_keys": sorted(self.private_keys),
            "damaged": self.damaged,
            "has_only_binaries": self.has_only_binaries,
        }

    @classmethod
    def from_json(cls, shape: Mapping[str, Any]) -> "Sights":
        """Read what ``to_json`` returned."""
        return cls(
            binaries={path: BinaryFacts.from_json(facts) for path, facts in shape["binaries"].items()},
            unreadable=dict(shape["unreadable"]),
            bytecode={path: bytes.fromhex(header) for path, header in shape["bytecode"].items()},
            path_files=dict(shape["path_files"]),
            private_keys=set(shape["private_keys"]),
            damaged=dict(shape["damaged"]),
            has_only_binaries=bool(shape["has_only_binaries"]),
        )
