"""What the files of a zip are, kept by the SHA-256 of the zip, which never changes."""

import hashlib
import json
from typing import Final

from layerkit.audit.insides import Sights
from layerkit.cache import Cache

BUCKET: Final = "sights"
FORMAT: Final = 2
"""Part of every key; raised whenever the same zip would be seen otherwise."""


def recall(cache: Cache, sha256: str) -> Sights | None:
    """Return what was kept of the zip with this SHA-256; ``None`` if nothing was, or it is damaged."""
    path = cache.find(BUCKET, _key(sha256))
    if path is None:
        return None
    try:
        checksum, _, text = path.read_text(encoding="utf-8").partition("\n")
        return Sights.from_json(json.loads(text)) if checksum == _checksum(text) else None
    except (OSError, ValueError, LookupError, TypeError, AttributeError):  # of a version that kept something else
        return None


def keep(cache: Cache, sha256: str, sights: Sights) -> None:
    """Keep what was seen. Raises ``DiskFailure`` where the disk refuses."""
    text = json.dumps(sights.to_json(), separators=(",", ":"))
    with cache.store(BUCKET, _key(sha256)) as stream:
        stream.write(f"{_checksum(text)}\n{text}".encode())


def _key(sha256: str) -> str:
    return hashlib.sha256(f"{FORMAT} {sha256}".encode()).hexdigest()


def _checksum(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
