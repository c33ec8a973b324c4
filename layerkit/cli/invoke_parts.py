"""What the parameters of ``invoke`` mean, whether a handler was named or recipes."""

import re
import sys
from collections.abc import Mapping
from errno import EBADF
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from layerkit.errors import UsageError, system_reason

if TYPE_CHECKING:
    from layerkit.bundled import Source
    from layerkit.venue import VenueWish

_WORDS: Final = ("null", "true", "false")
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
_MOST_BYTES: Final = 6 * 1024 * 1024


class BadEvent(UsageError):
    """An event that Lambda would not hand to a function."""

    def __init__(self, *, where: str, why: str) -> None:
        super().__init__(
            f"the event {where} {why}", hint="""give a JSON file, `-` for stdin, or JSON: `--event '{"a": 1}'`"""
        )


class NotTogether(UsageError):
    """Options that do not go together, or not alone."""

    def __init__(self, *, problem: str, hint: str) -> None:
        super().__init__(problem, hint=hint)


def source_of(said: Mapping[str, Any]) -> "Source":
    """Return where packages come from, by the command's parameters."""
    from layerkit.bundled import Source

    index = {
        "index_url": said["index_url"],
        "extra_index_urls": tuple(said["extra_index_url"] or ()),
        "find_links": tuple(said["find_links"] or ()),
        "no_index": said["no_index"] or None,
        "ca_bundle": said["ca_bundle"],
        "proxy": said["proxy"],
        "keyring": said["keyring"],
    }
    return Source(index=index, offline=said["offline"])


def venue_of(said: Mapping[str, Any]) -> "VenueWish":
    """Return where it is to run. Raises ``OnlyForContainers``."""
    from layerkit.venue import Sandbox, VenueWish

    return VenueWish(
        sandbox=Sandbox(said["sandbox"]), image=said["image"], network=said["network"], platform=said["platform"]
    )


def event_of(said: str) -> bytes:
    """Return the event's JSON. Raises ``BadEvent``."""
    from json import detect_encoding, loads

    where, content = _read(said)
    if len(content) > _MOST_BYTES:
        raise BadEvent(where=where, why=f"has {len(content)} bytes, over Lambda's {_MOST_BYTES}")
    try:
        text = content.decode(detect_encoding(content))  # as editors and shells write it, a mark at its begin or none
        if not text.strip():
            raise BadEvent(where=where, why="is empty")
        loads(text, parse_constant=_refuse, parse_int=str)
    except ValueError as exc:
        raise BadEvent(where=where, why=f"is no JSON: {exc}") from exc
    except RecursionError as exc:
        raise BadEvent(where=where, why="is nested too deeply") from exc
    return text.encode()


def _refuse(constant: str) -> None:
    raise ValueError(f"it has no {constant}")


def _read(said: str) -> tuple[str, bytes]:
    if said.lstrip()[:1] in {"", "{", "[", '"'} or said in _WORDS or _NUMBER.fullmatch(said):
        return "of `--event`", said.encode(errors="surrogateescape")
    where = "on stdin" if said == "-" else f"`{said}`"
    try:
        return where, _stdin() if said == "-" else Path(said).read_bytes()
    except OSError as exc:
        raise BadEvent(where=where, why=f"cannot be read: {system_reason(exc)}") from exc


def _stdin() -> bytes:
    if sys.stdin is None:
        raise OSError(EBADF, "it is closed")
    return sys.stdin.buffer.read()
