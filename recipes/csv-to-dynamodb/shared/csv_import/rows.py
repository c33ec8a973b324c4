"""From the bytes of a CSV file to rows, or to what is wrong with them; nothing here knows AWS."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal

from csv_import.settings import Settings

Value = str | Decimal
NUMBER = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)
EXACT = Context(prec=38)  # as many digits as a DynamoDB number may have


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A good row: its values by column, without the empty ones."""

    line: int
    values: dict[str, Value]


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """A row that cannot be inserted."""

    line: int
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Line:
    number: int
    cells: list[str]


def read_rows(content: bytes, settings: Settings) -> Iterator[Row | Problem]:
    """Yield every row of a file, good or bad, with the line that it begins in. The first one names the columns."""
    try:
        text = content.decode("utf-8-sig")  # as Excel writes it, too
    except UnicodeDecodeError as error:
        yield Problem(line=content[: error.start].count(b"\n") + 1, reason="the file is not UTF-8")
        return
    lines = _lines(text, settings.delimiter)
    header = next(lines, None)
    names = header.cells if isinstance(header, _Line) else []
    if missing := [name for name in settings.columns if name not in names]:
        yield Problem(line=1, reason=f"the file has no column {', '.join(missing)}")
        return
    for line in lines:
        yield _row(line, names, settings) if isinstance(line, _Line) else line


def _lines(text: str, delimiter: str) -> Iterator[_Line | Problem]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        number = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Problem(line=number, reason=f"is no CSV: {error}")
        else:
            if cells:
                yield _Line(number=number, cells=cells)


def _row(line: _Line, names: Sequence[str], settings: Settings) -> Row | Problem:
    if len(line.cells) != len(names):
        return Problem(line=line.number, reason=f"{len(line.cells)} cells for {len(names)} columns")
    texts = {name: cell.strip() for name, cell in zip(names, line.cells, strict=True) if name in settings.columns}
    if empty := [name for name in settings.key if not texts[name]]:
        return Problem(line=line.number, reason=f"{', '.join(empty)} is empty")
    try:
        values = {name: _value(text, settings.columns[name]) for name, text in texts.items() if text}
    except ValueError as error:
        return Problem(line=line.number, reason=str(error))
    return Row(line=line.number, values=values)


def _value(text: str, kind: str) -> Value:
    if kind == "text":
        return text
    if not NUMBER.fullmatch(text):
        raise ValueError(f"{text!r} is no number")
    if sum(map(str.isdigit, text)) > EXACT.prec:
        raise ValueError(f"{text!r} has more than {EXACT.prec} digits")
    return Decimal(f"{Decimal(text).normalize(EXACT):f}")  # 7.20 and 7.2 are one number
