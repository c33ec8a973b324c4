"""Audits as one page that needs nothing but itself: a map of the layers, the stack, the findings.

What files are called reaches the page as data and never as markup; the page may run its own scripts only, and load
nothing.
"""

import base64
import hashlib
import html
import json
from collections.abc import Iterator, Sequence
from importlib.resources import files
from string import Template
from typing import Final

from layerkit.audit.audit import Audit
from layerkit.audit.report.page_data import page_data
from layerkit.audit.report.pen import Pen
from layerkit.audit.report.tables import By
from layerkit.audit.report.text import render_text

_PLAIN_ROWS: Final = 12
_SCRIPTS: Final = (
    "words.js",
    "tree.js",
    "squarify.js",
    "palette.js",
    "listing.js",
    "arrangement.js",
    "painter.js",
    "map.js",
    "figures.js",
    "tip.js",
    "search.js",
    "explorer.js",
    "tables.js",
    "stack.js",
    "findings.js",
    "page.js",
)


def render_html(audits: Sequence[Audit]) -> str:
    """Return the page. Where scripts do not run, it shows the audits as text."""
    style, early = _piece("page.css"), _piece("early.js")
    script = '"use strict";\n{\n' + "\n".join(map(_piece, _SCRIPTS)) + "}\n"
    return Template(_piece("page.html")).substitute(
        policy=_policy(style, early, script),
        title=_escaped(_title(audits)),
        style=style,
        early=early,
        plain=_escaped("\n".join(_plain(audits))),
        data=_embedded(audits),
        script=script,
    )


def _piece(name: str) -> str:
    return files("layerkit.audit.report").joinpath("page", name).read_text(encoding="utf-8")


def _policy(style: str, *scripts: str) -> str:
    """Return a Content-Security-Policy that allows just these texts and no request at all."""
    allowed = " ".join(map(_digest, scripts))
    return (
        f"default-src 'none'; script-src {allowed}; style-src {_digest(style)}; img-src data:;"
        " base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _title(audits: Sequence[Audit]) -> str:
    return audits[0].title if len(audits) == 1 else f"{len(audits)} audits"


def _escaped(text: str) -> str:
    """Return text as HTML; what UTF-8 cannot say is written as an escape."""
    return html.escape(text.encode("utf-8", "backslashreplace").decode())


def _embedded(audits: Sequence[Audit]) -> str:
    """Return the data as JSON that nothing in it can end: plain ASCII without ``<``."""
    return json.dumps(page_data(audits), separators=(",", ":"), ensure_ascii=True).replace("<", "\\u003c")


def _plain(audits: Sequence[Audit]) -> Iterator[str]:
    if not audits:
        yield "nothing was audited"
    pen = Pen(meter=lambda used, limit: f"({used / limit:.0%})", label=str)
    for audit in audits:
        yield from render_text(audit, by=By.DISTRIBUTION, top=_PLAIN_ROWS, pen=pen)
        yield ""
