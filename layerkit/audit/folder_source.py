"""A folder, a layer as unpacked or a function's code, read into contents."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import deflate

from layerkit.audit.binaries import unreadable_finding
from layerkit.audit.insides import Sights, look_at
from layerkit.audit.ownership import find_installed, owners_of
from layerkit.audit.zip_entries import link_findings
from layerkit.errors import EnvironmentFailure, UsageError
from layerkit.facts import limits
from layerkit.model.contents import Contents, HeldFile, Insides, Kind

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


def read_folder(folder: Path, *, where: str) -> Contents:
    """Read every file below ``folder``; links are not followed. Raises ``UnreadableFolder`` and ``NoLayerFolder``."""
    sights = Sights()
    links: dict[str, str] = {}
    found: dict[str, tuple[int, int, int]] = {}
    places: dict[str, Path] = {}
    for path in _files_of(folder, where):
        name = _shown(path.relative_to(folder).as_posix())
        places[name] = path
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            target = os.fspath(path.readlink())
            links[name] = _shown(target)
            content = os.fsencode(target)
        elif status.st_size >= limits().unzipped_bytes:
            found[name] = (status.st_size, _crc32_of(path), status.st_mode)
            continue
        else:
            content = _read(path)
            sights.add(name, look_at(name, content))
        found[name] = (len(content), deflate.crc32(content), status.st_mode)
    installed = tuple(find_installed(found, lambda name: _read(places[name])))
    owners = owners_of(found, installed)
    return Contents(
        where=where,
        zipped_bytes=None,
        unzipped_bytes=sum(size for size, _, _ in found.values()),
        files=tuple(
            HeldFile(name, size, 0, crc32, mode, Kind.of(name, is_native=name in sights.binaries), owners.get(name))
            for name, (size, crc32, mode) in found.items()
        ),
        distributions=tuple(each.distribution for each in installed),
        insides=Insides(
            binaries=sights.binaries,
            bytecode=sights.bytecode,
            path_files=sights.path_files,
            links=links,
            private_keys=frozenset(sights.private_keys),
        ),
        findings=(
            *link_findings(links, tuple(found), where),
            *(
                unreadable_finding(f"{where}: {name}", owner=owners.get(name, name), why=why)
                for name, why in sights.unreadable.items()
            ),
        ),
    )


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
        raise UnreadableFolder(path=Path(exc.filename), why=(exc.strerror or str(exc)).lower()) from exc

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
        raise UnreadableFolder(path=path, why=(exc.strerror or str(exc)).lower()) from exc
