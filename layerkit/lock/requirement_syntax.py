"""The syntax of a requirements file's lines: continuations, comments, options, requirements, hashes. Pure."""

import os
import re
import shlex
from collections.abc import Iterator
from typing import Final

from layerkit.lock.inputs import without_credentials
from layerkit.model.names import normalize
from layerkit.model.requirement import BadRequirementError, check_requirement

_COMMENT: Final = re.compile(r"(^|\s+)#.*$")
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


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
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


def split_options(line: str) -> tuple[str, str]:
    """Tell the requirement from the options behind it."""
    match = re.search(r"(?:^|\s)-", line)
    if match is None:
        return line.strip(), ""
    return line[: match.start()].strip(), line[match.start() :].strip()


def parse_options(text: str) -> list[tuple[str, str]]:
    """Return the options by their long names, with their values. Raises ``ValueError``."""
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
        elif name == "--trusted-host":
            raise ValueError(
                "`--trusted-host` would trust any certificate; leave it out, and name your own CA with `--ca-bundle`"
            )
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


def valid_requirement(text: str) -> str:
    """Return the requirement, with a name where only a wheel's URL is given. Raises ``ValueError``."""
    if match := _WHEEL_URL.match(text):
        text = f"{normalize(match[1])} @ {text}"
    if re.match(r"^(?:[a-z]+\+)?[a-z]+://", text, re.IGNORECASE):
        raise ValueError(f"`{without_credentials(text)}` has no name; write `NAME @ URL`")
    if text.startswith((".", "/", "~")) or (os.sep in text and "@" not in text and ";" not in text):
        raise ValueError(f"`{text}` is a local path; build a wheel and require it as `NAME @ file:///…whl`")
    try:
        return check_requirement(text)
    except BadRequirementError as exc:
        raise ValueError(without_credentials(exc.message)) from exc


def hash_key(requirement: str) -> str:
    """Return what a requirement's hashes are filed under: ``name==version``, or the name of a direct reference."""
    if match := _PIN.match(requirement):
        return f"{normalize(match[1])}=={match[2]}"
    if match := _DIRECT.match(requirement):
        return normalize(match[1])
    raise ValueError(f"`{without_credentials(requirement)}` has hashes, so it must name one version with `==`")


def valid_hash(text: str) -> str:
    """Return the hash in small letters. Raises ``ValueError`` if it is none that pip knows."""
    lowered = text.lower()
    if not _HASH.match(lowered):
        raise ValueError(f"`--hash={text}` is not `sha256:`, `sha384:` or `sha512:` and hexadecimal digits")
    return lowered
