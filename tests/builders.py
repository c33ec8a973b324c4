"""Makes wheels and zip files: well-formed ones as build tools do, and raw ones with every lie that a zip can tell."""

import base64
import hashlib
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from layerkit.assemble.fragment import Fragment, Preparation, VerifiedWheel
from layerkit.assemble.layout import ExtraFile, Placement, lay_out
from layerkit.assemble.link import link
from layerkit.assemble.prepare import prepare
from layerkit.assemble.prune import plan_pruning
from layerkit.cache import Cache
from layerkit.model.recipe_parts import Compression, Prune
from layerkit.progress import Silent

Content = str | bytes
_NOTHING: Mapping[str, Content] = {}
_NO_MODES: Mapping[str, int] = {}
_TIME = (2020, 2, 2, 2, 2, 2)


def make_wheel(
    folder: Path,
    *,
    name: str = "demo",
    version: str = "1.0",
    files: Mapping[str, Content] = _NOTHING,
    entry_points: str | None = None,
    tags: str = "py3-none-any",
    data: Mapping[str, Content] = _NOTHING,
    modes: Mapping[str, int] = _NO_MODES,
    purelib: bool = True,
    metadata: Mapping[str, Content | None] = {},
    dist_info: str | None = None,
    data_folder: str | None = None,
    method: int = zipfile.ZIP_DEFLATED,
    level: int = 6,
) -> Path:
    """Write a wheel with METADATA, WHEEL and RECORD.

    ``metadata`` adds files of the dist-info folder, or takes one out (``None``); ``modes`` are permission bits by name
    in the wheel. A file of ``data`` is named by scheme and path: ``scripts/x``.
    """
    stem = f"{name}-{version}"
    info = dist_info or f"{stem}.dist-info"
    inside: dict[str, Content | None] = {
        "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        "WHEEL": f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: {str(purelib).lower()}\nTag: {tags}\n",
        "entry_points.txt": entry_points,
        **metadata,
    }
    every: dict[str, Content] = dict(files)
    every |= {f"{data_folder or stem + '.data'}/{path}": content for path, content in data.items()}
    every |= {f"{info}/{path}": content for path, content in inside.items() if content is not None}
    if "RECORD" not in metadata:
        every[f"{info}/RECORD"] = _record(every, f"{info}/RECORD")
    path = folder / f"{name}-{version}-{tags}.whl"
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as out:
        for inner, content in every.items():
            info_of = zipfile.ZipInfo(inner, _TIME)
            info_of.external_attr = (0o100000 | modes.get(inner, 0o644)) << 16
            info_of.create_system = 3
            out.writestr(info_of, content, compress_type=method, compresslevel=level)
    return path


def _record(files: Mapping[str, Content], own: str) -> str:
    lines = []
    for path, content in files.items():
        raw = _bytes(content)
        digest = base64.urlsafe_b64encode(hashlib.sha256(raw).digest()).rstrip(b"=").decode()
        lines.append(f"{path},sha256={digest},{len(raw)}")
    return "\n".join([*lines, f"{own},,"]) + "\n"


def _bytes(content: Content) -> bytes:
    return content.encode() if isinstance(content, str) else content


def verified(path: Path) -> VerifiedWheel:
    """Return the wheel as the wheelhouse hands it on."""
    return VerifiedWheel(name=path.name, path=path, sha256=hashlib.sha256(path.read_bytes()).hexdigest())


def fragments_of(
    wheels: Iterable[Path],
    cache: Path,
    *,
    strip: bool = True,
    compression: Compression = Compression.COPY,
    jobs: int = 2,
) -> tuple[Fragment, ...]:
    """Prepare wheels with a cache in the folder ``cache``."""
    return prepare(
        [verified(wheel) for wheel in wheels],
        cache=Cache(cache),
        preparation=Preparation(strip=strip, compression=compression),
        jobs=jobs,
        progress=Silent(),
    )


@dataclass(kw_only=True)
class RawEntry:
    """One entry of a zip, each field free to lie; ``None`` means the truth."""

    name: bytes = b"a.txt"
    content: bytes = b"some content, some content, some content"
    method: int = 8
    flags: int = 0
    attributes: int = 0o100644 << 16
    made_by: int = 3
    crc32: int | None = None
    compressed_bytes: int | None = None
    unzipped_bytes: int | None = None
    offset: int | None = None
    extra: bytes = b""
    local_name: bytes | None = None
    local_method: int | None = None
    local_extra: bytes = b""
    raw: bytes | None = None
    descriptor: bool = False

    @property
    def data(self) -> bytes:
        """The compressed bytes."""
        if self.raw is not None:
            return self.raw
        return deflated(self.content) if self.method == 8 else self.content

    @property
    def sizes(self) -> tuple[int, int, int]:
        """CRC, compressed and unzipped size as the directory tells them."""
        told = (self.crc32, self.compressed_bytes, self.unzipped_bytes)
        true = (zlib.crc32(self.content), len(self.data), len(self.content))
        return tuple(real if lie is None else lie for lie, real in zip(told, true, strict=True))  # type: ignore[return-value]

    def local(self) -> bytes:
        """Return header, data and data descriptor."""
        name = self.name if self.local_name is None else self.local_name
        method = self.method if self.local_method is None else self.local_method
        flags = self.flags | (8 if self.descriptor else 0)
        sizes = (0, 0, 0) if self.descriptor else tuple(min(size, 0xFFFFFFFF) for size in self.sizes)
        head = struct.pack("<4s5H3L2H", b"PK\3\4", 20, flags, method, 0, 33, *sizes, len(name), len(self.local_extra))
        tail = struct.pack("<4s3L", b"PK\7\x08", *self.sizes) if self.descriptor else b""
        return head + name + self.local_extra + self.data + tail

    def central(self, offset: int) -> bytes:
        """Return the entry's record in the directory."""
        where = offset if self.offset is None else self.offset
        flags = self.flags | (8 if self.descriptor else 0)
        head = struct.pack(
            "<4s6H3L5H2L",
            *(b"PK\1\2", self.made_by << 8 | 20, 20, flags, self.method, 0, 33, *self.sizes),
            *(len(self.name), len(self.extra), 0, 0, 0, self.attributes, where),
        )
        return head + self.name + self.extra


def deflated(content: bytes) -> bytes:
    """Return a raw DEFLATE stream."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    return compressor.compress(content) + compressor.flush()


def raw_zip(
    *entries: RawEntry,
    count: int | None = None,
    start: int | None = None,
    length: int | None = None,
    disk: int = 0,
    comment: bytes = b"",
    trailing: bytes = b"",
) -> bytes:
    """Return a zip of the entries; ``count``, ``start`` and ``length`` are what the end record says."""
    body, directory = b"", b""
    for entry in entries:
        directory += entry.central(len(body))
        body += entry.local()
    told = (
        len(entries) if count is None else count,
        len(directory) if length is None else length,
        len(body) if start is None else start,
    )
    end = struct.pack("<4s4H2LH", b"PK\5\6", disk, disk, told[0], *told, len(comment))
    return body + directory + end + comment + trailing


def raw_zip64(
    *entries: RawEntry,
    position: int | None = None,
    count: int | None = None,
    size: int = 44,
    disk: int = 0,
    locator: bytes = b"PK\6\7",
    signature: bytes = b"PK\6\6",
    gap: bytes = b"",
) -> bytes:
    """Return a zip whose numbers stand in a zip64 end record, with what lies are asked for."""
    plain = raw_zip(*entries)[:-22]
    directory = sum(len(entry.central(0)) for entry in entries)
    number = len(entries) if count is None else count
    record = struct.pack(
        "<4sQ2H2L4Q", signature, size, 45, 45, disk, disk, number, number, directory, len(plain) - directory
    )
    where = len(plain) if position is None else position
    found = struct.pack("<4sLQL", locator, 0, where, 1)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return plain + record + gap + found + end


SITE = "python/lib/python3.12/site-packages"
PLACEMENT = Placement(site_packages="python", interpreter="/var/lang/bin/python3.12")


def linked(
    wheels: Iterable[Path],
    folder: Path,
    *,
    prune: Prune = Prune(),  # noqa: B008 -- frozen
    placement: Placement = PLACEMENT,
    extra: Iterable[ExtraFile] = (),
    compression: Compression = Compression.COPY,
    jobs: int = 2,
) -> Path:
    """Make a layer's zip in ``folder`` of the wheels, with a cache there."""
    fragments = fragments_of(wheels, folder / "cache", compression=compression, jobs=jobs)
    plan = plan_pruning(fragments, prune)
    path = folder / "layer.zip"
    link(lay_out(plan.selections, placement=placement, extra=tuple(extra)), path)
    return path


def contents(path: Path) -> dict[str, bytes]:
    """Return what an independent reader finds in a zip, checksums verified."""
    with zipfile.ZipFile(path) as read:
        return {name: read.read(name) for name in read.namelist()}
