"""Name the files of a layer, write what depends on the target, and refuse what would overwrite something.

Everything a layer holds becomes a ``LayerFile``: copied from a fragment, or made here (RECORD, INSTALLER, scripts,
files of the recipe, bytecode). The result is sorted and complete: sizes and digests are known before a byte is written.
"""

import base64
import csv
import hashlib
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import deflate

from layerkit.assemble.clashes import refuse_collisions, refuse_unportable
from layerkit.assemble.fragment import Fragment, FragmentFile
from layerkit.assemble.prune import Selection
from layerkit.formats.wheel import Scheme, Script
from layerkit.formats.zip import DEFLATED, STORED
from layerkit.formats.zip_writer import ZipHeader

_LEVEL: Final = 6
_INSTALLER: Final = b"layerkit\n"
_HASHBANG: Final = re.compile(rb"^#!pythonw?[0-9.]*")


@dataclass(frozen=True, kw_only=True, slots=True)
class Placement:
    """Where the schemes of a wheel go below ``/opt``, and which interpreter its scripts ask for."""

    site_packages: str
    interpreter: str

    def name(self, scheme: Scheme, path: str, *, distribution: str) -> str:
        """Return a file's path below ``/opt``.

        ``data`` is rooted at ``/opt`` itself, as ``sys.prefix`` would be: its ``lib/`` is on the loader's path.
        """
        match scheme:
            case Scheme.LIB:
                return f"{self.site_packages}/{path}"
            case Scheme.SCRIPTS:
                return f"bin/{path}"
            case Scheme.HEADERS:
                return f"include/{distribution}/{path}"
            case Scheme.DATA:
                return path

    def script(self, script: Script) -> bytes:
        """Return a console script; Lambda puts no layer on a subprocess's ``sys.path``, so it does that itself."""
        head = script.attribute.split(".", 1)[0]
        lines = (
            f"#!{self.interpreter}",
            "import sys",
            f'sys.path[:1] = ["/opt/{self.site_packages}"]',
            f"from {script.module} import {head}",
            'if __name__ == "__main__":',
            f"    sys.exit({script.attribute}())",
        )
        return ("\n".join(lines) + "\n").encode()


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerFile:
    """One file of a layer: its headers, its digest, whose it is, and its compressed bytes or where they lie.

    ``checksum`` is the CRC-32 of compressed bytes that lie in ``source``.
    """

    header: ZipHeader
    sha256: str
    owner: str
    source: Path | None
    offset: int
    checksum: int
    data: bytes

    @property
    def identity(self) -> tuple[str, int, str]:
        """What ``model.identity.content_digest`` goes over."""
        return self.header.name, self.header.mode, self.sha256


@dataclass(frozen=True, kw_only=True, slots=True)
class ExtraFile:
    """A file that no wheel brings: its path below ``/opt`` and its whole content."""

    name: str
    content: bytes
    executable: bool
    owner: str


def lay_out(
    selections: Sequence[Selection],
    *,
    placement: Placement,
    extra: Sequence[ExtraFile] = (),
    bytecode: Sequence[LayerFile] = (),
) -> tuple[LayerFile, ...]:
    """Return the files of the layer, sorted by name, whatever the order of the selections.

    Raises ``Collision`` and ``UnportableNames``.
    """
    compiled: dict[str, list[LayerFile]] = {}
    for file in bytecode:
        compiled.setdefault(file.owner, []).append(file)
    files = [made(file) for file in extra]
    for selection in sorted(selections, key=lambda selection: selection.fragment.distribution):
        files += _distribution(selection, placement, compiled.get(selection.fragment.distribution, []))
    own = {file.name for file in extra}
    unique, collisions = _merge(files)
    refuse_collisions(collisions, site_packages=placement.site_packages, own=own)
    owners = {name: file.owner for name, file in unique.items()}
    refuse_unportable(owners, site_packages=placement.site_packages, own=own)
    return tuple(unique[name] for name in sorted(unique))


def made(file: ExtraFile) -> LayerFile:
    """Turn content into a file of a layer: deflated where that makes it smaller."""
    compressed = bytes(deflate.deflate_compress(file.content, _LEVEL))
    smaller = len(compressed) < len(file.content)
    return LayerFile(
        header=ZipHeader(
            name=file.name,
            executable=file.executable,
            method=DEFLATED if smaller else STORED,
            crc32=deflate.crc32(file.content),
            compressed_bytes=min(len(compressed), len(file.content)),
            unzipped_bytes=len(file.content),
        ),
        sha256=hashlib.sha256(file.content).hexdigest(),
        owner=file.owner,
        source=None,
        offset=0,
        checksum=0,
        data=compressed if smaller else file.content,
    )


def _distribution(selection: Selection, placement: Placement, bytecode: Sequence[LayerFile]) -> list[LayerFile]:
    fragment = selection.fragment
    dist_info = f"{placement.site_packages}/{fragment.dist_info}"
    written = [
        ExtraFile(name=f"{dist_info}/INSTALLER", content=_INSTALLER, executable=False, owner=fragment.distribution),
        *_scripts(selection, placement),
    ]
    generated = [*(made(file) for file in written), *bytecode]
    taken = {file.header.name for file in generated}
    copied = (_copied(file, fragment, placement) for file in selection.kept)
    files = [*(file for file in copied if file.header.name not in taken), *generated]
    record = ExtraFile(
        name=f"{dist_info}/RECORD",
        content=_record(files, placement.site_packages, f"{fragment.dist_info}/RECORD"),
        executable=False,
        owner=fragment.distribution,
    )
    return [*files, made(record)]


def _copied(file: FragmentFile, fragment: Fragment, placement: Placement) -> LayerFile:
    return LayerFile(
        header=ZipHeader(
            name=placement.name(file.scheme, file.path, distribution=fragment.distribution),
            executable=file.executable,
            method=file.method,
            crc32=file.crc32,
            compressed_bytes=file.compressed_bytes,
            unzipped_bytes=file.unzipped_bytes,
        ),
        sha256=file.sha256,
        owner=fragment.distribution,
        source=fragment.source_of(file),
        offset=file.offset,
        checksum=file.checksum,
        data=b"",
    )


def _is_rewritten(file: FragmentFile, fragment: Fragment) -> bool:
    return file.scheme is Scheme.SCRIPTS and file.path in fragment.hashbang_scripts


def _scripts(selection: Selection, placement: Placement) -> Iterator[ExtraFile]:
    fragment = selection.fragment
    named = {script.name: script for script in selection.scripts}
    for file in selection.kept:
        if _is_rewritten(file, fragment) and file.path not in named:
            yield ExtraFile(
                name=f"bin/{file.path}",
                content=_with_interpreter(_read(file, fragment), placement.interpreter),
                executable=True,
                owner=fragment.distribution,
            )
    for name, script in named.items():
        yield ExtraFile(
            name=f"bin/{name}", content=placement.script(script), executable=True, owner=fragment.distribution
        )


def _read(file: FragmentFile, fragment: Fragment) -> bytes:
    data = fragment.compressed(file)
    return data if file.method == STORED else bytes(deflate.deflate_decompress(data, file.unzipped_bytes))


def _with_interpreter(content: bytes, interpreter: str) -> bytes:
    first, newline, rest = content.partition(b"\n")
    return b"#!" + interpreter.encode() + _HASHBANG.sub(b"", first.rstrip(b"\r")) + newline + rest


def _record(files: Sequence[LayerFile], site_packages: str, own_path: str) -> bytes:
    climb = "../" * len(site_packages.split("/"))
    rows = set()
    for file in files:
        name = file.header.name
        inside = name.startswith(f"{site_packages}/")
        path = name.removeprefix(f"{site_packages}/") if inside else climb + name
        digest = base64.urlsafe_b64encode(bytes.fromhex(file.sha256)).rstrip(b"=").decode()
        rows.add((path, f"sha256={digest}", str(file.header.unzipped_bytes)))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([*sorted(rows), (own_path, "", "")])
    return text.getvalue().encode()


def _merge(files: Iterable[LayerFile]) -> tuple[dict[str, LayerFile], list[tuple[str, str, str]]]:
    """Return one file for each path, executable if any of them is, and what claims a path with other content."""
    unique: dict[str, LayerFile] = {}
    collisions: list[tuple[str, str, str]] = []
    for file in files:
        other = unique.setdefault(file.header.name, file)
        if other.sha256 != file.sha256:
            collisions.append((file.header.name, other.owner, file.owner))
        elif file.header.executable and not other.header.executable:
            unique[file.header.name] = replace(other, header=replace(other.header, executable=True))
    return unique, collisions
