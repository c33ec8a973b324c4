"""What a layer is, whoever compressed it."""

import hashlib
from collections.abc import Iterable


def content_digest(files: Iterable[tuple[str, int, str]]) -> str:
    """Return the identity over path, permission bits and SHA-256 (hex) of each file, as ``sha256:<hex>``."""
    digest = hashlib.sha256()
    for path, mode, sha256 in files:
        digest.update(f"{path}\0{mode:o}\0{sha256}\n".encode())
    return f"sha256:{digest.hexdigest()}"
