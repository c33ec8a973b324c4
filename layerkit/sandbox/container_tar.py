"""Files on their way into and out of containers, as tar streams.

Owner, times and modes are fixed on the way in, so nothing depends on who runs layerkit; on the way out only plain
files and folders with harmless names are taken, since a container's content is not to be trusted.
"""

import io
import os
import stat
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import IO, Final, TypeAlias, cast

from layerkit.files import translating
from layerkit.sandbox.container_errors import StrangeArchive

_TIME: Final = 315619200  # 1980-01-02: before 1980 a zip, hence a wheel built from these files, cannot tell the time
_FILE: Final = 0o644
_PROGRAM: Final = 0o755
_FOLDER: Final = 0o755
_LINK: Final = 0o777
_IN_MEMORY: Final = 1 << 24
_PIECE: Final = 1 << 20


KeepsLink: TypeAlias = Callable[[Path], bool]
"""Tells whether a link stays one."""


def no_link(path: Path) -> bool:
    """Keep none: what they point at is meant."""
    del path
    return False


def every_link(path: Path) -> bool:
    """Keep all: where they point at, on this machine, is nobody's business."""
    del path
    return True


def links_within(folder: Path) -> KeepsLink:
    """Keep those that lead to somewhere in the folder, and those that lead nowhere."""
    top = folder.resolve()

    def keeps(path: Path) -> bool:
        return not path.exists() or path.resolve().is_relative_to(top)

    return keeps


class Packing:
    """A tar stream in the making; folders above a file come by themselves."""

    def __init__(self) -> None:
        self._stream = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - finish hands it on
        self._tar = tarfile.open(fileobj=self._stream, mode="w", format=tarfile.PAX_FORMAT)  # noqa: SIM115
        self._folders: set[str] = set()

    def folder(self, name: str) -> None:
        """Add a folder and those above it; ``name`` is a path from the root without a leading slash."""
        for path in (*reversed(PurePosixPath(name).parents), PurePosixPath(name)):
            if path.name and str(path) not in self._folders:
                self._folders.add(str(path))
                self._tar.addfile(_entry(str(path), kind=tarfile.DIRTYPE, mode=_FOLDER))

    def file(self, name: str, content: bytes, *, mode: int = _FILE) -> None:
        """Add a file of these bytes."""
        self._add(name, io.BytesIO(content), size=len(content), mode=mode)

    def tree(self, folder: Path, *, at: str, keeps: KeepsLink) -> None:
        """Add a local folder's files and folders; what is executable stays so, links become what they point at.

        But for those that ``keeps`` says to keep. What is neither file nor folder is left out.
        """
        self.folder(at)
        for parent, folders, files in os.walk(folder, followlinks=True):
            here = PurePosixPath(at) / Path(parent).relative_to(folder).as_posix()
            self.folder(str(here))
            kept = {name for name in (*folders, *files) if (path := Path(parent, name)).is_symlink() and keeps(path)}
            folders[:] = sorted(set(folders) - kept)
            for name in sorted({*files, *kept}):
                path = Path(parent, name)
                if name in kept:
                    self._link(path, name=str(here / name))
                elif path.is_file() or not path.exists():
                    self._local(path, name=str(here / name))

    def finish(self) -> IO[bytes]:
        """Return the stream, at its beginning."""
        self._tar.close()
        self._stream.seek(0)
        return cast("IO[bytes]", self._stream)

    def _link(self, path: Path, *, name: str) -> None:
        entry = _entry(name, kind=tarfile.SYMTYPE, mode=_LINK)
        with translating(path):
            entry.linkname = os.readlink(path)  # noqa: PTH115 -- as it is written, not as this system would write it
        self._tar.addfile(entry)

    def _local(self, path: Path, *, name: str) -> None:
        with translating(path), path.open("rb") as stream:
            status = os.fstat(stream.fileno())
            executable = status.st_mode & stat.S_IXUSR
            self._add(name, stream, size=status.st_size, mode=_PROGRAM if executable else _FILE)

    def _add(self, name: str, stream: IO[bytes], *, size: int, mode: int) -> None:
        self.folder(str(PurePosixPath(name).parent))
        entry = _entry(name, kind=tarfile.REGTYPE, mode=mode)
        entry.size = size
        self._tar.addfile(entry, stream)


def _entry(name: str, *, kind: bytes, mode: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.mode, entry.mtime = kind, mode, _TIME
    return entry  # user and group are 0, which TarInfo begins with


def pack(files: Mapping[str, bytes], *, at: str) -> IO[bytes]:
    """Return a tar stream that writes ``files`` below the folder ``at`` when unpacked at the root."""
    packing = Packing()
    packing.folder(at.strip("/"))
    for name, content in files.items():
        packing.file(inside(at, name).strip("/"), content)
    return packing.finish()


def pack_folder(folder: Path, *, at: str, keeps: KeepsLink = no_link) -> IO[bytes]:
    """Return a tar stream that writes a local folder as ``at`` when unpacked at the root; see ``Packing.tree``."""
    packing = Packing()
    packing.tree(folder, at=at.strip("/"), keeps=keeps)
    return packing.finish()


def inside(base: str, path: str) -> str:
    """Return ``path`` below ``base``, or as it is if it is absolute. Raises ``ValueError`` if it climbs out."""
    found = PurePosixPath(base, path)
    if ".." in found.parts:
        raise ValueError(path)
    return str(found)


def unpack(chunks: Iterable[bytes], into: Path) -> None:
    """Write the files of a folder that came as a tar stream, with its name as the first part of each, into ``into``.

    Raises ``StrangeArchive`` for links, devices and names that would lead elsewhere, ``DiskFailure`` as the disk does.
    """
    with translating(into):
        into.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=_Chunks(chunks), mode="r|") as tar:  # type: ignore[call-overload]
        for entry in tar:
            path = into.joinpath(*_parts_below_the_top(entry.name))
            if entry.isdir():
                with translating(path):
                    path.mkdir(parents=True, exist_ok=True)
            elif entry.isreg() and path != into:
                _write(path, cast("IO[bytes]", tar.extractfile(entry)), executable=bool(entry.mode & 0o111))
            else:
                raise StrangeArchive(name=entry.name, reason="is neither a file in a folder nor a folder")


def _parts_below_the_top(name: str) -> tuple[str, ...]:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise StrangeArchive(name=name, reason="leads out of its folder")
    if os.name == "nt" and any(character in name for character in ':\\*?"<>|'):
        raise StrangeArchive(name=name, reason="is no name on Windows")
    return path.parts[1:]


def _write(path: Path, content: IO[bytes], *, executable: bool) -> None:
    with translating(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        with path.open("xb") as stream:
            while piece := content.read(_PIECE):
                stream.write(piece)
        path.chmod(_PROGRAM if executable else _FILE)


class _Chunks:
    """Chunks that come over a connection, read like a file."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks: Iterator[bytes] = iter(chunks)
        self._rest = b""

    def read(self, size: int) -> bytes:
        pieces, missing = [], size
        while missing:
            if not self._rest:
                self._rest = next(self._chunks, b"")
            if not self._rest:
                break
            piece, self._rest = self._rest[:missing], self._rest[missing:]
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)
