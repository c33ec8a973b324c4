"""Any PEP 751 file -> the ``Lock`` of one target: one file for each package, no passwords, paths that travel."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from layerkit.lock.failures import HashMismatchError, MissingHashesError, UnsupportedSourceError
from layerkit.lock.inputs import normalized
from layerkit.lock.placement import Places, SelectionError, file_name, locked_file
from layerkit.model.lock import LockedPackage
from layerkit.model.target import PythonTarget

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
    target: PythonTarget,
    *,
    places: Places,
    allowed: Allowed | None = None,
    without: Iterable[str] = (),
    sources: Iterable[str] = (),
) -> tuple[LockedPackage, ...]:
    """Choose for the target what applies to it, and for each package the file with the best tag.

    ``without`` names packages that are left out, ``sources`` those whose sdist is taken even if there are wheels. For
    all others an sdist counts only where there are no wheels at all: what has some for other platforms is not pure.

    Raises ``SelectionError`` if the lock does not cover the target, ``UnsupportedSourceError`` for packages that are
    neither wheels nor sdists, ``MissingHashesError`` and ``HashMismatchError`` where ``allowed`` is not kept.
    """
    dropped = {normalized(name) for name in without}
    kept = [package for package in pylock.packages if package.name not in dropped]
    packages = _applicable(replace(pylock, packages=kept), target)
    _refuse_unsupported(packages)
    built = {normalized(name) for name in sources}
    if lacking := [
        _lacking(each, target) for each in packages if _lacks_wheel(each, target) and each.name not in built
    ]:
        raise SelectionError(lacking)
    choices = [_Choice.of(package, target, source=package.name in built) for package in packages]
    allowed = allowed or Allowed()
    if allowed.everywhere:
        _require_hashes(choices, allowed)
    chosen = _allowed_files(choices, allowed)
    return tuple(
        LockedPackage(name=choice.name, version=choice.version, file=locked_file(file, choice.name, places))
        for choice, file in sorted(chosen, key=lambda pair: pair[0].name)
    )


def _applicable(pylock: "Pylock", target: PythonTarget) -> list["Package"]:
    from packaging.pylock import PylockSelectError
    from packaging.tags import parse_tag

    environment: Any = target.marker_environment
    tags = [tag for text in target.wheel_tags for tag in parse_tag(text)]
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


def _lacks_wheel(package: "Package", target: PythonTarget) -> bool:
    return bool(package.wheels) and not _fitting(package, target)


def _lacking(package: "Package", target: PythonTarget) -> str:
    files = [wheel.filename for wheel in package.wheels or ()]
    shown = ", ".join(files[:3]) + (f" and {len(files) - 3} more" if len(files) > 3 else "")  # noqa: PLR2004 -- enough to recognise
    return f"`{package.name}` {package.version or ''} has no wheel for {target.identifier}, only {shown}"


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


def _fitting(package: "Package", target: PythonTarget) -> list["PackageWheel"]:
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
    def of(cls, package: "Package", target: PythonTarget, *, source: bool) -> "_Choice":
        files: list[FileEntry] = [] if source and package.sdist else [*_fitting(package, target)]
        files += [package.sdist] if package.sdist else []
        files += [package.archive] if package.archive else []
        version = str(package.version) if package.version else _version_of(file_name(files[0]))
        if package.archive:
            _check_archive(package.name, file_name(package.archive), target)
        return cls(name=package.name, version=version, files=tuple(files))


def _check_archive(name: str, file_name: str, target: PythonTarget) -> None:
    if file_name.endswith(".whl") and target.rank("-".join(file_name.removesuffix(".whl").split("-")[-3:])) is None:
        raise SelectionError([f"`{name}` has no wheel for {target.identifier}, only {file_name}"])


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
