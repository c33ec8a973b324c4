"""requirements.txt files, as pip reads them: nested files, constraints, index options, hashes, variables.

What a layer cannot use (editable installs, local folders) is refused. All mistakes are told at
once, with file and line.
"""

import os
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from layerkit.index import IndexSource
from layerkit.lock.failures import RequirementsFileError
from layerkit.lock.inputs import normalized, without_credentials

_COMMENT: Final = re.compile(r"(^|\s+)#.*$")
_VARIABLE: Final = re.compile(r"\$\{([A-Z0-9_]+)\}")  # pip's rule: capitals, digits, underscores, in braces
_VERSION: Final = r"[0-9][0-9A-Za-z.]*(?:\.\*)?(?:\+[0-9A-Za-z.]+)?"
_PLAIN: Final = re.compile(  # what needs no parser to be seen as valid: NAME[extras]==1.0,<2
    r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?(?:\[[A-Za-z0-9._,\s-]*\])?\s*"
    rf"(?:(?:==|>=|<=|!=|~=|<|>)\s*{_VERSION}\s*(?:,\s*(?:==|>=|<=|!=|~=|<|>)\s*{_VERSION}\s*)*)?"
)
_PIN: Final = re.compile(r"^([A-Za-z0-9._-]+)\s*(?:\[[^\]]*\])?\s*={2,3}\s*([^\s;,*]+)\s*(?:;.*)?$")
_DIRECT: Final = re.compile(r"^([A-Za-z0-9._-]+)\s*(?:\[[^\]]*\])?\s*@")
_WHEEL_URL: Final = re.compile(
    r"^[a-z]+://\S*/([A-Za-z0-9._]+)-[^/\s-]+(?:-\d[^/\s-]*)?-[^/\s-]+-[^/\s-]+-[^/\s-]+\.whl\b", re.IGNORECASE
)
_HASH: Final = re.compile(r"^(sha256|sha384|sha512):[0-9a-f]+$")
_SHORT: Final = {
    "-r": "--requirement",
    "-c": "--constraint",
    "-i": "--index-url",
    "-f": "--find-links",
    "-e": "--editable",
}
_FLAGS: Final = frozenset({"--no-index", "--pre", "--prefer-binary", "--require-hashes"})
_VALUED: Final = frozenset(
    {"--requirement", "--constraint", "--index-url", "--extra-index-url", "--find-links", "--editable"}
    | {"--no-binary", "--only-binary", "--hash"}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class RequirementsFile:
    """What a requirements file and all that it names ask for; the fields are those of ``LockRequest``."""

    requirements: tuple[str, ...] = field(repr=False)
    constraints: tuple[str, ...] = field(default=(), repr=False)
    hashes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    no_binary: tuple[str, ...] = ()
    prereleases: bool = False
    index: IndexSource = field(default_factory=IndexSource, repr=False)


def read_requirements(path: Path, *, environ: Mapping[str, str]) -> RequirementsFile:
    """Read a requirements file. ``${VARIABLES}`` come from ``environ``. Raises ``RequirementsFileError``."""
    reader = _Reader(environ=environ)
    reader.read(path, constraint=False, trail=())
    if reader.problems:
        raise RequirementsFileError(path=path, problems=reader.problems)
    return reader.result()


class _Reader:
    """Gathers what a file and the files it names say."""

    def __init__(self, *, environ: Mapping[str, str]) -> None:
        self.environ = environ
        self.problems: list[str] = []
        self.requirements: list[str] = []
        self.constraints: list[str] = []
        self.hashes: dict[str, tuple[str, ...]] = {}
        self.no_binary: list[str] = []
        self.extra_index_urls: list[str] = []
        self.find_links: list[str] = []
        self.index_url: str | None = None
        self.flags: set[str] = set()

    def result(self) -> RequirementsFile:
        return RequirementsFile(
            requirements=tuple(self.requirements),
            constraints=tuple(self.constraints),
            hashes=self.hashes,
            no_binary=tuple(self.no_binary),
            prereleases="--pre" in self.flags,
            index=IndexSource(
                index_url=self.index_url,
                extra_index_urls=tuple(self.extra_index_urls),
                find_links=tuple(self.find_links),
                no_index=True if "--no-index" in self.flags else None,
            ),
        )

    def read(self, path: Path, *, constraint: bool, trail: tuple[Path, ...]) -> None:
        resolved = path.resolve()
        if resolved in trail:
            self.problems.append(f"`{path}` includes itself, by way of {', '.join(f'`{via.name}`' for via in trail)}")
            return
        try:
            text = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            self.problems.append(f"`{path}` is not UTF-8")
            return
        except OSError as exc:
            self.problems.append(f"`{path}` cannot be read: {(exc.strerror or str(exc)).lower()}")
            return
        for number, line in _logical_lines(text):
            where = _Where(path=path, line=number, constraint=constraint, trail=(*trail, resolved))
            self._line(_VARIABLE.sub(self._variable, line), where)

    def _variable(self, match: re.Match[str]) -> str:
        return self.environ.get(match[1]) or match[0]

    def _line(self, line: str, where: "_Where") -> None:
        requirement, options_text = _split(line)
        try:
            options = _options(options_text)
        except ValueError as exc:
            self._problem(where, str(exc))
            return
        if requirement:
            self._requirement(requirement, options, where)
            return
        for name, value in options:
            self._option(name, value, where)

    def _requirement(self, text: str, options: list[tuple[str, str]], where: "_Where") -> None:
        if strange := [name for name, _ in options if name != "--hash"]:
            self._problem(where, f"`{strange[0]}` cannot follow a requirement")
            return
        try:
            requirement = _valid_requirement(text)
            key = _hash_key(requirement) if options else ""
            allowed = tuple(sorted({_valid_hash(value) for _, value in options}))
        except ValueError as exc:
            self._problem(where, str(exc))
            return
        (self.constraints if where.constraint else self.requirements).append(requirement)
        if allowed:
            self.hashes[key] = tuple(sorted({*self.hashes.get(key, ()), *allowed}))

    def _option(self, name: str, value: str, where: "_Where") -> None:  # one branch an option
        match name:
            case "--requirement" | "--constraint":
                self._nested(value, where, constraint=where.constraint or name == "--constraint")
            case "--index-url":
                self.index_url = value
            case "--extra-index-url":
                self.extra_index_urls.append(value)
            case "--find-links":
                beside = where.path.parent / value
                self.find_links.append(value if "://" in value or not beside.exists() else str(beside.resolve()))
            case "--no-binary":
                self._no_binary(value, where)
            case "--editable":
                self._problem(
                    where,
                    "an editable install cannot be part of a layer; build a wheel and require it as `NAME @ file:///…whl`",
                )
            case "--hash":
                self._problem(where, "`--hash` stands without a requirement")
            case _:
                self.flags.add(name)  # --only-binary and --prefer-binary are what layerkit does anyway

    def _nested(self, value: str, where: "_Where", *, constraint: bool) -> None:
        if "://" in value:
            self._problem(where, f"`{without_credentials(value)}` is not a local file")
            return
        path = where.path.parent / value
        if not path.is_file():
            self._problem(where, f"there is no file `{path}`")
            return
        self.read(path, constraint=constraint, trail=where.trail)

    def _no_binary(self, value: str, where: "_Where") -> None:
        for name in filter(None, value.split(",")):
            if name == ":all:":
                self._problem(where, "`--no-binary :all:` would build everything from source; name the distributions")
            elif name == ":none:":
                self.no_binary.clear()
            else:
                self.no_binary.append(normalized(name))

    def _problem(self, where: "_Where", text: str) -> None:
        self.problems.append(f"{where.path}:{where.line}: {text}")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Where:
    path: Path
    line: int
    constraint: bool
    trail: tuple[Path, ...]


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Join continued lines and drop comments, in pip's order: a comment ends a continuation."""
    parts: list[str] = []
    first = 0
    lines = text.splitlines()
    for number, line in enumerate(lines, start=1):
        first = first or number
        comment = line.lstrip().startswith("#")
        if line.endswith("\\") and not comment and number < len(lines):
            parts.append(line[:-1])
            continue
        parts.append(" " + line if comment else line.removesuffix("\\"))
        if joined := _COMMENT.sub("", "".join(parts)).strip():
            yield first, joined
        parts, first = [], 0


def _split(line: str) -> tuple[str, str]:
    """Tell the requirement from the options behind it."""
    match = re.search(r"(?:^|\s)-", line)
    if match is None:
        return line.strip(), ""
    return line[: match.start()].strip(), line[match.start() :].strip()


def _options(text: str) -> list[tuple[str, str]]:
    try:
        words = shlex.split(text)
    except ValueError as exc:
        raise ValueError(f"a quotation mark is not closed ({without_credentials(text)})") from exc
    options = []
    while words:
        name, value = _one_option(words.pop(0))
        if name in _VALUED and value is None:
            if not words:
                raise ValueError(f"`{name}` needs a value")
            value = words.pop(0)
        elif name not in _VALUED | _FLAGS:
            raise ValueError(
                f"`{without_credentials(name)}` is not an option that layerkit knows in a requirements file"
            )
        elif name in _FLAGS and value is not None:
            raise ValueError(f"`{name}` takes no value")
        options.append((name, value or ""))
    return options


def _one_option(word: str) -> tuple[str, str | None]:
    if word.startswith("--"):
        name, equals, value = word.partition("=")
        return {"--pypi-url": "--index-url"}.get(name, name), value if equals else None
    return _SHORT.get(word[:2], word), (word[2:].removeprefix("=") or None) if word[:2] in _SHORT else None


def _valid_requirement(text: str) -> str:
    """Return the requirement, with a name where only a wheel's URL is given. Raises ``ValueError``."""
    if match := _WHEEL_URL.match(text):
        text = f"{normalized(match[1])} @ {text}"
    if _PLAIN.fullmatch(text):
        return text
    if re.match(r"^(?:[a-z]+\+)?[a-z]+://", text, re.IGNORECASE):
        raise ValueError(f"`{without_credentials(text)}` has no name; write `NAME @ URL`")
    if text.startswith((".", "/", "~")) or (os.sep in text and "@" not in text and ";" not in text):
        raise ValueError(f"`{text}` is a local path; build a wheel and require it as `NAME @ file:///…whl`")
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        Requirement(text)
    except InvalidRequirement as exc:
        raise ValueError(f"`{without_credentials(text)}` is not a requirement: {_first_line(exc)}") from exc
    return text


def _first_line(exc: Exception) -> str:
    text = without_credentials(str(exc)).splitlines()[0]
    return text[:1].lower() + text[1:]


def _hash_key(requirement: str) -> str:
    if match := _PIN.match(requirement):
        return f"{normalized(match[1])}=={match[2]}"
    if match := _DIRECT.match(requirement):
        return normalized(match[1])
    raise ValueError(f"`{without_credentials(requirement)}` has hashes, so it must name one version with `==`")


def _valid_hash(text: str) -> str:
    lowered = text.lower()
    if not _HASH.match(lowered):
        raise ValueError(f"`--hash={text}` is not `sha256:`, `sha384:` or `sha512:` and hexadecimal digits")
    return lowered
