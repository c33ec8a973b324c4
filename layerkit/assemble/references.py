"""Who in a wheel's code refers to folders that pruning would like to remove (``tests`` inside a package).

Parsing every module would cost seconds. So only those are parsed that mention such a name where an import or a dotted
name could be; what lies in such a folder itself, or cannot be parsed, counts with all that looks like a dotted name.
"""

import ast
import functools
import itertools
import re
import threading
import warnings
from collections.abc import Iterator

_DOTTED = rb"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*"
_BEHIND = re.compile(rb"\.[A-Za-z_]")
_HEAD = re.compile(rb"(\.*)((?:[A-Za-z_]\w*\.)*)$")
_TAIL = re.compile(rb"(?:\.[A-Za-z_]\w*)*")
_OPEN_IMPORT = re.compile(rb"\bimport[\s\\]*\((?:[^()#]|#[^\n]*\n)*\Z")
_FROM_IMPORT = re.compile(
    rb"\bfrom[\s\\]+(\.*)[\s\\]*((?:[A-Za-z_][\w.]*)?)[\s\\]*\bimport\b"
    rb"(?:[\s\\]*\((?:[^()#]|#[^\n]*\n)*|(?:[^()\n\\]|\\\r?\n)*)\Z"
)
_REACH = 200
_LONGEST_IMPORT = 16 * 1024  # bytes of one parenthesised import
_LARGEST_PARSED = 4 * 1024 * 1024  # a syntax tree takes a hundred times the bytes of its source
_MOST_WORDS = 500  # in one module; beyond that, looking at each costs more than parsing
_PARSING = threading.Lock()  # warnings are silenced for the whole process


def in_source(path: str, source: bytes | bytearray, folders: tuple[str, ...]) -> tuple[str, ...]:
    """Return the dotted module names that a module refers to, as far as they name one of ``folders``.

    ``path`` is the module's path within ``site-packages``; relative imports are resolved against it.
    """
    if not any(folder.encode() in source for folder in folders):
        return ()
    package = path.split("/")[:-1]
    if not set(folders).isdisjoint(package):
        return _looking_like(source, package, folders)
    if len(source) > _LARGEST_PARSED:
        return _looking_like(source, package, folders)
    words = list(itertools.islice(_word(folders).finditer(source), _MOST_WORDS + 1))
    if len(words) <= _MOST_WORDS and not any(_may_refer(source, match) for match in words):
        return ()
    try:
        tree = _parsed(bytes(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _looking_like(source, package, folders)
    names = {name for node in ast.walk(tree) for name in _names_in(node, package)}
    return tuple(sorted(name for name in names if not set(folders).isdisjoint(name.split("."))))


def in_text(data: bytes | bytearray, folders: tuple[str, ...]) -> tuple[str, ...]:
    """Return the dotted names with one of ``folders`` behind a dot that stand in a text (``entry_points.txt``)."""
    return _looking_like(data, [], folders)


def in_binary(data: bytes | bytearray, folders: tuple[str, ...]) -> tuple[str, ...]:
    """Return the dotted names with one of ``folders`` behind a dot that stand as text in a compiled module."""
    found: set[str] = set()
    for folder in folders:
        needle = b"." + folder.encode()
        at = data.find(needle)
        while at >= 0:
            text = bytes(data[max(0, at - _REACH) : at + _REACH])
            found.update(_around(text, min(at, _REACH), folder))
            at = data.find(needle, at + len(needle))
    return tuple(sorted(found))


def _around(text: bytes, at: int, folder: str) -> Iterator[str]:
    for match in re.finditer(_DOTTED, text):
        name = match.group().decode()
        if match.start() < at < match.end() and folder in name.split(".")[1:]:
            yield name


def _parsed(source: bytes) -> ast.Module:
    """Parse without a word about what the authors of a wheel may be warned of (invalid escapes)."""
    with _PARSING, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source)


@functools.cache
def _word(folders: tuple[str, ...]) -> re.Pattern[bytes]:
    return re.compile(rb"\b(?:" + b"|".join(re.escape(folder.encode()) for folder in folders) + rb")\b")


def _may_refer(source: bytes | bytearray, match: re.Match[bytes]) -> bool:
    """Tell whether a word stands in a dotted name, on a line with an import, or in an import of several lines."""
    if source[match.start() - 1 : match.start()] == b"." or _BEHIND.match(source, match.end()):
        return True
    start = source.rfind(b"\n", 0, match.start()) + 1
    line = source[max(start, match.start() - _LONGEST_IMPORT) : match.start()]
    if b"import" in line or b"from" in line or source[max(0, start - 3) : start].rstrip(b"\r\n")[-1:] == b"\\":
        return True
    return _OPEN_IMPORT.search(source, max(0, match.start() - _LONGEST_IMPORT), match.start()) is not None


def _looking_like(source: bytes | bytearray, package: list[str], folders: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(set(_dotted_names(source, package, folders))))


def _dotted_names(source: bytes | bytearray, package: list[str], folders: tuple[str, ...]) -> Iterator[str]:
    words = list(itertools.islice(_word(folders).finditer(source), _MOST_WORDS + 1))
    for word in _word(folders).finditer(source):
        before, behind = source[max(0, word.start() - _REACH) : word.start()], _TAIL.match(source, word.end())
        head = _HEAD.search(before) if before.endswith(b".") else None
        if head is None and len(words) <= _MOST_WORDS:
            head = _FROM_IMPORT.search(source, max(0, word.start() - _LONGEST_IMPORT), word.start())
        if head is not None and behind is not None:
            module = [part.decode() for part in (head[2].strip(b"."), word.group() + behind.group()) if part]
            yield ".".join([*_base(package, len(head[1])), *module])


def _base(package: list[str], level: int) -> list[str]:
    """Return the package that ``level`` leading dots mean within ``package``."""
    return package[: len(package) - level + 1] if level else []


def _names_in(node: ast.AST, package: list[str]) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module=module, names=names, level=level):
            base = [*_base(package, level), *(module.split(".") if module else ())]
            yield ".".join(base)
            yield from (".".join([*base, alias.name]) for alias in names)
        case ast.Constant(value=str(text)) if re.fullmatch(r"\.*\w+(\.\w+)*", text) and "." in text:
            level = len(text) - len(text.lstrip("."))
            yield ".".join([*_base(package, level), text.lstrip(".")])
