"""Layers of real packages from the package index: they fit, they hold what their target can load, and they work."""

import csv
import hashlib
import io
import json
import re
import subprocess
import zipfile
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

from layerkit.cli.main import main
from tests.interpreters import find_python

pytestmark = pytest.mark.network

FITS = 210_000_000  # bytes, well under Lambda's 262,144,000
PARQUET = """
import io, pandas
frame = pandas.DataFrame({"a": [1, 2, 3], "b": ["x", "y", None], "c": pandas.to_datetime(["2026-01-01"] * 3)})
stream = io.BytesIO()
frame.to_parquet(stream)
pandas.testing.assert_frame_equal(pandas.read_parquet(io.BytesIO(stream.getvalue())), frame)
"""
MANY = """
import numpy, scipy.linalg, scipy.optimize, PIL.Image, io, lxml.etree, psycopg
from cryptography.fernet import Fernet
assert abs(scipy.linalg.det(numpy.eye(3)) - 1) < 1e-9
stream = io.BytesIO()
PIL.Image.new("RGB", (8, 8)).save(stream, "PNG")
assert PIL.Image.open(io.BytesIO(stream.getvalue())).size == (8, 8)
assert lxml.etree.fromstring("<a><b/></a>")[0].tag == "b"
fernet = Fernet(Fernet.generate_key())
assert fernet.decrypt(fernet.encrypt(b"secret")) == b"secret"
assert psycopg.pq.__impl__ == "binary"
"""
DISTRIBUTIONS = """
import importlib.metadata as metadata, json, sys
print(json.dumps([[each.name, each.version] for each in metadata.distributions(path=sys.path[-1:])]))
"""


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("real")


def built(out: Path, name: str, target: str, *requirements: str) -> Path:
    """Return the layer's zip, built once."""
    runtime, architecture = target.rsplit("-", 1)
    path = out / f"{name}-{runtime}-{architecture}.zip"
    if not path.exists():
        argv = ["build", *requirements, "--name", name, "--runtime", runtime, "--arch", architecture]
        assert main([*argv, "--out", str(out), "--quiet"]) == 0
    return path


def pandas_layer(out: Path, target: str) -> Path:
    return built(out, "science", target, "pandas", "pyarrow")


def many_layer(out: Path, target: str) -> Path:
    requirements = ("scipy", "numpy", "pillow", "cryptography", "lxml", "psycopg[binary]")
    return built(out, "many", target, *requirements)


def unpacked(path: Path) -> Path:
    folder = path.with_suffix("")
    if not folder.exists():
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                archive.extract(info, folder)
                (folder / info.filename).chmod(info.external_attr >> 16)
    return folder


def python(version: str, layer: Path, code: str, *, argv: str = "") -> str:
    """Run code with nothing but the standard library and the layer on the path; return what it printed."""
    found = find_python(version)
    if found is None:
        pytest.skip(f"there is no Python {version} here")
    program = f"import sys; sys.path.append({str(layer / 'python')!r}); sys.argv = ['x', *{argv.split()!r}]\n{code}"
    done = subprocess.run([found, "-I", "-S", "-B", "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def elves(path: Path) -> Iterator[tuple[str, ELFFile]]:
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            content = archive.read(name)
            if content.startswith(b"\x7fELF"):
                yield name, ELFFile(io.BytesIO(content))


def glibc_of(binary: ELFFile) -> Iterator[tuple[int, ...]]:
    """Yield the versions of GLIBC symbols that a binary asks for, as an independent reader sees them."""
    for section in binary.iter_sections():
        if isinstance(section, GNUVerNeedSection):
            for _, versions in section.iter_versions():
                for version in versions:
                    if match := re.fullmatch(r"GLIBC_([\d.]+)", version.name):
                        yield tuple(map(int, match[1].split(".")))


def unzipped_bytes(path: Path) -> int:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return sum(info.file_size for info in archive.infolist())


@pytest.mark.parametrize("version", ["3.12", "3.13"])
def test_pandas_and_pyarrow_fit(version: str, out: Path) -> None:
    """What AWS counts is what the manifest says."""
    path = pandas_layer(out, f"python{version}-x86_64")
    manifest = json.loads(path.with_name(f"{path.stem}.layer.json").read_text("utf-8"))
    assert unzipped_bytes(path) == manifest["layers"][0]["unzipped_bytes"] <= FITS


@pytest.mark.interpreter
@pytest.mark.parametrize("version", ["3.12", "3.13"])
def test_pandas_writes_and_reads_parquet_with_only_the_layer(version: str, out: Path) -> None:
    python(version, unpacked(pandas_layer(out, f"python{version}-x86_64")), PARQUET)


@pytest.mark.parametrize("target", ["python3.12-arm64", "python3.13-arm64"])
def test_an_arm64_layer_holds_only_aarch64(target: str, out: Path) -> None:
    path = pandas_layer(out, target)
    machines = {name: binary["e_machine"] for name, binary in elves(path)}
    assert len(machines) > 50
    assert set(machines.values()) == {"EM_AARCH64"}
    assert unzipped_bytes(path) <= FITS


@pytest.mark.parametrize("target", ["python3.11-x86_64", "python3.11-arm64"])
def test_a_layer_for_amazon_linux_2_needs_no_newer_glibc(target: str, out: Path) -> None:
    path = pandas_layer(out, target)
    asked = {name: max(glibc_of(binary), default=(0,)) for name, binary in elves(path)}
    assert len([version for version in asked.values() if version > (2, 2)]) > 20
    assert {name: version for name, version in asked.items() if version > (2, 26)} == {}


@pytest.mark.interpreter
@pytest.mark.parametrize("version", ["3.12", "3.13"])
def test_what_is_hard_to_strip_works(version: str, out: Path) -> None:
    """OpenBLAS, image codecs, OpenSSL in Rust, libxml2 and libpq."""
    python(version, unpacked(many_layer(out, f"python{version}-x86_64")), MANY)


@pytest.mark.interpreter
@pytest.mark.parametrize("version", ["3.12", "3.13"])
def test_scripts_run(version: str, out: Path) -> None:
    """Their first line names Lambda's interpreter; the code below it runs."""
    layer = unpacked(pandas_layer(out, f"python{version}-x86_64"))
    script = next(path for path in sorted((layer / "bin").iterdir()) if path.name == "f2py")
    text = script.read_text("utf-8")
    assert text.startswith(f"#!/var/lang/bin/python{version}\n")
    assert script.stat().st_mode & 0o111
    said = python(version, layer, f"sys.argv[0] = {str(script)!r}\nexec(compile({text!r}, 'f2py', 'exec'))", argv="-v")
    assert re.match(r"\d+\.\d+", said.strip())


@pytest.mark.interpreter
@pytest.mark.parametrize("version", ["3.12", "3.13"])
def test_every_distribution_is_seen(version: str, out: Path) -> None:
    path = many_layer(out, f"python{version}-x86_64")
    seen = json.loads(python(version, unpacked(path), DISTRIBUTIONS))
    manifest = json.loads(path.with_name(f"{path.stem}.layer.json").read_text("utf-8"))
    told = {each["name"]: each["version"] for each in manifest["layers"][0]["distributions"]}
    assert {re.sub(r"[-_.]+", "-", name).lower(): found for name, found in seen} == told


@pytest.mark.parametrize("target", ["python3.12-x86_64", "python3.13-x86_64"])
def test_every_record_is_true_and_complete(target: str, out: Path) -> None:
    """Each file of a layer stands in one RECORD, with its hash and size."""
    root = unpacked(many_layer(out, target))
    layer = root / "python"
    records = sorted(layer.glob("*.dist-info/RECORD"))
    assert len(records) > 6
    told: dict[Path, tuple[str, str]] = {}
    for record in records:
        for name, digest, size in csv.reader(record.read_text("utf-8").splitlines()):
            assert (layer / name).resolve() not in told
            told[(layer / name).resolve()] = (digest, size)
    files = {path.resolve() for path in root.rglob("*") if path.is_file()}
    assert set(told) == files
    for path, (digest, size) in told.items():
        if path.name != "RECORD":
            content = path.read_bytes()
            found = urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            assert (digest, size) == (f"sha256={found}", str(len(content))), path
