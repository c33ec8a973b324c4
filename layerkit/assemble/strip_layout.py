"""How the pieces of a file lie, and how they can lie closer together.

Pieces keep their order and move down by whole multiples of their alignment, so that offsets and addresses stay
congruent. Knows nothing of what the pieces are.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

_ZEROS: Final = bytes(65_536)


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """Bytes that stay together, from ``start`` up to ``end``; ``start`` may change by multiples of ``align``."""

    start: int
    end: int
    align: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """Pieces in order of offset, where each will begin; the last one ends at ``end``."""

    pieces: Sequence[Piece]
    starts: Sequence[int]
    end: int

    def moved(self, offset: int) -> int:
        """Return where what was at ``offset`` will be; what no piece holds goes to the end of the one before."""
        index = max(bisect_right(self.pieces, offset, key=lambda piece: piece.start) - 1, 0)
        piece = self.pieces[index]
        return self.starts[index] + min(offset, piece.end) - piece.start


def merged(ranges: Iterable[tuple[int, int, int]]) -> list[Piece]:
    """Return pieces for ranges (start, end, alignment), those that touch or overlap as one."""
    pieces: list[Piece] = []
    for start, end, align in sorted(ranges):
        if pieces and start <= (last := pieces[-1]).end:
            pieces[-1] = Piece(start=last.start, end=max(last.end, end), align=max(last.align, align))
        else:
            pieces.append(Piece(start=start, end=end, align=align))
    return pieces


def overlap(pieces: Iterable[Piece], gone: Iterable[Piece]) -> bool:
    """Tell whether what goes and what stays share bytes; pieces that stay do not share any among themselves."""
    ordered = sorted([*pieces, *gone], key=lambda piece: (piece.start, piece.end))
    reached = 0
    for piece in ordered:
        if piece.start < reached:
            return True
        reached = max(reached, piece.end)
    return False


def strays(view: memoryview, owned: Iterable[Piece]) -> Iterator[tuple[int, int]]:
    """Yield start and end of each stretch of the file that is outside of ``owned`` and not all zero."""
    at = 0
    for start, end in [*sorted((piece.start, piece.end) for piece in owned), (len(view), len(view))]:
        if start > at and not _is_zero(view[at:start]):
            yield at, start
        at = max(at, end)


def _is_zero(view: memoryview) -> bool:
    chunks = range(0, len(view), len(_ZEROS))
    return all(_ZEROS.startswith(view[chunk : chunk + len(_ZEROS)]) for chunk in chunks)


def compact(pieces: Sequence[Piece]) -> Layout:
    """Return the closest layout: none of the pieces moves up, and packing it again changes nothing."""
    starts, at = [], 0
    for piece in pieces:
        starts.append(at + (piece.start - at) % piece.align)
        at = starts[-1] + piece.end - piece.start
    return Layout(pieces=pieces, starts=starts, end=at)
