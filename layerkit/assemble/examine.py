"""Look at every byte of a wheel once: inflate, check, strip, find out what pruning and audits must know.

Files are worked on in parallel (inflating, hashing and deflating leave Python's lock); a gate keeps the large ones from
being in memory all at once.
"""

import hashlib
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import BinaryIO, Final, TypeAlias

import deflate

from layerkit.assemble import fragment as fragments
from layerkit.assemble import references
from layerkit.assemble.fragment import Fragment, FragmentFile, Preparation, VerifiedWheel
from layerkit.assemble.strip import strip
from layerkit.errors import FetchError, UnfitError
from layerkit.facts import limits
from layerkit.facts.pruning import words_of_interest
from layerkit.formats import elf
from layerkit.formats.wheel import Scheme, WheelLayout, WheelName, WheelProblem, is_pure_root, scripts_of
from layerkit.formats.zip import DEFLATED, STORED, ZipEntry, ZipProblem, data_offset, read_entries
from layerkit.gate import Gate
from layerkit.model.recipe_parts import Compression

_FAST_LEVEL: Final = 6
_BEST_LEVEL: Final = 12
_IN_FLIGHT: Final = 64 * 1024 * 1024  # bytes of inflated files in memory at once; one larger file goes alone
_LARGEST_WHEEL: Final = 16  # times the unzipped limit: no pruning brings such a wheel below it
_Place: TypeAlias = tuple[Scheme, str]
_WRITTEN_ANEW: Final = frozenset({"RECORD", "RECORD.jws", "RECORD.p7s", "INSTALLER", "REQUESTED", "direct_url.json"})


class CorruptWheel(FetchError):
    """A wheel whose hash is right but whose content is not what PEP 427 or the zip format promise."""

    def __init__(self, *, wheel: str, why: str) -> None:
        super().__init__(
            f"wheel `{wheel}` cannot be used: {why}",
            hint="tell its maintainers, or choose another version, or leave it out with `--exclude`",
        )


class HopelessWheel(UnfitError):
    """A wheel that no layer can hold, whatever is pruned."""

    def __init__(self, *, wheel: str, what: str, unzipped_bytes: int) -> None:
        super().__init__(
            f"wheel `{wheel}` can be in no layer: {what} is {unzipped_bytes / 2**20:.1f} MiB unzipped,"
            f" over Lambda's {limits().unzipped_bytes / 2**20:.0f} MiB",
            hint="look for a smaller build of the package, or use a container image for the function",
        )


@dataclass(frozen=True, slots=True)
class _Prepared:
    """One file worked on: its row, new compressed bytes if any, and what was found in it."""

    file: FragmentFile
    recompressed: bytes | bytearray | None
    facts: elf.BinaryFacts | elf.ElfError | None
    references: tuple[str, ...]
    reads_stubs: bool
    content: bytes | bytearray | None

    @property
    def place(self) -> _Place:
        return self.file.scheme, self.file.path


class Examination:
    """Works through one wheel, file by file, in the threads of a pool."""

    def __init__(self, wheel: VerifiedWheel, preparation: Preparation, pool: ThreadPoolExecutor) -> None:
        self._wheel = wheel
        self._preparation = preparation
        self._pool = pool
        self._gate = Gate(_IN_FLIGHT)
        self._reading = threading.Lock()
        self._writing = threading.Lock()
        self._words = words_of_interest()

    def write(self, out: BinaryIO) -> None:
        """Write the wheel's fragment. Raises ``CorruptWheel`` or ``HopelessWheel``."""
        mtime = self._wheel.path.stat().st_mtime_ns
        try:
            with self._wheel.path.open("rb") as stream:
                entries = read_entries(stream)
                self._refuse_hopeless(entries)
                name = WheelName.parse(self._wheel.name)
                layout = WheelLayout.find((entry.name for entry in entries), distribution=name.name)
                prepared = self._all(stream, entries, layout, out)
            fragments.write_index(out, self._fragment(name, layout, prepared), wheel_mtime_ns=mtime)
        except (ZipProblem, WheelProblem) as exc:
            raise CorruptWheel(wheel=self._wheel.name, why=str(exc)) from exc

    def _refuse_hopeless(self, entries: Sequence[ZipEntry]) -> None:
        limit = limits().unzipped_bytes
        for entry in entries:
            if entry.unzipped_bytes >= limit:
                raise HopelessWheel(
                    wheel=self._wheel.name, what=f"its file `{entry.name}`", unzipped_bytes=entry.unzipped_bytes
                )
        total = sum(entry.unzipped_bytes for entry in entries)
        if total >= limit * _LARGEST_WHEEL:
            raise HopelessWheel(wheel=self._wheel.name, what="it", unzipped_bytes=total)

    def _all(
        self, stream: BinaryIO, entries: Sequence[ZipEntry], layout: WheelLayout, out: BinaryIO
    ) -> list[_Prepared]:
        places = _places(entries, layout)
        chosen = sorted(places.items(), key=lambda item: -item[1].unzipped_bytes)

        def work(item: tuple[_Place, ZipEntry]) -> _Prepared:
            place, entry = item
            with self._gate.holding(entry.unzipped_bytes):
                return self._write(out, self._one(stream, entry, place, layout))

        return sorted(self._pool.map(work, chosen), key=lambda prepared: (prepared.file.scheme, prepared.file.path))

    def _one(self, stream: BinaryIO, entry: ZipEntry, place: _Place, layout: WheelLayout) -> _Prepared:
        with self._reading:
            offset = data_offset(stream, entry)
            stream.seek(offset)
            compressed = stream.read(entry.compressed_bytes)
        content = _inflate(entry, compressed)
        scheme, path = place
        file = FragmentFile(
            scheme=scheme,
            path=path,
            executable=scheme is Scheme.SCRIPTS or bool(entry.mode & 0o111),
            method=entry.method if content else STORED,
            crc32=entry.crc32,
            compressed_bytes=entry.compressed_bytes if content else 0,
            unzipped_bytes=entry.unzipped_bytes,
            stripped_bytes=0,
            sha256="",
            in_blob=False,
            offset=offset,
            checksum=deflate.crc32(compressed) if content else 0,
        )
        in_dist_info = scheme is Scheme.LIB and path.startswith(layout.dist_info + "/")
        return self._examine(file, content, keep=scheme is Scheme.SCRIPTS or in_dist_info)

    def _examine(self, file: FragmentFile, content: bytes | bytearray, *, keep: bool) -> _Prepared:
        folders, readers = self._words
        facts: elf.BinaryFacts | elf.ElfError | None = None
        found: tuple[str, ...] = ()
        reads_stubs = False
        if elf.is_elf(content):
            facts = _facts(content)
            found = references.in_binary(content, folders)
            stripped = strip(content) if self._preparation.strip else None
            if stripped is not None:
                saved = len(content) - len(stripped)
                file = replace(file, unzipped_bytes=len(stripped), stripped_bytes=saved, crc32=deflate.crc32(stripped))
                content = stripped
        elif file.path.endswith(".py"):
            found = references.in_source(file.path, content, folders)
            reads_stubs = any(reader.encode() in content for reader in readers)
        elif keep and file.path.endswith(".dist-info/entry_points.txt"):
            found = references.in_text(content, folders)
        file = replace(file, sha256=hashlib.sha256(content).hexdigest())
        file, recompressed = self._compress(file, content)
        return _Prepared(file, recompressed, facts, found, reads_stubs, content if keep else None)

    def _compress(
        self, file: FragmentFile, content: bytes | bytearray
    ) -> tuple[FragmentFile, bytes | bytearray | None]:
        best = self._preparation.compression is Compression.BEST
        if not (best or file.stripped_bytes or file.method == STORED):
            return file, None
        smaller = deflate.deflate_compress(content, _BEST_LEVEL if best else _FAST_LEVEL)
        if not file.stripped_bytes and len(smaller) >= file.compressed_bytes:
            return file, None
        checksum = deflate.crc32(smaller)
        file = replace(file, method=DEFLATED, compressed_bytes=len(smaller), in_blob=True, checksum=checksum)
        return file, smaller

    def _write(self, out: BinaryIO, prepared: _Prepared) -> _Prepared:
        if prepared.recompressed is None:
            return prepared
        with self._writing:
            offset = out.tell()
            out.write(prepared.recompressed)
        return replace(prepared, file=replace(prepared.file, offset=offset), recompressed=None)

    def _fragment(self, name: WheelName, layout: WheelLayout, prepared: Sequence[_Prepared]) -> Fragment:
        kept = {one.file.path: one.content for one in prepared if one.content and one.file.scheme is Scheme.LIB}
        metadata = {path.removeprefix(layout.dist_info + "/"): content for path, content in kept.items()}
        for required in ("METADATA", "WHEEL"):
            if required not in metadata:
                raise WheelProblem(f"its `{layout.dist_info}/{required}` is missing")
        return Fragment(
            distribution=name.name,
            version=name.version,
            wheel=self._wheel.name,
            wheel_sha256=self._wheel.sha256,
            is_pure=name.is_pure and is_pure_root(_text(metadata["WHEEL"])),
            dist_info=layout.dist_info,
            files=tuple(one.file for one in prepared),
            scripts=tuple(scripts_of(_text(metadata.get("entry_points.txt", b"")))),
            hashbang_scripts=frozenset(
                one.file.path
                for one in prepared
                if one.file.scheme is Scheme.SCRIPTS and (one.content or b"").startswith(b"#!python")
            ),
            binaries={one.place: one.facts for one in prepared if isinstance(one.facts, elf.BinaryFacts)},
            unreadable={one.place: str(one.facts) for one in prepared if isinstance(one.facts, elf.ElfError)},
            references={one.file.path: one.references for one in prepared if one.references},
            stub_readers=frozenset(one.file.path for one in prepared if one.reads_stubs),
            wheel_path=self._wheel.path,
            blob_path=self._wheel.path,
        )


def _places(entries: Sequence[ZipEntry], layout: WheelLayout) -> dict[_Place, ZipEntry]:
    """Return which entry goes where, without what is written anew. Raises ``WheelProblem`` for two at one place."""
    written_anew = {f"{layout.dist_info}/{name}" for name in _WRITTEN_ANEW}
    places: dict[_Place, ZipEntry] = {}
    for entry in entries:
        place = layout.place(entry.name)
        if place[0] is Scheme.LIB and place[1] in written_anew:
            continue
        if (other := places.setdefault(place, entry)) is not entry:
            raise WheelProblem(f"its `{other.name}` and `{entry.name}` would be one file")
    return places


def _inflate(entry: ZipEntry, compressed: bytes) -> bytes | bytearray:
    if entry.method == STORED:
        content: bytes | bytearray = compressed
    else:
        try:
            content = deflate.deflate_decompress(compressed, entry.unzipped_bytes)
        except deflate.DeflateError as exc:
            raise ZipProblem(f"`{entry.name}` is damaged, or larger than it claims") from exc
    if len(content) != entry.unzipped_bytes or deflate.crc32(content) != entry.crc32:
        raise ZipProblem(f"`{entry.name}` is not what its checksum and size say")
    return content


def _facts(content: bytes | bytearray) -> elf.BinaryFacts | elf.ElfError:
    try:
        return elf.binary_facts(content)
    except elf.ElfError as exc:
        return exc


def _text(content: bytes | bytearray) -> str:
    return content.decode("utf-8", errors="replace")
