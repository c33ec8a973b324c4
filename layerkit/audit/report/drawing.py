"""Tables drawn: in columns for a terminal, in GitHub's Markdown for a job's summary."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_LONGEST_NAME: Final = 56
_SPECIAL: Final = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_{}[]<>#|~$"} | {"\n": " ", "\r": " "})


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """Cells of text; the first ``texts`` columns hold words, the others figures."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    texts: int = 1


def aligned(table: Table) -> Iterator[str]:
    """Yield the lines of a table in columns, its head first; words to the left, figures to the right."""
    heads = tuple(head.upper() for head in table.heads)
    rows = [heads, *((_shortened(plain(first)), *map(plain, rest)) for first, *rest in table.rows)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(table.heads))]
    for row in rows:
        cells = (
            cell.ljust(width) if column < table.texts else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield ("  " + "  ".join(cells)).rstrip()


def as_markdown(table: Table) -> Iterator[str]:
    """Yield the lines of a table in GitHub's Markdown; whatever is in the cells, it stays text."""
    yield f"| {' | '.join(table.heads)} |"
    yield f"|{'|'.join(' --- ' if column < table.texts else ' ---: ' for column in range(len(table.heads)))}|"
    for row in table.rows:
        yield f"| {' | '.join(map(escaped, row))} |"


def escaped(text: str) -> str:
    """Return text that Markdown shows as it is."""
    return plain(text.translate(_SPECIAL))


def plain(text: str) -> str:
    """Return text that moves no cursor and hides nothing: what cannot be seen of a name is spelt out."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def _shortened(name: str) -> str:
    """Return the name, its middle left out where it is too long: both ends of a path tell something."""
    if len(name) <= _LONGEST_NAME:
        return name
    half = _LONGEST_NAME // 2
    return f"{name[: half - 1]}…{name[-half:]}"
