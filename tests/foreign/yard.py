"""Layers as other tools make them, from real packages: pip, uv, ``sam build``, a virtual environment; and ``zip``.

Everything is pinned, so that what an audit finds in them is the same tomorrow.
"""

import os
import shutil
import stat
import subprocess
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from uv import find_uv_bin

from tests.interpreters import find_python

UNTIL: Final = "2026-11-20T00:00:00Z"  # packages that came later are not seen
SAM: Final = "aws-sam-cli==1.170.0"
SAM_PYTHON: Final = "3.11"
_AL2: Final = "python3.11"
_TEMPLATE: Final = """\
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
  Shared:
    Type: AWS::Serverless::LayerVersion
    Properties:
      ContentUri: shared
      CompatibleRuntimes: [{runtime}]
    Metadata:
      BuildMethod: {runtime}
"""


@dataclass(frozen=True, slots=True)
class Yard:
    """A folder for a session's layers: each is made when it is first asked for, in a folder of its own."""

    root: Path

    def once(self, name: str, make: Callable[[Path], None]) -> Path:
        """Return the folder of that name; let ``make`` fill it if it is not there."""
        folder = self.root / name
        if not folder.exists():
            made = self.root / f"{name}.half"
            shutil.rmtree(made, ignore_errors=True)
            made.mkdir(parents=True)
            make(made)
            made.rename(folder)
        return folder

    def uv_target(
        self,
        name: str,
        *requirements: str,
        target: str = "python3.12-x86_64",
        glibc: str = "",
        platform: str = "",
        dependencies: bool = True,
    ) -> Path:
        """Install into ``python/`` as uv's guide for Lambda has it; files may be changed afterwards."""
        runtime, _, architecture = target.rpartition("-")
        machine = {"arm64": "aarch64"}.get(architecture, architecture)
        level = glibc or ("manylinux2014" if runtime == _AL2 else "manylinux_2_34")
        options = ["--python-version", runtime.removeprefix("python"), "--only-binary", ":all:", "--link-mode", "copy"]
        options += ["--python-platform", platform or f"{machine}-{level}", "--exclude-newer", UNTIL]
        options += [] if dependencies else ["--no-deps"]

        def make(folder: Path) -> None:
            run(
                find_uv_bin(), "pip", "install", "--quiet", "--target", "python", *options, *requirements, folder=folder
            )

        return self.once(name, make)

    def pip_target(self, name: str, *pins: str, version: str = "3.12", options: Sequence[str] = ()) -> Path:
        """Install into ``python/`` with pip of a Python, from a requirements.txt, as AWS's documentation has it."""

        def make(folder: Path) -> None:
            listed = self.root / f"{name}.requirements.txt"
            listed.write_text("\n".join(pins), encoding="utf-8")
            pip: list[str | Path] = [
                interpreter(version),
                "-m",
                "pip",
                "install",
                "--quiet",
                "--root-user-action=ignore",
            ]
            run(*pip, "--target", "python", "-r", listed, *options, folder=folder)

        return self.once(name, make)

    def sam_layer(self, name: str, *pins: str, version: str = "3.12", modules: Mapping[str, str]) -> Path:
        """Return what ``sam build`` makes of a layer with a requirements.txt and modules of one's own."""
        sam = self.sam()

        def make(folder: Path) -> None:
            write(folder / "shared", {"requirements.txt": "\n".join(pins), **modules})
            (folder / "template.yaml").write_text(_TEMPLATE.format(runtime=f"python{version}"), encoding="utf-8")
            found = os.pathsep.join([str(interpreter(version).parent), os.environ["PATH"]])
            run(sam, "build", folder=folder, PATH=found, SAM_CLI_TELEMETRY="0", HOME=str(folder / "home"))

        return self.once(name, make) / ".aws-sam" / "build" / "Shared"

    def sam(self) -> Path:
        """Return the ``sam`` program, in an environment of its own: it pins what layerkit and its tests do not."""
        python = interpreter(SAM_PYTHON)

        def make(folder: Path) -> None:
            run(find_uv_bin(), "venv", "--quiet", "--python", python, "--relocatable", "environment", folder=folder)
            install = ["pip", "install", "--quiet", "--python", "environment", "--exclude-newer", UNTIL]
            run(find_uv_bin(), *install, SAM, folder=folder)

        return self.once("sam", make) / "environment" / "bin" / "sam"

    def environment(self, name: str, *pins: str, version: str = "3.12") -> Path:
        """Make a virtual environment called ``python`` and install into it, as aws-lambda-layer-cli does."""

        def make(folder: Path) -> None:
            run(interpreter(version), "-m", "venv", "python", folder=folder)
            pip: list[str | Path] = [folder / "python" / "bin" / "python", "-m", "pip", "install", "--quiet"]
            run(*pip, *pins, folder=folder)

        return self.once(name, make)

    def zipped(self, name: str, make: Callable[[Path], None]) -> Path:
        """Return the zip of that name; let ``make`` write it if it is not there."""
        path = self.root / f"{name}.zip"
        if not path.exists():
            make(path)
        return path

    def zip_program(self, folder: Path, *paths: str, name: str = "") -> Path:
        """Zip what is in a folder with ``zip -r``, which follows links."""
        names = sorted(path.name for path in folder.iterdir())

        def make(path: Path) -> None:
            run("zip", "--quiet", "-1", "--recurse-paths", path, *(paths or names), folder=folder)

        return self.zipped(name or folder.name, make)


def interpreter(version: str) -> Path:
    """Return the Python of a version; without it the test is skipped."""
    found = find_python(version)
    if found is None:
        pytest.skip(f"there is no Python {version} here")
    return found


def run(*command: str | Path, folder: Path, **changes: str) -> None:
    """Run a program that must succeed, without this machine's settings of pip and uv."""
    mine = {
        name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_", "LAYERKIT_", "AWS_"))
    }
    kept = {name: os.environ[name] for name in ("UV_CACHE_DIR", "PIP_CERT") if name in os.environ}
    quiet = {"PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "UV_NO_CONFIG": "1"}
    environment = {**mine, **kept, **quiet, **changes}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


def write(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files below a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def zip_with(
    folder: Path,
    path: Path,
    *,
    prefix: str = "",
    more: Mapping[str, str | bytes] | None = None,
    mode: Callable[[str, int], int] = lambda _, mode: mode,
) -> None:
    """Zip a folder's files below ``prefix``, with ``more`` beside them; ``mode`` chooses modes by name and old mode."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out:
        for file in sorted(each for each in folder.rglob("*") if each.is_file()):
            name = prefix + file.relative_to(folder).as_posix()
            info = zipfile.ZipInfo(name, (2026, 11, 20, 0, 0, 0))
            info.external_attr = (stat.S_IFREG | mode(name, stat.S_IMODE(file.stat().st_mode))) << 16
            info.create_system = 3
            out.writestr(info, file.read_bytes(), zipfile.ZIP_DEFLATED, 1)
        for name, content in (more or {}).items():
            info = zipfile.ZipInfo(name, (2026, 11, 20, 0, 0, 0))
            info.external_attr = (stat.S_IFREG | mode(name, 0o644)) << 16
            info.create_system = 3
            out.writestr(info, content)
