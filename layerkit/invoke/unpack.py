"""Zips as folders: layers merged as Lambda merges them at ``/opt``, and a function's code; once for each content.

Later layers overwrite earlier ones, file by file. Links are kept, but nothing is ever written through one.
"""

import hashlib
import stat
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from layerkit.cache import Cache
from layerkit.formats.zip import ZipProblem, unsafe_name
from layerkit.formats.zip_directory import ZipEntry, list_entries
from layerkit.invoke.modules import LayerUnreadable

_BUCKET: Final = "unpacked"
_EXECUTABLE: Final = 0o111
_BLOCK: Final = 1024 * 1024
_FORM: Final = "1"  # of what is in the cache


def unpacked(zips: Sequence[Path], cache: Cache) -> Path:
    """Return a folder with the content of all zips, merged in order; nobody may write into it.

    Raises ``LayerUnreadable``, and ``DiskFailure`` where the disk refuses.
    """
    key = hashlib.sha256(" ".join([_FORM, *map(_sha256_of, zips)]).encode()).hexdigest()
    if found := cache.find_folder(_BUCKET, key):
        return found
    with cache.store_folder(_BUCKET, key) as folder:
        for path in zips:
            unpack(path, folder)
    return cache.path(_BUCKET, key)


def unzipped_bytes(path: Path) -> int:
    """Return how much a zip holds. Raises ``LayerUnreadable``."""
    return sum(entry.unzipped_bytes for entry in _entries(path))


def unpack(path: Path, folder: Path) -> None:
    """Unpack a zip into a folder, over what is there. Raises ``LayerUnreadable``."""
    entries = _entries(path)
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in entries:
                _write(entry, archive.read(entry.name) if not entry.name.endswith("/") else b"", folder)
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError, EOFError) as exc:
        raise LayerUnreadable(path=path, reason=str(exc)) from exc


def _entries(path: Path) -> tuple[ZipEntry, ...]:
    try:
        with path.open("rb") as stream:
            entries = tuple(list_entries(stream))
    except ZipProblem as exc:
        raise LayerUnreadable(path=path, reason=str(exc)) from exc
    except OSError as exc:
        raise LayerUnreadable(path=path, reason=(exc.strerror or str(exc)).lower()) from exc
    for entry in entries:
        if why := unsafe_name(entry.name.removesuffix("/")):
            raise LayerUnreadable(path=path, reason=f"the name `{entry.name}` {why}")
    return entries


def _write(entry: ZipEntry, content: bytes, folder: Path) -> None:
    *parents, name = entry.name.removesuffix("/").split("/")
    place = folder
    for part in (*parents, *([name] if entry.name.endswith("/") else [])):
        place /= part
        if place.is_symlink() or not place.is_dir():
            place.unlink(missing_ok=True)
            place.mkdir()
    if entry.name.endswith("/"):
        return
    path = place / name
    if path.is_dir() and not path.is_symlink():
        return  # a file cannot take the place of a folder
    path.unlink(missing_ok=True)
    if stat.S_ISLNK(entry.mode):
        path.symlink_to(content.decode(errors="surrogateescape"))
    else:
        path.write_bytes(content)
        path.chmod(0o755 if entry.mode & _EXECUTABLE else 0o644)


def _sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
    except OSError as exc:
        raise LayerUnreadable(path=path, reason=(exc.strerror or str(exc)).lower()) from exc
    return digest.hexdigest()
