"""What the directory of a zip says for itself: names, modes, links."""

import posixpath
import stat
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import pairwise
from typing import Final

from layerkit.audit.weight import count, examples
from layerkit.formats.zip import case_collisions, least_bytes, too_long, unsafe_name
from layerkit.formats.zip_directory import UTF8, ZipEntry
from layerkit.model.finding import Code, Finding, Severity

_OTHERS_READ: Final = 0o004
_OTHERS_ENTER: Final = 0o005
_HERE: Final = "./"
_MOST_HOPS: Final = 40  # as Linux


def unsafe_names(entries: Sequence[ZipEntry]) -> Mapping[str, str]:
    """Return the names that leave their folder, or that no file system can hold, and why."""
    return {entry.name: why for entry in entries if (why := _why_unsafe(entry)) is not None}


def usable(entries: Sequence[ZipEntry], unsafe: Mapping[str, str]) -> Mapping[str, ZipEntry]:
    """Return the files that unpacking leaves, by path: of entries with one path the last, none with an unsafe name."""
    return {_path(entry): entry for entry in entries if not entry.name.endswith("/") and entry.name not in unsafe}


def overlapping_names(entries: Sequence[ZipEntry]) -> frozenset[str]:
    """Return the names of entries whose bytes reach into the next: how small zips claim no end of content."""
    ordered = sorted(entries, key=lambda entry: entry.header_offset)
    return frozenset(
        entry.name
        for entry, following in pairwise(ordered)
        if entry.header_offset + least_bytes(entry) > following.header_offset
    )


def entry_findings(entries: Sequence[ZipEntry], unsafe: Mapping[str, str], where: str) -> Iterator[Finding]:
    """Yield what is to be said about names and modes."""
    yield from _unsafe(unsafe, where)
    yield from _duplicates(entries, where)
    yield from _unreadable(entries, where)


def link_findings(links: Mapping[str, str], paths: Sequence[str], where: str) -> Iterator[Finding]:
    """Yield what is to be said about symbolic links, given where they point."""
    if not links:
        return
    known = {".", "/opt", *(path[:at] for path in paths for at in (*_slashes(path), len(path)))}
    broken = tuple(path for path in links if not _arrives(path, links, known))
    if broken:
        yield _finding(
            Code.ZIP_SYMLINK,
            Severity.WARNING,
            where,
            f"{count(len(broken), 'symbolic link')} to what is not in this layer: {examples(broken)}",
            hint="put the file itself in its place, unless another layer brings it",
            paths=broken,
        )
    whole = tuple(path for path in links if path not in broken)
    if whole:
        yield _finding(
            Code.ZIP_SYMLINK,
            Severity.NOTE,
            where,
            f"{count(len(whole), 'symbolic link')}: {examples(whole)}; Lambda keeps them,"
            " some tools that copy layers do not",
            paths=whole,
        )


def damage_findings(damaged: Mapping[str, str], where: str) -> Iterator[Finding]:
    """Yield what is to be said about files that cannot be unpacked, one finding a reason."""
    reasons: dict[str, list[str]] = {}
    for path, why in damaged.items():
        reasons.setdefault(why, []).append(path)
    for why, paths in reasons.items():
        yield _finding(
            Code.ZIP_DAMAGED,
            Severity.ERROR,
            where,
            f"{examples(paths)} {why}",
            hint="make the zip anew",
            paths=tuple(paths),
        )


def _unsafe(unsafe: Mapping[str, str], where: str) -> Iterator[Finding]:
    if unsafe:
        first, why = next(iter(unsafe.items()))
        more = f", and {len(unsafe) - 1} more like it" if len(unsafe) > 1 else ""
        yield _finding(
            Code.ZIP_UNSAFE_PATH,
            Severity.ERROR,
            where,
            f"the name {first!r} {why}{more}",
            hint="make the zip anew, with names relative to the layer's root and `/` between folders",
            paths=tuple(unsafe),
        )


def _duplicates(entries: Sequence[ZipEntry], where: str) -> Iterator[Finding]:
    counts = Counter(_path(entry) for entry in entries if not entry.name.endswith("/"))
    twice = tuple(name for name, count in counts.items() if count > 1)
    if twice:
        yield _finding(
            Code.ZIP_DUPLICATE_PATH,
            Severity.WARNING,
            where,
            f"{count(len(twice), 'path')} more than once in the zip: {examples(twice)};"
            " the unpacker decides which one counts",
            hint="make the zip anew: `zip` without `--update`, or from an empty file",
            paths=twice,
        )
    alike = tuple(f"{one} / {other}" for one, other in case_collisions(counts))
    if alike:
        yield _finding(
            Code.ZIP_DUPLICATE_PATH,
            Severity.NOTE,
            where,
            f"paths that differ only by case: {examples(alike)}; macOS and Windows cannot unpack both",
            paths=alike,
        )


def _unreadable(entries: Sequence[ZipEntry], where: str) -> Iterator[Finding]:
    closed = tuple(_path(entry) for entry in entries if _is_closed(entry))
    if closed:
        yield _finding(
            Code.ZIP_NOT_READABLE,
            Severity.ERROR,
            where,
            f"{count(len(closed), 'path')} that Lambda's user cannot read: {examples(closed)}",
            hint="`chmod -R go+rX` before zipping; in Python's zipfile set `ZipInfo.external_attr` to 0o644 << 16",
            paths=closed,
        )
    still = tuple(_path(entry) for entry in entries if _must_run(entry) and entry.mode and not entry.mode & 0o001)
    if still:
        yield _finding(
            Code.ZIP_NOT_READABLE,
            Severity.ERROR,
            where,
            f"{examples(still)} cannot be executed, and Lambda would start it",
            hint="`chmod 755` before zipping",
            paths=still,
        )


def _is_closed(entry: ZipEntry) -> bool:
    if not entry.mode or stat.S_ISLNK(entry.mode):
        return False
    wanted = _OTHERS_ENTER if entry.name.endswith("/") else _OTHERS_READ
    return entry.mode & wanted != wanted


def _must_run(entry: ZipEntry) -> bool:
    folder, _, name = _path(entry).rpartition("/")
    return bool(name) and (folder == "extensions" or (not folder and name == "bootstrap"))


def _why_unsafe(entry: ZipEntry) -> str | None:
    name = _path(entry).removesuffix("/")
    if not name and entry.name.startswith(_HERE):
        return None
    why = unsafe_name(name)
    return "is longer than a path can be" if why is None and too_long(name) else why


def _path(entry: ZipEntry) -> str:
    """Return the path that unpacking an entry on Linux gives.

    Some tools (bsdtar) begin every name with ``./``; ``zip`` on Linux and macOS writes UTF-8 and does not say so.
    """
    name = entry.name.removeprefix(_HERE)
    if name.isascii() or entry.flags & UTF8 or not entry.mode:
        return name
    try:
        return name.encode("cp437").decode("utf-8")
    except UnicodeError:
        return name


def _arrives(path: str, links: Mapping[str, str], known: AbstractSet[str]) -> bool:
    """Tell whether a link leads to something, through others if need be."""
    for _ in range(_MOST_HOPS):
        link = next((path[:at] for at in (*_slashes(path), len(path)) if path[:at] in links), None)
        if link is None:
            return path in known
        path = posixpath.normpath(posixpath.join(_resolved(link, links[link]), path[len(link) + 1 :]))
    return False


def _resolved(path: str, target: str) -> str:
    inside = (
        target.removeprefix("/opt/") if target.startswith("/opt/") else posixpath.join(posixpath.dirname(path), target)
    )
    return posixpath.normpath(inside)


def _slashes(path: str) -> Iterator[int]:
    return (at for at, sign in enumerate(path) if sign == "/")


def _finding(
    code: Code, severity: Severity, where: str, message: str, *, paths: tuple[str, ...], hint: str | None = None
) -> Finding:
    return Finding(code=code, severity=severity, where=where, message=message, hint=hint, paths=paths)
