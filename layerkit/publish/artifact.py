"""What is to be published: a zip with what its manifest says, and the identity that follows it everywhere."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from layerkit.facts import limits

_DIGITS: Final = 32  # of the content digest's 64: 128 bits tell any two layers apart
_MARK: Final = re.compile(rf" ?\[content ([0-9a-f]{{{_DIGITS}}})\]\Z")


@dataclass(frozen=True, kw_only=True, slots=True)
class Artifact:
    """A layer on disk, ready to go: ``layer_name`` is what AWS will call it, ``name`` what its recipe calls it.

    ``content_digest`` is 64 hex digits over path, mode and content of every file, so that no compressor changes it.
    ``code_sha256`` is the zip's SHA-256 in base64, as Lambda gives it.
    """

    name: str
    layer_name: str
    path: Path
    zipped_bytes: int
    unzipped_bytes: int
    code_sha256: str
    content_digest: str
    runtimes: tuple[str, ...]
    architectures: tuple[str, ...]
    description: str = ""
    license: str = ""

    @property
    def marked_description(self) -> str:
        """The description with the identity at its end, cut to what Lambda takes."""
        mark = f"[content {self.content_digest[:_DIGITS]}]"
        room = limits().description_length - len(mark) - 1
        text = self.description if len(self.description) <= room else self.description[: room - 1].rstrip() + "…"
        return f"{text} {mark}" if text else mark

    def is_in(self, *, description: str, code_sha256: str | None) -> bool:
        """Tell whether a published version is this very content, by its mark or by its bytes."""
        return mark_of(description) == self.content_digest[:_DIGITS] or code_sha256 == self.code_sha256


def mark_of(description: str) -> str | None:
    """Return the identity at the end of a version's description, if layerkit published it."""
    match = _MARK.search(description)
    return match[1] if match else None


def without_mark(description: str) -> str:
    """Return a version's description as its author wrote it."""
    return _MARK.sub("", description)
