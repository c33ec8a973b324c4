"""What the layer's configuration file says."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

FILE = Path(__file__).parents[2] / "etc" / "csv-import.toml"  # this file is /opt/python/csv_import/settings.py
KINDS = {"text", "number"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """How CSV files are read."""

    delimiter: str
    key: tuple[str, ...]
    columns: dict[str, str]

    @classmethod
    def load(cls, path: Path = FILE) -> Self:
        """Read the file. Raises ``ValueError`` if a column is of no known kind or named `id`, or the key names none."""
        found = tomllib.loads(path.read_text(encoding="utf-8"))
        settings = cls(delimiter=found["delimiter"], key=tuple(found["key"]), columns=found["columns"])
        if wrong := {*settings.columns.values()} - KINDS | {*settings.key} - {*settings.columns}:
            raise ValueError(f"{path.name}: neither a kind nor a column: {', '.join(sorted(wrong))}")
        if "id" in settings.columns:
            raise ValueError(f"{path.name}: a column is named `id`, as the item's own key is")
        return settings
