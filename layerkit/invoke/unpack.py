"""What is in zips and folders, written over another folder. Links are kept; nothing is ever written through one."""

import contextlib
import shutil
import stat
import zipfile
from pathlib import Path
from typing import Final

from layerkit.files import translating
from layerkit.formats.zip_directory import ZipEntry
from layerkit.invoke.listing import entries_of, files_in
from layerkit.invoke.unreadable import LayerUnreadable

_EXECUTABLE: Final = 0o111


def unpack(path: Path, folder: Path) -> None:
    """Unpack a zip into a folder, over what is there. Raises ``LayerUnreadable``."""
    entries = entries_of(path)
    try:
        with zipfile.ZipFile(path) as archive:
            for entry in entries:
                _write(entry, archive.read(entry.name) if not entry.name.endswith("/") else b"", folder)
    except (zipfile.BadZipFile, KeyError, NotImplementedError, RuntimeError, EOFError) as exc:
        raise LayerUnreadable(path=path, reason=str(exc)) from exc


def _write(entry: ZipEntry, content: bytes, folder: Path) -> None:
    parents, _, name = entry.name.rpartition("/")
    place = _folder(folder, parents)
    if name and (path := _room_for(place, name)):
        if stat.S_ISLNK(entry.mode):
            path.symlink_to(content.decode(errors="surrogateescape"))
        else:
            path.write_bytes(content)
            path.chmod(0o755 if entry.mode & _EXECUTABLE else 0o644)


def lay(source: Path, folder: Path, *, as_links: bool) -> None:
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
        raise LayerUnreadable.because(exc, path=source) from exc
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
