"""Bytecode for Lambda: unchecked-hash pyc files that name ``/opt/…`` paths, the same bytes for the same interpreter.

Compiled by an interpreter of the target's minor version in a process of its own, once per wheel, interpreter and place;
kept in the cache.
"""

import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Final

import deflate

from layerkit.assemble import compile_files
from layerkit.assemble.fragment import Fragment, FragmentFile
from layerkit.assemble.layout import ExtraFile, LayerFile, Placement, made
from layerkit.assemble.prepare import ChangedWhileRead
from layerkit.assemble.prune import Selection
from layerkit.cache import Cache
from layerkit.errors import BuildError
from layerkit.formats.wheel import Scheme
from layerkit.formats.zip_writer import ZipHeader
from layerkit.sandbox.interpreters import Interpreter
from layerkit.sandbox.process import run

_BUCKET: Final = "bytecode"
_FORMAT: Final = 2


class CompilationFailed(BuildError):
    """The interpreter that should compile ended with an error."""

    def __init__(self, *, interpreter: Interpreter, output: str) -> None:
        super().__init__(
            f"Python {interpreter.version} at `{interpreter.path}` could not compile the layer's modules",
            details=output.splitlines()[-5:],
        )


def bytecode_of(
    selection: Selection, *, placement: Placement, interpreter: Interpreter, cache: Cache
) -> tuple[LayerFile, ...]:
    """Return a pyc for each module of the selection that compiles.

    Raises ``CompilationFailed``, ``DamagedEntry`` or ``ChangedWhileRead``.
    """
    fragment = selection.fragment
    modules = {
        f"/opt/{placement.name(Scheme.LIB, file.path, distribution=fragment.distribution)}": file
        for file in selection.kept
        if file.scheme is Scheme.LIB and file.path.endswith(".py")
    }
    if not modules:
        return ()
    key = _key(fragment.wheel_sha256, interpreter, modules)
    if (found := _load(cache.path(_BUCKET, key), owner=fragment.distribution)) is not None:
        return found
    _compile(fragment, modules, key, interpreter=interpreter, cache=cache)
    if (made_now := _load(cache.path(_BUCKET, key), owner=fragment.distribution)) is None:
        raise ChangedWhileRead(path=cache.path(_BUCKET, key))
    return made_now


def _key(wheel_sha256: str, interpreter: Interpreter, modules: Mapping[str, FragmentFile]) -> str:
    parts = (_FORMAT, wheel_sha256, interpreter.version, interpreter.build, sorted(modules))
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _pyc_name(path: str, interpreter: Interpreter) -> str:
    module = PurePosixPath(path)
    tag = "".join(interpreter.version.split(".")[:2])
    return str(module.parent / "__pycache__" / f"{module.stem}.cpython-{tag}.pyc")


def _compile(
    fragment: Fragment, modules: Mapping[str, FragmentFile], key: str, *, interpreter: Interpreter, cache: Cache
) -> None:
    for file in modules.values():
        fragment.compressed(file)  # bytecode of a damaged source would outlive the damage
    with tempfile.TemporaryDirectory(prefix="layerkit-") as folder:
        out = Path(folder, "pyc")
        sources = {
            place: (str(fragment.source_of(file)), file.offset, file.compressed_bytes, file.method)
            for place, file in modules.items()
        }
        order = json.dumps({"files": sources, "out": str(out)})
        command = [str(interpreter.path), "-S", "-s", "-X", "utf8", compile_files.__file__]
        environment = {"PYTHONHASHSEED": "0"}  # before 3.11, the order of constant sets followed it
        done = run(command, stdin=order, environment=environment, folder=Path(folder))
        if not done.ok:
            raise CompilationFailed(interpreter=interpreter, output=done.stderr)
        with cache.store(_BUCKET, key) as stream, out.open("rb") as compiled:
            for place, length in json.loads(done.stdout).items():
                if length >= 0:
                    name = _pyc_name(place.removeprefix("/opt/"), interpreter)
                    _append(stream, name, compiled.read(length), owner=fragment.distribution)


def _append(stream: BinaryIO, name: str, content: bytes, *, owner: str) -> None:
    """Write one file: a line of JSON that tells what follows, then its compressed bytes."""
    file = made(ExtraFile(name=name, content=content, executable=False, owner=owner))
    header = file.header
    row = [name, header.method, header.crc32, header.compressed_bytes, header.unzipped_bytes, file.sha256]
    stream.write(json.dumps([*row, deflate.crc32(file.data)]).encode() + b"\n" + file.data)


def _load(path: Path, *, owner: str) -> tuple[LayerFile, ...] | None:
    """Return what was kept, or ``None`` if nothing was or it is damaged."""
    try:
        with path.open("rb") as stream:
            return tuple(_read(stream, path, owner))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def _read(stream: BinaryIO, path: Path, owner: str) -> Iterator[LayerFile]:
    while line := stream.readline():
        name, method, crc32, compressed, unzipped, sha256, checksum = json.loads(line)
        header = ZipHeader(
            name=name,
            executable=False,
            method=method,
            crc32=crc32,
            compressed_bytes=compressed,
            unzipped_bytes=unzipped,
        )
        yield LayerFile(
            header=header,
            sha256=sha256,
            owner=owner,
            source=path,
            offset=stream.tell(),
            checksum=checksum,
            data=b"",
        )
        if deflate.crc32(stream.read(compressed)) != checksum:
            raise ValueError(f"{path} is damaged")
