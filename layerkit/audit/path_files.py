"""``.pth`` files: Lambda's bootstrap hands its folders to ``site.addsitedir``, so they are executed.

Source: https://docs.python.org/3/library/site.html: a line that begins with ``import`` is run, any other is a folder.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from layerkit.audit.import_roots import Root, search_paths
from layerkit.audit.standard_library import STANDARD_LIBRARY
from layerkit.audit.weight import examples
from layerkit.model.contents import Contents
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.stack import Stack
from layerkit.model.target import Target

_IMPORTS: Final = re.compile(r"\bimport\s+([\w.]+(?:\s*,\s*[\w.]+)*)|__import__\(\s*['\"]([\w.]+)['\"]")
_EDITABLE: Final = "__editable__"
_OF_THE_SYSTEM: Final = ("/var/runtime", "/var/lang", "/usr/", "/tmp/")  # noqa: S108 -- what is there is Lambda's own


def path_file_findings(stack: Stack, targets: Sequence[Target]) -> Iterator[Finding]:
    """Yield what the .pth files of each part do when a function starts."""
    if not any(part.insides is not None and part.insides.path_files for part in stack.parts):
        return
    places = _places(stack)
    winning = {path: held.part for path, held in stack.merged().items() if path.endswith(".pth")}
    for path in search_paths(stack, targets):
        for part in stack.parts:
            for root in path.roots_of(part):
                texts = _read_by_site(part, root)
                if part is not stack.function:
                    texts = {name: text for name, text in texts.items() if winning.get(name, part) is part}
                yield from _of_folder(part, root, texts, places)


def _read_by_site(part: Contents, root: Root) -> Mapping[str, str]:
    """Return the texts of the .pth files in a root, by path; Python leaves hidden ones alone."""
    texts = part.insides.path_files if part.insides is not None else {}
    names = {name: posixpath.split(name) for name in texts}
    return {
        name: texts[name]
        for name, (folder, file) in names.items()
        if folder == root.folder and not file.startswith(".")
    }


def _of_folder(
    part: Contents, root: Root, texts: Mapping[str, str], places: frozenset[str] | None
) -> Iterator[Finding]:
    running = {name: text for name, text in texts.items() if any(map(_runs, text.splitlines()))}
    editable = [name for name in running if _EDITABLE in name]
    yield from _running(part, {name: text for name, text in running.items() if name not in editable})
    yield from (_lost(part, name, "an editable install left it, whose project lies elsewhere") for name in editable)
    for name, text in texts.items():
        lines = [line.strip() for line in text.splitlines() if _names_folder(line)]
        lost = [line for line in lines if not _is_there(posixpath.join(root.place, line), places)]
        if lost:
            yield _lost(part, name, f"it names a folder that will not be there: {examples(lost)}")


def _running(part: Contents, texts: Mapping[str, str]) -> Iterator[Finding]:
    if texts:
        modules = sorted({module for text in texts.values() for module in _imports(text)} - STANDARD_LIBRARY)
        yield Finding(
            code=Code.PYTHON_PATH_FILE,
            severity=Severity.NOTE,
            where=part.where,
            message=f"executed whenever the function starts: {examples(list(texts))}"
            + (f" (imports {examples(modules)})" if modules else ""),
            paths=tuple(texts),
        )


def _lost(part: Contents, name: str, why: str) -> Finding:
    return Finding(
        code=Code.PYTHON_PATH_FILE,
        severity=Severity.WARNING,
        where=f"{part.where}: {name}",
        message=f"{why}; what it stood for cannot be imported",
        hint="install the project itself, not in editable mode",
    )


def _imports(text: str) -> Iterator[str]:
    """Yield the top names of the modules that a file's lines import."""
    for line in filter(_runs, text.splitlines()):
        for match in _IMPORTS.finditer(line):
            yield from (name.strip().partition(".")[0] for name in (match[1] or match[2]).split(","))


def _runs(line: str) -> bool:
    return line.startswith(("import ", "import\t"))


def _names_folder(line: str) -> bool:
    return bool(line.strip()) and not line.startswith("#") and not _runs(line)


def _is_there(place: str, places: frozenset[str] | None) -> bool:
    normal = posixpath.normpath(place)
    return places is None or normal in places or f"{normal}/".startswith(_OF_THE_SYSTEM)


def _places(stack: Stack) -> frozenset[str] | None:
    """Return every file and folder of a stack as it will lie on Lambda; ``None`` where a part could not be read."""
    if not stack.is_whole:
        return None
    found = {"/opt", "/var/task"}
    for part in stack.parts:
        above = "/var/task" if part is stack.function else "/opt"
        for file in part.files:
            place = f"{above}/{file.path}"
            while place not in found:
                found.add(place)
                place = place.rpartition("/")[0]
    return frozenset(found)
