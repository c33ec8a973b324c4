"""Binaries of well-known wheels: read as ``readelf`` reads them, and judged as the loader on Lambda would."""

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import pytest

from layerkit.audit.binaries import stack_binary_findings
from layerkit.audit.folder_source import read_folder
from layerkit.formats.elf import BinaryFacts, RequiredVersion
from layerkit.model.contents import Contents
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.stack import Stack
from layerkit.model.target import parse_target
from tests.foreign.yard import Yard

pytestmark = pytest.mark.network

TARGETS: Final = ("python3.12-x86_64", "python3.12-arm64")
OLD: Final = "python3.11-x86_64"
WELL_KNOWN: Final = (
    "numpy",
    "scipy",
    "pandas",
    "pyarrow",
    "pillow",
    "lxml",
    "cryptography",
    "psycopg2-binary",
    "orjson",
    "grpcio",
)
"""Rightly built: they bring what they need, or the runtime has it."""

_DYNAMIC: Final = re.compile(r"^ 0x[0-9a-f]+ \((NEEDED|SONAME|RPATH|RUNPATH)\) .*\[(.*)\]$")
_LIBRARY: Final = re.compile(r"^ +[0-9a-fx]+: Version: 1  File: (\S+)  Cnt: \d+$")
_VERSION: Final = re.compile(r"^ +[0-9a-fx]+:   Name: (\S+)  Flags: (.*?)  Version: \d+$")


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Yard:
    return Yard(tmp_path_factory.mktemp("binaries"))


def folder_of(package: str, target: str, yard: Yard, *, glibc: str = "") -> Path:
    return yard.uv_target(f"{package}-{target}{glibc}", package, target=target, glibc=glibc, dependencies=False)


def layer_of(package: str, target: str, yard: Yard, *, glibc: str = "") -> Contents:
    return read_folder(folder_of(package, target, yard, glibc=glibc), where=package)


def found(package: str, target: str, yard: Yard, *, glibc: str = "") -> list[Finding]:
    layer = layer_of(package, target, yard, glibc=glibc)
    assert layer.binaries
    return list(stack_binary_findings(Stack(layers=(layer,)), [parse_target(target)]))


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("package", WELL_KNOWN)
class TestWellKnown:
    def test_we_read_what_readelf_reads(self, package: str, target: str, yard: Yard) -> None:
        if shutil.which("readelf") is None:
            pytest.skip("there is no readelf here")
        folder = folder_of(package, target, yard)
        ours = read_folder(folder, where=package).binaries
        theirs = readelf(folder, sorted(ours))
        assert any(needed for _, needed, _, _ in theirs.values())
        assert any(versions for _, _, _, versions in theirs.values())
        assert {path: asked(facts) for path, facts in ours.items()} == theirs

    def test_nothing_is_wrong_with_them(self, package: str, target: str, yard: Yard) -> None:
        assert found(package, target, yard) == []


@pytest.mark.parametrize("target", TARGETS)
class TestLacking:
    def test_opencv_with_windows_has_a_headless_sibling(self, target: str, yard: Yard) -> None:
        (finding,) = found("opencv-python", target, yard)
        assert (finding.code, finding.severity) == (Code.ELF_MISSING_LIBRARY, Severity.ERROR)
        assert finding.message.startswith("opencv-python needs `libGL.so.1`")
        assert finding.message.endswith("nothing of opencv-python can be loaded")
        assert "`opencv-python-headless`" in (finding.hint or "")

    def test_numba_goes_on_without_its_thread_pools(self, target: str, yard: Yard) -> None:
        (finding,) = found("numba", target, yard)
        assert (finding.code, finding.severity) == (Code.ELF_MISSING_LIBRARY, Severity.WARNING)
        assert "`libgomp.so.1.0.0`" in finding.message
        assert "omppool" in finding.message

    def test_lightgbm_wants_openmp_of_the_system(self, target: str, yard: Yard) -> None:
        (finding,) = found("lightgbm", target, yard)
        assert (finding.code, finding.severity) == (Code.ELF_MISSING_LIBRARY, Severity.ERROR)
        assert '`libraries = ["libgomp.so.1"]`' in (finding.hint or "")

    def test_rasterio_takes_expat_for_granted(self, target: str, yard: Yard) -> None:
        """No module needs it: the library that all of them need does."""
        (finding,) = found("rasterio", target, yard)
        assert (finding.code, finding.severity) == (Code.ELF_MISSING_LIBRARY, Severity.ERROR)
        assert "rasterio needs `libexpat.so.1` for `python/rasterio.libs/libgdal" in finding.message
        assert finding.message.endswith("nothing of rasterio can be loaded")


def test_a_library_that_python_opens_beforehand_is_a_note(yard: Yard) -> None:
    (finding,) = found("pyexiv2", TARGETS[0], yard)
    assert (finding.code, finding.severity) == (Code.ELF_MISSING_LIBRARY, Severity.NOTE)
    assert "which lies at `/opt/python/pyexiv2/lib/libexiv2.so`" in finding.message


def test_a_helper_of_the_debugger_for_another_machine_is_a_note(yard: Yard) -> None:
    (finding,) = found("debugpy", "python3.12-arm64", yard)
    assert (finding.code, finding.severity) == (Code.ELF_ARCHITECTURE, Severity.NOTE)
    assert finding.where.endswith("attach_linux_amd64.so")


def test_a_wheel_for_a_newer_glibc_is_named_with_the_symbol(yard: Yard) -> None:
    (finding,) = found("gevent", OLD, yard, glibc="manylinux_2_28")
    assert (finding.code, finding.severity) == (Code.ELF_GLIBC, Severity.ERROR)
    assert "GLIBC_2.28 of libc.so.6" in finding.message
    assert finding.message.endswith("python3.11 has glibc 2.26")


Asked = tuple[str | None, tuple[str, ...], tuple[str, ...], tuple[RequiredVersion, ...]]


def asked(facts: BinaryFacts) -> Asked:
    return facts.soname, facts.needed, facts.search_path, facts.versions


def readelf(folder: Path, names: Sequence[str]) -> Mapping[str, Asked]:
    """Ask ``readelf`` about files of a folder."""
    command = [shutil.which("readelf") or "", "-V", "-d", "-W", "--", *names]
    done = subprocess.run(command, cwd=folder, env={"LC_ALL": "C"}, capture_output=True, text=True, check=True)
    if len(names) == 1:
        return {names[0]: parsed(done.stdout)}
    texts = re.split(r"^\nFile: (.+)\n", done.stdout, flags=re.MULTILINE)[1:]
    return {name: parsed(text) for name, text in zip(texts[::2], texts[1::2], strict=True)}


def parsed(text: str) -> Asked:
    tags: dict[str, list[str]] = {}
    versions: list[RequiredVersion] = []
    library = ""
    for line in text.splitlines():
        if match := _DYNAMIC.match(line):
            tags.setdefault(match[1], []).append(match[2])
        elif match := _LIBRARY.match(line):
            library = match[1]
        elif match := _VERSION.match(line):
            versions.append(RequiredVersion(library=library, version=match[1], weak="WEAK" in match[2]))
    paths = (tags.get("RUNPATH") or tags.get("RPATH") or [""])[-1]
    soname = next(iter(tags.get("SONAME", [])), None)
    return soname, tuple(tags.get("NEEDED", [])), tuple(paths.split(":")) if paths else (), tuple(versions)
