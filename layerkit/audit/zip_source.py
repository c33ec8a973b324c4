"""A zip, whoever made it, read into contents: from its directory alone, or by looking at every file."""

import contextlib
import os
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import BinaryIO, Final

from layerkit.audit.binaries import unreadable_findings
from layerkit.audit.insides import Sight, Sights, is_telling, look_at
from layerkit.audit.ownership import find_installed, owners_of
from layerkit.audit.sight_cache import keep, recall
from layerkit.audit.zip_content import ZipContent
from layerkit.audit.zip_entries import (
    damage_findings,
    entry_findings,
    link_findings,
    overlapping_names,
    unsafe_names,
    usable,
)
from layerkit.cache import Cache
from layerkit.errors import UsageError
from layerkit.files import DiskFailure
from layerkit.formats.zip_directory import ZipEntry, ZipProblem, list_entries
from layerkit.model.contents import Contents, HeldFile, Kind
from layerkit.model.finding import Code, Finding, Severity

_LARGE: Final = 64 * 1024
_BATCH: Final = 64  # small files that one thread looks at in a row
_LARGEST_METADATA: Final = 16 * 1024 * 1024
_LONGEST_TARGET: Final = 4096


class UnreadableLayer(UsageError):
    """Something that is named as a layer and cannot be read as one."""

    def __init__(self, *, where: str, why: str, hint: str = "name a zip, a folder, a manifest or a layer ARN") -> None:
        super().__init__(f"`{where}` cannot be read as a layer: {why}", hint=hint)


@dataclass(frozen=True, kw_only=True, slots=True)
class Memory:
    """Where it is kept what the files of a zip are; ``sha256`` gives the zip's (hex), perhaps after a while."""

    cache: Cache
    sha256: Callable[[], str]


def read_zip(stream: BinaryIO, *, where: str, deep: bool = False, memory: Memory | None = None) -> Contents:
    """Read a seekable zip; unless ``deep``, only its directory and the metadata of its distributions.

    Raises ``UnreadableLayer``.
    """
    size = stream.seek(0, 2)
    try:
        entries = list_entries(stream)
    except ZipProblem as exc:
        raise UnreadableLayer(where=where, why="it is empty" if not size else str(exc)) from exc
    unsafe = unsafe_names(entries)
    files = usable(entries, unsafe)
    content = ZipContent(stream, overlapping_names(entries))
    installed = tuple(find_installed(files, lambda path: _try_reading(content, files.get(path))))
    owners = owners_of(files, installed)
    sights = _sights(content, files, memory) if deep else None
    links = _links(content, files) if deep else {}
    return Contents(
        where=where,
        zipped_bytes=size,
        unzipped_bytes=sum(entry.unzipped_bytes for entry in files.values()),
        files=tuple(_held(files, owners, sights)),
        distributions=tuple(each.distribution for each in installed),
        insides=sights.insides(links) if sights is not None else None,
        findings=(
            *_empty(files, where),
            *entry_findings(entries, unsafe, where),
            *link_findings(links, tuple(files), where),
            *(damage_findings(sights.damaged, where) if sights is not None else ()),
            *(unreadable_findings(sights.unreadable, owners, where) if sights is not None else ()),
        ),
    )


def _sights(content: ZipContent, files: Mapping[str, ZipEntry], memory: Memory | None) -> Sights:
    sights = recall(memory.cache, memory.sha256()) if memory is not None else None
    if sights is None:
        sights = _looked(Sights(), content, files)
    elif sights.has_only_binaries:
        telling = {path: files[path] for path in files if path not in sights.binaries and is_telling(path)}
        sights = replace(_looked(sights, content, telling), has_only_binaries=False)
    else:
        return sights
    if memory is not None:
        with contextlib.suppress(DiskFailure):  # an audit needs no cache
            keep(memory.cache, memory.sha256(), sights)
    return sights


def _looked(sights: Sights, content: ZipContent, files: Mapping[str, ZipEntry]) -> Sights:
    """Inflate, check and look at the files, the largest first, on all processors."""

    def look(path: str) -> Sight | str:
        entry = files[path]
        with content.gate.holding(entry.unzipped_bytes + entry.compressed_bytes):
            try:
                return look_at(path, content.read(entry))
            except ZipProblem as exc:
                return str(exc)

    def look_at_some(paths: Sequence[str]) -> list[tuple[str, Sight | str]]:
        return [(path, look(path)) for path in paths]

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for seen in pool.map(look_at_some, _batches(files)):
            for path, sight in seen:
                if isinstance(sight, str):
                    sights.damaged[path] = sight
                else:
                    sights.add(path, sight)
    return sights


def _batches(files: Mapping[str, ZipEntry]) -> Iterator[Sequence[str]]:
    """Yield the large files one by one, the largest first, and then the small ones in the order of the zip."""
    large = [path for path, entry in files.items() if entry.unzipped_bytes >= _LARGE]
    yield from ([path] for path in sorted(large, key=lambda path: -files[path].unzipped_bytes))
    small = [path for path, entry in files.items() if entry.unzipped_bytes < _LARGE]
    yield from (small[at : at + _BATCH] for at in range(0, len(small), _BATCH))


def _links(content: ZipContent, files: Mapping[str, ZipEntry]) -> dict[str, str]:
    found = {}
    for path, entry in files.items():
        if stat.S_ISLNK(entry.mode):
            target = _try_reading(content, entry, most=_LONGEST_TARGET)
            if target is not None:
                found[path] = target.decode("utf-8", errors="replace")
    return found


def _held(files: Mapping[str, ZipEntry], owners: Mapping[str, str], sights: Sights | None) -> Iterator[HeldFile]:
    binaries = sights.binaries if sights is not None else {}
    for path, entry in files.items():
        yield HeldFile(
            path,
            entry.unzipped_bytes,
            entry.compressed_bytes,
            entry.crc32,
            entry.mode,
            Kind.of(path, is_native=path in binaries),
            owners.get(path),
        )


def _try_reading(content: ZipContent, entry: ZipEntry | None, *, most: int = _LARGEST_METADATA) -> bytes | None:
    if entry is None or max(entry.unzipped_bytes, entry.compressed_bytes) > most:
        return None
    try:
        return content.read(entry)
    except ZipProblem:
        return None


def _empty(files: Mapping[str, ZipEntry], where: str) -> Iterator[Finding]:
    if not files:
        yield Finding(
            code=Code.ZIP_DAMAGED,
            severity=Severity.ERROR,
            where=where,
            message="it holds no files, and Lambda takes no empty layer",
        )
