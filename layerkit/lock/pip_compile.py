"""Run pip-compile with a target's own interpreter. Knows its flags, not what its answers mean."""

import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol, TypeAlias
from urllib.parse import quote, urlsplit
from urllib.request import url2pathname

from layerkit.lock.failures import MissingFileError, UnsupportedSourceError
from layerkit.sandbox.process import Completed
from layerkit.sandbox.runner import Order, Runner

_FILE_URL: Final = re.compile(r"file:/[^\s;#]+", re.IGNORECASE)
_READ: Final = "import sys; sys.stdout.buffer.write(open(sys.argv[1], 'rb').read())"
_INPUT: Final = "requirements.in"
_CONSTRAINTS: Final = "constraints.in"
_OUTPUT: Final = "requirements.out"


class Workshop(Protocol):
    """A place with the target's interpreter, made ready: pip and pip-tools are there, and the index settings."""

    @property
    def runner(self) -> Runner:
        """Where programs run."""

    @property
    def python(self) -> str:
        """The path there of an interpreter of the target's version that has the tools."""

    @property
    def environment(self) -> Mapping[str, str]:
        """What points the tools at settings and caches; holds no secret."""


OpenWorkshop: TypeAlias = Callable[[], AbstractContextManager[Workshop]]


@dataclass(frozen=True, kw_only=True, slots=True)
class PipQuestion:
    """One resolution that pip is asked for. ``preferences`` are pins that are kept where they still fit."""

    requirements: tuple[str, ...] = field(repr=False)
    constraints: tuple[str, ...] = field(default=(), repr=False)
    preferences: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    binaries: tuple[str, ...] = ()
    binaries_only: bool = False
    prereleases: bool = False
    exclude_newer: str | None = None


def compile_pins(question: PipQuestion, workshop: Workshop) -> Completed:
    """Put the question; a good answer is the pins, as pip-compile writes them, on stdout.

    What the requirements say is for nobody else to read: their URLs may hold passwords. Files that they name here are
    carried along. Raises ``MissingFileError`` and ``UnsupportedSourceError`` for those, and what the runner raises.
    """
    runner = workshop.runner
    carried = dict(_local_files((*question.requirements, *question.constraints)))
    runner.put({there: path.read_bytes() for path, there in carried.values()})
    files = {
        _INPUT: question.requirements,
        _CONSTRAINTS: question.constraints,
        _OUTPUT: question.preferences,
    }
    runner.put({name: _text(lines, carried, runner.home).encode() for name, lines in files.items()}, secret=True)
    command = [workshop.python, "-I", "-m", "piptools", "compile", *_flags(question), f"{runner.secrets}/{_INPUT}"]
    command += ["--constraint", f"{runner.secrets}/{_CONSTRAINTS}", "--output-file", f"{runner.secrets}/{_OUTPUT}"]
    command += ["--cache-dir", f"{runner.home}/pip-tools"]
    done = runner.run(Order(command=command, environment=workshop.environment))
    if not done.ok:
        return done
    read = [workshop.python, "-I", "-c", _READ, f"{runner.secrets}/{_OUTPUT}"]
    return runner.run(Order(command=read, environment=workshop.environment))


def look_for(name: str, workshop: Workshop) -> Completed:
    """Ask the index for one distribution, and let pip say what it sees on the way: pip-compile does not tell."""
    command = [workshop.python, "-I", "-m", "pip", "download", "-vv", "--no-deps", "--no-input", "--retries", "0"]
    command += ["--dest", f"{workshop.runner.home}/looked-for", name]
    return workshop.runner.run(Order(command=command, environment=workshop.environment))


def _flags(question: PipQuestion) -> Iterator[str]:
    yield from ("--generate-hashes", "--allow-unsafe", "--strip-extras", "--resolver=backtracking", "--no-config")
    yield from ("--no-header", "--no-emit-options", "--annotate", "--annotation-style=line")
    if question.prereleases:
        yield "--pre"
    yield from ("--pip-args", shlex.join(_pip_flags(question)))


def _pip_flags(question: PipQuestion) -> Iterator[str]:
    yield "--no-input"
    if question.binaries_only:
        yield "--only-binary=:all:"
    for name in question.binaries:
        yield f"--only-binary={name}"
    for name in question.sources:
        yield f"--no-binary={name}"
    if question.exclude_newer:
        yield f"--uploaded-prior-to={question.exclude_newer}"


def _text(lines: Iterable[str], carried: Mapping[str, tuple[Path, str]], home: str) -> str:
    def there(match: re.Match[str]) -> str:
        return f"file://{quote(f'{home}/{carried[match[0]][1]}')}" if match[0] in carried else match[0]

    return "".join(f"{_FILE_URL.sub(there, line)}\n" for line in lines) or "\n"


def _local_files(lines: Iterable[str]) -> Iterator[tuple[str, tuple[Path, str]]]:
    """Yield the URL of each file on this machine, where it is, and where it will be below the runner's ``home``."""
    for number, url in enumerate(dict.fromkeys(match[0] for line in lines for match in _FILE_URL.finditer(line))):
        path = Path(url2pathname(urlsplit(url).path))
        if path.is_dir():
            raise UnsupportedSourceError(problems=[f"`{path}` is a folder"])
        if not path.is_file():
            raise MissingFileError(details=[f"{path}: no such file or directory"])
        yield url, (path, f"carried/{number}/{path.name}")
