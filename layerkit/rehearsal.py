"""A function with its layers, tried on this machine: checked as Lambda would, made ready, invoked.

Stands above the rooms like ``build.py``: the runtime's own distributions come through the pipeline, as a layer does.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from layerkit.bundled import Source
from layerkit.cache import Cache
from layerkit.errors import UsageError
from layerkit.facts import Architecture, newest_python
from layerkit.invoke.environment import EMULATION, Environment
from layerkit.invoke.function import Function
from layerkit.model.target import PythonTarget, Target, make_target
from layerkit.progress import Progress
from layerkit.rehearsal_layers import (
    Layer,
    LayersDoNotFit,
    NoSuchLayer,
    TooManyLayers,
    check_layers,
    merged_layers,
    read_layers,
)
from layerkit.sandbox.machine import Machine
from layerkit.venue import Cast, Venue, VenueWish, venue_for

if TYPE_CHECKING:
    from layerkit.invoke.import_profile import ImportProfile

__all__ = [
    "CodeUnreadable",
    "Layer",
    "LayersDoNotFit",
    "NoCode",
    "NoSuchLayer",
    "TooManyLayers",
    "Wish",
    "read_layers",
    "rehearsal",
    "target_for",
]


class NoCode(UsageError):
    """No code for the function."""

    def __init__(self, *, path: Path) -> None:
        super().__init__(f"there is no code at `{path}`", hint="name the function's folder or zip with `--code`")


class CodeUnreadable(UsageError):
    """A file that is no function's code."""

    def __init__(self, *, path: Path) -> None:
        folder = f"the folder that it lies in: `--code {path.parent}`"
        super().__init__(
            f"`{path}` is no code that Lambda takes: it is neither a folder nor a zip",
            hint=f"name {folder if path.suffix == '.py' else 'a folder or a zip'}",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What is to be invoked, as the command line has it; ``force`` tries also what Lambda would refuse.

    With ``profile`` the imports of its start are timed.
    """

    code: Path
    layers: tuple[Layer, ...]
    function: Function
    force: bool = False
    source: Source = field(default_factory=Source)
    quiet: bool = False
    profile: bool = False
    venue: VenueWish = field(default_factory=VenueWish)


def target_for(runtime: str | None, layers: Sequence[Layer], *, today: date, architecture: str | None = None) -> Target:
    """Return the target for a runtime: if none is named, one that all layers are meant for, else the newest.

    The architecture is this machine's if none is named, unless none of the layers is meant for it. Raises as
    ``make_target`` does.
    """
    meant = [layer.runtimes for layer in layers if layer.runtimes]
    common = [name for name in (meant[0] if meant else ()) if all(name in names for names in meant)]
    newest = newest_python(today).name
    name = runtime or (newest if newest in common or not common else common[-1])
    return make_target(name, architecture or _architecture_for(layers))


def _architecture_for(layers: Sequence[Layer]) -> str:
    own = Machine.this().architecture or Architecture.X86_64
    meant = [layer.architectures for layer in layers if layer.architectures]
    return own if not meant or any(own in names for names in meant) else meant[0][0]


@contextlib.contextmanager
def rehearsal(wish: Wish, *, cache: Cache, progress: Progress, log: Callable[[str], None]) -> Iterator[Environment]:
    """Make everything ready for a function's invocations; nothing is left when the block ends.

    Raises ``TooManyLayers``, ``LayersDoNotFit``, ``NowhereToInvoke``, ``NoRuntime``, ``NoCode``, ``LayerUnreadable``.
    """
    function = wish.function
    _check(wish)
    with contextlib.ExitStack() as stack:
        opt = stack.enter_context(merged_layers(wish.layers, cache))
        if (opt / "extensions").is_dir():
            progress.tell("note: extensions are not started here: those in /opt/extensions see no invocation")
        cast = Cast(target=function.target, code=wish.code, opt=opt, tmp=function.tmp, source=wish.source)
        venue = stack.enter_context(venue_for(cast, wish.venue, cache=cache, progress=progress))
        environment = Environment(
            function=function,
            space=venue.space,
            environ=venue.environ,
            log=log,
            quiet=wish.quiet,
            profile=_profile(venue) if wish.profile else None,
            patience=EMULATION if venue.emulated else 1.0,
        )
        with environment.opened():
            yield environment


def _profile(venue: Venue) -> "ImportProfile":
    from layerkit.invoke.import_owners import find_owners
    from layerkit.invoke.import_profile import ImportProfile

    find = partial(find_owners, venue.parts, version=venue.version, library=venue.library)
    return ImportProfile(find_owners=find)


def _check(wish: Wish) -> None:
    if wish.profile and not isinstance(wish.function.target, PythonTarget):
        from layerkit.invoke.import_profile import NoImports

        raise NoImports(runtime=wish.function.target.runtime.name)
    _check_code(wish.code)
    if not wish.force:
        check_layers(wish.layers, wish.function, wish.code)


def _check_code(code: Path) -> None:
    if not code.is_file() and not _is_folder(code):
        raise NoCode(path=code)
    if code.is_file():
        from zipfile import is_zipfile

        if not is_zipfile(code):
            raise CodeUnreadable(path=code)


def _is_folder(path: Path) -> bool:
    try:
        return path.absolute().is_dir()
    except FileNotFoundError:  # this process's own folder is gone
        return False
