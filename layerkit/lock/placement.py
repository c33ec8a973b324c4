"""Where a locked file lies: a URL without password, or a path that travels with the lock."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit, urlunsplit
from urllib.request import url2pathname

from layerkit.errors import system_reason
from layerkit.files import sha256_of
from layerkit.lock.failures import MissingFileError
from layerkit.model.lock import LockedFile

if TYPE_CHECKING:
    from packaging.pylock import PackageArchive, PackageSdist, PackageWheel

    FileEntry = PackageWheel | PackageSdist | PackageArchive


class SelectionError(ValueError):
    """A lock that does not cover the target; ``problems`` are all that it lacks."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


@dataclass(frozen=True, kw_only=True, slots=True)
class Places:
    """Where relative paths of the file read count from, and where the lock will lie that they are written into."""

    base: Path
    lock_folder: Path


def file_name(file: "FileEntry") -> str:
    """Return the file's name, from its entry or the end of its place."""
    named: str | None = getattr(file, "name", None)
    place = unquote(urlsplit(file.url).path) if file.url else (file.path or "").replace("\\", "/")
    return named or PurePosixPath(place).name


def locked_file(file: "FileEntry", package: str, places: Places) -> LockedFile:
    """Return the file as a lock has it. Raises ``SelectionError`` or ``MissingFileError``."""
    local = _local(file, places)
    if local is None:
        return LockedFile(
            name=file_name(file), url=_clean(file.url or ""), path=None, size=file.size, sha256=_sha256(file, package)
        )
    try:
        size = local.stat().st_size
        sha256 = file.hashes.get("sha256") or sha256_of(local).hex()
    except OSError as exc:
        raise MissingFileError(details=[f"`{package}`: {local}: {system_reason(exc)}"]) from exc
    return LockedFile(
        name=file_name(file), url=None, path=_relative(local, places.lock_folder), size=size, sha256=sha256.lower()
    )


def _local(file: "FileEntry", places: Places) -> Path | None:
    if file.url and file.url.lower().startswith("file:"):
        return Path(url2pathname(urlsplit(file.url).path))
    return None if file.url else places.base / (file.path or "")


def _relative(path: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path.absolute(), folder.absolute())).as_posix()
    except ValueError:  # another drive
        return path.absolute().as_posix()


def _clean(url: str) -> str:
    """Return ``url`` without credentials and fragment."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, parts.query, ""))


def _sha256(file: "FileEntry", package: str) -> str:
    if "sha256" not in file.hashes:
        raise SelectionError([f"`{package}`: {file_name(file)} has no sha256, only {', '.join(sorted(file.hashes))}"])
    return file.hashes["sha256"].lower()
