"""From what the user names, zips and manifests, to artifacts; whatever AWS would refuse is refused here."""

import base64
import hashlib
import json
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

import deflate

from layerkit.errors import UnfitError, UnknownArchitectureError, UnknownRuntimeError, UsageError, system_reason
from layerkit.facts import Architecture, limits
from layerkit.facts import runtimes as known_runtimes
from layerkit.files import sha256_of
from layerkit.formats.zip import DEFLATED, STORED, ZipEntry, ZipProblem, data_offset, unsafe_name
from layerkit.formats.zip_directory import ENCRYPTED, list_entries
from layerkit.model.identity import content_digest
from layerkit.model.publishing import layer_name_of
from layerkit.publish.artifact import Artifact

_MANIFEST: Final = ".layer.json"
_DIGEST: Final = re.compile(r"(?:sha256:)?[0-9a-f]{64}")
_ONE_LINE: Final = re.compile(r".*")
_OTHER_LANGUAGES: Final = re.compile(r"(?:nodejs|java|ruby|dotnet|dotnetcore|go)[0-9.x]*(?:al2|al2023)?|custom")


class UnpublishableFile(UsageError):
    """A file that is no layer."""

    def __init__(self, *, path: Path, why: str, hint: str = "name zips that `layerkit build` wrote") -> None:
        super().__init__(f"`{path}` cannot be published: {why}", hint=hint)


class ChangedSinceRead(UnpublishableFile):
    """A zip that somebody changed, or took away, while it was being published."""

    def __init__(self, *, path: Path) -> None:
        super().__init__(path=path, why="it has changed since it was read", hint="run the command again")


class TooLargeForLambda(UnfitError):
    """A layer over a limit; AWS was not asked."""

    def __init__(self, *, path: Path, unzipped_bytes: int) -> None:
        limit = limits().unzipped_bytes
        super().__init__(
            f"`{path}` cannot be published: {unzipped_bytes:,} bytes unzipped, and Lambda takes less than {limit:,}",
            hint=f"see what takes the room with `layerkit audit {path}`",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Labels:
    """What to publish a zip as that has no manifest, or otherwise than its manifest says."""

    name: str | None = None
    runtimes: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()


def read_artifacts(paths: tuple[Path, ...], *, labels: Labels, template: str) -> tuple[Artifact, ...]:
    """Read every layer; two of one published name are refused.

    Raises ``UnpublishableFile`` and ``TooLargeForLambda``.
    """
    artifacts = tuple(read_artifact(path, labels=labels, template=template) for path in paths)
    seen: dict[str, Path] = {}
    for artifact in artifacts:
        other = seen.setdefault(artifact.layer_name, artifact.path)
        if other != artifact.path:
            raise UnpublishableFile(
                path=artifact.path,
                why=f"it would be `{artifact.layer_name}`, and so would `{other}`",
                hint="give one of them another name, or make `layer-name` in [publish] tell them apart",
            )
    return tuple({artifact.path: artifact for artifact in artifacts}.values())


def read_artifact(path: Path, *, labels: Labels, template: str) -> Artifact:
    """Read a zip with the manifest beside it, or a manifest with its zip, or a zip alone."""
    zip_path = path.with_name(path.name.removesuffix(_MANIFEST) + ".zip") if path.name.endswith(_MANIFEST) else path
    sha256 = _sha256(zip_path)
    manifest = _manifest_of(zip_path)
    if manifest is not None and manifest["sha256"] != sha256.hex():
        raise UnpublishableFile(
            path=zip_path,
            why="it has changed since its manifest was written",
            hint="build it again, or remove the manifest and publish it with `--name`, `--runtime` and `--arch`",
        )
    with zip_path.open("rb") as stream:
        entries = _entries(stream, zip_path)
        unzipped_bytes = sum(entry.unzipped_bytes for entry in entries)
        if unzipped_bytes >= limits().unzipped_bytes:
            raise TooLargeForLambda(path=zip_path, unzipped_bytes=unzipped_bytes)
        described: Mapping[str, Any] = manifest or {"content_digest": _digest(stream, entries, zip_path)}
    runtimes = labels.runtimes or tuple(described.get("compatible_runtimes", ()))
    architectures = labels.architectures or tuple(described.get("compatible_architectures", ()))
    _check_labels(zip_path, runtimes, architectures, described.get("license", ""))
    name = labels.name or described.get("name", zip_path.stem)
    return Artifact(
        name=name,
        layer_name=layer_name_of(template, name=name, runtimes=runtimes, architectures=architectures),
        path=zip_path,
        zipped_bytes=zip_path.stat().st_size,
        unzipped_bytes=unzipped_bytes,
        code_sha256=base64.b64encode(sha256).decode(),
        content_digest=described["content_digest"].removeprefix("sha256:"),
        runtimes=runtimes,
        architectures=architectures,
        description=described.get("description", ""),
        license=described.get("license", ""),
    )


def _sha256(path: Path) -> bytes:
    try:
        return sha256_of(path)
    except OSError as exc:
        raise UnpublishableFile(path=path, why=system_reason(exc)) from exc


def _manifest_of(path: Path) -> Mapping[str, Any] | None:
    manifest = path.with_name(path.name.removesuffix(".zip") + _MANIFEST)
    try:
        layer = json.loads(manifest.read_text(encoding="utf-8"))["layers"][0]
        return _checked_manifest(layer)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, LookupError, TypeError, RecursionError) as exc:
        raise UnpublishableFile(
            path=manifest, why="it is no manifest of a layer", hint="build the layer again"
        ) from exc


def _checked_manifest(layer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what publishing needs of a manifest. Raises ``ValueError``, ``KeyError`` or ``TypeError``."""
    texts = {key: layer[key] for key in ("sha256", "content_digest", "name")}
    texts |= {key: layer.get(key) or "" for key in ("description", "license")}
    lists = {key: layer.get(key) or [] for key in ("compatible_runtimes", "compatible_architectures")}
    if not all(isinstance(text, str) for text in texts.values()):
        raise TypeError
    if not all(isinstance(found, list) and all(isinstance(one, str) for one in found) for found in lists.values()):
        raise TypeError
    if not _DIGEST.fullmatch(texts["content_digest"]):
        raise ValueError(texts["content_digest"])
    return texts | lists


def _check_labels(path: Path, runtimes: Sequence[str], architectures: Sequence[str], licence: str) -> None:
    """Refuse what Lambda would refuse."""
    allowed = limits()
    for name in runtimes:
        if name not in known_runtimes() and not _OTHER_LANGUAGES.fullmatch(name):
            raise UnknownRuntimeError(name=name, valid=tuple(known_runtimes()))
    for name in architectures:
        if name not in set(Architecture):
            raise UnknownArchitectureError(name=name, valid=tuple(Architecture))
    if len(set(runtimes)) > allowed.compatible_runtimes:
        raise UnpublishableFile(
            path=path,
            why=f"it is for {len(set(runtimes))} runtimes, and Lambda takes at most {allowed.compatible_runtimes}",
            hint="choose some of them with `--runtime`",
        )
    if len(licence) > allowed.license_length or not _ONE_LINE.fullmatch(licence):
        raise UnpublishableFile(
            path=path,
            why=f"Lambda takes a licence of one line with at most {allowed.license_length} characters",
            hint="shorten `license` in the recipe, for example to an SPDX expression or an address",
        )


def _entries(stream: BinaryIO, path: Path) -> tuple[ZipEntry, ...]:
    """Return the files of a zip, whoever made it; links are files, too. What Lambda cannot unpack is refused."""
    try:
        entries = tuple(entry for entry in list_entries(stream) if not entry.name.endswith("/"))
    except ZipProblem as exc:
        raise UnpublishableFile(path=path, why=str(exc), hint="`layerkit audit` tells more about it") from exc
    if not entries:
        raise UnpublishableFile(path=path, why="it holds no files, and Lambda takes no empty layer")
    for entry in entries:
        why = unsafe_name(entry.name)
        if entry.flags & ENCRYPTED or entry.method not in {STORED, DEFLATED}:
            why = "is encrypted or compressed in a way that Lambda cannot unpack"
        if why is not None:
            raise UnpublishableFile(path=path, why=f"`{entry.name}` in it {why}")
    return entries


def _digest(stream: BinaryIO, entries: tuple[ZipEntry, ...], path: Path) -> str:
    return content_digest(_identities(stream, sorted(entries, key=lambda entry: entry.name), path))


def _identities(stream: BinaryIO, entries: list[ZipEntry], path: Path) -> Iterator[tuple[str, int, str]]:
    for entry in entries:
        try:
            stream.seek(data_offset(stream, entry))
            content = _content(stream.read(entry.compressed_bytes), entry)
        except (ZipProblem, deflate.DeflateError) as exc:
            raise UnpublishableFile(path=path, why=f"`{entry.name}` in it is damaged") from exc
        kind = stat.S_IFLNK if stat.S_ISLNK(entry.mode) else 0
        yield entry.name, entry.mode & 0o777 | kind, hashlib.sha256(content).hexdigest()


def _content(data: bytes, entry: ZipEntry) -> bytes:
    """Return an entry's content. Raises ``ZipProblem`` or ``DeflateError`` unless it is what the directory says."""
    content = data
    if entry.method == DEFLATED:
        content = bytes(deflate.deflate_decompress(data, entry.unzipped_bytes)) if entry.unzipped_bytes else b""
    if len(content) != entry.unzipped_bytes or deflate.crc32(content) != entry.crc32:
        raise ZipProblem(entry.name)
    return content
