"""Files that appear whole or not at all.

Everything layerkit writes goes first to a temporary neighbour and is renamed when complete; what a killed
process left behind is removed by the next one that writes beside it.
"""

import contextlib
import errno
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final
from zlib import crc32

from layerkit.errors import EnvironmentFailure, system_reason

_NODE: Final = os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")
_PROC: Final = Path("/proc")


def _host() -> str:
    """Return what tells apart the places in which a process id has one meaning: hosts, and containers on them."""
    try:
        namespace = str((_PROC / "self/ns/pid").readlink())
    except OSError:
        namespace = ""
    return f"{crc32(f'{_NODE}{namespace}'.encode()):08x}"


_HOST: Final = _host()
_TEMPORARY: Final = re.compile(r"^\.(?P<name>.+)\.(?P<host>[0-9a-f]{8})-(?P<pid>\d{1,9})-[0-9a-f]{8}\.tmp$")


class DiskFailure(EnvironmentFailure):
    """The file system refused: full, read-only, not permitted, no such folder."""

    def __init__(self, *, path: Path, error: OSError) -> None:
        reasons = {
            errno.ENOSPC: ("no space left on the device", "free some space, or choose another folder"),
            errno.EDQUOT: ("disk quota exceeded", "free some space, or choose another folder"),
            errno.EFBIG: ("the file may not grow so large", "raise the limit (`ulimit -f`), or choose another folder"),
            errno.EROFS: ("the file system is read-only", "choose a folder that can be written"),
            errno.EACCES: ("permission denied", "choose a folder that can be written"),
            errno.EPERM: ("permission denied", "choose a folder that can be written"),
            errno.ENOTDIR: ("a part of the path is not a folder", "choose another folder"),
            errno.EEXIST: ("a part of the path is not a folder", "choose another folder"),
        }
        reason, hint = reasons.get(error.errno or 0, (system_reason(error), None))
        super().__init__(f"cannot write `{path}`: {reason}", hint=hint)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary neighbour of ``path`` for writing and reading; rename it to ``path`` when the block ends well.

    On any error the neighbour is removed and ``path`` is as it was. Raises ``DiskFailure`` where the disk refuses.
    """
    temporary = path.parent / f".{path.name}.{_HOST}-{os.getpid()}-{os.urandom(4).hex()}.tmp"
    try:
        with translating(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            reap(path.parent)
            with temporary.open("x+b") as stream:
                yield stream
            temporary.replace(path)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


@contextlib.contextmanager
def translating(path: Path) -> Iterator[None]:
    """Turn an ``OSError`` of the block into a ``DiskFailure`` about ``path``."""
    try:
        yield
    except OSError as exc:
        raise DiskFailure(path=path, error=exc) from exc


def write_text(path: Path, text: str) -> None:
    """Write ``text`` as UTF-8 with line feeds, whole or not at all."""
    with replacing(path) as stream:
        stream.write(text.encode())


def reap(folder: Path) -> None:
    """Remove temporary files in ``folder`` whose process on this host is gone."""
    for entry in os.scandir(folder):
        if (match := _TEMPORARY.match(entry.name)) and match["host"] == _HOST and not _alive(int(match["pid"])):
            with contextlib.suppress(OSError):
                Path(entry.path).unlink()


def _alive(pid: int) -> bool:
    if os.name != "posix":  # os.kill(pid, 0) would end the process on Windows
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """Tell whether the process has ended and only waits to be asked how, where the system says so (proc(5))."""
    try:
        stat = (_PROC / str(pid) / "stat").read_bytes()
    except OSError:
        return False
    return stat.rpartition(b")")[2].split()[:1] == [b"Z"]


def sha256_of(path: Path) -> bytes:
    """Return the SHA-256 of a file's content. Raises ``OSError``."""
    import hashlib

    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").digest()
