"""Asks many weather stations at once, so that the function takes as long as the slowest, not as all of them."""

import asyncio
import logging
import os
from typing import Any

import aiohttp

LOGGER = logging.getLogger(__name__)
AT_ONCE = 3
TIMEOUT = aiohttp.ClientTimeout(total=10, connect=3)


async def temperature(session: aiohttp.ClientSession, station: str) -> float | None:
    """Return what a station measures, or nothing if it does not answer as it should."""
    try:
        async with session.get(f"/stations/{station}") as response:
            response.raise_for_status()
            return float((await response.json())["celsius"])
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        LOGGER.warning("%s: %s", station, error)
        return None


async def ask(stations: list[str]) -> dict[str, float | None]:
    """Ask all of them, but no more than a few at a time."""
    connector = aiohttp.TCPConnector(limit=AT_ONCE)
    async with aiohttp.ClientSession(os.environ["WEATHER_URL"], connector=connector, timeout=TIMEOUT) as session:
        found = await asyncio.gather(*(temperature(session, station) for station in stations))
    return dict(zip(stations, found, strict=True))


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Return the warmest station and those that did not answer."""
    measured = asyncio.run(ask(event["stations"]))
    known = {station: celsius for station, celsius in measured.items() if celsius is not None}
    warmest = max(known, key=known.__getitem__, default=None)
    silent = [station for station in measured if station not in known]
    return {"warmest": warmest, "celsius": measured.get(warmest), "silent": silent}
