"""Takes an HTML page apart: its links, and its tables as rows."""

from typing import Any
from urllib.parse import urljoin

from bs4 import BeautifulSoup, Tag


def links(page: BeautifulSoup, address: str) -> dict[str, str]:
    """Return where the page's links lead, by their text; those within the page are left out."""
    found = page.select("a[href]:not([href^='#'])")
    return {link.get_text(" ", strip=True): urljoin(address, str(link["href"])) for link in found}


def rows(table: Tag) -> list[dict[str, str]]:
    """Return every row of a table by the names of its columns."""
    names = [cell.get_text(" ", strip=True) for cell in table.select("tr th")]
    found = ([cell.get_text(" ", strip=True) for cell in row.select("td")] for row in table.select("tr:has(td)"))
    return [dict(zip(names, cells, strict=False)) for cells in found]


def lambda_handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Return what the page at ``event["url"]``, given as ``event["html"]``, holds."""
    page = BeautifulSoup(event["html"], "html.parser")  # the standard library's; "lxml" and "html5lib" need a layer
    for element in page(["script", "style"]):
        element.decompose()
    return {
        "title": page.title.get_text(strip=True) if page.title else None,
        "links": links(page, event["url"]),
        "tables": [rows(table) for table in page("table")],
        "words": len(page.get_text(" ").split()),
    }
