"""Asks a shop's API what orders come to, and tells it the sum."""

import os
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

TIMEOUT = (3.05, 10)  # seconds to connect, and to wait for each next byte; without one, requests waits for ever


def open_session() -> requests.Session:
    """Return a session that asks again, a little later each time, when a server is overloaded."""
    retry = Retry(total=3, backoff_factor=0.1, status_forcelist=[429, 502, 503, 504])  # not for POST, by default
    session = requests.Session()
    session.mount("https://", HTTPAdapter(max_retries=retry))
    session.mount("http://", HTTPAdapter(max_retries=retry))
    session.headers["Accept"] = "application/json"
    return session


SESSION = open_session()  # made once: the invocations of one environment share its connections


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Return the sum, and the orders that the shop does not know."""
    shop = os.environ["SHOP_URL"]
    amounts, unknown = [], []
    for order in event["orders"]:
        response = SESSION.get(f"{shop}/orders/{order}", timeout=TIMEOUT)
        if response.status_code == requests.codes.not_found:
            unknown.append(order)
            continue
        response.raise_for_status()
        amounts.append(response.json()["amount"])

    total = round(sum(amounts), 2)
    response = SESSION.post(f"{shop}/reports", json={"total": total}, timeout=TIMEOUT)
    response.raise_for_status()
    return {"total": total, "unknown": unknown, "report": response.headers["Location"]}
