"""Who in a wheel's code refers to folders that pruning would like to remove (``tests`` inside a package).

Parsing every module would cost seconds, so a pattern first finds the few that mention such a name in an import or in a
dotted string, and only those are parsed. What cannot be parsed counts with everything that looks like a reference.
"""

import ast
import functools
import re
from collections.abc import Iterator

_DOTTED = rb"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*"


def in_source(path: str, source: bytes, folders: tuple[str, ...]) -> tuple[str, ...]:
    """Return the dotted module names that a module refers to, as far as they name one of ``folders``.

    ``path`` is the module's path within ``site-packages``; relative imports are resolved against it.
    """
    if not any(folder.encode() in source for folder in folders) or not _candidate(folders).search(source):
        return ()
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return _looking_like(source, folders)
    package = path.split("/")[:-1]
    names = {name for node in ast.walk(tree) for name in _names_in(node, package)}
    return tuple(sorted(name for name in names if not set(folders).isdisjoint(name.split("."))))


def in_binary(data: bytes | bytearray, folders: tuple[str, ...]) -> tuple[str, ...]:
    """Return the dotted names with one of ``folders`` behind a dot that stand as text in a compiled module."""
    found: set[str] = set()
    for folder in folders:
        needle = b"." + folder.encode()
        at = data.find(needle)
        while at >= 0:
            text = bytes(data[max(0, at - 200) : at + 200])
            found.update(_around(text, min(at, 200), folder))
            at = data.find(needle, at + len(needle))
    return tuple(sorted(found))


def _around(text: bytes, at: int, folder: str) -> Iterator[str]:
    for match in re.finditer(_DOTTED, text):
        name = match.group().decode()
        if match.start() < at < match.end() and folder in name.split(".")[1:]:
            yield name


@functools.cache
def _candidate(folders: tuple[str, ...]) -> re.Pattern[bytes]:
    words = b"|".join(re.escape(folder.encode()) for folder in folders)
    return re.compile(
        rb"\b(?:from|import)\b(?:\\\r?\n|[^\n])*\b(?:" + words + rb")\b"
        rb"|\bimport\s*\([^)]*\b(?:" + words + rb")\b"
        rb"|[\"'](?:\w*\.)+(?:" + words + rb")\b"
        rb"|[\"'](?:" + words + rb")\."
    )


def _looking_like(source: bytes, folders: tuple[str, ...]) -> tuple[str, ...]:
    names = {match.decode() for match in re.findall(_DOTTED, source)}
    return tuple(sorted(name for name in names if not set(folders).isdisjoint(name.split("."))))


def _names_in(node: ast.AST, package: list[str]) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module=module, names=names, level=level):
            base = [*(package[: len(package) - level + 1] if level else ()), *(module.split(".") if module else ())]
            yield ".".join(base)
            yield from (".".join([*base, alias.name]) for alias in names)
        case ast.Constant(value=str(text)) if re.fullmatch(r"\.*\w+(\.\w+)*", text) and "." in text:
            level = len(text) - len(text.lstrip("."))
            base = package[: len(package) - level + 1] if level else []
            yield ".".join([*base, text.lstrip(".")])
