"""Fit Newton's law of cooling to what a thermometer said, and tell what follows from it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.optimize import brentq, curve_fit
from scipy.signal import medfilt


def lambda_handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Say when it has cooled to a temperature, and how warm it was on average until then."""
    minutes = np.array(event["minutes"], dtype=float)
    degrees = medfilt(np.array(event["degrees"], dtype=float), kernel_size=3)
    law, errors = fit(minutes[1:-1], degrees[1:-1])

    def excess(minute: float) -> float:
        return float(temperature(minute, *law)) - event["wanted"]

    reached = brentq(excess, 0, event["at_most"])
    area, _ = quad(temperature, 0, reached, args=tuple(law))
    return {
        "surroundings": round(float(law[0]), 1),
        "start": round(float(law[1]), 1),
        "rate": round(float(law[2]), 4),
        "rate_error": round(float(errors[2]), 4),
        "reached_after": round(float(reached), 1),
        "mean_until_then": round(float(area / reached), 1),
    }


def temperature(minute: Any, surroundings: float, start: float, rate: float) -> Any:
    """Return how warm it is after some minutes."""
    return surroundings + (start - surroundings) * np.exp(-rate * minute)


def fit(minutes: NDArray[np.float64], degrees: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the law's three parameters that fit best, and their standard errors."""
    guess = (degrees.min(), degrees.max(), 1 / np.ptp(minutes))
    law, covariance = curve_fit(temperature, minutes, degrees, p0=guess)
    return law, np.sqrt(np.diag(covariance))
