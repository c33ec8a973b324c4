"""What is done to tables all the time, one function each. None of them changes the table that it is given."""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

Table = pd.DataFrame


def keep_rows(table: Table, condition: Callable[[Table], "pd.Series[bool]"]) -> Table:
    """Filter: keep the rows for which the condition holds."""
    return table[condition(table)]


def map_values(table: Table, column: str, function: Callable[[Any], Any]) -> Table:
    """Map: replace every value of a column by what the function makes of it; what is missing stays missing."""
    return table.assign(**{column: table[column].map(function, na_action="ignore")})


def derive_column(table: Table, column: str, formula: Callable[[Table], "pd.Series[Any]"]) -> Table:
    """Derive: add a column that is computed from others, for all rows at once."""
    return table.assign(**{column: formula})


def aggregate_rows(table: Table, by: Sequence[str], **totals: tuple[str, str]) -> Table:
    """Aggregate: one row a group; `revenue=("price", "sum")` makes a column `revenue`. Sorted by group."""
    return table.groupby(list(by), as_index=False, dropna=False).agg(**totals)


def drop_duplicates(table: Table, by: Sequence[str]) -> Table:
    """Deduplicate: of the rows that agree in these columns, keep the last, which is the newest."""
    return table.drop_duplicates(subset=list(by), keep="last")


def split_rows(table: Table, by: str) -> dict[Any, Table]:
    """Split: one table for each value of a column, without that column; also one for rows where it is missing."""
    return {value: rows.drop(columns=by) for value, rows in table.groupby(by, dropna=False)}
