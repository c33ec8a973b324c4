"""Where uv is: the program that came with layerkit."""

import os
import threading
from typing import Final

from layerkit.errors import EnvironmentFailure

_FINDING: Final = threading.Lock()  # sysconfig, which uv asks, is not safe among threads before it was used once


class UvMissing(EnvironmentFailure):
    """uv is a dependency of layerkit's, but it is not there."""

    def __init__(self, *, reason: str) -> None:
        super().__init__(f"uv is missing: {reason}", hint="install layerkit again, or put `uv` on PATH")


def find_uv() -> str:
    """Return the path of uv. Raises ``UvMissing``."""
    import uv

    try:
        with _FINDING:
            return os.fspath(uv.find_uv_bin())
    except FileNotFoundError as exc:
        raise UvMissing(reason=str(exc).splitlines()[0]) from exc
