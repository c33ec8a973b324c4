"""A zip, whoever made it, read into contents: from its directory alone, or by looking at every file."""

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import BinaryIO

from layerkit.audit.binaries import unreadable_finding
from layerkit.audit.insides import Sight, Sights, is_telling, look_at
from layerkit.audit.ownership import find_installed, owners_of
from layerkit.audit.sight_cache import keep, recall
from layerkit.audit.zip_content import ZipContent
from layerkit.audit.zip_entries import damage_findings, entry_findings, link_findings, unsafe_names, usable
from layerkit.cache import Cache
from layerkit.errors import UsageError
from layerkit.formats.zip_directory import ZipEntry, ZipProblem, list_entries
from layerkit.model.contents import Contents, HeldFile, Insides, Kind
from layerkit.model.finding import Code, Finding, Severity


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
    content = ZipContent(stream)
    installed = tuple(find_installed(files, lambda path: _try_reading(content, files.get(path))))
    owners = owners_of(files, installed)
    sights = _sights(content, files, memory) if deep else None
    links = _links(content, files) if deep else {}
    return Contents(
        where=where,
        zipped_bytes=size,
        unzipped_bytes=sum(entry.unzipped_bytes for entry in files.values()),
        files=tuple(_held(files.values(), owners, sights)),
        distributions=tuple(each.distribution for each in installed),
        insides=_insides(sights, links) if sights is not None else None,
        findings=(
            *_empty(files, where),
            *entry_findings(entries, unsafe, where),
            *link_findings(links, tuple(files), where),
            *(damage_findings(sights.damaged, where) if sights is not None else ()),
            *(_unreadable(sights, owners, where) if sights is not None else ()),
        ),
    )


def _sights(content: ZipContent, files: Mapping[str, ZipEntry], memory: Memory | None) -> Sights:
    sights = recall(memory.cache, memory.sha256()) if memory is not None else None
    if sights is None:
        sights = _looked(Sights(), content, files.values())
    elif sights.has_only_binaries:
        telling = [entry for entry in files.values() if entry.name not in sights.binaries and is_telling(entry.name)]
        sights = replace(_looked(sights, content, telling), has_only_binaries=False)
    else:
        return sights
    if memory is not None:
        keep(memory.cache, memory.sha256(), sights)
    return sights


def _looked(sights: Sights, content: ZipContent, entries: Iterable[ZipEntry]) -> Sights:
    """Inflate, check and look at the entries, the largest first, on all processors."""

    def look(entry: ZipEntry) -> tuple[str, Sight | str]:
        with content.gate.holding(entry.unzipped_bytes):
            try:
                return entry.name, look_at(entry.name, content.read(entry))
            except ZipProblem as exc:
                return entry.name, str(exc)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, seen in pool.map(look, sorted(entries, key=lambda entry: -entry.unzipped_bytes)):
            if isinstance(seen, str):
                sights.damaged[path] = seen
            else:
                sights.add(path, seen)
    return sights


def _links(content: ZipContent, files: Mapping[str, ZipEntry]) -> dict[str, str]:
    found = {}
    for path, entry in files.items():
        if stat.S_ISLNK(entry.mode):
            target = _try_reading(content, entry)
            if target is not None:
                found[path] = target.decode("utf-8", errors="replace")
    return found


def _insides(sights: Sights, links: Mapping[str, str]) -> Insides:
    return Insides(
        binaries=sights.binaries,
        bytecode=sights.bytecode,
        path_files=sights.path_files,
        links=links,
        private_keys=frozenset(sights.private_keys),
    )


def _held(entries: Iterable[ZipEntry], owners: Mapping[str, str], sights: Sights | None) -> Iterator[HeldFile]:
    binaries = sights.binaries if sights is not None else {}
    for entry in entries:
        yield HeldFile(
            entry.name,
            entry.unzipped_bytes,
            entry.compressed_bytes,
            entry.crc32,
            entry.mode,
            Kind.of(entry.name, is_native=entry.name in binaries),
            owners.get(entry.name),
        )


def _try_reading(content: ZipContent, entry: ZipEntry | None) -> bytes | None:
    try:
        return content.read(entry) if entry is not None else None
    except ZipProblem:
        return None


def _unreadable(sights: Sights, owners: Mapping[str, str], where: str) -> Iterator[Finding]:
    for path, why in sights.unreadable.items():
        yield unreadable_finding(f"{where}: {path}", owner=owners.get(path, path), why=why)


def _empty(files: Mapping[str, ZipEntry], where: str) -> Iterator[Finding]:
    if not files:
        yield Finding(
            code=Code.ZIP_DAMAGED,
            severity=Severity.ERROR,
            where=where,
            message="it holds no files, and Lambda takes no empty layer",
        )
