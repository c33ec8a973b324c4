"""What pip and pip-compile say when they cannot resolve, understood once and said in layerkit's words. Pure."""

import re
from collections.abc import Iterator
from typing import Final

from layerkit.errors import BuildError, FetchError, LayerkitError, ResolutionError
from layerkit.lock.failures import (
    ConflictError,
    IndexCertificateError,
    IndexDownError,
    IndexRefusedError,
    MissingFileError,
    NoSuchVersionError,
    PythonVersionError,
    UnknownDistributionError,
)
from layerkit.lock.inputs import without_credentials
from layerkit.model.names import normalize

_LAST: Final = 12  # lines of pip's that are shown
_UNFOUND: Final = re.compile(
    r"Could not find a version that satisfies the requirement (.+?) \(from versions: ([^)]*)\)"
)
_FROM: Final = re.compile(r" \(from .*$")
_OTHER_PYTHON: Final = re.compile(r"([^\s;:]+) Requires-Python ([^;\n]+)")
_NEEDS_PYTHON: Final = re.compile(
    r"requires a different Python: \S+ not in '([^']+)'|RequiresPythonRequirement\('([^']+)'\)"
)
_SKIPPED: Final = re.compile(r"Could not fetch URL (\S+): (.*?)(?: - skipping)?$", re.MULTILINE)
_HTTP_ERROR: Final = re.compile(r"(4\d\d) Client Error: (.+?) for url: (\S+)")
_REFUSED: Final = re.compile(r"(401|403) (?:Client )?Error[:,].*? for(?: url:)? (https?://\S+)")
_CERTIFICATE: Final = re.compile(r"CERTIFICATE_VERIFY_FAILED\]?[^()\n']*")
_POOL: Final = re.compile(r"HTTPS?Connection(?:Pool)?\(host='([^']+)'")
_CONNECTION: Final = re.compile(
    r"Failed to establish a new connection|ConnectionFailedError|ConnectTimeout|ReadTimeout|Failed to resolve|"
    r"connection error|Max retries exceeded|Connection (?:refused|reset)"
)
_BUILDING: Final = re.compile(
    r"subprocess-exited-with-error|metadata-generation-failed|InstallationSubprocessError|Failed to build|"
    r"MetadataGenerationFailed"
)
_CAUSES: Final = re.compile(r"ResolutionImpossible: \[(.*)\]")
_CAUSE: Final = re.compile(
    r"requirement=\w+\('([^']+)'\), parent=(?:(None)|\w+\((?:base=\w+\()?'(?:[^' ]*/)?([^/' ]+))", re.IGNORECASE
)
_NOISE: Final = re.compile(
    r"^\s*(?:$|Traceback |During handling|The above exception|File \"|[\^~]+$)|BuildBackendWarning"
)
_FRAME: Final = re.compile(r"^\s+File \"")
_STATEMENT: Final = re.compile(r"^\s*(?:ERROR|error|WARNING): ")
_EXCEPTION: Final = re.compile(r"^(?:[\w.]*\.)?(\w*(?:Error|NotFound|Candidate|Impossible|Conflicted|Exception)): ")


class PipBuildError(BuildError):
    """An sdist that had to be prepared to learn what it needs, and could not be."""

    def __init__(self, *, place: str, details: tuple[str, ...]) -> None:
        super().__init__(
            f"a source distribution could not be prepared in {place}",
            details=details,
            hint="install what it lacks with `--system-package`, or require a version that has a wheel",
        )


class PipCompileError(BuildError):
    """pip-compile ended in a way that layerkit does not know."""

    def __init__(self, *, place: str, details: tuple[str, ...]) -> None:
        super().__init__(f"`pip-compile` failed in {place}", details=details)


class UploadDatesError(ResolutionError):
    """``--exclude-newer`` where pip, or the index, knows nothing of upload dates."""

    def __init__(self, *, place: str, reason: str) -> None:
        super().__init__(
            f"`--exclude-newer` does not work in {place}: {reason}",
            hint="leave it out, or resolve with uv (without `--builder container` or `--builder local`)",
        )


class UnreachableError(FetchError):
    """An index that is not to be reached from where pip runs."""

    def __init__(self, *, url: str, place: str, reason: str) -> None:
        super().__init__(
            f"the package index cannot be reached from {place}: {url}",
            details=[reason],
            hint="check the network that it is given (`--network`) and `--index-url`, and try again",
        )


def failure(stderr: str, *, target: str, place: str) -> LayerkitError:
    """Return the error that says what pip's refusal means; ``place`` is where pip ran."""
    return (
        _tools(stderr, place)
        or index_failure(stderr, place=place)
        or _python(stderr, target)
        or _building(stderr, place)
        or _resolution(stderr, target)
        or PipCompileError(place=place, details=last_lines(stderr))
    )


def unfound(stderr: str) -> str | None:
    """Return the requirement of which pip saw no version at all, if that is what it says."""
    match = _UNFOUND.search(stderr)
    return _FROM.sub("", match[1]) if match and match[2].strip() in {"", "none"} else None


def index_failure(stderr: str, *, place: str) -> LayerkitError | None:
    """Explain an index, or a file, that could not be asked for; ``None`` if pip says nothing of that."""
    if match := _REFUSED.search(stderr):
        status = {"401": "401 Unauthorized", "403": "403 Forbidden"}[match[1]]
        return IndexRefusedError(url=_clean(match[2]), status=status)
    skipped = [match for match in _SKIPPED.finditer(stderr) if "404" not in match[2]]
    url = _clean(skipped[0][1]) if skipped else _host(stderr)
    if match := _CERTIFICATE.search(stderr):
        return IndexCertificateError(url=url, reason=match[0].replace("]", ":", 1).strip())
    if skipped and "4" not in skipped[0][2][:1] and not _CONNECTION.search(skipped[0][2]):
        return IndexDownError(url=url, reason=_clean(skipped[0][2]), slow="timed out" in skipped[0][2].lower())
    if _CONNECTION.search(stderr):
        return UnreachableError(url=url, place=place, reason=_reason(stderr))
    if (match := _HTTP_ERROR.search(stderr)) and not skipped and "Could not fetch URL" not in stderr:
        return MissingFileError(details=[f"{_clean(match[3])}: {match[1]} {match[2]}"])
    return None


def last_lines(stderr: str) -> tuple[str, ...]:
    """Return the last lines that say something, without Python's tracebacks around them."""
    lines = [*_outside_tracebacks(stderr)]
    said = [_STATEMENT.sub("", line).strip() for line in lines if _STATEMENT.match(line)]
    raised = [_EXCEPTION.sub("", line).strip() for line in lines if _EXCEPTION.match(line)]
    kept = said or raised[-1:] or [line.strip() for line in lines]
    return tuple(without_credentials(line) for line in kept[-_LAST:])


def _outside_tracebacks(text: str) -> Iterator[str]:
    """Yield the lines that are neither empty nor part of where an exception came from."""
    code = False
    for line in text.splitlines():
        if not code and not _NOISE.search(line):
            yield line.rstrip()
        code = _FRAME.match(line) is not None


def _tools(stderr: str, place: str) -> LayerkitError | None:
    if "no such option: --uploaded-prior-to" in stderr:
        return UploadDatesError(place=place, reason="its pip is older than 26.0")
    if match := re.search(r"\S+ does not provide upload-time metadata", stderr):
        return UploadDatesError(place=place, reason=without_credentials(match[0]))
    return None


def _python(stderr: str, target: str) -> LayerkitError | None:
    if match := _NEEDS_PYTHON.search(stderr):
        return PythonVersionError(target=target, needs=match[1] or match[2], details=last_lines(stderr))
    found = _UNFOUND.search(stderr)
    if found is None:
        return None
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        wanted = Requirement(_FROM.sub("", found[1]))
    except InvalidRequirement:
        return None
    ignored = [
        match for line in stderr.splitlines() if "different python" in line for match in _OTHER_PYTHON.finditer(line)
    ]
    needs = [match[2].strip() for match in ignored if wanted.specifier.contains(match[1], prereleases=True)]
    return PythonVersionError(target=target, needs=needs[-1], details=last_lines(stderr)) if needs else None


def _building(stderr: str, place: str) -> LayerkitError | None:
    if not _BUILDING.search(stderr):
        return None
    quoted = re.search(r"lines of output\](.*?)\[end of output\]", stderr, re.DOTALL)
    lines = [line.strip() for line in _outside_tracebacks(quoted[1] if quoted else "")]
    named = re.search(r"Failed to build '[^']+'[^\n]*", stderr)
    details = lines[-_LAST:] or last_lines(stderr)
    said = (named[0], *details) if named else details
    return PipBuildError(place=place, details=tuple(map(without_credentials, said)))


def _resolution(stderr: str, target: str) -> LayerkitError | None:
    details = last_lines(stderr)
    if match := _UNFOUND.search(stderr):
        requirement = _FROM.sub("", match[1])
        versions = [version.strip() for version in match[2].split(",")]
        if versions in ([""], ["none"]):
            return UnknownDistributionError(
                names=[normalize(re.split(r"[\s=<>!~\[;]", requirement)[0])], details=details
            )
        return NoSuchVersionError(requirement=requirement, newest=versions[-1])
    if causes := _CAUSES.search(stderr):
        return ConflictError(target=target, details=tuple(_conflict(causes[1])) or details)
    return None


def _conflict(causes: str) -> Iterator[str]:
    """Say who wants what, of resolvelib's list of causes."""
    for requirement, nobody, file in dict.fromkeys(match.groups() for match in _CAUSE.finditer(causes)):
        if nobody:
            yield f"the requirements ask for {requirement}"
        else:
            yield f"{'-'.join(file.split('-')[:2]).removesuffix('.tar.gz')} needs {requirement}"


def _reason(stderr: str) -> str:
    match = re.search(r"\[Errno -?\d+\] [^'\")\n]+", stderr)
    if match:
        return re.sub(r"^\[Errno -?\d+\] ", "", match[0]).replace(" - skipping", "").strip().lower()
    return "timed out" if "timed out" in stderr else "the connection failed"


def _host(stderr: str) -> str:
    match = _POOL.search(stderr)
    return match[1] if match else "an index"


def _clean(text: str) -> str:
    return without_credentials(text).rstrip("/")
