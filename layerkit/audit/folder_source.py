"""A folder, a layer as unpacked or a function's code, read into contents."""

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import deflate

from layerkit.audit.binaries import unreadable_findings
from layerkit.audit.insides import Sights, look_at
from layerkit.audit.ownership import find_installed, owners_of
from layerkit.audit.zip_entries import link_findings
from layerkit.errors import EnvironmentFailure, UsageError, system_reason
from layerkit.facts import limits
from layerkit.model.contents import Contents, HeldFile, Kind

_BLOCK: Final = 1024 * 1024
_MOST_FILES: Final = 250_000  # more than any layer has; whoever names `/` shall not wait for it


class UnreadableFolder(EnvironmentFailure):
    """A folder, or a file in it, that may not be read."""

    def __init__(self, *, path: Path, why: str) -> None:
        super().__init__(f"`{path}` cannot be read: {why}", hint="mend its permissions, or leave it out")


class NoLayerFolder(UsageError):
    """A folder that is no unpacked layer, and no function's code."""

    def __init__(self, *, where: str, why: str, hint: str) -> None:
        super().__init__(f"`{where}` is no layer: {why}", hint=hint)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    """What lies in a folder, by the name that is shown: the path, size in bytes, CRC-32 and mode of each file."""

    files: Mapping[str, tuple[Path, int, int, int]]
    links: Mapping[str, str]
    sights: Sights


def read_folder(folder: Path, *, where: str) -> Contents:
    """Read every file below ``folder``; links are not followed. Raises ``UnreadableFolder`` and ``NoLayerFolder``."""
    found = _look(folder, where)
    sights, links = found.sights, found.links
    installed = tuple(find_installed(found.files, lambda name: _read(found.files[name][0])))
    owners = owners_of(found.files, installed)
    return Contents(
        where=where,
        zipped_bytes=None,
        unzipped_bytes=sum(size for _, size, _, _ in found.files.values()),
        files=tuple(
            HeldFile(name, size, 0, crc32, mode, Kind.of(name, is_native=name in sights.binaries), owners.get(name))
            for name, (_, size, crc32, mode) in found.files.items()
        ),
        distributions=tuple(each.distribution for each in installed),
        insides=sights.insides(links),
        findings=(
            *link_findings(links, tuple(found.files), where),
            *unreadable_findings(sights.unreadable, owners, where),
        ),
    )


def _look(folder: Path, where: str) -> _Found:
    files: dict[str, tuple[Path, int, int, int]] = {}
    links: dict[str, str] = {}
    sights = Sights()
    for path in _files_of(folder, where):
        name = _shown(path.relative_to(folder).as_posix())
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            target = os.fspath(path.readlink())
            links[name] = _shown(target)
            content = os.fsencode(target)
        elif status.st_size >= limits().unzipped_bytes:
            files[name] = (path, status.st_size, _crc32_of(path), status.st_mode)
            continue
        else:
            content = _read(path)
            sights.add(name, look_at(name, content))
        files[name] = (path, len(content), deflate.crc32(content), status.st_mode)
    return _Found(files=files, links=links, sights=sights)


def _files_of(folder: Path, where: str) -> Iterator[Path]:
    """Yield the files of a folder that may be a layer."""
    paths: list[Path] = []
    for path in _walk(folder):
        if len(paths) == _MOST_FILES:
            raise NoLayerFolder(
                where=where, why=f"it holds over {_MOST_FILES:,} files", hint="name the layer's own folder"
            )
        paths.append(path)
    if not paths:
        raise NoLayerFolder(
            where=where, why="the folder is empty", hint="name a folder that holds what `/opt` shall hold"
        )
    zips = [path for path in paths if path.suffix == ".zip" and path.parent == folder]
    if zips and all(path in zips or path.suffix in {".json", ".toml"} for path in paths):
        raise NoLayerFolder(where=where, why="it is a folder of zips", hint=f"name them: `{folder / '*.zip'}`")
    yield from paths


def _walk(folder: Path) -> Iterator[Path]:
    def fail(exc: OSError) -> None:
        raise UnreadableFolder(path=Path(exc.filename), why=system_reason(exc)) from exc

    for root, folders, names in os.walk(folder, onerror=fail):
        folders.sort()
        linked = [name for name in folders if (Path(root) / name).is_symlink()]
        for name in sorted([*names, *linked]):
            path = Path(root) / name
            if path.is_symlink() or path.is_file():
                yield path


def _shown(name: str) -> str:
    """Return a name with U+FFFD for what is no text in it."""
    return os.fsencode(name).decode("utf-8", errors="replace")


def _crc32_of(path: Path) -> int:
    """Return the CRC-32 of a file too large for memory, and for any layer."""
    crc32 = 0
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            crc32 = deflate.crc32(block, crc32)
    return crc32


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise UnreadableFolder(path=path, why=system_reason(exc)) from exc
