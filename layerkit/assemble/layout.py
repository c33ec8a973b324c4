"""Name the files of a layer, write what depends on the target, and refuse what would overwrite something.

Everything a layer holds becomes a ``LayerFile``: copied from a fragment, or made here (RECORD, INSTALLER, scripts,
files of the recipe, bytecode). The result is sorted and complete: sizes and digests are known before a byte is written.
"""

import base64
import csv
import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import deflate

from layerkit.assemble.fragment import Fragment, FragmentFile
from layerkit.assemble.prune import Selection
from layerkit.errors import UsageError
from layerkit.formats.wheel import Scheme, Script
from layerkit.formats.zip import DEFLATED, STORED, case_collisions, reserved_name
from layerkit.formats.zip_writer import ZipHeader

_LEVEL: Final = 6
_INSTALLER: Final = b"layerkit\n"


class Collision(UsageError):
    """Files of different content that want the same path."""

    def __init__(self, *, collisions: Sequence[tuple[str, str, str]]) -> None:
        path, _, second = collisions[0]
        super().__init__(
            f"{len(collisions)} paths are claimed twice with different content"
            if len(collisions) > 1
            else f"`{path}` is claimed twice with different content",
            details=[f"`{path}` by {first} and {second}" for path, first, second in collisions[:20]],
            hint=f'choose one with `--drop "{second}:{path}"`, or leave a distribution out with `--exclude`',
        )


class UnportableNames(UsageError):
    """Paths that other file systems would confuse: different only by case, or device names on Windows."""

    def __init__(self, *, problems: Sequence[tuple[str, str]]) -> None:
        path, _ = problems[0]
        super().__init__(
            "the layer has paths that not every file system can hold",
            details=[f"`{path}` {why}" for path, why in problems[:20]],
            hint=f"leave them out with `--drop '{path}'`",
        )


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
    """One file of a layer: its headers, its digest, whose it is, and its compressed bytes or where they lie."""

    header: ZipHeader
    sha256: str
    owner: str
    source: Path | None
    offset: int
    data: bytes


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
    """Return the files of the layer, sorted by name. Raises ``Collision`` and ``UnportableNames``."""
    compiled: dict[str, list[LayerFile]] = {}
    for file in bytecode:
        compiled.setdefault(file.owner, []).append(file)
    files = [made(file) for file in extra]
    for selection in selections:
        files += _distribution(selection, placement, compiled.get(selection.fragment.distribution, []))
    unique = _merge(files)
    _refuse_unportable(unique)
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
        data=compressed if smaller else file.content,
    )


def content_digest(files: Iterable[LayerFile]) -> str:
    """Return the identity, ``sha256:<hex>`` over path, mode and sha256 of each file; no compressor changes it."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.header.name}\0{file.header.mode:o}\0{file.sha256}\n".encode())
    return f"sha256:{digest.hexdigest()}"


def _distribution(selection: Selection, placement: Placement, bytecode: Sequence[LayerFile]) -> list[LayerFile]:
    fragment = selection.fragment
    dist_info = f"{placement.site_packages}/{fragment.dist_info}"
    written = [
        ExtraFile(name=f"{dist_info}/INSTALLER", content=_INSTALLER, executable=False, owner=fragment.distribution),
        *_scripts(selection, placement),
    ]
    files = [_copied(file, fragment, placement) for file in selection.kept if not _is_rewritten(file, fragment)]
    files += [*(made(file) for file in written), *bytecode]
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
        data=b"",
    )


def _is_rewritten(file: FragmentFile, fragment: Fragment) -> bool:
    return file.scheme is Scheme.SCRIPTS and file.path in fragment.hashbang_scripts


def _scripts(selection: Selection, placement: Placement) -> Iterator[ExtraFile]:
    fragment = selection.fragment
    dropped = {file.path for file, _ in selection.removed if file.scheme is Scheme.SCRIPTS}
    for file in selection.kept:
        if _is_rewritten(file, fragment):
            yield ExtraFile(
                name=f"bin/{file.path}",
                content=_with_interpreter(_read(file, fragment), placement.interpreter),
                executable=True,
                owner=fragment.distribution,
            )
    for script in fragment.scripts:
        if script.name not in dropped:
            yield ExtraFile(
                name=f"bin/{script.name}",
                content=placement.script(script),
                executable=True,
                owner=fragment.distribution,
            )


def _read(file: FragmentFile, fragment: Fragment) -> bytes:
    with fragment.source_of(file).open("rb") as stream:
        stream.seek(file.offset)
        data = stream.read(file.compressed_bytes)
    return data if file.method == STORED else bytes(deflate.deflate_decompress(data, file.unzipped_bytes))


def _with_interpreter(content: bytes, interpreter: str) -> bytes:
    first, newline, rest = content.partition(b"\n")
    arguments = first.removeprefix(b"#!pythonw").removeprefix(b"#!python").rstrip(b"\r")
    return b"#!" + interpreter.encode() + arguments + newline + rest


def _record(files: Sequence[LayerFile], site_packages: str, own_path: str) -> bytes:
    climb = "../" * len(site_packages.split("/"))
    rows = []
    for file in files:
        name = file.header.name
        inside = name.startswith(f"{site_packages}/")
        path = name.removeprefix(f"{site_packages}/") if inside else climb + name
        digest = base64.urlsafe_b64encode(bytes.fromhex(file.sha256)).rstrip(b"=").decode()
        rows.append((path, f"sha256={digest}", str(file.header.unzipped_bytes)))
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([*sorted(rows), (own_path, "", "")])
    return text.getvalue().encode()


def _merge(files: Iterable[LayerFile]) -> Mapping[str, LayerFile]:
    unique: dict[str, LayerFile] = {}
    collisions: list[tuple[str, str, str]] = []
    for file in files:
        other = unique.setdefault(file.header.name, file)
        if other is not file and (other.sha256, other.header.mode) != (file.sha256, file.header.mode):
            collisions.append((file.header.name, other.owner, file.owner))
    if collisions:
        raise Collision(collisions=sorted(collisions))
    return unique


def _refuse_unportable(names: Mapping[str, LayerFile]) -> None:
    problems = [(second, f"differs from `{first}` only by case") for first, second in case_collisions(names)]
    problems += [(name, "is a device name on Windows") for name in sorted(names) if reserved_name(name)]
    if problems:
        raise UnportableNames(problems=problems)
