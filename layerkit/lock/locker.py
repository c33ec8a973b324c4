"""Any PEP 751 file -> the packages of a lock: one file for each package, no passwords, paths that travel."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from layerkit.lock.failures import HashMismatchError, MissingHashesError, UnsupportedSourceError
from layerkit.lock.placement import Places, SelectionError, file_name, locked_file
from layerkit.lock.universal import NotPureError, needed
from layerkit.model.lock import LockedPackage
from layerkit.model.names import normalize
from layerkit.model.target import PythonTarget
from layerkit.model.universal import LockTarget, UniversalTarget, title_of

if TYPE_CHECKING:
    from packaging.pylock import Package, PackageWheel, Pylock

    from layerkit.lock.placement import FileEntry

_BUILD: Final = re.compile(r"^[^-]+-[^-]+-(\d+)[^-]*-[^-]+-[^-]+-[^-]+\.whl$")


@dataclass(frozen=True, kw_only=True, slots=True)
class Allowed:
    """Which hashes requirements allow, by ``name==version`` or ``name``.

    ``everywhere``: every package must have some, as pip wants it as soon as one requirement has.
    """

    hashes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    everywhere: bool = False

    def of(self, name: str, version: str) -> frozenset[str]:
        """Return the hashes allowed for that package; none means that nothing is said about it."""
        from packaging.utils import canonicalize_version

        found: set[str] = set()
        for key, allowed in self.hashes.items():
            pinned, _, pin = key.partition("==")
            if pinned == name and (not pin or canonicalize_version(pin) == canonicalize_version(version)):
                found.update(allowed)
        return frozenset(found)


def packages_for(
    pylock: "Pylock",
    target: LockTarget,
    *,
    places: Places,
    allowed: Allowed | None = None,
    without: Iterable[str] = (),
    sources: Iterable[str] = (),
) -> tuple[LockedPackage, ...]:
    """Choose for the target what applies to it, and for each package the file with the best tag.

    ``without`` names packages that are left out, with what only they need as far as the lock tells; ``sources`` those
    whose sdist is taken even if there are wheels. For all others an sdist counts only where there are no wheels at all:
    what has some for other platforms is not pure.

    Raises ``SelectionError`` if the lock does not cover the target, ``UnsupportedSourceError`` for packages that are
    neither wheels nor sdists, ``MissingHashesError`` and ``HashMismatchError`` where ``allowed`` is not kept; for a
    universal layer also ``NotPureError`` and ``MixedVersionsError``.
    """
    dropped = {normalize(name) for name in without}
    packages = _applicable(replace(pylock, packages=_without(pylock.packages, dropped)), target)
    _refuse_unsupported([package for package, _ in packages])
    built = {normalize(name) for name in sources}
    _refuse_lacking(packages, target, built=built)
    choices = [_Choice.of(package, needing, source=package.name in built) for package, needing in packages]
    allowed = allowed or Allowed()
    if allowed.everywhere:
        _require_hashes(choices, allowed)
    chosen = _allowed_files(choices, allowed)
    return tuple(
        LockedPackage(name=choice.name, version=choice.version, file=locked_file(file, choice.name, places))
        for choice, file in sorted(chosen, key=lambda pair: pair[0].name)
    )


def _without(packages: Sequence["Package"], dropped: Collection[str]) -> list["Package"]:
    """Return the packages without those dropped, and without what only these need, as far as the lock tells."""
    needs: dict[str, set[str]] = {}
    for package in packages:
        named = {normalize(each["name"]) for each in package.dependencies or () if "name" in each}
        needs.setdefault(package.name, set()).update(named)

    def reached(names: Iterable[str], *, besides: Collection[str] = ()) -> set[str]:
        found: set[str] = set()
        waiting = [*names]
        while waiting:
            name = waiting.pop()
            if name not in found and name not in besides:
                found.add(name)
                waiting += needs.get(name, ())
        return found

    theirs = reached(dropped)
    kept = reached(needs.keys() - theirs, besides=dropped)
    return [package for package in packages if package.name not in theirs or package.name in kept]


def _applicable(pylock: "Pylock", target: LockTarget) -> list[tuple["Package", LockTarget]]:
    """Return the packages, each with the target that its file must suit."""
    if not isinstance(target, UniversalTarget):
        return [(package, target) for package in _selected(pylock, target, target.wheel_tags)]
    every = {"-".join(wheel.filename.removesuffix(".whl").split("-")[-3:]) for wheel in _wheels(pylock)}
    return [*needed(target, lambda python: _selected(pylock, python, every))]


def _wheels(pylock: "Pylock") -> Iterator["PackageWheel"]:
    for package in pylock.packages:
        yield from package.wheels or ()


def _selected(pylock: "Pylock", target: PythonTarget, wheel_tags: Iterable[str]) -> list["Package"]:
    from packaging.pylock import PylockSelectError
    from packaging.tags import parse_tag

    environment: Any = target.marker_environment
    tags = [tag for text in wheel_tags for tag in parse_tag(text)]
    try:
        return [package for package, _ in pylock.select(environment=environment, tags=tags)]
    except PylockSelectError as exc:
        lacking = [_lacking(package, target) for package in pylock.packages if _is_uncovered(package, target)]
        raise SelectionError(lacking or [_plain(str(exc))]) from exc


def _is_uncovered(package: "Package", target: PythonTarget) -> bool:
    if package.marker:
        environment: Any = {**target.marker_environment, "extras": frozenset(), "dependency_groups": frozenset()}
        if not package.marker.evaluate(environment, context="lock_file"):
            return False
    return _lacks_wheel(package, target)


def _refuse_lacking(
    packages: Iterable[tuple["Package", LockTarget]], target: LockTarget, *, built: Collection[str]
) -> None:
    """Raise ``SelectionError`` or ``NotPureError`` for all packages that have wheels, but none that will do."""
    lacking = {
        package.name: _lacking(package, needing)
        for package, needing in packages
        if _lacks_wheel(package, needing) and package.name not in built
    }
    if lacking and isinstance(target, UniversalTarget):
        raise NotPureError(names=sorted(lacking), problems=[lacking[name] for name in sorted(lacking)])
    if lacking:
        raise SelectionError(lacking.values())


def _lacks_wheel(package: "Package", target: LockTarget) -> bool:
    return bool(package.wheels) and not _fitting(package, target)


def _lacking(package: "Package", target: LockTarget) -> str:
    files = [wheel.filename for wheel in package.wheels or ()]
    if isinstance(target, UniversalTarget):
        return f"`{package.name}` {package.version or ''} has {len(files)} wheels, none pure and fit for every runtime"
    shown = ", ".join(files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")  # noqa: PLR2004 -- enough to recognise
    return f"`{package.name}` {package.version or ''} has no wheel for {title_of(target)}, only {shown}"


def _plain(message: str) -> str:
    return re.sub(r" at packages\[\d+\]| and packages\[\d+\]", "", message).replace("'", "`")


def _refuse_unsupported(packages: Iterable["Package"]) -> None:
    problems = [
        f"`{package.name}` comes from {'a repository' if package.vcs else 'a folder'}"
        for package in packages
        if package.vcs or package.directory
    ]
    if problems:
        raise UnsupportedSourceError(problems=problems)


def _fitting(package: "Package", target: LockTarget) -> list["PackageWheel"]:
    """Return the package's wheels that run on the target, best tag first, later builds before earlier."""
    ranked = []
    for wheel in package.wheels or ():
        rank = target.rank("-".join(wheel.filename.removesuffix(".whl").split("-")[-3:]))
        if rank is not None:
            build = _BUILD.match(wheel.filename)
            ranked.append((rank, -int(build[1]) if build else 0, wheel.filename, wheel))
    return [entry[-1] for entry in sorted(ranked, key=lambda entry: entry[:3])]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Choice:
    """A package and the files it could come from, best first."""

    name: str
    version: str
    files: tuple["FileEntry", ...]

    @classmethod
    def of(cls, package: "Package", target: LockTarget, *, source: bool) -> "_Choice":
        files: list[FileEntry] = [] if source and package.sdist else [*_fitting(package, target)]
        files += [package.sdist] if package.sdist else []
        files += [package.archive] if package.archive else []
        version = str(package.version) if package.version else _version_of(file_name(files[0]))
        if package.archive:
            _check_archive(package.name, file_name(package.archive), target)
        return cls(name=package.name, version=version, files=tuple(files))


def _check_archive(name: str, file_name: str, target: LockTarget) -> None:
    if file_name.endswith(".whl") and target.rank("-".join(file_name.removesuffix(".whl").split("-")[-3:])) is None:
        problem = f"`{name}` has no wheel for {title_of(target)}, only {file_name}"
        if isinstance(target, UniversalTarget):
            raise NotPureError(names=[name], problems=[problem])
        raise SelectionError([problem])


def _version_of(file_name: str) -> str:
    from packaging.utils import parse_sdist_filename, parse_wheel_filename

    if file_name.endswith(".whl"):
        return str(parse_wheel_filename(file_name)[1])
    return str(parse_sdist_filename(file_name)[1])


def _require_hashes(choices: Iterable[_Choice], allowed: Allowed) -> None:
    missing = [f"{choice.name}=={choice.version}" for choice in choices if not allowed.of(choice.name, choice.version)]
    if missing:
        raise MissingHashesError(missing=missing)


def _allowed_files(choices: Iterable[_Choice], allowed: Allowed) -> list[tuple[_Choice, "FileEntry"]]:
    """Take the best file of each package whose hash is allowed."""
    chosen, problems = [], []
    for choice in choices:
        hashes = allowed.of(choice.name, choice.version)
        fit = [file for file in choice.files if not hashes or hashes & _hashes(file)]
        if fit:
            chosen.append((choice, fit[0]))
        else:
            first = choice.files[0]
            problems.append(
                f"`{choice.name}` {choice.version}: {file_name(first)} has {', '.join(sorted(_hashes(first)))}, "
                f"allowed {'is' if len(hashes) == 1 else 'are'} {', '.join(sorted(hashes))}"
            )
    if problems:
        raise HashMismatchError(problems=problems)
    return chosen


def _hashes(file: "FileEntry") -> set[str]:
    return {f"{algorithm}:{value.lower()}" for algorithm, value in file.hashes.items()}
