"""A request -> the packages of a lock, resolved by pip-compile where the target's interpreter runs.

pip says which versions and with which hashes; uv, without following dependencies, says where exactly their files are.
What has no wheel for the target is locked as an sdist, which is built in that same place.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from layerkit.errors import FetchError, ResolutionError, UsageError
from layerkit.index import IndexSettings
from layerkit.lock.availability import file_tags, targets_with
from layerkit.lock.bundled import bundled_pins
from layerkit.lock.checks import check_date, checked_hashes
from layerkit.lock.explain import failure as uv_failure
from layerkit.lock.failures import (
    BundledConflictError,
    HashMismatchError,
    MissingHashesError,
    NoWheelError,
    OfflineError,
    UncoveredWheelError,
    UnsupportedSourceError,
)
from layerkit.lock.inputs import LockRequest
from layerkit.lock.locker import Allowed, packages_for
from layerkit.lock.pins import Pin, pinned_lines, read_pins, without
from layerkit.lock.pip_compile import OpenWorkshop, PipQuestion, Workshop, compile_pins, look_for
from layerkit.lock.pip_explain import failure, index_failure, unfound
from layerkit.lock.placement import Places, SelectionError
from layerkit.lock.resolve import Keeping, Resolved
from layerkit.lock.uv import Question, ask
from layerkit.model.names import normalize
from layerkit.model.target import PythonTarget
from layerkit.model.universal import LockTarget, UniversalTarget, title_of
from layerkit.sandbox.process import Completed

_FRAGMENT: Final = re.compile(r"#.*$")


class UniversalInPlaceError(UsageError):
    """A universal layer, for which no single interpreter can speak."""

    def __init__(self) -> None:
        super().__init__(
            "a universal layer is not resolved by one runtime's interpreter",
            hint="leave out `--builder`, or build a layer for each runtime (leave out `--universal`)",
        )


class DisagreementError(ResolutionError):
    """Versions that pip took and that the first index that has their name does not offer."""

    def __init__(self, *, pins: Sequence[str], details: Iterable[str]) -> None:
        super().__init__(
            f"what pip resolved is not on the index that comes first for it: {', '.join(pins)}",
            details=details,
            hint="pip mixes all indexes; put the index that has it first, or set `strategy` in the recipe's `[index]`",
        )


class ChangedIndexError(FetchError):
    """Files other than those that pip saw a moment before."""

    def __init__(self, *, problems: Sequence[str]) -> None:
        super().__init__(
            "the index offers other files than those that pip resolved with",
            details=problems,
            hint="two indexes may have different files of one version; name only one of them",
        )


def resolve_in_place(
    request: LockRequest,
    target: LockTarget,
    *,
    settings: IndexSettings,
    folder: Path,
    open_workshop: OpenWorkshop,
    keeping: Keeping | None = None,
) -> Resolved:
    """Resolve where the target's interpreter runs; ``folder`` is where the lock will lie.

    Raises ``ResolutionError``, ``FetchError``, ``BuildError`` or ``UsageError`` in one of their kinds.
    """
    check_date(request.exclude_newer)
    fragments = checked_hashes(request)
    keeping = keeping or Keeping()
    if isinstance(target, UniversalTarget):
        raise UniversalInPlaceError
    if keeping.offline:
        raise OfflineError(details=["pip-compile must ask the index"])
    with open_workshop() as workshop:
        asking = _Asking(request=request, target=target, settings=settings, keeping=keeping, workshop=workshop)
        pins = asking.resolve()
    locking = _Locking(request=request, target=target, settings=settings, keeping=keeping, pins=pins)
    return locking.lock(folder, Allowed(hashes={**fragments, **request.hashes}))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Asking:
    """One resolution by pip-compile under way."""

    request: LockRequest
    target: PythonTarget
    settings: IndexSettings
    keeping: Keeping
    workshop: Workshop

    def resolve(self) -> tuple[Pin, ...]:
        """Return the pins of everything that is not excluded."""
        excluded = tuple(sorted({normalize(name) for name in self.request.exclusions}))
        bundled = bundled_pins(self.target, excluded)
        if not bundled:
            return without(self._pins(), excluded)
        try:
            return without(self._pins([pin.constraint for pin in bundled]), excluded)
        except ResolutionError as exc:
            self._pins()  # if this fails as well, the bundled versions are not to blame
            named = [pin for pin in bundled if pin.name in " ".join((exc.message, *exc.details))]
            raise BundledConflictError(
                target=title_of(self.target), bundled=[str(pin) for pin in named or bundled], details=exc.details
            ) from exc

    def _pins(self, constraints: Sequence[str] = ()) -> tuple[Pin, ...]:
        done = compile_pins(self._question(constraints), self.workshop)
        if not done.ok:
            self._fail(self.settings.redact(done.stderr + done.stdout))
        return read_pins(done.stdout)

    def _question(self, constraints: Sequence[str]) -> PipQuestion:
        previous = tomllib.loads(self.keeping.previous or "").get("packages", ())
        return PipQuestion(
            requirements=self.request.requirements,
            constraints=(*self.request.constraints, *constraints),
            preferences=pinned_lines(previous, besides=self.keeping.upgrades),
            sources=tuple(sorted({normalize(name) for name in self.request.no_binary})),
            binaries=tuple(sorted({normalize(name) for name in self.request.only_binary})),
            binaries_only=self.request.no_build,
            prereleases=self.request.prereleases,
            exclude_newer=self.request.exclude_newer,
        )

    def _fail(self, stderr: str) -> None:
        """Raise what pip's words mean; of a distribution without any version, pip is asked why."""
        place, title = self.workshop.runner.title, title_of(self.target)
        told = failure(stderr, target=title, place=place)
        requirement = unfound(stderr)
        if requirement is not None:
            name = re.split(r"[\s=<>!~\[;@]", requirement)[0]
            looked = look_for(name, self.workshop)
            seen = self.settings.redact(looked.stderr + looked.stdout)
            if looked.ok and self.request.must_be_wheel(name):
                raise NoWheelError(requirement=requirement, target=title, available=(), build_forbidden=True)
            raise index_failure(seen, place=place) or told
        raise told


@dataclass(frozen=True, kw_only=True, slots=True)
class _Locking:
    """Pins on their way into a lock."""

    request: LockRequest
    target: PythonTarget
    settings: IndexSettings
    keeping: Keeping
    pins: tuple[Pin, ...]

    def lock(self, folder: Path, given: Allowed) -> Resolved:
        """Find the pins' files, and hold them to the hashes that pip saw and that the requirements give."""
        from packaging.pylock import Pylock

        answer = self._files()
        tables = [*answer["packages"], *self._direct()]
        sources = [table["name"] for table in tables if self._becomes_sdist(table)]
        pylock = Pylock.from_dict({**answer, "packages": tables})
        allowed = self._allowed(given)
        try:
            places = Places(base=Path.cwd(), lock_folder=folder)
            packages = packages_for(pylock, self.target, places=places, allowed=allowed, sources=sources)
        except SelectionError as exc:
            raise UncoveredWheelError(target=title_of(self.target), problems=exc.problems) from exc
        except HashMismatchError as exc:
            raise (exc if given.hashes else ChangedIndexError(problems=exc.details)) from exc
        return Resolved(requires_python=str(answer["requires-python"]), packages=packages)

    def _files(self) -> dict[str, Any]:
        """Ask uv for all files of exactly these pins."""
        pinned = tuple(pin.requirement for pin in self.pins if pin.version)
        if not pinned:
            python = f">={self.target.python_full_version}"
            return {"lock-version": "1.0", "created-by": "layerkit", "requires-python": python, "packages": []}
        question = Question(
            requirements=pinned,
            python=self.target.python_full_version,
            platform=None,
            sources=tuple(sorted({normalize(name) for name in self.request.no_binary})),
            exclude_newer=self.request.exclude_newer,
            prereleases=True,
            dependencies=False,
            any_file=True,
            refresh=self.keeping.refresh,
        )
        done = ask(question, self.settings)
        if not done.ok:
            self._fail(done, pinned)
        return tomllib.loads(done.stdout)

    def _fail(self, done: Completed, pinned: Sequence[str]) -> None:
        told = uv_failure(done.stderr, target=title_of(self.target))
        if isinstance(told, ResolutionError):
            named = [pin for pin in pinned if pin in done.stderr] or list(pinned)
            raise DisagreementError(pins=named, details=told.details or [told.message]) from told
        raise told

    def _direct(self) -> list[dict[str, Any]]:
        """Return PEP 751 tables of direct references: pip has read those files, so uv need not build anything."""
        from packaging.requirements import Requirement

        parsed = [Requirement(line) for line in self.request.requirements]
        urls = {normalize(each.name): each.url for each in parsed if each.url}
        tables = [self._archive(pin, urls.get(pin.name)) for pin in self.pins if pin.version is None]
        if problems := [table["problem"] for table in tables if "problem" in table]:
            raise UnsupportedSourceError(problems=problems)
        return tables

    def _archive(self, pin: Pin, url: str | None) -> dict[str, Any]:
        hashes = dict(each.split(":", 1) for each in pin.hashes)
        if url is None or not hashes:
            return {"problem": f"`{pin.name}` comes from a place that has no hash"}
        bare = _FRAGMENT.sub("", url)
        if not _says_version(bare):
            return {"problem": f"`{pin.name}` comes from a file whose name does not tell its version"}
        return {"name": pin.name, "archive": {"url": bare, "hashes": hashes}}

    def _becomes_sdist(self, table: Mapping[str, Any]) -> bool:
        """Tell whether the package is taken as an sdist: asked for, or because no wheel of it suits the target.

        Raises ``NoWheelError`` where there is no sdist either, or nothing may be built.
        """
        wheels = table.get("wheels", ())
        if "archive" in table or any(self.target.rank(file_tags(wheel)) is not None for wheel in wheels):
            return False
        if "sdist" in table and not self.request.must_be_wheel(table["name"]):
            return True
        raise NoWheelError(
            requirement=f"{table['name']}=={table['version']}",
            target=title_of(self.target),
            available=targets_with(wheels),
            build_forbidden=self.request.must_be_wheel(table["name"]),
            has_sdist="sdist" in table,
        )

    def _allowed(self, given: Allowed) -> Allowed:
        """Join the hashes that pip saw with those that the requirements allow; both must be kept."""
        own = {pin.name: given.of(pin.name, pin.version or "") for pin in self.pins}
        if self.request.hashes and (missing := [pin.requirement for pin in self.pins if not own[pin.name]]):
            raise MissingHashesError(missing=missing)
        both = {pin.name: own[pin.name] & pin.hashes or own[pin.name] or pin.hashes for pin in self.pins}
        return Allowed(hashes={name: tuple(sorted(allowed)) for name, allowed in both.items() if allowed})


def _says_version(url: str) -> bool:
    from urllib.parse import unquote, urlsplit

    from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename

    name = unquote(urlsplit(url).path).rsplit("/", 1)[-1]
    try:
        _ = parse_wheel_filename(name) if name.endswith(".whl") else parse_sdist_filename(name)
    except (InvalidWheelFilename, InvalidSdistFilename):
        return False
    return True
