"""How to draw on a terminal; the console knows, the reports use it."""

from collections.abc import Callable
from dataclasses import dataclass

from layerkit.model.finding import Severity


@dataclass(frozen=True, kw_only=True, slots=True)
class Pen:
    """Draws a meter of a limit, and a severity in its colour."""

    meter: Callable[[int, int], str]
    label: Callable[[Severity], str]
