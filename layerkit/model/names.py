"""Names of distributions, as PEP 503 compares them."""

import re
from typing import Final

_SEPARATORS: Final = re.compile(r"[-_.]+")


def normalize(name: str) -> str:
    """Return the name in lower case, with a single dash for each run of separators."""
    return _SEPARATORS.sub("-", name).lower()
