"""What a check of the doctor's finds out."""

from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """``ok``: works; ``missing``: not there; ``broken``: there, but does not work."""

    OK = "ok"
    MISSING = "missing"
    BROKEN = "broken"


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """What was found out; ``needed`` if a build from prebuilt wheels does not work without it."""

    name: str
    status: Status
    detail: str
    hint: str | None = None
    needed: bool = False

    def to_json(self) -> dict[str, str | None]:
        """Return the JSON shape."""
        return {"name": self.name, "status": str(self.status), "detail": self.detail, "hint": self.hint}
