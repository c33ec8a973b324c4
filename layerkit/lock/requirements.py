"""requirements.txt files, as pip reads them: nested files, constraints, index options, hashes, variables.

What a layer cannot use (editable installs, local folders) is refused. All mistakes are told at
once, with file and line.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from layerkit.errors import system_reason
from layerkit.index import IndexSource
from layerkit.lock.failures import RequirementsFileError
from layerkit.lock.inputs import without_credentials
from layerkit.lock.requirement_syntax import (
    hash_key,
    logical_lines,
    parse_options,
    split_options,
    valid_hash,
    valid_requirement,
)
from layerkit.model.names import normalize

_VARIABLE: Final = re.compile(r"\$\{([A-Z0-9_]+)\}")  # pip's rule: capitals, digits, underscores, in braces


@dataclass(frozen=True, kw_only=True, slots=True)
class RequirementsFile:
    """What a requirements file and all that it names ask for; the fields are those of ``LockRequest``."""

    requirements: tuple[str, ...] = field(repr=False)
    constraints: tuple[str, ...] = field(default=(), repr=False)
    hashes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    no_binary: tuple[str, ...] = ()
    only_binary: tuple[str, ...] = ()
    no_build: bool = False
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
        self.only_binary: list[str] = []
        self.no_build = False
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
            only_binary=tuple(self.only_binary),
            no_build=self.no_build,
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
            self.problems.append(f"`{path}` cannot be read: {system_reason(exc)}")
            return
        for number, line in logical_lines(text):
            where = _Where(path=path, line=number, constraint=constraint, trail=(*trail, resolved))
            self._line(_VARIABLE.sub(self._variable, line), where)

    def _variable(self, match: re.Match[str]) -> str:
        return self.environ.get(match[1]) or match[0]

    def _line(self, line: str, where: "_Where") -> None:
        requirement, options_text = split_options(line)
        try:
            options = parse_options(options_text)
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
            requirement = valid_requirement(text)
            key = hash_key(requirement) if options else ""
            allowed = tuple(sorted({valid_hash(value) for _, value in options}))
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
            case "--only-binary":
                self._only_binary(value)
            case "--editable":
                self._problem(
                    where,
                    "an editable install cannot be part of a layer; build a wheel and require it as `NAME @ file:///…whl`",
                )
            case "--hash":
                self._problem(where, "`--hash` stands without a requirement")
            case _:
                self.flags.add(name)  # --prefer-binary is what layerkit does anyway

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
                self.no_binary.append(normalize(name))
                self.only_binary = [each for each in self.only_binary if each != normalize(name)]

    def _only_binary(self, value: str) -> None:
        for name in filter(None, value.split(",")):
            if name == ":all:":
                self.no_build = True
            elif name == ":none:":
                self.no_build = False
                self.only_binary.clear()
            else:
                self.only_binary.append(normalize(name))
                self.no_binary = [each for each in self.no_binary if each != normalize(name)]

    def _problem(self, where: "_Where", text: str) -> None:
        self.problems.append(f"{where.path}:{where.line}: {text}")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Where:
    path: Path
    line: int
    constraint: bool
    trail: tuple[Path, ...]
