"""What a function should have answered and what it did: where two JSON values differ, in words."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

_LONGEST: Final = 120  # characters of a value that are shown


def differences(wanted: Any, came: Any, *, at: str = "") -> Iterator[str]:
    """Yield a line for each place where the values differ; objects have no order, and 1 and 1.0 are one number."""
    match wanted, came:
        case Mapping(), Mapping():
            for key in dict.fromkeys([*wanted, *came]):
                yield from _of_member(wanted, came, key, at=f"{at}.{key}")
        case list(), list():
            if len(wanted) != len(came):
                yield f"{_place(at)} has {len(came)} items, not {len(wanted)}"
            for place, pair in enumerate(zip(wanted, came, strict=False)):
                yield from differences(*pair, at=f"{at}[{place}]")
        case _ if _kind(wanted) != _kind(came) or wanted != came:
            yield f"{_place(at)} is {_shown(came)}, not {_shown(wanted)}"


def _of_member(wanted: Mapping[str, Any], came: Mapping[str, Any], key: str, *, at: str) -> Iterator[str]:
    if key not in came:
        yield f"{at} is missing; it should be {_shown(wanted[key])}"
    elif key not in wanted:
        yield f"{at} is {_shown(came[key])}, and should not be there"
    else:
        yield from differences(wanted[key], came[key], at=at)


def _kind(value: object) -> type:
    return float if isinstance(value, int | float) and not isinstance(value, bool) else type(value)


def _place(at: str) -> str:
    return at or "the whole"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
