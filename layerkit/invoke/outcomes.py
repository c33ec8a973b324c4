"""What became of an import, and what is to be said about it: whether the layer is at fault, or the place."""

import re
import signal
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from layerkit.facts import runtime_libraries, system_libraries
from layerkit.invoke.modules import LayerContents
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.names import normalize
from layerkit.model.target import PythonTarget

_TIMEOUT: Final = re.compile(r"^Timeout \(", re.MULTILINE)
# manylinux images keep their interpreters in /opt/python/cp312-cp312
_FRAME: Final = re.compile(r'^  File "(?P<file>/opt/python/(?!cp\d)[^"]+)", line (?P<line>\d+)', re.MULTILINE)
_FATAL: Final = re.compile(r"^Fatal Python error: (?P<reason>.+)$", re.MULTILINE)
_LIBRARY: Final = re.compile(r"(?P<name>[\w.+-]+\.so[\w.]*): cannot open shared object file")
_VERSION: Final = re.compile(r"version `(?P<family>GLIBC|GLIBCXX|CXXABI)_(?P<number>[\d.]+)' not found")
_CANNOT: Final = re.compile(
    r"cannot import name '(?P<name>\w+)' from (?:partially initialized module )?'(?P<of>[\w.]+)'"
)
_SHELL: Final = 128  # a shell's status for a program that a signal ended, less the signal
_LAMBDA_HAS_NONE: Final = frozenset({"tkinter", "_tkinter", "turtle"})
_MODULES: Final = {  # where a bundled distribution's modules are not named as it is
    "python-dateutil": ("dateutil",),
    "setuptools": ("setuptools", "pkg_resources", "_distutils_hack"),
    "awslambdaric": ("awslambdaric", "runtime_client"),
    "snapshot-restore-py": ("snapshot_restore_py",),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Raised:
    """An exception came out of the import: its last line, those of what led to it, and the modules that were missing.

    ``standard`` are the missing ones that belong to the standard library; ``at`` is the file and line in the layer.
    """

    error: str
    causes: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    standard: tuple[str, ...] = ()
    at: str | None = None
    exits: bool = False

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> Self:
        """Read what ``try_imports`` tells."""
        return cls(
            error=str(facts["error"]),
            causes=tuple(facts["causes"]),
            missing=tuple(facts["missing"]),
            standard=tuple(facts["standard"]),
            at=facts["at"],
            exits=bool(facts["exits"]),
        )

    @property
    def texts(self) -> tuple[str, ...]:
        """The last lines of everything that was raised."""
        return (self.error, *self.causes)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """The process ended during the import: its status, as a shell or ``subprocess`` tells it, and its last words."""

    status: int
    stderr: str

    @property
    def hung(self) -> bool:
        """Whether it was ended because nothing happened for too long."""
        return _TIMEOUT.search(self.stderr) is not None

    @property
    def signal(self) -> str | None:
        """The name of the signal that ended it."""
        number = -self.status if self.status < 0 else self.status - _SHELL
        known = {each.value: each.name for each in signal.Signals}
        return known.get(number)

    @property
    def at(self) -> str | None:
        """The innermost file and line of the layer that was being run, as far as it was told."""
        traced = self.stderr[max(self.stderr.rfind("(most recent call first)"), 0) :]
        match = _FRAME.search(traced)
        return f"{match['file']}:{match['line']}" if match else None


Outcome = Raised | Ended


@dataclass(frozen=True, kw_only=True, slots=True)
class Judge:
    """Says what outcomes mean for a target; ``bundled`` tells whether the runtime's own distributions were there."""

    target: PythonTarget
    contents: LayerContents
    bundled: bool
    timeout: float

    def finding(self, module: str, outcome: Outcome, *, has_siblings: bool = False) -> Finding:
        """Return what is to be said about a module that could not be imported.

        ``has_siblings`` tells that nobody asked for this module and that others of its distribution import: where it
        lacks somebody else's module, it is an optional part (an extra that was not asked for).
        """
        match outcome:
            case Ended():
                return _finding(module, self._how_it_ended(outcome), at=outcome.at)
            case Raised(exits=True):
                return _finding(module, f"exits while it is imported ({outcome.error})", at=outcome.at)
            case Raised():
                return self._raised(module, outcome, has_siblings=has_siblings)

    def broken(self, ended: Ended) -> Finding:
        """Return what is to be said about ``.pth`` files that ended the interpreter before the first import."""
        return replace(_finding("", self._how_it_ended(ended), at=ended.at), where=".pth")

    def complaint(self, text: str) -> Finding:
        """Return what is to be said about ``.pth`` files whose lines failed."""
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        first = next((line for line in lines if ".pth" in line), "a .pth file")
        last = [line for line in lines if not line.startswith("Remainder of file")][-1]
        return Finding(
            code=Code.PYTHON_IMPORT,
            severity=Severity.WARNING,
            where=".pth",
            message=f"{first.removesuffix(':')}: {last}",
            hint="Python goes on without it; leave the file out with `--drop` if it is of no use on Lambda",
        )

    def _raised(self, module: str, raised: Raised, *, has_siblings: bool) -> Finding:
        excuse = next((excuse for excuse in self._excuses(raised)), None)
        if excuse:
            return _finding(module, f"could not be tried here: {excuse}", at=None, severity=Severity.NOTE)
        because = f"; because of {raised.causes[-1]}" if raised.causes else ""
        other = self._other_python(module, raised)
        message = f"{raised.error}{because}{other}"
        if other or not raised.missing:
            return _finding(module, message, at=raised.at)
        lacking = raised.missing[-1]
        version = self.target.python_version
        if has_siblings and not self.contents.holds(lacking.partition(".")[0], version):
            hint = f"add what brings `{lacking}` if a function needs this; the rest of the distribution imports"
            return _finding(module, message, at=raised.at, severity=Severity.WARNING, hint=hint)
        hint = (
            f"add what brings `{lacking}` to the requirements, or see what `--exclude`, `--drop` or pruning took away"
        )
        return _finding(module, message, at=raised.at, hint=hint)

    def _excuses(self, raised: Raised) -> Iterator[str]:
        """Yield reasons for which the failure says nothing about Lambda."""
        for name in raised.missing:
            top = name.partition(".")[0]
            if top in self._brought_by_runtime():
                yield f"it needs `{top}`, which {self.target.runtime.name} brings itself and this place lacks"
            elif name in raised.standard and top not in _LAMBDA_HAS_NONE:
                yield f"the Python here was built without `{name}` of the standard library"
        for text in raised.texts:
            if (library := _LIBRARY.search(text)) and library["name"] in self._libraries():
                yield f"it needs `{library['name']}`, which Lambda has and this place lacks"
            if (version := _VERSION.search(text)) and self._lambda_has(version["family"], version["number"]):
                yield f"it needs {version['family']}_{version['number']}, which Lambda has and this place lacks"

    def _brought_by_runtime(self) -> frozenset[str]:
        """Return the modules of bundled distributions that were out of reach and are not in the layer either."""
        if self.bundled:
            return frozenset()
        names = [normalize(each.name) for each in self.target.runtime.bundled]
        modules = [module for name in names for module in _MODULES.get(name, (name.replace("-", "_"),))]
        version = self.target.python_version
        return frozenset(module for module in modules if not self.contents.holds(module, version))

    def _libraries(self) -> frozenset[str]:
        runtime, architecture = self.target.runtime, self.target.architecture
        return system_libraries(runtime.system.name, architecture) | runtime_libraries(runtime.name, architecture)

    def _lambda_has(self, family: str, number: str) -> bool:
        system = self.target.runtime.system
        ceiling = {"GLIBC": system.glibc, "GLIBCXX": system.glibcxx, "CXXABI": system.cxxabi}[family]
        return ceiling is not None and tuple(int(part) for part in number.split(".") if part) <= tuple(ceiling)

    def _other_python(self, module: str, raised: Raised) -> str:
        """Tell of files for another Python that hold what was not found."""
        wanted = [module, *raised.missing]
        wanted += [f"{match['of']}.{match['name']}" for text in raised.texts if (match := _CANNOT.search(text))]
        version = self.target.python_version
        for name in wanted:
            files = self.contents.extensions_of(name, version)
            if files and not any(file.endswith(suffix) for file in files for suffix in self._suffixes(name)):
                return f"; the layer has it as `{files[0]}`, which {self.target.identifier} does not load"
        return ""

    def _suffixes(self, module: str) -> tuple[str, ...]:
        stem = module.rpartition(".")[2]
        return tuple(f"/{stem}{suffix}" for suffix in self.target.extension_suffixes)

    def _how_it_ended(self, ended: Ended) -> str:
        if ended.hung:
            return f"is not done after {self.timeout:g} seconds"
        if ended.signal is None:
            return f"ends the process with status {ended.status}"
        fatal = _FATAL.search(ended.stderr)
        reason = f" ({fatal['reason']})" if fatal else ""
        return f"crashes the interpreter with {ended.signal}{reason}"


def _finding(
    module: str, message: str, *, at: str | None, severity: Severity = Severity.ERROR, hint: str | None = None
) -> Finding:
    place = f" (at {at})" if at else ""
    return Finding(
        code=Code.PYTHON_IMPORT, severity=severity, where=f"import {module}", message=f"{message}{place}", hint=hint
    )
