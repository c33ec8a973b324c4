"""sdist -> wheel, in isolation on this machine, for pure packages only.

A wheel with native code built here would be for this machine; such packages need the target's own system around them.
The wheel is normalised (sorted, 1980, deflated by the pinned compressor), so that it is the same for the same content.
"""

import hashlib
import json
import os
import platform
import shutil
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from layerkit.cache import Cache
from layerkit.errors import BuildError, FetchError
from layerkit.formats.wheel import WheelName
from layerkit.formats.zip import DEFLATED, ZipProblem, read_entries
from layerkit.formats.zip_writer import ZipHeader, directory
from layerkit.index import IndexSettings
from layerkit.model.lock import LockedPackage
from layerkit.sandbox.process import run
from layerkit.wheelhouse import isolated
from layerkit.wheelhouse.fetch import BUCKET

_BUILT: Final = "built"
_NATIVE: Final = "native"
_FORMAT: Final = 1
_LEVEL: Final = 6
_EPOCH: Final = "315532800"  # 1980-01-01, the earliest time that a zip can tell
_LAST_LINES: Final = 15


class NeedsContainer(BuildError):
    """A package that has no wheel for the target and builds native code."""

    def __init__(self, *, package: LockedPackage, wheel: str) -> None:
        super().__init__(
            f"`{package.name}` {package.version} is to be built from its sdist, which makes native code (`{wheel}`),"
            " and that needs a container of the target's system",
            hint="build it with `--builder auto` or `container`, choose a version that has a wheel,"
            " or leave it out with `--exclude`",
        )


class SdistBuildFailed(BuildError):
    """A build that ended with an error; the details are the last lines of its own output."""

    def __init__(self, *, package: LockedPackage, output: str) -> None:
        super().__init__(
            f"`{package.name}` {package.version} has only an sdist, and it could not be built on this machine",
            details=[line for line in output.splitlines() if line.strip()][-_LAST_LINES:],
            hint="if it needs a compiler or system libraries, it needs a container of the target's system;"
            " else choose a version that has a wheel",
        )


class DamagedSdist(FetchError):
    """An sdist whose hash is right but that cannot be unpacked."""

    def __init__(self, *, package: LockedPackage, why: str) -> None:
        super().__init__(f"the sdist `{package.file.name}` cannot be unpacked: {why}", hint="choose another version")


@dataclass(frozen=True, kw_only=True, slots=True)
class BuiltWheel:
    """A wheel in the cache that was built from an sdist; ``built_from`` goes into the manifest."""

    name: str
    path: Path
    sha256: str
    built_from: Mapping[str, Any]


def build_wheel(package: LockedPackage, sdist: Path, *, cache: Cache, settings: IndexSettings) -> BuiltWheel:
    """Return the package's pure wheel, from the cache if this sdist was built by this Python before.

    What was found to be native before is not tried again. Raises ``NeedsContainer``, ``SdistBuildFailed`` or
    ``DamagedSdist``.
    """
    key = _key(package)
    if (known := cache.find(_NATIVE, key)) is not None:
        raise NeedsContainer(package=package, wheel=known.read_text(encoding="utf-8"))
    return find_built(key, cache) or _build(package, sdist, key, cache=cache, settings=settings)


def remember_native(package: LockedPackage, wheel: str, cache: Cache) -> None:
    """Keep in mind that a package's sdist makes native code, as the wheel's name tells."""
    with cache.store(_NATIVE, _key(package)) as stream:
        stream.write(wheel.encode())


def _key(package: LockedPackage) -> str:
    return hashlib.sha256(repr((_FORMAT, package.file.sha256, platform.python_version())).encode()).hexdigest()


def find_built(key: str, cache: Cache) -> BuiltWheel | None:
    """Return the wheel that was stored under a key, if it is still there."""
    path = cache.find(_BUILT, key)
    if path is None:
        return None
    built = json.loads(path.read_text(encoding="utf-8"))
    wheel = cache.find(BUCKET, built["sha256"])
    if wheel is None:
        return None
    return BuiltWheel(name=built["name"], path=wheel, sha256=built["sha256"], built_from=built["built_from"])


def _build(package: LockedPackage, sdist: Path, key: str, *, cache: Cache, settings: IndexSettings) -> BuiltWheel:
    with tempfile.TemporaryDirectory(prefix="layerkit-") as folder:
        out = Path(folder, "out")
        out.mkdir()
        source = unpack_sdist(package, sdist, Path(folder, "source"))
        environment = {**settings.environment_for_uv(os.environ), "SOURCE_DATE_EPOCH": _EPOCH, "PYTHONHASHSEED": "0"}
        command = [sys.executable, "-m", isolated.__name__, str(source), str(out)]
        done = run(command, environment=environment, folder=out)
        wheels = sorted(out.glob("*.whl"))
        if not done.ok or len(wheels) != 1:
            raise SdistBuildFailed(package=package, output=settings.redact(done.stdout + done.stderr))
        if not WheelName.parse(wheels[0].name).is_pure:
            remember_native(package, wheels[0].name, cache)
            raise NeedsContainer(package=package, wheel=wheels[0].name)
        content = normalize_wheel(wheels[0])
        report = json.loads((out / isolated.REPORT).read_text(encoding="utf-8"))
    built_from = {"sdist": package.file.name, "sha256": package.file.sha256, **report}
    return store_built(key, cache, name=wheels[0].name, content=content, built_from=built_from)


def store_built(key: str, cache: Cache, *, name: str, content: bytes, built_from: Mapping[str, Any]) -> BuiltWheel:
    """Put a normalised wheel into the cache, and under ``key`` what it was built from.

    A sound wheel that is there already stays: another process may be reading it.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    found = cache.find(BUCKET, sha256)
    if found is None or found.read_bytes() != content:
        with cache.store(BUCKET, sha256) as stream:
            stream.write(content)
    with cache.store(_BUILT, key) as stream:
        stream.write(json.dumps({"name": name, "sha256": sha256, "built_from": built_from}).encode())
    return BuiltWheel(name=name, path=cache.path(BUCKET, sha256), sha256=sha256, built_from=built_from)


def normalize_wheel(path: Path) -> bytes:
    """Return the wheel's zip with the same content in an order and form that do not depend on who built it."""
    import deflate

    with path.open("rb") as stream:
        entries = sorted(read_entries(stream), key=lambda entry: entry.name)
    parts: list[bytes] = []
    headers: list[ZipHeader] = []
    offsets: list[int] = []
    position = 0
    with zipfile.ZipFile(path) as archive:
        for entry in entries:
            content = archive.read(entry.name)
            compressed = bytes(deflate.deflate_compress(content, _LEVEL))
            header = ZipHeader(
                name=entry.name,
                executable=bool(entry.mode & 0o111),
                method=DEFLATED,
                crc32=entry.crc32,
                compressed_bytes=len(compressed),
                unzipped_bytes=len(content),
            )
            headers.append(header)
            offsets.append(position)
            parts += [header.local(), compressed]
            position += len(parts[-2]) + len(compressed)
    return b"".join([*parts, directory(headers, offsets, start=position)])


def unpack_sdist(package: LockedPackage, sdist: Path, folder: Path) -> Path:
    """Unpack an sdist and return its root folder. Raises ``DamagedSdist``."""
    try:
        if package.file.name.endswith(".zip"):
            with sdist.open("rb") as stream:
                read_entries(stream)  # refuses names that would leave the folder
            shutil.unpack_archive(sdist, folder, "zip")
        else:
            with tarfile.open(sdist) as archive:
                archive.extractall(folder, filter="data")
    except (tarfile.TarError, ZipProblem, EOFError, OSError) as exc:
        raise DamagedSdist(package=package, why=str(exc)) from exc
    roots = [entry for entry in folder.iterdir() if entry.is_dir()]
    if len(roots) != 1:
        raise DamagedSdist(package=package, why=f"it holds {len(roots)} folders, not one")
    return roots[0]
