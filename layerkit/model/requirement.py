"""Requirements (PEP 508) and names of distributions (PEP 503): whether they are well-formed."""

import re
from typing import Final

from layerkit.errors import UsageError
from layerkit.model.names import normalize

_NAME: Final = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?"
_NAME_ALONE: Final = re.compile(_NAME)
_RELEASE: Final = r"[0-9]{1,9}(?:\.[0-9]{1,9}){0,9}"
_SPECIFIER: Final = rf"(?:(?:==|!=|<=|>=|<|>)[ ]?{_RELEASE}|~=[ ]?[0-9]{{1,9}}\.{_RELEASE}|[=!]=[ ]?{_RELEASE}\.\*)"
_PLAIN: Final = re.compile(rf"{_NAME}(?:\[{_NAME}(?:,[ ]?{_NAME})*\])?(?:[ ]?{_SPECIFIER}(?:[ ]?,[ ]?{_SPECIFIER})*)?")


class BadRequirementError(UsageError):
    """A requirement that is not written as PEP 508 asks."""

    def __init__(self, *, text: str, reason: str) -> None:
        super().__init__(f"`{text}` is not a PEP 508 requirement: {reason[:1].lower()}{reason[1:]}")


class BadNameError(UsageError):
    """A text that cannot name a distribution."""

    def __init__(self, *, text: str) -> None:
        super().__init__(f"`{text}` is not the name of a distribution")


def check_requirement(text: str) -> str:
    """Return the requirement without the space around it. Raises ``BadRequirementError``.

    Names with plain version numbers are recognised at once; for the rest ``packaging`` is imported, which takes time.
    """
    stripped = text.strip()
    if not _PLAIN.fullmatch(stripped):
        from packaging.requirements import InvalidRequirement, Requirement

        try:
            Requirement(stripped)
        except InvalidRequirement as exc:
            raise BadRequirementError(text=stripped, reason=str(exc).partition("\n")[0]) from exc
    return stripped


def normalised_name(text: str) -> str:
    """Return the name of a distribution as PEP 503 compares it. Raises ``BadNameError``."""
    if not _NAME_ALONE.fullmatch(text):
        raise BadNameError(text=text)
    return normalize(text)
