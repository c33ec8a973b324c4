"""A folder of packages behind an index of our own, and ways to run layerkit against it, in this process or another."""

import hashlib
import io
import os
import re
import signal
import subprocess
import sys
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from layerkit.cli.main import main
from tests.builders import make_wheel
from tests.servers import SimpleIndex

TARGET: Final = ("--runtime", "python3.12")
PACKAGE: Final = "def answer():\n    return 42\n"
_SECONDS: Final = re.compile(r"\b\d+\.\d+s\b")


def add_wheel(
    shelf: Path,
    name: str,
    version: str = "1.0",
    *,
    needs: Sequence[str] = (),
    files: Mapping[str, str | bytes] | None = None,
    scripts: Mapping[str, str] | None = None,
    tags: str = "py3-none-any",
) -> Path:
    """Put a wheel on the shelf; without ``files`` it holds one small module."""
    module = name.replace("-", "_")
    lines = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}", *(f"Requires-Dist: {need}" for need in needs)]
    entries = "".join(f"{script} = {target}\n" for script, target in (scripts or {}).items())
    return make_wheel(
        shelf,
        name=module,
        version=version,
        files={f"{module}/__init__.py": PACKAGE} if files is None else files,
        entry_points=f"[console_scripts]\n{entries}" if scripts else None,
        tags=tags,
        purelib=tags.endswith("-any"),
        metadata={"METADATA": "\n".join(lines) + "\n"},
    )


def add_sdist(shelf: Path, name: str, version: str = "1.0", *, backend: str = "", needs: Sequence[str] = ()) -> Path:
    """Put an sdist on the shelf that builds with a backend of its own, so that no build tool need be downloaded.

    ``backend`` is Python that runs when the wheel is built; it may change ``tag``, print, or raise.
    """
    shelf.mkdir(parents=True, exist_ok=True)
    listed = ", ".join(f'"{need}"' for need in needs)
    metadata = f"Metadata-Version: 2.2\nName: {name}\nVersion: {version}\n"
    members = {
        "pyproject.toml": f'[project]\nname = "{name}"\nversion = "{version}"\n'
        f'[build-system]\nrequires = [{listed}]\nbuild-backend = "backend"\nbackend-path = ["."]\n',
        "PKG-INFO": metadata,
        "backend.py": _BACKEND.format(
            name=name, version=version, metadata=metadata, code=backend.replace("\n", "\n    ")
        ),
    }
    path = shelf / f"{name}-{version}.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for member, text in members.items():
            found = tarfile.TarInfo(f"{name}-{version}/{member}")
            found.size = len(text.encode())
            archive.addfile(found, io.BytesIO(text.encode()))
    return path


_BACKEND: Final = """\
import os, zipfile


def build_wheel(folder, config_settings=None, metadata_directory=None):
    tag = "py3-none-any"
    {code}
    name = f"{name}-{version}-{{tag}}.whl"
    info = "{name}-{version}.dist-info"
    members = {{
        "{name}.py": "answer = 42\\n",
        f"{{info}}/METADATA": {metadata!r},
        f"{{info}}/WHEEL": f"Wheel-Version: 1.0\\nGenerator: x\\nRoot-Is-Purelib: true\\nTag: {{tag}}\\n",
        f"{{info}}/RECORD": "",
    }}
    with zipfile.ZipFile(os.path.join(folder, name), "w") as archive:
        for member, text in members.items():
            archive.writestr(member, text)
    return name
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a run of layerkit said."""

    code: int
    stdout: str
    stderr: str

    def __str__(self) -> str:
        """Return it as a transcript."""
        return f"exit {self.code}\n--- stdout\n{self.stdout}--- stderr\n{self.stderr}"


@dataclass(kw_only=True)
class Workbench:
    """A shelf of packages, an index over it, a folder to work in and a cache; nothing of this machine's own."""

    root: Path
    index: SimpleIndex
    url: str = ""
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def shelf(self) -> Path:
        return self.root / "shelf"

    @property
    def work(self) -> Path:
        """The folder to work in."""
        return self.root / "work"

    @property
    def dist(self) -> Path:
        """Where layers are written."""
        return self.work / "dist"

    @property
    def cache(self) -> Path:
        return self.root / "cache"

    def normalize(self, text: str) -> str:
        """Replace what differs from run to run: seconds, the address, temporary paths."""
        text = text.replace(self.index.netloc, "INDEX").replace(str(self.root), "ROOT")
        return _SECONDS.sub("0.0s", text)

    def settings(self, **changes: str) -> dict[str, str]:
        """Return the environment of a process of its own."""
        mine = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT") if name in os.environ}
        return {
            **mine,
            "HOME": str(self.root / "home"),
            "PYTHONPATH": str(Path(__file__).parents[1]),
            "PIP_CONFIG_FILE": os.devnull,
            "UV_NO_CONFIG": "1",
            "UV_CACHE_DIR": str(self.root / "uv"),
            "UV_HTTP_RETRIES": "0",
            "NO_PROXY": "127.0.0.1",
            "LAYERKIT_CACHE_DIR": str(self.cache),
            "LAYERKIT_INDEX_URL": self.url or self.index.url,
            **self.environment,
            **changes,
        }

    def start(self, *argv: str | Path, folder: Path | None = None, **changes: str) -> "subprocess.Popen[str]":
        """Start layerkit in a process (and process group) of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "layerkit", *map(str, argv)],
            cwd=folder or self.work,
            env=self.settings(**changes),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )

    def run(self, *argv: str | Path, folder: Path | None = None, **changes: str) -> Answer:
        """Run layerkit in a process of its own, to its end."""
        return end(self.start(*argv, folder=folder, **changes))


def end(process: "subprocess.Popen[str]") -> Answer:
    """Wait for a process and return what it said."""
    stdout, stderr = process.communicate(timeout=300)
    return Answer(code=process.returncode, stdout=stdout, stderr=stderr)


def kill(process: "subprocess.Popen[str]") -> None:
    """End a process and its children at once, as a power cut would."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def call(*argv: str | Path) -> int:
    """Run layerkit in this process."""
    return main([str(argument) for argument in argv])


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def leftovers(folder: Path) -> list[str]:
    """Return the temporary files that somebody left behind."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.tmp"))
