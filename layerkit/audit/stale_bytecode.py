"""Bytecode that the target's Python will not use: of another version, out of date, without its source.

How the interpreter chooses: PEP 3147, 488, 552; https://docs.python.org/3/reference/import.html
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from layerkit.audit.weight import count, examples, place, severity_of, weight
from layerkit.formats.pyc import PycHead, PycProblem, Validation, read_pyc_head
from layerkit.model.contents import Contents, HeldFile, Kind
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.limits import format_size
from layerkit.model.stack import Stack
from layerkit.model.target import PythonTarget, Target

_CACHED: Final = re.compile(
    r"(?P<folder>(?:.*/)?)__pycache__/(?P<module>[^/]+?)\.(?P<tag>[a-z]+-?\d+[^./]*)(?P<opt>\.opt-[^./]+)?\.pyc"
)
_CPYTHON: Final = re.compile(r"cpython-(?P<major>\d)(?P<minor>\d+)")
_VERSIONED: Final = re.compile(r"python/lib/python(?P<major>\d+)\.(?P<minor>\d+)/")
_WRAP: Final = 2**32  # the size of a source is kept modulo this

_Version = tuple[int, int]


class _Fault(Enum):
    """What is wrong with one ``.pyc``."""

    BAD_MAGIC = auto()  # imported, and refused
    OUTDATED = auto()  # compiled anew at every start
    OTHER_PYTHON = auto()
    OPTIMIZED = auto()  # for `python -O`, which Lambda is not
    NO_SOURCE = auto()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Bytecode:
    """One ``.pyc``: what its name says, and its head where that was read."""

    file: HeldFile
    source: str
    cached: bool
    version: _Version | None
    optimized: bool
    head: PycHead | None


def bytecode_findings(stack: Stack, targets: Sequence[Target]) -> Iterator[Finding]:
    """Yield what bytecode does nothing, or harm, on the Pythons of the targets: one finding a cause and part."""
    pythons = frozenset(target.runtime.python for target in targets if isinstance(target, PythonTarget))
    if pythons:
        for part in stack.parts:
            yield from _part(part, pythons, is_function=part is stack.function)


def _part(part: Contents, pythons: frozenset[_Version], *, is_function: bool) -> Iterator[Finding]:
    sizes = {
        file.path: None if file.is_link else file.unzipped_bytes for file in part.files if file.kind is Kind.PYTHON
    }
    root = "" if is_function else "python/"
    meant = pythons | {python for name in part.runtimes if (python := _python_of_runtime(name))}
    faulty: dict[_Fault, list[_Bytecode]] = {}
    for file in part.files:
        if file.kind is Kind.BYTECODE and not file.is_link and file.path.startswith(root):
            each = _read(file, part)
            fault = _fault(each, sizes, meant=meant, pythons=pythons)
            if fault is not None:
                faulty.setdefault(fault, []).append(each)
    for fault in _Fault:
        if found := faulty.get(fault):
            yield _finding(fault, found, part, pythons, has_sources=bool(sizes))


def _read(file: HeldFile, part: Contents) -> _Bytecode:
    match = _CACHED.fullmatch(file.path)
    tag = _CPYTHON.fullmatch(match["tag"]) if match else None
    return _Bytecode(
        file=file,
        source=f"{match['folder']}{match['module']}.py" if match else file.path.removesuffix("c"),
        cached="__pycache__/" in file.path,
        version=(int(tag["major"]), int(tag["minor"])) if tag else None,
        optimized=match is not None and match["opt"] is not None,
        head=_head(file, part),
    )


def _head(file: HeldFile, part: Contents) -> PycHead | None:
    data = part.insides.bytecode.get(file.path) if part.insides is not None else None
    try:
        return read_pyc_head(data) if data is not None else None
    except PycProblem:
        return None


def _fault(
    each: _Bytecode, sizes: Mapping[str, int | None], *, meant: frozenset[_Version], pythons: frozenset[_Version]
) -> _Fault | None:
    if not each.cached:
        return _fault_of_lone(each, sizes, pythons)
    folder = _VERSIONED.match(each.file.path)
    expected = frozenset({(int(folder["major"]), int(folder["minor"]))}) if folder else meant
    if each.version not in expected:
        return _Fault.OTHER_PYTHON
    if each.optimized:
        return _Fault.OPTIMIZED
    if each.source not in sizes:
        return _Fault.NO_SOURCE
    return _Fault.OUTDATED if _is_outdated(each, sizes[each.source]) else None


def _fault_of_lone(each: _Bytecode, sizes: Mapping[str, int | None], pythons: frozenset[_Version]) -> _Fault | None:
    """Judge ``x.pyc`` beside where ``x.py`` would be: imported only if that is not there."""
    if each.source in sizes:
        return None
    folder = _VERSIONED.match(each.file.path)
    expected = pythons & {(int(folder["major"]), int(folder["minor"]))} if folder else pythons
    wrong = each.head is not None and any(python != each.head.python for python in expected)
    return _Fault.BAD_MAGIC if wrong else None


def _is_outdated(each: _Bytecode, source_bytes: int | None) -> bool:
    if each.head is None or source_bytes is None:
        return False
    if each.head.python != each.version:
        return True
    return each.head.validation is Validation.TIMESTAMP and each.head.source_bytes != source_bytes % _WRAP


def _finding(
    fault: _Fault, found: Sequence[_Bytecode], part: Contents, pythons: frozenset[_Version], *, has_sources: bool
) -> Finding:
    paths = tuple(each.file.path for each in found)
    size = weight(each.file for each in found)
    severity, message, hint = _words(fault, found, pythons)
    if severity is None:
        severity = severity_of(size, part)
        if fault is _Fault.NO_SOURCE and not has_sources:
            severity = Severity.WARNING
    return Finding(
        code=Code.PYTHON_STALE_BYTECODE,
        severity=severity,
        where=place(part, paths),
        message=f"{count(len(paths), 'file')} of bytecode ({format_size(size)}) {message}; {examples(paths)}",
        hint=hint,
        paths=paths,
    )


def _words(fault: _Fault, found: Sequence[_Bytecode], pythons: frozenset[_Version]) -> tuple[Severity | None, str, str]:
    """Return severity (``None``: by weight), what is to be said, and the way out."""
    runtimes = " and ".join(f"python{major}.{minor}" for major, minor in sorted(pythons))
    compilers = " and ".join(
        sorted({f"Python {major}.{minor}" for each in found for major, minor in (_compiled_by(each),) if major})
    )
    match fault:
        case _Fault.BAD_MAGIC:
            return (
                Severity.ERROR,
                f"compiled by {compilers}, without a source: {runtimes} refuses that with `bad magic number`",
                f"bring the sources, or compile them with {runtimes}",
            )
        case _Fault.OUTDATED:
            return (
                Severity.WARNING,
                "out of date: each source is compiled anew at every cold start, for Lambda cannot write there",
                "compile after the last change, best with `--invalidation-mode unchecked-hash`, or leave bytecode out",
            )
        case _Fault.OTHER_PYTHON:
            who = f"compiled by {compilers}" if compilers else "of another interpreter"
            return None, f"{who}: never used by {runtimes}", "leave it out, or compile with the target's Python"
        case _Fault.OPTIMIZED:
            return None, "for `python -O`: never used, for Lambda runs without that option", "leave it out"
        case _Fault.NO_SOURCE:
            return (
                None,
                "in `__pycache__` without a source: never used",
                "bring the sources; a module without one must lie where that would be, as `x.pyc`",
            )


def _compiled_by(each: _Bytecode) -> _Version:
    if each.version is not None:
        return each.version
    return each.head.python if each.head is not None else (0, 0)


def _python_of_runtime(name: str) -> _Version | None:
    match = re.fullmatch(r"python(\d+)\.(\d+)", name)
    return (int(match[1]), int(match[2])) if match else None
