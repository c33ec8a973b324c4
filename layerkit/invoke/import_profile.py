"""What the start of a function goes to: the imports of its cold start, by who brought them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from layerkit.errors import UsageError
from layerkit.invoke.import_costs import Cost, Owners, costs_of
from layerkit.invoke.import_log import ImportLog


class NoImports(UsageError):
    """A runtime without Python, whose imports cannot be timed."""

    def __init__(self, *, runtime: str) -> None:
        super().__init__(
            f"`--profile-imports` is for Python runtimes, and {runtime} is none",
            hint="leave it out, or name a Python runtime with `--runtime`",
        )


@dataclass(kw_only=True, slots=True)
class ImportProfile:
    """Listens to the processes of a function. ``find_owners`` is asked once all is done."""

    find_owners: Callable[[], Owners]
    _logs: list[ImportLog] = field(default_factory=list)

    def begin(self) -> ImportLog:
        """Return where the imports of a new process are to be written down."""
        self._logs.append(ImportLog())
        return self._logs[-1]

    def started(self, milliseconds: float) -> None:
        """Note how long the start took of the process that began last."""
        self._logs[-1].start_ms = milliseconds

    def costs(self) -> "ImportCosts":
        """Add up the first start that came to an event, or, if there was none, the last one."""
        chosen = next((log for log in self._logs if log.is_ready), None) or self._logs[-1]
        owners = self.find_owners()
        return ImportCosts(
            init=costs_of(chosen.init, owners), later=costs_of(chosen.later, owners), start_ms=chosen.start_ms
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportCosts:
    """What was imported before the first event was asked for, and what afterwards, by the handler.

    ``start_ms`` is what the whole start took, in milliseconds, if it came to an end.
    """

    init: tuple[Cost, ...]
    later: tuple[Cost, ...]
    start_ms: float | None

    def as_json(self) -> dict[str, Any]:
        """Return it for ``--json``."""
        return {
            "imports": [cost.as_json() for cost in self.init],
            "imports_later": [cost.as_json() for cost in self.later],
        }
