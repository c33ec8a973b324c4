"""The layers of a function that is to be invoked here: found, read as far as need be, and refused if they do not fit.

A layer is a zip, a folder laid out as ``/opt`` is, or a version in AWS. What layerkit's own manifest says is believed;
into the layers of others a look is taken.
"""

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from layerkit.cache import Cache
from layerkit.errors import UnfitError, UsageError
from layerkit.facts import limits
from layerkit.invoke.function import Function
from layerkit.invoke.merge import merged, sha256_of
from layerkit.invoke.unreadable import LayerUnreadable
from layerkit.model.limits import MIB, format_mib
from layerkit.model.target import Target, buildable_runtimes
from layerkit.progress import Progress

if TYPE_CHECKING:
    from layerkit.invoke.listing import Listing

_MANIFEST: Final = ".layer.json"
_RECIPE: Final = "recipe.toml"
_TARS: Final = (".tar", ".tgz", ".tar.gz", ".tar.xz", ".tar.bz2")
_ANYWHERE: Final = "PYTHONPATH"  # with it, Python looks at more than Lambda's own folders


class NoSuchLayer(UsageError):
    """A layer that is not there, or something else that is no layer."""

    def __init__(self, *, path: Path, why: str, hint: str | None = None) -> None:
        super().__init__(
            f"layer `{path}` cannot be used: {why}",
            hint=hint or "name a zip, a folder that is laid out as `/opt`, a manifest, or the ARN of a layer version",
        )


class TooManyLayers(UsageError):
    """More layers than a function can have."""

    def __init__(self, *, number: int) -> None:
        most = limits().layers_per_function
        super().__init__(
            f"{number} layers are more than the {most} that a function can have",
            hint="make one of several, or try all the same with `--force`",
        )


class LayersDoNotFit(UnfitError):
    """Layers that are meant for another target, laid out for none, or too large; all that is wrong with them."""

    def __init__(
        self, *, target: str, problems: Sequence[str], only_layout: bool = False, only_size: bool = False
    ) -> None:
        size = "leave something out (`layerkit audit` tells what takes the room), or try all the same with `--force`"
        other = "name another `--runtime`, take the layers that were built for it, or try all the same with `--force`"
        layout = (
            "a layer has its packages below `python/`, as `pip install --target python …` puts them; what is the"
            " function's own code is named with `--code`; `--force` tries it as it is"
        )
        super().__init__(
            f"this stack would not work on {target}",
            details=problems,
            hint=layout if only_layout else size if only_size else other,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Layer:
    """A layer: ``path`` is its zip or folder, ``name`` what it is called in messages.

    ``runtimes`` and ``architectures`` are what it is meant for, by the manifest beside it; without one, the runtimes
    are those of the files in it, or that Lambda names. ``listing`` is what is in it, if no manifest tells about it,
    ``unzipped_bytes`` how much. ``sha256`` (hex) is the zip's, where somebody has read all of it.
    """

    path: Path
    name: str
    runtimes: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()
    unzipped_bytes: int = 0
    sha256: str | None = field(default=None, compare=False)
    listing: "Listing | None" = field(default=None, repr=False, compare=False)

    @classmethod
    def read(cls, path: Path) -> "Layer":
        """Read a zip, with what is beside it; the zip beside a manifest; a folder.

        Raises ``NoSuchLayer`` and ``LayerUnreadable``.
        """
        if not path.parts:
            raise NoSuchLayer(path=path, why="its name is empty")
        if path.name.endswith(_MANIFEST):
            path = _zip_beside(path)
        if path.is_dir():
            _refuse_folder(path)
            return cls.undescribed(path, name=path.name or str(path))
        if not path.is_file():
            raise NoSuchLayer(path=path, why="it is no file" if path.exists() else "there is no such file")
        manifest = _manifest_of(path)
        sha256 = sha256_of(path) if manifest else None
        if manifest.get("sha256") != sha256 or not manifest:
            _refuse_file(path)
            return cls.undescribed(path, name=path.name, sha256=sha256)
        return cls(
            path=path,
            name=path.name,
            runtimes=tuple(map(str, manifest.get("compatible_runtimes", ()))),
            architectures=tuple(map(str, manifest.get("compatible_architectures", ()))),
            unzipped_bytes=int(manifest.get("unzipped_bytes", 0)),
            sha256=sha256,
        )

    @classmethod
    def undescribed(cls, path: Path, *, name: str, sha256: str | None = None, runtimes: Sequence[str] = ()) -> "Layer":
        """Look into a layer that no manifest tells about; ``runtimes`` are those that its publisher names, if any."""
        from layerkit.invoke.listing import Listing
        from layerkit.rehearsal_fit import suited_runtimes

        listing = Listing.of(path)
        named = tuple(each for each in buildable_runtimes() if each in runtimes)
        return cls(
            path=path,
            name=name,
            runtimes=named or suited_runtimes(listing.sizes),
            unzipped_bytes=listing.total,
            sha256=sha256,
            listing=listing,
        )


def read_layers(said: Sequence[str], *, cache: Cache, progress: Progress, offline: bool = False) -> tuple[Layer, ...]:
    """Return the layers that are named by their paths, or by their ARNs in AWS.

    Raises what ``Layer.read`` raises, ``MalformedArnError``, and what ``fetch_version`` raises.
    """
    return tuple(
        _in_aws(each, cache=cache, progress=progress, offline=offline)
        if each.startswith("arn:")
        else Layer.read(Path(each))
        for each in said
    )


@contextlib.contextmanager
def merged_layers(layers: Sequence[Layer], cache: Cache) -> Iterator[Path]:
    """Give the folder that is to be ``/opt``; nobody may write into it. Raises ``LayerUnreadable``."""
    known = {layer.path: layer.sha256 for layer in layers if layer.sha256 is not None}
    with merged([layer.path for layer in layers], cache, known=known) as folder:
        yield folder


def check_layers(layers: Sequence[Layer], function: Function, code: Path) -> None:
    """Refuse what Lambda would, and layers that do not fit. Raises ``TooManyLayers`` and ``LayersDoNotFit``."""
    if len(layers) > limits().layers_per_function:
        raise TooManyLayers(number=len(layers))
    looks_anywhere = _ANYWHERE in function.variables
    layout = [] if looks_anywhere else [*_laid_out_wrong(layers, function.target)]
    others, size = [*_problems(layers, function.target)], [*_too_large(layers, code)]
    if layout or others or size:
        raise LayersDoNotFit(
            target=function.target.identifier,
            problems=[*layout, *others, *size],
            only_layout=not others and not size,
            only_size=not layout and not others,
        )


def _in_aws(said: str, *, cache: Cache, progress: Progress, offline: bool) -> Layer:
    from layerkit.model.arn import LayerVersionArn
    from layerkit.rehearsal_arn import fetch_version

    arn = LayerVersionArn.parse(said)
    found = fetch_version(arn, cache=cache, progress=progress, offline=offline)
    name = f"{arn.name}:{arn.version}"
    return Layer.undescribed(found.path, name=name, sha256=found.sha256, runtimes=found.runtimes)


def _problems(layers: Sequence[Layer], target: Target) -> Iterator[str]:
    for layer in layers:
        if layer.listing is not None:
            from layerkit.rehearsal_fit import misfits

            yield from (f"`{layer.name}`: {reason}" for reason in misfits(layer.listing, target))
            continue
        for meant, wanted in ((layer.runtimes, target.runtime.name), (layer.architectures, str(target.architecture))):
            if meant and wanted not in meant:
                yield f"`{layer.name}` is for {', '.join(meant)}, not for {wanted}"


def _laid_out_wrong(layers: Sequence[Layer], target: Target) -> Iterator[str]:
    for layer in layers:
        if layer.listing is not None:
            from layerkit.rehearsal_fit import laid_out_wrong

            yield from (f"`{layer.name}`: {reason}" for reason in laid_out_wrong(layer.listing, target))


def _too_large(layers: Sequence[Layer], code: Path) -> Iterator[str]:
    size = sum(layer.unzipped_bytes for layer in layers) + _code_bytes(code)
    if size >= limits().unzipped_bytes:
        most = limits().unzipped_bytes // MIB
        yield f"code and layers are {format_mib(size)} unzipped, and Lambda takes less than {most} MiB"


def _code_bytes(code: Path) -> int:
    if code.is_file():
        from layerkit.invoke.listing import Listing

        return Listing.of(code).total
    size = 0
    for folder, _, names in os.walk(code):  # which follows no links, and passes over what may not be read
        for name in names:
            with contextlib.suppress(OSError):
                size += Path(folder, name).lstat().st_size
    return size


def _zip_beside(manifest: Path) -> Path:
    path = manifest.with_name(manifest.name.removesuffix(_MANIFEST) + ".zip")
    if manifest.is_file() and not path.exists():
        why = f"it is a manifest, and its zip `{path.name}` is not beside it"
        raise NoSuchLayer(path=manifest, why=why, hint="build it again, or put the zip beside the manifest")
    return path


def _manifest_of(path: Path) -> dict[str, Any]:
    """Return what the manifest beside a zip says; nothing if there is none that can be read."""
    try:
        manifest = json.loads(path.with_name(f"{path.stem}{_MANIFEST}").read_text(encoding="utf-8"))["layers"][0]
        return dict(manifest)
    except (OSError, ValueError, LookupError, TypeError):
        return {}


def _refuse_file(path: Path) -> None:
    """Refuse what people have beside zips."""
    if path.suffix == ".whl":
        hint = f"build a layer of it with `layerkit build {path}`"
        raise NoSuchLayer(path=path, why="it is a wheel, and a wheel is not laid out as a layer", hint=hint)
    if path.suffix == ".toml":
        raise NoSuchLayer(path=path, why="it is a recipe", hint=f"build it with `layerkit build {path}`")
    if path.name.endswith(_TARS):
        raise NoSuchLayer(path=path, why="it is a tar archive, and Lambda takes zips only")


def _refuse_folder(path: Path) -> None:
    """Refuse a folder in which nothing lies as in a layer, if it is known what it is instead."""
    from layerkit.rehearsal_fit import FOLDERS

    try:
        names = [each.name for each in path.iterdir()]
    except OSError as exc:
        raise LayerUnreadable.because(exc, path=path) from exc
    if not names:
        raise NoSuchLayer(path=path, why="the folder is empty")
    if FOLDERS.intersection(names):
        return
    if _RECIPE in names:
        raise NoSuchLayer(path=path, why="it is a recipe", hint=f"build it with `layerkit build {path}`")
    zips = sorted(name for name in names if name.endswith(".zip"))
    if zips and all(name.endswith((".zip", ".json", ".toml")) for name in names):
        raise NoSuchLayer(path=path, why="it is a folder of zips", hint=f"name its zips: `--layer {path / zips[0]}`")
    if path.resolve().name == "python":
        hint = f"name the folder that it lies in: `{path.parent}`"
        raise NoSuchLayer(path=path, why="it is what a layer has in its folder `python`", hint=hint)
