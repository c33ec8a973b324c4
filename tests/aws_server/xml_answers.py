"""Answers in XML, for the protocols that want it."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias
from xml.sax.saxutils import escape

from tests.aws_server.wire import NO_HEADERS, Response

Node: TypeAlias = "str | int | bool | Sequence[tuple[str, Node]] | None"


def xml(tag: str, content: Node, *, namespace: str = "") -> str:
    """Return an element; ``None`` leaves it out, a sequence is its children in order."""
    space = f' xmlns="{namespace}"' if namespace else ""
    match content:
        case None:
            return ""
        case bool():
            return f"<{tag}{space}>{str(content).lower()}</{tag}>"
        case str() | int():
            return f"<{tag}{space}>{escape(str(content))}</{tag}>"
        case children:
            return f"<{tag}{space}>{''.join(xml(name, child) for name, child in children)}</{tag}>"


def xml_response(
    tag: str, content: Node, *, status: int = 200, namespace: str = "", headers: Mapping[str, str] = NO_HEADERS
) -> Response:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n{xml(tag, content, namespace=namespace)}'.encode()
    return Response(status=status, body=body, headers={"Content-Type": "application/xml"} | dict(headers))
