"""Layers merged as Lambda merges them at ``/opt``, and a function's code: zips as folders, once for each content.

Later layers overwrite earlier ones, file by file.
"""

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from layerkit import files
from layerkit.cache import Cache
from layerkit.files import translating
from layerkit.invoke.unreadable import LayerUnreadable

_BUCKET: Final = "unpacked"
_MERGED: Final = "merged"
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
        from layerkit.invoke.unpack import lay

        place = cache.path(_MERGED, os.urandom(32).hex())  # beside what is unpacked, so that links to it are possible
        try:
            with translating(place):
                place.mkdir(parents=True)
            for path in layers:
                is_own = path in folders
                lay(path if is_own else unpacked([path], cache, known=known), place, as_links=not is_own)
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
    from layerkit.invoke.unpack import unpack

    with cache.store_folder(_BUCKET, key) as folder:
        for path in zips:
            unpack(path, folder)
    return cache.path(_BUCKET, key)


def sha256_of(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal digits. Raises ``LayerUnreadable``."""
    try:
        return files.sha256_of(path).hex()
    except OSError as exc:
        raise LayerUnreadable.because(exc, path=path) from exc
