"""Real wheels: what is stripped loads to the same memory, reads like the original, and runs."""

import io
import shutil
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

from layerkit.assemble.strip import same_memory_image, strip
from layerkit.formats.elf import BinaryFacts, RequiredVersion, binary_facts, is_elf
from tests.interpreters import find_python

pytestmark = pytest.mark.network

WHEELS = {"x86_64": ("numpy", "scipy", "pillow", "pyarrow", "cryptography"), "aarch64": ("numpy", "pillow")}
ALL = [(machine, package) for machine, packages in WHEELS.items() for package in packages]
IMPORTED = ("numpy", "scipy", "pillow", "cryptography", "cffi")


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Path]:
    return {
        (machine, package): _download(package, machine, tmp_path_factory.mktemp(f"{package}-{machine}"))
        for machine, package in [*ALL, ("x86_64", "cffi")]
    }


def _download(package: str, machine: str, folder: Path) -> Path:
    platforms = [f"--platform={level}_{machine}" for level in ("manylinux_2_28", "manylinux2014")]
    command = [sys.executable, "-m", "pip", "download", "-q", "--only-binary=:all:", "--no-deps", *platforms]
    subprocess.run([*command, "--python-version=3.12", "-d", folder, package], check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def _binaries(wheel: Path) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            content = archive.read(name)
            if is_elf(content):
                yield name, content


@pytest.mark.parametrize(("machine", "package"), ALL)
def test_every_binary_keeps_its_image_and_each_wheel_gets_smaller(
    machine: str, package: str, wheels: dict[tuple[str, str], Path]
) -> None:
    saved = 0
    for name, content in _binaries(wheels[machine, package]):
        stripped = strip(content)
        if stripped is not None:
            saved += len(content) - len(stripped)
            assert same_memory_image(content, stripped), name
            assert binary_facts(stripped) == binary_facts(content), name
            assert strip(stripped) is None, name
    assert saved > 1_000_000


@pytest.mark.parametrize(("machine", "package"), ALL)
def test_other_readers_find_nothing_new_to_complain_about(
    machine: str, package: str, wheels: dict[tuple[str, str], Path], tmp_path: Path
) -> None:
    readelf = shutil.which("readelf")
    for name, content in _binaries(wheels[machine, package]):
        stripped = strip(content)
        if stripped is None:
            continue
        assert _mapped_sections(stripped) == _mapped_sections(content), name
        if readelf:
            news = _complaints(readelf, stripped, tmp_path) - _complaints(readelf, content, tmp_path)
            assert not news, name


def _mapped_sections(content: bytes) -> list[tuple[int, str, bytes]]:
    sections = enumerate(ELFFile(io.BytesIO(content)).iter_sections())
    return [(number, one.name, one.data()) for number, one in sections if one["sh_flags"] & 2]


def _complaints(readelf: str, content: bytes, folder: Path) -> Counter[str]:
    path = folder / "binary"
    path.write_bytes(content)
    answer = subprocess.run([readelf, "-aW", path], capture_output=True, check=False)
    assert answer.returncode == 0
    return Counter(answer.stderr.decode(errors="replace").splitlines())


@pytest.mark.parametrize(("machine", "package"), ALL)
def test_facts_agree_with_an_independent_reader(
    machine: str, package: str, wheels: dict[tuple[str, str], Path]
) -> None:
    for name, content in _binaries(wheels[machine, package]):
        facts = binary_facts(content)
        assert facts.machine == machine, name
        assert facts == _independent(content, machine), name


def _independent(content: bytes, machine: str) -> BinaryFacts:
    elf = ELFFile(io.BytesIO(content))
    assert elf["e_machine"] == {"x86_64": "EM_X86_64", "aarch64": "EM_AARCH64"}[machine]
    (dynamic,) = (one for one in elf.iter_sections() if isinstance(one, DynamicSection))
    tags: list[Any] = list(dynamic.iter_tags())
    runpath = [tag.runpath for tag in tags if tag.entry.d_tag == "DT_RUNPATH"]
    rpath = [tag.rpath for tag in tags if tag.entry.d_tag == "DT_RPATH"]
    sections = [one for one in elf.iter_sections() if isinstance(one, GNUVerNeedSection)]
    return BinaryFacts(
        machine=machine,
        bits=elf.elfclass,
        type={"ET_DYN": "dyn", "ET_EXEC": "exec"}[elf["e_type"]],
        soname=next((tag.soname for tag in tags if tag.entry.d_tag == "DT_SONAME"), None),
        needed=tuple(tag.needed for tag in tags if tag.entry.d_tag == "DT_NEEDED"),
        search_path=tuple(path for text in (runpath or rpath)[-1:] for path in text.split(":")),
        versions=tuple(
            RequiredVersion(library=str(library.name), version=version.name, weak=bool(version["vna_flags"] & 2))
            for section in sections
            for library, versions in section.iter_versions()
            for version in versions
        ),
    )


@pytest.mark.interpreter
def test_stripped_packages_import_and_work(wheels: dict[tuple[str, str], Path], tmp_path: Path) -> None:
    python = find_python("3.12")
    if python is None or sys.platform != "linux":
        pytest.skip("needs Python 3.12 on Linux")
    for package in IMPORTED:
        _unpack_stripped(wheels["x86_64", package], tmp_path)
    program = (
        "import numpy, scipy.linalg, PIL.Image, PIL._imagingft, cryptography.hazmat.primitives.ciphers\n"
        "assert numpy.allclose(scipy.linalg.inv(numpy.eye(50) * 4), numpy.eye(50) / 4)\n"
        "image = PIL.Image.new('RGB', (64, 64), 'red')\n"
        "for kind in ('JPEG', 'PNG', 'WEBP'): image.save(__import__('io').BytesIO(), kind)\n"
        "print('works')\n"
    )
    answer = subprocess.run(
        [python, "-I", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{program}"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (answer.stdout, answer.returncode) == ("works\n", 0), answer.stderr


def _unpack_stripped(wheel: Path, folder: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    for name, content in _binaries(wheel):
        (folder / name).write_bytes(strip(content) or content)
