"""From what the user names to contents: a zip, a folder, a manifest; a manifest beside a zip tells more about it."""

import json
import tarfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from layerkit.audit.folder_source import read_folder
from layerkit.audit.zip_source import Memory, UnreadableLayer, read_zip
from layerkit.cache import Cache
from layerkit.errors import system_reason
from layerkit.files import sha256_of
from layerkit.model.contents import Contents
from layerkit.model.finding import Code, Finding, Severity

_MANIFEST: Final = ".layer.json"


def read_source(path: Path, *, where: str, deep: bool, cache: Cache) -> Contents:
    """Read a layer or a function's code. Raises ``UnreadableLayer`` and ``UnreadableFolder``."""
    if path.name.endswith(_MANIFEST):
        path = _zip_beside(path, where)
    try:
        if path.is_dir():
            return read_folder(path, where=where)
        if not path.is_file():
            why = "it is no file" if path.exists() else "there is no such file"
            raise UnreadableLayer(where=where, why=why)
        _refuse_relatives(path, where)
        manifest = _manifest_of(path)
        with path.open("rb") as stream, ThreadPoolExecutor(1) as hashing:
            if not deep and manifest is None:
                return read_zip(stream, where=where)
            sha256 = hashing.submit(lambda: sha256_of(path).hex())
            contents = read_zip(stream, where=where, deep=deep, memory=Memory(cache=cache, sha256=sha256.result))
        return _described(contents, manifest, sha256.result())
    except OSError as exc:
        raise UnreadableLayer(where=where, why=system_reason(exc)) from exc


def _zip_beside(manifest: Path, where: str) -> Path:
    path = manifest.with_name(manifest.name.removesuffix(_MANIFEST) + ".zip")
    if manifest.is_file() and not path.exists():
        why = f"it is a manifest, and its zip `{path.name}` is not beside it"
        raise UnreadableLayer(where=where, why=why, hint="build it again, or put the zip beside the manifest")
    return path


def _refuse_relatives(path: Path, where: str) -> None:
    if path.suffix == ".whl":
        hint = f"build a layer of it with `layerkit build {where}`"
        raise UnreadableLayer(where=where, why="it is a wheel, and a wheel is not laid out as a layer", hint=hint)
    if path.suffix != ".zip" and tarfile.is_tarfile(path):
        raise UnreadableLayer(where=where, why="it is a tar archive, and Lambda takes zips only")


def _described(contents: Contents, manifest: Mapping[str, Any] | None, sha256: str) -> Contents:
    """Add what the manifest beside the zip says, if it speaks of this very zip."""
    if manifest is None:
        return contents
    if manifest.get("sha256") != sha256:
        stale = Finding(
            code=Code.ZIP_DAMAGED,
            severity=Severity.WARNING,
            where=contents.where,
            message="it has changed since the manifest beside it was written; what that says is not believed",
            hint="build it again, or remove the manifest",
        )
        return replace(contents, findings=(*contents.findings, stale))
    return replace(
        contents,
        name=next(_texts([manifest.get("name")]), None),
        runtimes=tuple(_texts(manifest.get("compatible_runtimes"))),
        architectures=tuple(_texts(manifest.get("compatible_architectures"))),
    )


def _texts(values: object) -> Iterator[str]:
    yield from (value for value in values if isinstance(value, str)) if isinstance(values, list) else ()


def _manifest_of(path: Path) -> Mapping[str, Any] | None:
    try:
        layer = json.loads(path.with_name(f"{path.stem}{_MANIFEST}").read_text(encoding="utf-8"))["layers"][0]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None
    return layer if isinstance(layer, dict) else None
