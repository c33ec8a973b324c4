"""A request -> the packages of a lock: what uv answers, with what uv does not do added.

Exclusions in two steps, sdists only where no wheel will do, hashes enforced.
"""

import contextlib
import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from layerkit.errors import LayerkitError, ResolutionError
from layerkit.index import IndexSettings
from layerkit.lock.availability import file_tags, targets_with, wheels_of
from layerkit.lock.bundled import bundled_pins
from layerkit.lock.checks import check_date, checked_hashes
from layerkit.lock.explain import Wheelless, failure, missing_version, wheelless
from layerkit.lock.failures import (
    BundledConflictError,
    NoWheelError,
    SourceBuildError,
    UncoveredWheelError,
)
from layerkit.lock.inputs import LockRequest
from layerkit.lock.locker import Allowed, packages_for
from layerkit.lock.placement import Places, SelectionError
from layerkit.lock.universal import NotPureError, lowest_pins
from layerkit.lock.uv import Question, ask
from layerkit.model.lock import LockedPackage
from layerkit.model.names import normalize
from layerkit.model.universal import LockTarget, UniversalTarget, title_of
from layerkit.sandbox.process import Completed

_ROUNDS: Final = 6  # how often further names may turn out to have no wheel


@dataclass(frozen=True, kw_only=True, slots=True)
class Resolved:
    """What a resolution found: the packages, which Python they need, and exclusions that nothing needs anyway."""

    requires_python: str
    packages: tuple[LockedPackage, ...]
    needless: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Keeping:
    """What is kept of an earlier lock, and how the index may be asked."""

    previous: str | None = None
    upgrades: tuple[str, ...] = ()
    refresh: bool = False
    offline: bool = False


def resolve(
    request: LockRequest, target: LockTarget, *, settings: IndexSettings, folder: Path, keeping: Keeping | None = None
) -> Resolved:
    """Resolve for the target; ``folder`` is where the lock will lie.

    Raises ``ResolutionError``, ``FetchError``, ``BuildError`` or ``UsageError`` in one of their kinds.
    """
    check_date(request.exclude_newer)
    fragments = checked_hashes(request)
    run = _Run(request=request, target=target, settings=settings, keeping=keeping or Keeping())
    answer, needless = run.resolve()
    allowed = Allowed(hashes={**fragments, **request.hashes}, everywhere=bool(request.hashes))
    from packaging.pylock import Pylock

    pylock = Pylock.from_dict(answer)
    try:
        places = Places(base=Path.cwd(), lock_folder=folder)
        packages = packages_for(pylock, target, places=places, allowed=allowed, sources=request.no_binary)
    except SelectionError as exc:
        raise UncoveredWheelError(target=title_of(target), problems=exc.problems) from exc
    return Resolved(requires_python=str(answer["requires-python"]), packages=packages, needless=needless)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Run:
    """One resolution under way."""

    request: LockRequest
    target: LockTarget
    settings: IndexSettings
    keeping: Keeping

    def resolve(self) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Return uv's answer, and the exclusions that excluded nothing."""
        excluded = tuple(sorted({normalize(name) for name in self.request.exclusions}))
        question = self._question()
        if not excluded:
            return self._in_one_version(question, ()), ()
        first = self._with_bundled(question, excluded)
        found = {package["name"] for package in first["packages"]}
        needless = tuple(name for name in excluded if name not in found)
        if len(needless) == len(excluded):
            return first, needless
        second = self._solve(
            replace(
                question,
                constraints=(*question.constraints, *_pins(first, excluded)),
                excludes=excluded,
                sources=tuple(sorted({*question.sources, *_sdists(first)} - {*excluded})),
                preferences=None,
                upgrades=(),
            )
        )
        return second, needless

    def _question(self) -> Question:
        return Question(
            requirements=self.request.requirements,
            constraints=self.request.constraints,
            python=self.target.python_full_version,
            platform=self.target.uv_platform,
            sources=tuple(sorted({normalize(name) for name in self.request.no_binary})),
            exclude_newer=self.request.exclude_newer,
            prereleases=self.request.prereleases,
            preferences=self.keeping.previous,
            upgrades=self.keeping.upgrades,
            refresh=self.keeping.refresh,
            offline=self.keeping.offline,
        )

    def _with_bundled(self, question: Question, excluded: tuple[str, ...]) -> dict[str, Any]:
        """Resolve everything; of what is excluded, the runtime's own versions count where it has them."""
        bundled = bundled_pins(self.target, excluded)
        if not bundled:
            return self._in_one_version(question, excluded)
        try:
            pins = [pin.constraint for pin in bundled]
            return self._in_one_version(replace(question, constraints=(*question.constraints, *pins)), excluded)
        except ResolutionError as exc:
            self._solve(question)  # if this fails as well, the bundled versions are not to blame
            named = [pin for pin in bundled if pin.name in " ".join(exc.details)]
            raise BundledConflictError(
                target=title_of(self.target),
                bundled=[str(pin) for pin in named or bundled],
                details=exc.details,
            ) from exc

    def _in_one_version(self, question: Question, excluded: tuple[str, ...]) -> dict[str, Any]:
        """Resolve; where the runtimes of a universal layer would get different versions, try the lowest for all."""
        answer = self._solve(question)
        pins = lowest_pins(answer, besides=excluded) if isinstance(self.target, UniversalTarget) else ()
        if not pins:
            return answer
        with contextlib.suppress(ResolutionError):
            return self._solve(replace(question, constraints=(*question.constraints, *pins)))
        return answer

    def _solve(self, question: Question) -> dict[str, Any]:
        """Resolve with wheels; names for which there are none become sdists, unless nothing may be built."""
        done = self._ask(question)
        given_up: dict[str, Wheelless] = {}
        for _ in range(_ROUNDS):
            found = {each.name: each for each in wheelless(done.stderr) if each.name not in question.sources}
            if done.ok or not found or any(map(self.request.must_be_wheel, found)):
                break
            if len(found) == 1:
                self._refuse_binary(*found.values())
            question, done = self._with_sources(question, tuple(found))
            given_up |= {name: each for name, each in found.items() if name in question.sources}
        if not done.ok:
            raise self._failure(done, given_up=given_up)
        return self._prefer_wheels(tomllib.loads(done.stdout), given_up)

    def _ask(self, question: Question) -> Completed:
        return ask(question, self.settings)

    def _with_sources(self, question: Question, names: tuple[str, ...]) -> tuple[Question, Completed]:
        """Let as few of the names as will do be sdists: one if one is enough, else all."""
        attempts = [(name,) for name in names] if len(names) > 1 else []
        for attempt in [*attempts, names]:
            changed = replace(question, sources=(*question.sources, *attempt))
            done = self._ask(changed)
            if done.ok:
                break
        return changed, done

    def _refuse_binary(self, culprit: Wheelless) -> None:
        """Refuse a version with wheels for other targets only, before uv builds its sdist to learn what it needs."""
        if culprit.version is None:
            return
        requirement = f"{culprit.name}=={culprit.version}"
        wheels = self._wheels_of(requirement)
        elsewhere = targets_with(wheels)
        if elsewhere and self.target.identifier not in elsewhere:
            raise self._no_wheel(requirement, elsewhere)

    def _prefer_wheels(self, answer: dict[str, Any], given_up: Mapping[str, Wheelless]) -> dict[str, Any]:
        """Look again at what became an sdist only because uv found no wheel.

        uv knows no platform between glibc 2.17 and 2.28: a wheel between them is found by its full tags. A version that
        has wheels for other targets is no pure one; to build it is the user's decision.
        """
        for package in answer["packages"]:
            if package["name"] not in given_up or "sdist" not in package:
                continue
            requirement = f"{package['name']}=={package['version']}"
            wheels = self._wheels_of(requirement)
            usable = [wheel for wheel in wheels if self.target.rank(file_tags(wheel)) is not None]
            if usable:
                package["wheels"] = usable
                del package["sdist"]
            elif elsewhere := targets_with(wheels):
                raise self._no_wheel(requirement, elsewhere)
        return answer

    def _failure(self, done: Completed, *, given_up: Mapping[str, Wheelless]) -> LayerkitError:
        """Say why it failed; of missing wheels, say who has them."""
        told = failure(
            done.stderr, target=title_of(self.target), newest=self._newest(done.stderr), proxy_of=self.settings.proxy_of
        )
        culprits = (
            [each for each in given_up.values() if each.name in done.stderr]
            if isinstance(told, ResolutionError | SourceBuildError)
            else []
        )
        culprits = culprits or list(wheelless(done.stderr))
        for culprit in culprits:
            requirement = f"{culprit.name}=={culprit.version}" if culprit.version else self._required(culprit.name)
            available = [name for name in targets_with(self._wheels_of(requirement)) if name != self.target.identifier]
            if available or culprit.name not in given_up or "no source distribution" in done.stderr:
                return self._no_wheel(requirement, available)
        return told

    def _no_wheel(self, requirement: str, available: Sequence[str]) -> ResolutionError:
        """Return the error about a distribution that only the targets ``available`` have wheels of."""
        if available and isinstance(self.target, UniversalTarget):
            problem = f"`{requirement}` has wheels only for {', '.join(available)}"
            return NotPureError(names=[re.split(r"[=<>!~]", requirement, maxsplit=1)[0]], problems=[problem])
        return NoWheelError(
            requirement=requirement,
            target=title_of(self.target),
            available=available,
            build_forbidden=self.request.must_be_wheel(re.split(r"[=<>!~]", requirement, maxsplit=1)[0]),
        )

    def _required(self, name: str) -> str:
        """Return how the request itself requires the distribution, else its name."""
        from packaging.requirements import Requirement

        parsed = [Requirement(line) for line in self.request.requirements]
        return next(
            (f"{name}{each.specifier}" for each in parsed if normalize(each.name) == name and not each.url), name
        )

    def _wheels_of(self, requirement: str) -> list[Mapping[str, Any]]:
        return wheels_of(
            requirement, self.settings, exclude_newer=self.request.exclude_newer, offline=self.keeping.offline
        )

    def _newest(self, stderr: str) -> str | None:
        """Return the newest version for the target of whatever has not the version asked for."""
        requirement = missing_version(stderr)
        if requirement is None:
            return None
        name = re.split(r"[=<>!~\[]", requirement)[0]
        question = replace(self._question(), requirements=(name,), constraints=(), dependencies=False, preferences=None)
        done = self._ask(question)
        return tomllib.loads(done.stdout)["packages"][0].get("version") if done.ok else None


def _pins(answer: Mapping[str, Any], excluded: Iterable[str]) -> list[str]:
    """Return the answer as constraints; what came from a URL is fixed by that already."""
    entries = Counter(package["name"] for package in answer["packages"])
    return [
        _pin(package, alone=entries[package["name"]] == 1)
        for package in answer["packages"]
        if package["name"] not in excluded and "version" in package and ("wheels" in package or "sdist" in package)
    ]


def _pin(package: Mapping[str, Any], *, alone: bool) -> str:
    """Return the pin; where there are several of one name, each holds where its marker does."""
    pin = f"{package['name']}=={package['version']}"
    return pin if alone or "marker" not in package else f"{pin} ; {package['marker']}"


def _sdists(answer: Mapping[str, Any]) -> list[str]:
    return [package["name"] for package in answer["packages"] if "sdist" in package and "wheels" not in package]
