"""Any PEP 751 file -> the ``Lock`` of one target: one file for each package, no passwords, paths that travel."""

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit, urlunsplit
from urllib.request import url2pathname

from layerkit.lock.failures import HashMismatchError, MissingFileError, MissingHashesError, UnsupportedSourceError
from layerkit.lock.inputs import normalized
from layerkit.model.lock import LockedFile, LockedPackage
from layerkit.model.target import PythonTarget

if TYPE_CHECKING:
    from packaging.pylock import Package, PackageArchive, PackageSdist, PackageWheel, Pylock

    type_of_file = PackageWheel | PackageSdist | PackageArchive

_BUILD: Final = re.compile(r"^[^-]+-[^-]+-(\d+)[^-]*-[^-]+-[^-]+-[^-]+\.whl$")


class SelectionError(ValueError):
    """A lock that does not cover the target; ``problems`` are all that it lacks."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(self.problems))


@dataclass(frozen=True, kw_only=True, slots=True)
class Places:
    """Where relative paths of the file read count from, and where the lock will lie that they are written into."""

    base: Path
    lock_folder: Path


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
) -> tuple[LockedPackage, ...]:
    """Choose for the target what applies to it, and for each package the file with the best tag.

    Raises ``SelectionError`` if the lock does not cover the target, ``UnsupportedSourceError`` for packages that are
    neither wheels nor sdists, ``MissingHashesError`` and ``HashMismatchError`` where ``allowed`` is not kept.
    """
    dropped = {normalized(name) for name in without}
    packages = [package for package in _applicable(pylock, target) if package.name not in dropped]
    _refuse_unsupported(packages)
    choices = [_Choice.of(package, target) for package in packages]
    allowed = allowed or Allowed()
    if allowed.everywhere:
        _require_hashes(choices, allowed)
    chosen = _allowed_files(choices, allowed)
    return tuple(
        LockedPackage(name=choice.name, version=choice.version, file=_locked(file, choice.name, places))
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
    return bool(package.wheels) and package.sdist is None and not _fitting(package, target)


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
    files: tuple["type_of_file", ...]

    @classmethod
    def of(cls, package: "Package", target: PythonTarget) -> "_Choice":
        files: list[type_of_file] = [*_fitting(package, target)]
        files += [package.sdist] if package.sdist else []
        files += [package.archive] if package.archive else []
        version = str(package.version) if package.version else _version_of(_file_name(files[0]))
        if package.archive:
            _check_archive(package.name, _file_name(package.archive), target)
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


def _allowed_files(choices: Iterable[_Choice], allowed: Allowed) -> list[tuple[_Choice, "type_of_file"]]:
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
                f"`{choice.name}` {choice.version}: {_file_name(first)} has {', '.join(sorted(_hashes(first)))}, "
                f"allowed {'is' if len(hashes) == 1 else 'are'} {', '.join(sorted(hashes))}"
            )
    if problems:
        raise HashMismatchError(problems=problems)
    return chosen


def _hashes(file: "type_of_file") -> set[str]:
    return {f"{algorithm}:{value.lower()}" for algorithm, value in file.hashes.items()}


def _file_name(file: "type_of_file") -> str:
    named: str | None = getattr(file, "name", None)
    place = unquote(urlsplit(file.url).path) if file.url else (file.path or "").replace("\\", "/")
    return named or PurePosixPath(place).name


def _locked(file: "type_of_file", package: str, places: Places) -> LockedFile:
    local = _local(file, places)
    if local is None:
        return LockedFile(
            name=_file_name(file), url=_clean(file.url or ""), path=None, size=file.size, sha256=_sha256(file, package)
        )
    try:
        size = local.stat().st_size
        sha256 = file.hashes.get("sha256") or _digest(local)
    except OSError as exc:
        raise MissingFileError(details=[f"`{package}`: {local}: {(exc.strerror or str(exc)).lower()}"]) from exc
    return LockedFile(
        name=_file_name(file), url=None, path=_relative(local, places.lock_folder), size=size, sha256=sha256.lower()
    )


def _local(file: "type_of_file", places: Places) -> Path | None:
    if file.url and file.url.lower().startswith("file:"):
        return Path(url2pathname(urlsplit(file.url).path))
    return None if file.url else places.base / (file.path or "")


def _relative(path: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path.absolute(), folder.absolute())).as_posix()
    except ValueError:  # another drive
        return path.absolute().as_posix()


def _clean(url: str) -> str:
    """Return ``url`` without credentials and fragment."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, parts.query, ""))


def _sha256(file: "type_of_file", package: str) -> str:
    if "sha256" not in file.hashes:
        raise SelectionError([f"`{package}`: {_file_name(file)} has no sha256, only {', '.join(sorted(file.hashes))}"])
    return file.hashes["sha256"].lower()


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
