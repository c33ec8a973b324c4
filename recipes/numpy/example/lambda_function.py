"""Find the trend of a series and what stands out from it."""

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

WINDOW = 6


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Describe the values of the event: their line of least squares, moving means and outliers."""
    values = np.array(event["values"], dtype=float)
    slope, intercept = trend(values)
    return {
        "slope": round(slope, 3),
        "intercept": round(intercept, 3),
        "moving_means": sliding_window_view(values, WINDOW).mean(axis=1).round(2).tolist(),
        "outliers": outliers(values, limit=event.get("limit", 3.0)),
    }


def trend(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return slope and intercept of the line that fits the values best."""
    steps = np.arange(len(values))
    design = np.column_stack([steps, np.ones_like(steps)])
    (slope, intercept), *_ = np.linalg.lstsq(design, values)
    return float(slope), float(intercept)


def outliers(values: NDArray[np.float64], *, limit: float) -> list[dict[str, float]]:
    """Return the values that are many standard deviations away from the mean of those before them."""
    before = sliding_window_view(values[:-1], WINDOW)
    scores = (values[WINDOW:] - before.mean(axis=1)) / before.std(axis=1)
    found = np.flatnonzero(np.abs(scores) > limit)
    return [
        {"index": int(at) + WINDOW, "value": float(values[at + WINDOW]), "score": round(float(scores[at]), 2)}
        for at in found
    ]
