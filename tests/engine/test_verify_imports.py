"""Layers imported in containers of the target's system, also of another architecture."""

import zipfile
from pathlib import Path

import pytest

from layerkit.invoke.imports import Imports, verify_imports
from layerkit.invoke.places import PlaceWish, import_place
from layerkit.model.finding import Severity
from layerkit.model.target import PythonTarget, parse_target
from layerkit.sandbox.place import InterpreterNotInImage
from tests.engine import rig
from tests.workbench import call

pytestmark = pytest.mark.engine


@pytest.fixture(autouse=True)
def engine() -> None:
    with rig.connect():
        pass


def imported(path: Path, target: str, image: str, *, timeout: float = 60) -> Imports:
    found = parse_target(target)
    assert isinstance(found, PythonTarget)
    wish = PlaceWish(image=image, network="host")
    with import_place(path, found, environ=rig.ENVIRON, wish=wish) as place:
        return verify_imports(path, found, place=place, timeout=timeout)


def test_the_layer_lies_at_opt_and_cannot_be_written(tmp_path: Path) -> None:
    path = tmp_path / "layer.zip"
    with zipfile.ZipFile(path, "w") as out:
        look = (
            "import os, sys\nassert __file__ == '/opt/python/look.py' and os.getcwd() == sys.path[0] == '/var/task'\n"
        )
        out.writestr("python/look.py", look)
        out.writestr("python/needs_bin.py", "import subprocess\nassert subprocess.run(['tool']).returncode == 7\n")
        out.writestr("python/segfaults.py", "import ctypes\nctypes.string_at(0)")
        out.writestr("python/uses.py", "import botocore.session")
        out.writestr("python/writes.py", "open(__file__, 'a')")
        tool = zipfile.ZipInfo("bin/tool")
        tool.external_attr = 0o100755 << 16
        out.writestr(tool, "#!/bin/sh\nexit 7\n")
    found = imported(path, "python3.13-x86_64", rig.TRIXIE.image)
    messages = {finding.where: (finding.severity, finding.message) for finding in found.findings}
    assert set(messages) == {"import segfaults", "import uses", "import writes"}
    assert messages["import segfaults"][1].startswith("crashes the interpreter with SIGSEGV")
    assert messages["import uses"][0] is Severity.NOTE
    assert messages["import writes"][1].startswith("PermissionError")
    assert "image `layerkit-test/trixie`" in found.summary


def test_an_image_without_the_targets_python_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "layer.zip"
    with zipfile.ZipFile(path, "w") as out:
        out.writestr("python/a.py", "")
    with pytest.raises(InterpreterNotInImage):
        imported(path, "python3.12-x86_64", rig.TRIXIE.image)


@pytest.mark.network
@pytest.mark.parametrize(("architecture", "image"), [("x86_64", rig.TRIXIE.image), ("arm64", rig.TRIXIE_ARM64.image)])
def test_a_built_layer_with_machine_code_imports(
    architecture: str,
    image: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """For arm64 under emulation, on machines of another architecture."""
    monkeypatch.delenv("PIP_CONFIG_FILE")  # where this machine's index is
    monkeypatch.chdir(tmp_path)
    cache = tmp_path / "cache"
    assert call("build", "pyyaml", "--runtime", "python3.13", "--arch", architecture, "--cache-dir", cache) == 0
    capfd.readouterr()
    path = tmp_path / "dist" / f"pyyaml-python3.13-{architecture}.zip"
    broken = tmp_path / "broken.zip"
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(broken, "w") as out:
        for entry in whole.infolist():
            binary = entry.filename.endswith(".so")
            out.writestr(entry, b"\x7fELF" if binary else whole.read(entry))
        out.writestr("python/needs_it.py", "import yaml._yaml")
    assert imported(path, f"python3.13-{architecture}", image).findings == ()
    findings = imported(broken, f"python3.13-{architecture}", image).findings
    assert [finding.where for finding in findings] == ["import needs_it"]
    assert "_yaml" in findings[0].message
