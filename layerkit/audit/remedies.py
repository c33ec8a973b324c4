"""What helps where a library is missing: by the distribution that needs it, else by the library's name."""

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Final

from layerkit.audit.layer_binary import LayerBinary
from layerkit.model.target import Target

_FEW: Final = 6
_PYTHON: Final = re.compile(r"libpython(?P<version>\d\.\d+)[a-z]*\.so")

_BY_OWNER: Final[Mapping[str, str]] = {
    "opencv-python": "`opencv-python-headless` is the same without windows, and needs no display",
    "opencv-contrib-python": "`opencv-contrib-python-headless` is the same without windows, and needs no display",
    "psycopg2": "`psycopg2-binary` brings it along",
    "psycopg-c": "`psycopg[binary]` brings it along",
    "mysqlclient": "`PyMySQL` needs no library",
    "numba": "nothing needs to be done: without it numba uses threads of its own (`workqueue`)",
}
_IN_LIB: Final = "put it into `lib/` of a layer"
_BY_LIBRARY: Final[Mapping[tuple[str, ...], str]] = {
    ("libc.musl-*", "libc.so"): "it was built for Alpine (musllinux): take a manylinux wheel",
    ("libpq.so.*",): f"`psycopg2-binary` and `psycopg[binary]` bring it along; or {_IN_LIB}",
    ("libodbc.so.*",): "put unixODBC's libraries, and a driver, into `lib/` of a layer",
    ("libmysqlclient*.so.*", "libmariadb.so.*"): f"`PyMySQL` needs no library; or {_IN_LIB}",
    ("libjvm.so",): "a Python runtime has no Java: put one into a layer, or look for a package without",
    ("libssl.so.*", "libcrypto.so.*"): "it was built for another OpenSSL than the runtime's: take a wheel that brings"
    " its own",
    ("libcuda*.so.*", "libcu*.so.1[0-9]*", "libnv*.so.*", "libnccl.so.*"): "Lambda has no GPU: take the build for CPUs",
    (
        *("libGL.so.*", "libGLX.so.*", "libEGL.so.*", "libOpenGL.so.*", "libgbm.so.*"),
        *("libX*.so.*", "libxcb*.so.*", "libxkb*.so.*", "libSM.so.*", "libICE.so.*"),
        *("libwayland-*.so.*", "libgtk-*.so.*", "libgdk-*.so.*"),
    ): "Lambda has no display: look for a build that needs none, such as a headless one",
}


def remedy_for(library: str, binary: LayerBinary, target: Target) -> str | None:
    """Return what helps a binary that lacks a library, where that is known."""
    if binary.owner in _BY_OWNER and binary.is_owned:
        return _BY_OWNER[binary.owner]
    python = _PYTHON.match(library)
    if python is not None:
        return f"it was built for Python {python['version']}: take a wheel of {binary.who} for {target.runtime.name}"
    return next(
        (text for patterns, text in _BY_LIBRARY.items() if any(fnmatchcase(library, pattern) for pattern in patterns)),
        None,
    )


def take_along(libraries: Sequence[str]) -> str:
    """Return how a layer gets libraries that a system can provide."""
    listed = ", ".join([f'"{library}"' for library in libraries[:_FEW]] + ["…"] * (len(libraries) > _FEW))
    them = "it" if len(libraries) == 1 else "them"
    return (
        f"put {them} into `lib/` of a layer: a recipe's `libraries = [{listed}]` takes {them} from the image of a"
        " container build, with `system-packages` for what the image lacks"
    )
