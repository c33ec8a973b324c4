"""sdist -> wheel in a target's own surroundings: built by pip's rules, repaired by auditwheel, held to the target.

A wheel that was built from the same inputs before comes from the cache, and then no place is opened.
"""

import contextlib
import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

from layerkit.cache import Cache
from layerkit.formats.wheel import WheelName
from layerkit.model.lock import LockedPackage
from layerkit.model.target import PythonTarget
from layerkit.sandbox.container_errors import TookTooLong
from layerkit.sandbox.process import Completed
from layerkit.sandbox.runner import Order
from layerkit.sandbox.toolbox import Toolbox
from layerkit.sandbox.workshop import Workshop
from layerkit.wheelhouse.build import BuiltWheel, find_built, normalize_wheel, store_built, unpack_sdist
from layerkit.wheelhouse.build_log import BuildLog, build_log
from layerkit.wheelhouse.fit import Binary, Surroundings, binaries_in, check_fit, check_symbols, unjudged
from layerkit.wheelhouse.libraries import CarriedLibrary, carry_libraries, find_carried
from layerkit.wheelhouse.native_errors import NativeBuildFailed, NativeBuildHung, NotTagged, RepairFailed

_FORMAT: Final = 1
_BUILD: Final = "place_build.py"
_REPORT: Final = "build.json"
_REPRODUCIBLE: Final = {"SOURCE_DATE_EPOCH": "315532800", "PYTHONHASHSEED": "0"}  # 1980-01-01, as in a zip

OpenWorkshop: TypeAlias = Callable[[], AbstractContextManager[Workshop]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Demand:
    """All that decides what comes out, apart from the sdists. ``place`` identifies an image, or an interpreter here.

    ``environment`` may hold secrets. ``libraries`` are taken along from the place into the layer's ``lib/``;
    ``beside`` are file names of libraries that the layer has from elsewhere. ``timeout`` is in seconds, for a package.
    """

    target: PythonTarget
    place: str
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    system_packages: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    beside: frozenset[str] = frozenset()
    timeout: float | None = None

    def key(self, *inputs: str) -> str:
        """Return the cache's key of what comes of ``inputs``."""
        parts = (
            _FORMAT,
            *inputs,
            self.target.identifier,
            self.place,
            Toolbox.plan(self.target.python_version).identity,
            sorted(self.environment.items()),
            sorted(self.system_packages),
            sorted(self.libraries),
            sorted(self.beside),
        )
        return hashlib.sha256(repr(parts).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True, slots=True)
class Sdist:
    """A locked package that comes as an sdist, and where the file is."""

    package: LockedPackage
    path: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Manufactured:
    """What came out: a wheel for each sdist, in their order, and the libraries that were taken along."""

    wheels: tuple[BuiltWheel, ...]
    libraries: tuple[CarriedLibrary, ...]


def build_native(sdists: Sequence[Sdist], demand: Demand, *, cache: Cache, open_workshop: OpenWorkshop) -> Manufactured:
    """Build wheels that fit the target, and take along the libraries that the demand names.

    ``open_workshop`` is called once, and only if something is not in the cache. Raises ``NativeBuildFailed``,
    ``NativeBuildHung``, ``RepairFailed``, ``DamagedSdist``; ``TooNew``, ``LibraryNotOnLambda``, ``OtherMachine``,
    ``NotTagged`` for what would not work on Lambda; ``LibraryNotInPlace``; and what opening a workshop raises.
    """
    keys = [demand.key(sdist.package.file.sha256) for sdist in sdists]
    found = [find_built(key, cache) for key in keys]
    key_of_libraries = demand.key("libraries")
    carried = find_carried(demand.libraries, key_of_libraries, cache)
    if carried is None or None in found:
        with open_workshop() as workshop:
            around = Surroundings(
                target=demand.target, others=frozenset(demand.libraries) | demand.beside, title=workshop.runner.title
            )
            if carried is None:
                carried = carry_libraries(demand.libraries, key_of_libraries, workshop, around, cache=cache)
            bench = _Bench(workshop=workshop, demand=demand, around=around, cache=cache)
            found = [wheel or bench.build(sdist, key) for wheel, sdist, key in zip(found, sdists, keys, strict=True)]
    return Manufactured(wheels=tuple(wheel for wheel in found if wheel is not None), libraries=carried)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Bench:
    """Builds one wheel after the other in one workshop."""

    workshop: Workshop
    demand: Demand
    around: Surroundings
    cache: Cache

    def build(self, sdist: Sdist, key: str) -> BuiltWheel:
        package = sdist.package
        with (
            build_log(self.cache, f"{package.name}-{package.version}-{key[:8]}") as log,
            tempfile.TemporaryDirectory(prefix="layerkit-") as folder,
        ):
            job = _Job(package=package, at=f"work/{key[:16]}", log=log)
            self.workshop.runner.put_folder(
                unpack_sdist(package, sdist.path, Path(folder, "sdist")), at=f"{job.at}/source"
            )
            report = self._make(job, Path(folder, "built"))
            wheel = self._finish(job, Path(folder, "built"), Path(folder, "repaired"))
            built_from = {**self._origin(job), **report}
            return store_built(key, self.cache, name=wheel.name, content=normalize_wheel(wheel), built_from=built_from)

    def _make(self, job: "_Job", into: Path) -> dict[str, Any]:
        """Build the wheel and fetch it with the report on its build requirements, which is returned."""
        runner = self.workshop.runner
        runner.put({_BUILD: Path(__file__).with_name(_BUILD).read_bytes(), f"{job.at}/built/.keep": b""})
        at = f"{runner.home}/{job.at}"
        done = self._run(job, [f"{runner.home}/{_BUILD}", f"{at}/source", f"{at}/built"])
        if done.ok:
            runner.get(f"{job.at}/built", into)
        if not done.ok or len(list(into.glob("*.whl"))) != 1:
            raise NativeBuildFailed(package=job.package, title=runner.title, output=job.log.text(), log=job.log.path)
        report: dict[str, Any] = json.loads((into / _REPORT).read_text(encoding="utf-8"))
        return report

    def _finish(self, job: "_Job", built: Path, repaired: Path) -> Path:
        """Return the wheel that fits the target: the one that was built if it has no native code, else repaired."""
        wheel = next(built.glob("*.whl"))
        binaries = binaries_in(wheel)
        if not binaries or WheelName.parse(wheel.name).is_pure:
            self._check(job, binaries)
            return wheel
        done = self._repair(job, wheel.name)
        if not done.ok:
            check_symbols(binaries, self.around, what=job.title)  # says more than auditwheel does, where it can
            log = job.log
            raise RepairFailed(package=job.package, title=self.around.title, output=log.text(), log=log.path)
        self.workshop.runner.get(f"{job.at}/repaired", repaired)
        wheel = next(repaired.glob("*.whl"))
        binaries = binaries_in(wheel)
        self._check(job, binaries)
        accepted = self.demand.target.rank("-".join(wheel.stem.split("-")[-3:])) is not None
        if not accepted and unjudged(binaries):  # else the symbols have the last word
            raise NotTagged(package=job.package, wheel=wheel.name, target=self.demand.target, title=self.around.title)
        return wheel

    def _repair(self, job: "_Job", wheel: str) -> Completed:
        home = self.workshop.home
        patchelf = self.workshop.bring_patchelf()
        job.more_tools["patchelf"] = patchelf.version
        path = ["env", f"PATH={patchelf.folder}:/usr/local/bin:/usr/bin:/bin"] if patchelf.folder else []
        excluded = [f"--exclude={name}" for name in self.demand.libraries]
        command = ["-m", "auditwheel", "repair", "--plat", "auto", *excluded, "-w", f"{home}/{job.at}/repaired"]
        return self._run(job, [*command, f"{home}/{job.at}/built/{wheel}"], before=path)

    def _run(self, job: "_Job", arguments: Sequence[str], *, before: Sequence[str] = ()) -> Completed:
        order = Order(
            command=[*before, self.workshop.python, "-I", *arguments],
            environment=_REPRODUCIBLE,
            timeout=self.demand.timeout,
            listener=job.log,
        )
        with self._in_time(job):
            return self.workshop.runner.run(order)

    @contextlib.contextmanager
    def _in_time(self, job: "_Job") -> Iterator[None]:
        try:
            yield
        except TookTooLong as exc:
            raise NativeBuildHung(
                package=job.package,
                title=self.around.title,
                timeout=self.demand.timeout or 0,
                output=job.log.text(),
                log=job.log.path,
            ) from exc

    def _check(self, job: "_Job", binaries: Sequence[Binary]) -> None:
        check_fit(binaries, self.around, what=job.title)

    def _origin(self, job: "_Job") -> dict[str, Any]:
        demand, package = self.demand, job.package
        origin: dict[str, Any] = {
            "sdist": package.file.name,
            "sha256": package.file.sha256,
            "place": demand.place,
            "tools": {**self.workshop.versions, **job.more_tools},
        }
        more = {
            "system_packages": sorted(demand.system_packages),
            "libraries": sorted(demand.libraries),
            "environment": sorted(demand.environment),  # the names only: values may be secret
        }
        return origin | {name: value for name, value in more.items() if value}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Job:
    """A package on the bench: its folder below the place's home, its log, and tools that only some packages need."""

    package: LockedPackage
    at: str
    log: BuildLog
    more_tools: dict[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The package, for people."""
        return f"`{self.package.name}` {self.package.version}"
