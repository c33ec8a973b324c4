"""What a request must be before uv sees it."""

import re
from datetime import datetime
from typing import Final

from layerkit.lock.failures import InvalidDateError, InvalidRequirementsError, UnsupportedSourceError
from layerkit.lock.inputs import LockRequest, without_credentials
from layerkit.model.names import normalize

_FRAGMENT_HASH: Final = re.compile(r"#(?:.*&)?(sha256|sha384|sha512)=([0-9a-fA-F]+)")


def check_date(text: str | None) -> None:
    """Raise ``InvalidDateError`` unless ``text`` is a date or time as RFC 3339 writes it, or nothing."""
    try:
        datetime.fromisoformat(text or "2000-01-01")
    except ValueError as exc:
        raise InvalidDateError(text=text or "") from exc


def checked_hashes(request: LockRequest) -> dict[str, tuple[str, ...]]:
    """Hold the requirements to PEP 508 and return the hashes in their URLs."""
    from packaging.requirements import InvalidRequirement, Requirement

    problems: list[str] = []
    repositories: list[str] = []
    fragments: dict[str, tuple[str, ...]] = {}
    for line in (*request.requirements, *request.constraints):
        shown = without_credentials(line)
        try:
            requirement = Requirement(line if line.isprintable() else "")  # what is no line must not become two for uv
        except InvalidRequirement as exc:
            problems.append(f"`{shown}`: {without_credentials(str(exc)).splitlines()[0]}")
            continue
        if re.match(r"(git|hg|svn|bzr)\+", requirement.url or ""):
            repositories.append(f"`{shown}` comes from a repository")
        if match := _FRAGMENT_HASH.search(requirement.url or ""):
            fragments[normalize(requirement.name)] = (f"{match[1]}:{match[2].lower()}",)
    if problems:
        raise InvalidRequirementsError(problems=problems)
    if repositories:
        raise UnsupportedSourceError(problems=repositories)
    return fragments
