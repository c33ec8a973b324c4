"""What the checks of layout have in common: how much room files take, how bad that is, and how to name some of them."""

from collections.abc import Iterable, Sequence
from typing import Final

from layerkit.model.contents import Contents, HeldFile
from layerkit.model.finding import Severity
from layerkit.model.limits import MIB

_NAMED: Final = 3
_MUCH: Final = 5 * MIB
_SOMETHING: Final = MIB
_SHARE: Final = 20  # a twentieth of a layer


def weight(files: Iterable[HeldFile]) -> int:
    """Return the unzipped bytes of files."""
    return sum(file.unzipped_bytes for file in files)


def severity_of(size: int, contents: Contents) -> Severity:
    """Rate bytes that do nothing: a warning from 5 MiB on, or from 1 MiB on if that is over 5 % of the layer."""
    much = size >= _MUCH or (size >= _SOMETHING and size * _SHARE > contents.unzipped_bytes)
    return Severity.WARNING if much else Severity.NOTE


def examples(names: Sequence[str]) -> str:
    """Name up to three and count the rest: ``a, b, c and 4 more``."""
    named = ", ".join(f"`{name}`" for name in names[:_NAMED])
    rest = len(names) - _NAMED
    return f"{named} and {rest:,} more" if rest > 0 else named


def count(number: int, noun: str) -> str:
    """Return ``1 file``, ``2 files``, ``1,000 files``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def place(contents: Contents, paths: Sequence[str]) -> str:
    """Return where a finding is: the file if it is about one, else the layer."""
    return f"{contents.where}: {paths[0]}" if len(paths) == 1 else contents.where
