"""Which libraries Lambda has, held to file lists dumped from inside it."""

import pytest

from layerkit.facts import Architecture, runtime_libraries, system_libraries
from layerkit.facts.libraries import read_libraries
from layerkit.facts.table import FactsError, Table

BOTH = tuple(Architecture)
# What manylinux wheels may take for granted and these systems lack, from auditwheel's policies against the dumps
LACKING_ON_BOTH = {
    "libGL.so.1",
    "libICE.so.6",
    "libSM.so.6",
    "libX11.so.6",
    "libXext.so.6",
    "libXrender.so.1",
    "libatomic.so.1",
    "libgomp.so.1",
    "libgfortran.so.5",
}


@pytest.mark.parametrize("architecture", BOTH)
def test_amazon_linux_2_has_expat_and_nsl_but_no_glib(architecture: Architecture) -> None:
    there = system_libraries("AL2", architecture)
    assert {"libc.so.6", "libstdc++.so.6", "libexpat.so.1", "libnsl.so.1", "libcrypto.so.10"} <= there
    assert not there & (LACKING_ON_BOTH | {"libglib-2.0.so.0", "libgobject-2.0.so.0", "libgthread-2.0.so.0"})


@pytest.mark.parametrize("architecture", BOTH)
def test_amazon_linux_2023_has_glib_but_no_expat_nor_nsl(architecture: Architecture) -> None:
    there = system_libraries("AL2023", architecture)
    assert {"libc.so.6", "libstdc++.so.6", "libglib-2.0.so.0", "libcrypto.so.3", "libz.so.1"} <= there
    assert not there & (LACKING_ON_BOTH | {"libexpat.so.1", "libnsl.so.1"})


@pytest.mark.parametrize("system", ["AL2", "AL2023"])
def test_architectures_differ_by_the_loader_and_libmvec_only(system: str) -> None:
    x86_64, arm64 = (system_libraries(system, architecture) for architecture in BOTH)
    assert arm64 - x86_64 == {"ld-linux-aarch64.so.1"}
    assert x86_64 - arm64 - {"libmvec-2.26.so"} == {"ld-linux-x86-64.so.2", "libmvec.so.1"}


def test_the_lists_are_complete() -> None:
    assert len(system_libraries("AL2", Architecture.X86_64)) == 156
    assert len(system_libraries("AL2023", Architecture.X86_64)) == 188


def test_python_brings_its_own_library_and_from_3_12_two_libcrypts_on_x86_64_only() -> None:
    assert {"libpython3.12.so.1.0", "libcrypt.so.1", "libcrypt.so.2"} <= runtime_libraries("python3.12", BOTH[0])
    arm64 = runtime_libraries("python3.12", Architecture.ARM64)
    assert "libcrypt.so.2" in arm64
    assert "libcrypt.so.1" not in arm64


def test_python3_14_brings_zstd_and_python3_13_does_not() -> None:
    assert "libzstd.so.1" in runtime_libraries("python3.14", Architecture.ARM64)
    assert "libzstd.so.1" not in runtime_libraries("python3.13", Architecture.ARM64)


def test_where_nobody_looked_nothing_is_known() -> None:
    assert system_libraries("AL1", Architecture.X86_64) == frozenset()
    assert runtime_libraries("provided.al2023", Architecture.X86_64) == frozenset()


def test_a_missing_list_is_an_error_with_file_and_key() -> None:
    table = Table({"systems": {"AL2": {"common": [], "x86_64": []}}, "runtimes": {}}, file="system_libraries.toml")
    with pytest.raises(FactsError, match=r"system_libraries.toml: `systems.AL2.arm64` is missing"):
        read_libraries(table)
