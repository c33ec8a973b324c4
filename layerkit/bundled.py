"""The distributions that a Python runtime brings itself, as a folder: locked, fetched and linked as a layer would be.

The versions are those that the facts know; where one has no wheel for the target, or contradicts another, the
resolver chooses one that does.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from layerkit.cache import Cache
from layerkit.errors import FetchError, LayerkitError, ResolutionError
from layerkit.model.target import PythonTarget
from layerkit.progress import Progress
from layerkit.sandbox.interpreters import Interpreter
from layerkit.sandbox.process import run

if TYPE_CHECKING:
    from layerkit.index import IndexSource
    from layerkit.order import Order

_BUCKET: Final = "runtimes"
_CLIENT: Final = "awslambdaric"
_FORM: Final = "1"  # of what is in the cache
_PATIENCE: Final = 300.0  # seconds to compile everything


class NoRuntime(FetchError):
    """The runtime's own distributions cannot be had."""

    def __init__(self, *, runtime: str, failure: LayerkitError) -> None:
        super().__init__(
            f"what {runtime} brings itself (AWS's runtime client, boto3) could not be fetched: {failure.message}",
            details=failure.details,
            hint=failure.hint,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """Where it is fetched from: the fields of an ``IndexSource`` that were said, or, ``offline``, caches alone."""

    index: Mapping[str, Any] = field(default_factory=dict, repr=False)
    offline: bool = False

    def index_source(self) -> "IndexSource":
        """Return what was said of indexes, as the resolver takes it."""
        from layerkit.index import IndexSource

        return IndexSource(**self.index)


class Compiler(Protocol):
    """Whoever compiles modules; ``build`` is the whole text of its Python's ``sys.version``."""

    @property
    def build(self) -> str: ...  # noqa: D102

    def compile(self, folder: Path) -> None:
        """Compile all modules in a folder; those that cannot be compiled are left as they are."""


@dataclass(frozen=True, slots=True)
class CompilerHere:
    """Compiles by an interpreter of this machine."""

    interpreter: Interpreter

    @property
    def build(self) -> str:
        """The whole text of ``sys.version``."""
        return self.interpreter.build

    def compile(self, folder: Path) -> None:
        """Compile all modules in a folder; those that cannot be compiled are left as they are."""
        command = [str(self.interpreter.path), "-I", "-S", "-m", "compileall", "-q", "-j", "0", "--invalidation-mode"]
        run([*command, "unchecked-hash", str(folder)], timeout=_PATIENCE)


def bundled_folder(
    target: PythonTarget, compiler: Compiler, *, cache: Cache, progress: Progress, source: Source
) -> Path:
    """Return a folder with the runtime's own distributions; nobody may write into it. Raises ``NoRuntime``."""
    pins = tuple(f"{each.name}=={each.version}" for each in target.runtime.bundled)
    wanted = [_FORM, target.identifier, compiler.build, *pins]
    key = hashlib.sha256("\n".join(wanted).encode()).hexdigest()
    if found := cache.find_folder(_BUCKET, key):
        return found
    from layerkit.invoke.unpack import unpack

    progress.tell(f"Fetching what {target.runtime.name} brings itself: AWS's runtime client, boto3")
    with tempfile.TemporaryDirectory(prefix="layerkit-") as name, cache.store_folder(_BUCKET, key) as folder:
        layer = Path(name) / "layer"
        layer.mkdir()
        unpack(_zip_of(target, Path(name), pins, cache=cache, source=source), layer)
        for path in sorted((layer / "python").iterdir()):
            shutil.move(path, folder / path.name)  # the cache may be on another file system
        compiler.compile(folder)  # what Lambda has compiled need not be compiled at every start here
    return cache.path(_BUCKET, key)


def _zip_of(target: PythonTarget, folder: Path, pins: tuple[str, ...], *, cache: Cache, source: Source) -> Path:
    """Build the set as one layer, with the versions known, else with newer ones, else with whatever there is."""
    from layerkit.build import BuildOptions, build_all
    from layerkit.lock.obtain import LockMode
    from layerkit.order import Job
    from layerkit.places import SupplyOptions

    failures: list[LayerkitError] = []
    client = () if any(pin.startswith(_CLIENT) for pin in pins) else (_CLIENT,)
    for compared in ("==", ">=", "\n"):
        requirements = tuple(pin.replace("==", compared).partition("\n")[0] for pin in pins)
        order = _order(target, folder, (*requirements, *client), source)
        supply = SupplyOptions(cache=cache, mode=LockMode(offline=source.offline))
        layers, failed = build_all([Job(order=order, target=target)], BuildOptions(out=folder, supply=supply))
        if layers:
            return layers[0].path
        failures += [each.error for each in failed]
        if not isinstance(failures[0], ResolutionError):
            break
    raise NoRuntime(runtime=target.runtime.name, failure=failures[0])


def _order(target: PythonTarget, folder: Path, requirements: tuple[str, ...], source: Source) -> "Order":
    from layerkit.model.recipe import Build, Builder, Layer, Prune, PruneProfile, Recipe
    from layerkit.order import Order

    recipe = Recipe(
        path=folder / "recipe.toml",
        layer=Layer(
            name="runtime",
            requirements=requirements,
            runtimes=(target.runtime.name,),
            architectures=(target.architecture,),
        ),
        build=Build(builder=Builder.WHEELS, strip=False),
        prune=Prune(profile=PruneProfile.NONE),
    )
    return Order(recipe=recipe, lock_folder=folder, index=source.index_source())
