"""What was left in a layer by accident: caches, histories, tests, installers; and files that look like secrets."""

import functools
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import translate
from typing import Final

from layerkit.audit.homes import function_homes, layer_homes
from layerkit.audit.weight import count, examples, place, severity_of, weight
from layerkit.facts.leftovers import LeftoverSort, leftover_sorts, secret_names
from layerkit.model.contents import Contents, HeldFile, Kind
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.limits import format_size
from layerkit.model.names import normalize
from layerkit.model.stack import Stack

_EXTRA: Final = re.compile(r";.*\bextra\s*==")
_REQUIRED: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def leftover_findings(stack: Stack) -> Iterator[Finding]:
    """Yield what takes room for nothing, one finding a sort; then what looks like a secret."""
    required = _required(stack)
    for part in stack.parts:
        yield from _dead_weight(part, required, is_function=part is stack.function)
        yield from _secrets(part)


def _dead_weight(part: Contents, required: frozenset[str], *, is_function: bool) -> Iterator[Finding]:
    taken: dict[str, list[HeldFile]] = {}
    sorter = _Sorter(part, required, is_function=is_function)
    for file in part.files:
        if sort := sorter.sort_of(file):
            taken.setdefault(sort.name, []).append(file)
    for sort in leftover_sorts():
        files = taken.get(sort.name, [])
        if files and weight(files) >= sort.least_bytes:
            yield _leftover(sort, files, part, sorter)


def _leftover(sort: LeftoverSort, files: Sequence[HeldFile], part: Contents, sorter: "_Sorter") -> Finding:
    paths = tuple(file.path for file in files)
    weights: Counter[str] = Counter()
    for file in files:
        weights[sorter.name_of(file, sort)] += file.unzipped_bytes
    size = weights.total()
    return Finding(
        code=Code.LAYOUT_LEFTOVER,
        severity=Severity(sort.always) if sort.always else severity_of(size, part),
        where=place(part, paths),
        message=f"{sort.what}: {count(len(files), 'file')}, could save {format_size(size)};"
        f" {examples([name for name, _ in weights.most_common()])}",
        hint=sort.hint,
        paths=paths,
    )


class _Sorter:
    """Tells to which sort of leftovers a file of one layer belongs, if to any."""

    def __init__(self, part: Contents, required: frozenset[str], *, is_function: bool) -> None:
        self._sorts = leftover_sorts()
        folders: dict[str, list[str]] = {}
        for file in part.files:
            folder, _, name = file.path.rpartition("/")
            folders.setdefault(folder, []).append(name)
        self._roots = {sort.name: _roots(part, sort, is_function=is_function, folders=folders) for sort in self._sorts}
        self._every_root = tuple(root for roots in self._roots.values() for root in roots)
        self._every_pattern = tuple(pattern for sort in self._sorts for pattern in sort.files)
        self._every_kind = frozenset(kind for sort in self._sorts for kind in sort.kinds)
        self._distributions = {sort.name: sort.distributions - required for sort in self._sorts}
        self._every_distribution = frozenset().union(*self._distributions.values())

    def sort_of(self, file: HeldFile) -> LeftoverSort | None:
        """Return the first sort that takes the file; nearly all files are none, so that is told at once."""
        if (
            file.kind in self._every_kind
            or file.owner in self._every_distribution
            or file.path.startswith(self._every_root)
            or _is_called(file.path, self._every_pattern)
        ):
            return next((sort for sort in self._sorts if self._takes(sort, file)), None)
        return None

    def name_of(self, file: HeldFile, sort: LeftoverSort) -> str:
        """Return the folder, or the distribution, for which a file was taken; else the file."""
        if file.owner is not None and (sort.distributions or sort.kinds or sort.holding):
            return file.owner
        roots = (root for root in self._roots[sort.name] if file.path.startswith(root))
        return next(roots, file.path).rstrip("/")

    def _takes(self, sort: LeftoverSort, file: HeldFile) -> bool:
        return (
            file.path.startswith(self._roots[sort.name])
            or _is_called(file.path, sort.files)
            or file.kind in sort.kinds
            or file.owner in self._distributions[sort.name]
        )


def _roots(
    part: Contents, sort: LeftoverSort, *, is_function: bool, folders: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    """Return the folders that a sort takes whole, each with its slash; ``folders`` holds the names in each folder."""
    found = set()
    for folder, names in folders.items():
        parts = folder.split("/")
        depth = next((depth for depth, each in enumerate(parts) if each in sort.folders), None)
        if depth is not None and (not sort.holding or any(_is_called(name, sort.holding) for name in names)):
            found.add("/".join(parts[: depth + 1]))
        elif folder and not sort.beside.isdisjoint(names):
            found.add(folder)
    needed = tuple(f"/{folder}" for folder in sort.exceptions)
    roots = [f"{folder}/" for folder in sorted(found) if not f"/{folder}".endswith(needed)]
    return tuple(_not_imported_from(roots, part, is_function=is_function) if sort.beside and roots else roots)


def _not_imported_from(roots: Sequence[str], part: Contents, *, is_function: bool) -> Iterator[str]:
    """Yield the environments from which Lambda does not import, and would not if what lies wrong were put right."""
    homes = function_homes(part) if is_function else layer_homes(part)
    reached = [
        home for home in homes if (home.folder == "" and home.has_metadata if is_function else home.serves(None))
    ]
    if reached or not homes:
        yield from (root for root in roots if not any(f"{home.folder}/".startswith(root) for home in reached))


def _required(stack: Stack) -> frozenset[str]:
    """Return the names that a distribution of the stack requires when it is plainly installed."""
    lines = (
        line
        for part in stack.parts
        for distribution in part.distributions
        for line in distribution.requires
        if not _EXTRA.search(line)
    )
    return frozenset(normalize(match.group()) for line in lines if (match := _REQUIRED.match(line)))


def _secrets(part: Contents) -> Iterator[Finding]:
    keys = part.insides.private_keys if part.insides is not None else frozenset()
    named = [
        file for file in part.files if file.path not in keys and file.kind is not Kind.METADATA and _is_secret(file)
    ]
    held = [file for file in part.files if file.path in keys]
    for files, what in ((named, "look like secrets by name"), (held, "hold a private key")):
        own = [file for file in files if file.owner is None]
        brought = [file for file in files if file.owner is not None]
        yield from _secret(own, what, part)
        yield from _brought_secret(brought, what, part)


def _is_secret(file: HeldFile) -> bool:
    names = secret_names()
    if not names.except_below.isdisjoint(file.path.split("/")):
        return False
    return _is_called(file.path, names.files) and not _is_called(file.path, names.exceptions)


def _secret(files: Sequence[HeldFile], what: str, part: Contents) -> Iterator[Finding]:
    if files:
        paths = tuple(file.path for file in files)
        yield Finding(
            code=Code.LAYOUT_SECRET,
            severity=Severity.WARNING,
            where=place(part, paths),
            message=f"{count(len(paths), 'file')} {_verb(what, len(paths))}: {examples(paths)}; whoever may read this"
            " code may read them",
            hint="leave them out, and replace what was already published; functions get secrets from Secrets Manager or"
            " Parameter Store",
            paths=paths,
        )


def _brought_secret(files: Sequence[HeldFile], what: str, part: Contents) -> Iterator[Finding]:
    if files:
        paths = tuple(file.path for file in files)
        owners = sorted({str(file.owner) for file in files})
        yield Finding(
            code=Code.LAYOUT_SECRET,
            severity=Severity.NOTE,
            where=place(part, paths),
            message=f"{count(len(paths), 'file')} of {examples(owners)} {_verb(what, len(paths))}: {examples(paths)};"
            " public where the package is, as test data mostly",
            hint="if the package is your own, leave them out of it",
            paths=paths,
        )


def _verb(what: str, number: int) -> str:
    if number > 1:
        return what
    return what.replace("look like secrets", "looks like a secret").replace("hold ", "holds ")


def _is_called(path: str, patterns: tuple[str, ...]) -> bool:
    """Tell whether a file's name, or the end of its path where a pattern has a slash, is as one of the patterns."""
    names, ends = _compiled(patterns)
    return bool(names.fullmatch(path.rpartition("/")[2])) or bool(ends and ends.search(path))


@functools.cache
def _compiled(patterns: tuple[str, ...]) -> tuple[re.Pattern[str], re.Pattern[str] | None]:
    names = [translate(pattern) for pattern in patterns if "/" not in pattern]
    ends = [translate(pattern) for pattern in patterns if "/" in pattern]
    return re.compile("|".join(names) or "(?!)"), re.compile(f"(?:^|/)(?:{'|'.join(ends)})") if ends else None
