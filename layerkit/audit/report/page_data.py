"""Audits as the data of the report page: every file once, in columns; exact bytes.

Not an interface: only the scripts in ``page/`` read it. ``as_json.py`` is what others may rely on.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final

from layerkit.audit.audit import Audit
from layerkit.audit.report.tables import targets_text
from layerkit.facts import PythonRuntime, limits
from layerkit.model.contents import Contents, HeldFile, Kind
from layerkit.model.finding import Finding
from layerkit.model.stack import Overwritten, Stack

KINDS: Final = tuple(Kind)
_NOBODY: Final = -1


def page_data(audits: Sequence[Audit]) -> dict[str, Any]:
    """Return what the page shows; a layer that several audits hold is there once.

    Names of folders and files are numbers into ``names``. An audit knows its parts by their place in ``parts``, and a
    file by its number in its own stack, counted through the parts.
    """
    pool = _Pool()
    shapes = [_audit(audit, pool) for audit in audits]
    return {
        "limit": limits().unzipped_bytes,
        "most_layers": limits().layers_per_function,
        "kinds": [str(kind) for kind in KINDS],
        "names": list(pool.names),
        "parts": [part.shape for part in pool.parts],
        "audits": shapes,
    }


@dataclass(frozen=True, kw_only=True, slots=True)
class _Part:
    """A part's shape, its place among all, and the numbers of its files by path."""

    place: int
    shape: dict[str, Any]
    numbers: Mapping[str, int]


@dataclass(kw_only=True, slots=True)
class _Pool:
    """What is told once: names, and parts, which are told apart by ARN or else by being another object."""

    names: dict[str, int] = field(default_factory=dict)
    parts: list[_Part] = field(default_factory=list)
    _known: dict[tuple[str, str] | int, _Part] = field(default_factory=dict)

    def name(self, text: str) -> int:
        return self.names.setdefault(text, len(self.names))

    def part(self, contents: Contents) -> _Part:
        key = id(contents) if contents.arn is None else (contents.arn, contents.where)
        if key not in self._known:
            files = sorted(contents.files, key=_folder)
            numbers = {file.path: number for number, file in enumerate(files)}
            part = _Part(place=len(self.parts), shape=_part(contents, files, self), numbers=numbers)
            self._known[key] = part
            self.parts.append(part)
        return self._known[key]


def _part(contents: Contents, files: Sequence[HeldFile], pool: _Pool) -> dict[str, Any]:
    owners = _owners(contents)
    places = {name: place for place, (name, _) in enumerate(owners)}
    return {
        "where": contents.where,
        "name": contents.name,
        "arn": contents.arn,
        "is_read": contents.is_read,
        "unzipped": contents.unzipped_bytes,
        "zipped": contents.zipped_bytes,
        "runtimes": list(contents.runtimes),
        "architectures": list(contents.architectures),
        "owners": owners,
        "folders": list(_folders(files, pool)),
        "files": {
            "names": [pool.name(file.path[len(_folder(file)) :]) for file in files],
            "unzipped": [file.unzipped_bytes for file in files],
            "zipped": [file.zipped_bytes for file in files] if contents.zipped_bytes is not None else None,
            "kinds": "".join(str(KINDS.index(file.kind)) for file in files),
            "owners": list(_runs(places[file.owner] if file.owner else _NOBODY for file in files)),
        },
    }


def _folder(file: HeldFile) -> str:
    """Return a file's folder with the slash behind it: empty at the top."""
    return file.path[: file.path.rfind("/") + 1]


def _owners(contents: Contents) -> list[tuple[str, str | None]]:
    versions: dict[str, list[str]] = {file.owner: [] for file in contents.files if file.owner}
    for distribution in contents.distributions:
        versions.setdefault(distribution.name, []).append(distribution.version)
    return [(name, ", ".join(dict.fromkeys(found)) or None) for name, found in versions.items()]


def _folders(files: Iterable[HeldFile], pool: _Pool) -> Iterator[int]:
    """Yield three numbers for each folder: the one that it lies in, its name, how many files lie in itself.

    Files come sorted by folder, so that a folder comes before what lies in it. The first one is the top.
    """
    known: dict[tuple[int, str], int] = {}
    rows: list[list[int]] = [[_NOBODY, pool.name(""), 0]]
    for folder, inside in groupby(files, _folder):
        at = 0
        for name in folder.split("/")[:-1]:
            key = (at, name)
            if key not in known:
                known[key] = len(rows)
                rows.append([at, pool.name(name), 0])
            at = known[key]
        rows[at][2] = sum(1 for _ in inside)
    for row in rows:
        yield from row


def _runs(values: Iterable[int]) -> Iterator[int]:
    """Yield each value and how often it comes in a row."""
    for value, run in groupby(values):
        yield value
        yield sum(1 for _ in run)


def _audit(audit: Audit, pool: _Pool) -> dict[str, Any]:
    parts = [pool.part(contents) for contents in audit.stack.parts]
    layers = len(audit.stack.layers)
    numbers = _numbers(audit.stack, parts)
    return {
        "title": audit.title,
        "targets": targets_text(audit),
        "layers": [part.place for part in parts[:layers]],
        "function": parts[layers].place if audit.stack.function is not None else None,
        "runtimes": _runtimes(audit),
        "overwritten": list(_overwritten(audit.stack, parts)),
        "findings": [_finding(finding, numbers) for finding in audit.findings],
    }


def _runtimes(audit: Audit) -> list[dict[str, Any]]:
    """Return the runtimes below the stack, and what they bring."""
    runtimes = dict.fromkeys(target.runtime for target in audit.targets)
    return [
        {
            "name": runtime.name,
            "bundled": [(each.name, str(each.version)) for each in runtime.bundled]
            if isinstance(runtime, PythonRuntime)
            else [],
        }
        for runtime in runtimes
    ]


def _overwritten(stack: Stack, parts: Sequence[_Part]) -> Iterator[dict[str, Any]]:
    """Yield, for each pair of layers, the numbers of the files that win and of those that lose, in their own layer."""
    places = {id(layer): place for place, layer in reversed(list(enumerate(stack.layers)))}
    pairs: dict[tuple[int, int], list[Overwritten]] = {}
    for each in stack.overwritten():
        pairs.setdefault((places[id(each.by)], places[id(each.of)]), []).append(each)
    for (by, of), paths in pairs.items():
        yield {
            "by": by,
            "of": of,
            "wins": [parts[by].numbers[each.path] for each in paths],
            "loses": [parts[of].numbers[each.path] for each in paths],
            "differs": "".join("1" if each.differs else "0" for each in paths),
        }


def _numbers(stack: Stack, parts: Sequence[_Part]) -> Mapping[str, Mapping[str, int]]:
    """Return the numbers of files in the whole stack by path: of each part by its name, and of all under ````."""
    every: dict[str, int] = {}
    by_part: dict[str, Mapping[str, int]] = {}
    before = 0
    for contents, part in zip(stack.parts, parts, strict=True):
        by_part[contents.where] = {path: before + number for path, number in part.numbers.items()}
        every.update(by_part[contents.where])
        before += len(contents.files)
    return {**by_part, "": every}


def _finding(finding: Finding, numbers: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    label, _, path = finding.where.partition(": ")
    own, every = numbers.get(finding.where) or numbers.get(label, {}), numbers[""]
    return {
        "code": str(finding.code),
        "severity": str(finding.severity),
        "where": finding.where,
        "file": own.get(path),
        "message": finding.message,
        "hint": finding.hint,
        "paths": [own.get(path, every.get(path, path)) for path in finding.paths],
    }
