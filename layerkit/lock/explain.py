"""What uv says when it cannot resolve, understood once and said in layerkit's words. Pure."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from layerkit.errors import LayerkitError
from layerkit.lock.failures import (
    ConflictError,
    IndexCertificateError,
    IndexDownError,
    IndexRefusedError,
    MissingFileError,
    NoSuchVersionError,
    OfflineError,
    PythonVersionError,
    SourceBuildError,
    UnexplainedError,
    UnknownDistributionError,
)
from layerkit.lock.inputs import without_credentials
from layerkit.model.names import normalize

_NAME: Final = r"([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?"
_WHEELLESS: Final = (
    re.compile(r"Wheels are required for `([^`]+)`"),
    re.compile(rf"{_NAME}(?:[=<>!~][^\s]*)? ha(?:s|ve) no (?:usable wheels|wheels with a matching)"),
    re.compile(r"Building source distributions for `([^`]+)` is disabled"),
)
_WHEELLESS_PIN: Final = re.compile(rf"{_NAME}==(\S+) has no (?:usable wheels|wheels with a matching)")
_MISSING: Final = re.compile(rf"{_NAME} was not found in the (?:package registry|provided package locations|cache)")
_NO_VERSION: Final = re.compile(r"there (?:is|are) no versions? of (\S+)")
_ONLY: Final = re.compile(rf"only {_NAME}(?P<range>[=<>!~]\S*) is available and you require (?P<wanted>\S+),")
_PYTHON: Final = re.compile(r"(?:does not satisfy Python|requires Python )([<>=!~][^\s,]*(?:,[<>=!~][^\s,]*)*)")
_FETCH: Final = re.compile(r"(?:Failed to fetch|Request failed)[^:]*: `?([a-z][a-z0-9+.-]*://[^\s`]+)", re.IGNORECASE)
_REFUSED: Final = re.compile(r"An index(?: URL)? \((\S+)\) (?:could not be queried|returned).*?\b(401|403)\b")
_ANY_URL: Final = re.compile(r"https?://[^\s`)]+")
_TEXT_OF_CAUSE: Final = re.compile(r"^\s*(?:cause|Caused by): ")
_FLAGGED: Final = re.compile(r"\buv\b|subsequent index|--[a-z][a-z-]+|`?exclude-newer-package`?|requires-python")
_REWORDED: Final = (
    (re.compile(r", we can conclude that your requirements are unsatisfiable\.?$"), ", the requirements cannot be met"),
    (re.compile(r"your requirements are unsatisfiable\.?$"), "the requirements cannot be met"),
    (re.compile(r", we can conclude that "), ", "),
    (re.compile(r"^we can conclude that "), ""),
    (re.compile(r"\bin the package registry\b"), "on the index"),
    (re.compile(r"\.$"), ""),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Wheelless:
    """A distribution without a usable wheel; ``version`` where uv speaks of exactly one."""

    name: str
    version: str | None


def wheelless(stderr: str) -> tuple[Wheelless, ...]:
    """Return what has no usable wheel under the requirements, by name."""
    flat = _flat(stderr)
    names = {normalize(match[1]) for pattern in _WHEELLESS for match in pattern.finditer(flat)}
    versions: dict[str, set[str]] = {}
    for match in _WHEELLESS_PIN.finditer(flat):
        versions.setdefault(normalize(match[1]), set()).add(match[2])
    return tuple(
        Wheelless(name=name, version=next(iter(found)) if len(found := versions.get(name, set())) == 1 else None)
        for name in sorted(names)
    )


def explanation(stderr: str) -> tuple[str, ...]:
    """Return uv's reasoning, a line each step, without its prefixes, warnings and flags."""
    lines: list[str] = []
    inside = False
    for line in stderr.splitlines():
        if _TEXT_OF_CAUSE.match(line):
            inside = True
        elif line.startswith(("hint:", "error:", "warning:")) or not line.strip():
            inside = False
        if inside:
            lines.append(_reworded(_TEXT_OF_CAUSE.sub("", line).strip()))
    return tuple(without_credentials(line) for line in [*lines, *_hints(stderr)] if line)


def failure(
    stderr: str,
    *,
    target: str,
    newest: str | None = None,
    proxy_of: Callable[[str], str | None] = lambda _: None,
) -> LayerkitError:
    """Return the error that says what uv's refusal means; wheels that are missing are the caller's to explain.

    ``proxy_of`` tells, without credentials, through which proxy a URL is asked.
    """
    return _access(stderr, proxy_of) or _resolution(stderr, target=target, newest=newest)


def missing_version(stderr: str) -> str | None:
    """Return the requirement (``numpy==1.99``) for which uv found no version, if that is what it says."""
    flat = _flat(stderr)
    if match := _NO_VERSION.search(flat):
        return match[1].rstrip(".,")
    if match := _ONLY.search(flat):
        return match["wanted"] if normalize(match["wanted"]).startswith(normalize(match[1])) else None
    return None


def python_needed(stderr: str) -> str | None:
    """Return the Python (``>=3.12``) that something needs and the target is not, if that is what uv says."""
    match = _PYTHON.search(_flat(stderr))
    return match[1] if match else None


def _access(stderr: str, proxy_of: Callable[[str], str | None]) -> LayerkitError | None:
    """Explain an index, or a file, that could not be asked for."""
    if match := _REFUSED.search(_flat(stderr)):
        status = {"401": "401 Unauthorized", "403": "403 Forbidden"}[match[2]]
        return IndexRefusedError(url=without_credentials(match[1]), status=status)
    fetched = _FETCH.search(stderr)
    if fetched is None:
        return None
    url, details = without_credentials(fetched[1]), explanation(stderr)
    reason = details[-1] if details else "no reason given"
    if "certificate" in reason.lower() or "tls" in reason.lower():
        return IndexCertificateError(url=url, reason=reason)
    if re.search(r"\b40[13]\b", reason):
        return IndexRefusedError(url=url, status="401 Unauthorized" if "401" in reason else "403 Forbidden")
    if re.search(r"client error \(4\d\d", reason):
        return MissingFileError(details=[reason])
    slow = any("timed out" in line or "timeout" in line for line in details)
    reason = _ANY_URL.sub("it", reason) if url in reason else reason
    return IndexDownError(url=url, reason=reason, slow=slow, proxy=proxy_of(url))


def _resolution(stderr: str, *, target: str, newest: str | None) -> LayerkitError:
    details = explanation(stderr)
    missing = sorted({normalize(match[1]) for match in _MISSING.finditer(_flat(stderr))})
    needs = python_needed(stderr)
    wanted = missing_version(stderr)
    if "network was disabled" in stderr or "not found in the cache" in stderr:
        return OfflineError(details=details)
    if "No solution found" not in stderr:
        return _breakdown(stderr, details)
    if missing:
        return UnknownDistributionError(names=missing, details=details)
    if wanted:
        return NoSuchVersionError(requirement=wanted, newest=newest, details=details)
    if needs:
        return PythonVersionError(target=target, needs=needs, details=details)
    return ConflictError(target=target, details=details)


def _breakdown(stderr: str, details: tuple[str, ...]) -> LayerkitError:
    """Explain what kept uv from resolving at all."""
    if re.search(r"Failed to (?:download and )?build|Failed to prepare|build backend", stderr):
        return SourceBuildError(details=details)
    errors = (line.removeprefix("error: ") for line in stderr.splitlines() if line.startswith("error: "))
    said = tuple(dict.fromkeys([*map(without_credentials, errors), *details]))
    if re.search(r"Failed to (?:download|fetch|read|extract)|end of central directory|[Ii]nvalid zip", stderr):
        return MissingFileError(details=said)
    return UnexplainedError(details=said)


def _hints(stderr: str) -> Iterator[str]:
    """Yield those sentences of uv's hints that hold without knowing uv's flags."""
    for line in stderr.splitlines():
        if line.startswith("hint: "):
            sentences = re.split(r"(?<=[a-z0-9Z`)])\. ", line.removeprefix("hint: ").rstrip("."))
            kept = [
                sentence for sentence in sentences if not _FLAGGED.search(re.sub(r"\s*\(try: [^)]*\)", "", sentence))
            ]
            yield ". ".join(re.sub(r"\s*\(try: [^)]*\)", "", sentence) for sentence in kept)


def _flat(stderr: str) -> str:
    return " ".join(_TEXT_OF_CAUSE.sub("", line).strip() for line in stderr.splitlines())


def _reworded(line: str) -> str:
    for pattern, replacement in _REWORDED:
        line = pattern.sub(replacement, line)
    return line
