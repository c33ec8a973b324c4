"""Reads a list that an API gives out page by page."""

import os
from collections.abc import Iterator
from typing import Any

import httpx

CLIENT = httpx.Client(
    base_url=os.environ["CATALOGUE_URL"],
    headers={"Authorization": f"Bearer {os.environ['CATALOGUE_KEY']}"},
    timeout=httpx.Timeout(10, connect=3),
    transport=httpx.HTTPTransport(retries=2),  # of connections that fail, not of answers
    follow_redirects=True,
)


def pages(path: str, **query: str) -> Iterator[dict[str, Any]]:
    """Yield every page; a `Link` header with `rel="next"` says where the next one is."""
    response = CLIENT.get(path, params=query)
    while True:
        response.raise_for_status()
        yield response.json()
        if "next" not in response.links:
            return
        response = CLIENT.get(response.links["next"]["url"])


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Return the titles about a subject, or why there are none."""
    try:
        books = [book for page in pages("/books", about=event["about"]) for book in page["books"]]
    except httpx.HTTPStatusError as error:
        return {"error": f"the catalogue says {error.response.status_code} {error.response.reason_phrase}"}
    return {"count": len(books), "titles": sorted(book["title"] for book in books)}
