"""Zips as folders: layers merged as Lambda merges them at ``/opt``, and a function's code; once for each content.

Later layers overwrite earlier ones, file by file. Links are kept, but nothing is ever written through one. Folders are
not cached: to know their content costs as much as to copy it.
"""

import contextlib
import hashlib
import secrets
import shutil
import stat
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from layerkit.cache import Cache
from layerkit.files import translating
from layerkit.formats.zip_directory import ZipEntry
from layerkit.invoke.listing import entries_of, files_in
from layerkit.invoke.modules import LayerUnreadable

_BUCKET: Final = "unpacked"
_MERGED: Final = "merged"
_EXECUTABLE: Final = 0o111
_BLOCK: Final = 1024 * 1024
_FORM: Final = "1"  # of what is in the cache
_NONE_KNOWN: Final[Mapping[Path, str]] = {}


@contextlib.contextmanager
def merged(layers: Sequence[Path], cache: Cache, *, known: Mapping[Path, str] = _NONE_KNOWN) -> Iterator[Path]:
    """Give a folder with the content of all layers, zips and folders, merged in order; nobody may write into it.

    One folder alone is used as it is. ``known`` are SHA-256 of zips, where somebody has them.
    Raises ``LayerUnreadable``, and ``DiskFailure`` where the disk refuses.
    """
    folders = {path for path in layers if path.is_dir()}
    if not folders or len(layers) == 1:
        yield unpacked(layers, cache, known=known)
    else:
        place = cache.path(_MERGED, secrets.token_hex(32))  # beside what is unpacked, so that links to it are possible
        try:
            with translating(place):
                place.mkdir(parents=True)
            for path in layers:
                is_own = path in folders
                _lay(path if is_own else unpacked([path], cache, known=known), place, as_links=not is_own)
            yield place
        finally:
            shutil.rmtree(place, ignore_errors=True)


def unpacked(zips: Sequence[Path], cache: Cache, *, known: Mapping[Path, str] = _NONE_KNOWN) -> Path:
    """Return a folder with the content of all zips, merged in order; nobody may write into it. A folder is itself.

    Raises ``LayerUnreadable``, and ``DiskFailure`` where the disk refuses.
    """
    if len(zips) == 1 and zips[0].is_dir():
        return zips[0].absolute()
    digests = [known.get(path) or sha256_of(path) for path in zips]
    key = hashlib.sha256(" ".join([_FORM, *digests]).encode()).hexdigest()
    if found := cache.find_folder(_BUCKET, key):
        return found
    with cache.store_folder(_BUCKET, key) as folder:
        for path in zips:
            unpack(path, folder)
    return cache.path(_BUCKET, key)


def unzipped_bytes(path: Path) -> int:
    """Return how much a zip holds. Raises ``LayerUnreadable``."""
    return sum(entry.unzipped_bytes for entry in entries_of(path))


def unpack(path: Path, folder: Path) -> None:
    """Unpack a zip into a folder, over what is there. Raises ``LayerUnreadable``."""
    entries = entries_of(path)
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in entries:
                _write(entry, archive.read(entry.name) if not entry.name.endswith("/") else b"", folder)
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError, EOFError) as exc:
        raise LayerUnreadable(path=path, reason=str(exc)) from exc


def sha256_of(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal digits. Raises ``LayerUnreadable``."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
    except OSError as exc:
        raise LayerUnreadable(path=path, reason=(exc.strerror or str(exc)).lower()) from exc
    return digest.hexdigest()


def _write(entry: ZipEntry, content: bytes, folder: Path) -> None:
    parents, _, name = entry.name.rpartition("/")
    place = _folder(folder, parents)
    if name and (path := _room_for(place, name)):
        if stat.S_ISLNK(entry.mode):
            path.symlink_to(content.decode(errors="surrogateescape"))
        else:
            path.write_bytes(content)
            path.chmod(0o755 if entry.mode & _EXECUTABLE else 0o644)


def _lay(source: Path, folder: Path, *, as_links: bool) -> None:
    """Lay the files of a folder over another one: with links to the same bytes where ``as_links``, else as copies."""
    places: dict[str, Path] = {}
    with translating(folder):
        for name, status in files_in(source):
            parents, _, last = name.rpartition("/")
            if parents not in places:
                places[parents] = _folder(folder, parents)
            if path := _room_for(places[parents], last):
                _copy(source / name, path, status.st_mode, as_link=as_links)


def _copy(source: Path, path: Path, mode: int, *, as_link: bool) -> None:
    if stat.S_ISLNK(mode):
        path.symlink_to(source.readlink())
        return
    if as_link:
        with contextlib.suppress(OSError):  # not every file system has such links
            path.hardlink_to(source)
            return
    try:
        shutil.copyfile(source, path)
    except PermissionError as exc:
        raise LayerUnreadable(path=source, reason=(exc.strerror or str(exc)).lower()) from exc
    path.chmod(stat.S_IMODE(mode))


def _room_for(place: Path, name: str) -> Path | None:
    """Return where a file goes, with nothing there any more; ``None`` if a folder is: no file can take its place."""
    path = place / name
    try:
        path.unlink()
    except FileNotFoundError:
        pass
    except (IsADirectoryError, PermissionError):  # as systems differ in what they call it
        if path.is_dir() and not path.is_symlink():
            return None
        raise
    return path


def _folder(folder: Path, name: str) -> Path:
    """Return a folder below another one; what is there and is none, a link to one too, makes way for it."""
    place = folder
    for part in name.split("/") if name else ():
        place /= part
        if place.is_symlink() or not place.is_dir():
            place.unlink(missing_ok=True)
            place.mkdir()
    return place
