"""Shared libraries that Lambda lacks, taken along from the place where wheels are built, for the layer's ``lib/``."""

import hashlib
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from layerkit.cache import Cache
from layerkit.sandbox.runner import Order
from layerkit.sandbox.workshop import Workshop
from layerkit.wheelhouse.fetch import BUCKET
from layerkit.wheelhouse.fit import Surroundings, as_binary, check_fit
from layerkit.wheelhouse.native_errors import LibraryNotInPlace

_SCRIPT: Final = "place_libraries.py"
_CARRIED: Final = "libraries"
_FOLDER: Final = "libraries"
_LOADER_CACHE: Final = ("/bin/sh", "-c", 'PATH="$PATH:/sbin:/usr/sbin" ldconfig -p 2>/dev/null; true')
_PATIENCE: Final = 300.0  # seconds


@dataclass(frozen=True, kw_only=True, slots=True)
class CarriedLibrary:
    """A shared library in the cache: ``name`` is the one under which the loader looks for it."""

    name: str
    path: Path
    sha256: str


def find_carried(names: Sequence[str], key: str, cache: Cache) -> tuple[CarriedLibrary, ...] | None:
    """Return what was taken along under ``key``; nothing at all if nothing is wanted."""
    if not names:
        return ()
    entry = cache.find(_CARRIED, key)
    if entry is None:
        return None
    digests: dict[str, str] = json.loads(entry.read_text(encoding="utf-8"))
    paths = {name: cache.find(BUCKET, sha256) for name, sha256 in digests.items()}
    found = [
        CarriedLibrary(name=name, path=path, sha256=digests[name]) for name, path in paths.items() if path is not None
    ]
    return tuple(found) if len(found) == len(digests) else None


def carry_libraries(
    names: Sequence[str], key: str, workshop: Workshop, around: Surroundings, *, cache: Cache
) -> tuple[CarriedLibrary, ...]:
    """Copy libraries out of the place and hold them to the target.

    Raises ``LibraryNotInPlace``, ``TooNew``, ``LibraryNotOnLambda`` or ``OtherMachine``.
    """
    runner = workshop.runner
    runner.put({_SCRIPT: Path(__file__).with_name(_SCRIPT).read_bytes()})
    command = [workshop.python, "-I", f"{runner.home}/{_SCRIPT}", f"{runner.home}/{_FOLDER}", *names]
    known = runner.run(Order(command=_LOADER_CACHE, timeout=_PATIENCE)).stdout
    done = runner.run(Order(command=command, stdin=known, timeout=_PATIENCE))
    missing: list[str] = json.loads(done.stdout) if done.ok else list(names)
    if missing:
        raise LibraryNotInPlace(names=missing, title=runner.title)
    with tempfile.TemporaryDirectory(prefix="layerkit-") as folder:
        runner.get(_FOLDER, Path(folder, "libraries"))
        files = {path.name: path.read_bytes() for path in sorted(Path(folder, "libraries").iterdir())}
    return _store(dict(_checked(files, around)), key, cache)


def _checked(files: dict[str, bytes], around: Surroundings) -> list[tuple[str, bytes]]:
    """Return the libraries by the name under which the loader looks for them."""
    read = [(binary, content) for name, content in files.items() if (binary := as_binary(name, content))]
    strange = files.keys() - {binary.name for binary, _ in read}
    if strange:  # a linker's script, such as Debian's libncurses.so
        raise LibraryNotInPlace(names=sorted(strange), title=around.title)
    names = ", ".join(f"`{binary.name}`" for binary, _ in read)
    check_fit([binary for binary, _ in read], around, what=f"the library {names}")
    return [(binary.facts.soname or binary.name, content) for binary, content in read]


def _store(files: dict[str, bytes], key: str, cache: Cache) -> tuple[CarriedLibrary, ...]:
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}
    for name, sha256 in digests.items():
        with cache.store(BUCKET, sha256) as stream:
            stream.write(files[name])
    with cache.store(_CARRIED, key) as stream:
        stream.write(json.dumps(digests).encode())
    return tuple(
        CarriedLibrary(name=name, path=cache.path(BUCKET, sha256), sha256=sha256) for name, sha256 in digests.items()
    )
