"""Which images wheels are built in, loaded from ``images.toml``."""

import functools
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from layerkit.facts.architecture import Architecture
from layerkit.facts.table import Table

FILE: Final = "images.toml"

_PINNED: Final = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+(/[a-z0-9._-]+)+@sha256:[0-9a-f]{64}")

_Images = Mapping[tuple[str, Architecture], str]


def builder_image(system: str, architecture: Architecture) -> str:
    """Return the image, by digest, whose binaries run on an operating system such as ``AL2023``.

    Raises ``KeyError`` for a system that no runtime has.
    """
    return _load()[system, architecture]


@functools.cache
def _load() -> _Images:
    return read_images(Table.read(FILE))


def read_images(table: Table) -> _Images:
    """Turn the file into images by system and architecture. Raises ``FactsError`` at the first key that is wrong."""
    found: dict[tuple[str, Architecture], str] = {}
    for system, entry in table.tables("systems").items():
        for architecture in Architecture:
            image = entry.take(architecture.value, str)
            if not _PINNED.fullmatch(image):
                raise entry.wrong(architecture.value, f"is no image by digest: {image!r}")
            found[system, architecture] = image
        entry.finish()
    table.date("as-of")
    table.finish()
    return MappingProxyType(found)
