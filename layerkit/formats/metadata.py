"""What a distribution's dist-info says: METADATA, WHEEL and RECORD, read leniently; anybody may have written them.

Sources: https://packaging.python.org/en/latest/specifications/core-metadata/ and recording-installed-packages/.
"""

import csv
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from layerkit.model.names import normalize

_BEFORE_THE_MOVE: Final = "../../"  # from `lib/python` to the folder that stands for the target


@dataclass(frozen=True, kw_only=True, slots=True)
class Metadata:
    """The fields of METADATA (or PKG-INFO) that matter here; ``name`` is normalized."""

    name: str
    version: str
    requires: tuple[str, ...]
    requires_python: str | None


def read_metadata(content: bytes) -> Metadata | None:
    """Return what METADATA says; ``None`` if it lacks a name or a version."""
    from email.parser import HeaderParser

    headers = HeaderParser().parsestr(content.decode("utf-8", errors="replace"))
    name, version = headers.get("Name", "").strip(), headers.get("Version", "").strip()
    if not name or not version:
        return None
    return Metadata(
        name=normalize(name),
        version=version,
        requires=tuple(str(line) for line in headers.get_all("Requires-Dist", ())),
        requires_python=headers.get("Requires-Python"),
    )


def read_tags(content: bytes) -> tuple[str, ...]:
    """Return the tags (PEP 425) that WHEEL lists."""
    from email.parser import HeaderParser

    headers = HeaderParser().parsestr(content.decode("utf-8", errors="replace"))
    return tuple(str(tag).strip() for tag in headers.get_all("Tag", ()))


def read_record(content: bytes, *, root: str) -> Iterator[str]:
    """Yield the paths that RECORD lists, joined to ``root``, the folder that it counts from; strangers are left out.

    ``../../bin/x`` leads out of ``root``, which is allowed. Where that leads out of everything, it is what
    ``pip install --target`` wrote before it moved ``bin/x`` into ``root``. Other paths that lead out, and absolute
    ones, are not of this layer.
    """
    rows = csv.reader(content.decode("utf-8", errors="replace").splitlines())
    try:
        for row in rows:
            if row and row[0] and not row[0].startswith("/"):
                listed = row[0].replace("\\", "/")
                path = posixpath.normpath(posixpath.join(root, listed))
                moved = listed.removeprefix(_BEFORE_THE_MOVE)
                if path.startswith("../") and not moved.startswith("../"):
                    path = posixpath.normpath(posixpath.join(root, moved))
                if path not in {".", ".."} and not path.startswith("../"):
                    yield path
    except csv.Error:
        return
