"""What helps where a library is missing."""

import pytest

from layerkit.audit.layer_binary import LayerBinary
from layerkit.audit.remedies import remedy_for, take_along
from layerkit.model.target import parse_target
from tests.unit.audit.holding import elf

TARGET = parse_target("python3.12-arm64")


def remedy(library: str, owner: str = "demo", *, owned: bool = True) -> str | None:
    binary = LayerBinary(name="python/x.so", owner=owner, facts=elf("aarch64"), is_owned=owned)
    return remedy_for(library, binary, TARGET)


@pytest.mark.parametrize(
    ("owner", "word"),
    [
        ("opencv-python", "`opencv-python-headless`"),
        ("opencv-contrib-python", "`opencv-contrib-python-headless`"),
        ("psycopg2", "`psycopg2-binary`"),
        ("psycopg-c", "`psycopg[binary]`"),
        ("mysqlclient", "`PyMySQL`"),
        ("numba", "nothing needs to be done"),
    ],
)
def test_for_some_distributions_there_is_a_better_one_whatever_they_lack(owner: str, word: str) -> None:
    assert word in (remedy("libanything.so.1", owner) or "")
    assert remedy("libanything.so.1", owner, owned=False) is None


@pytest.mark.parametrize(
    ("library", "word"),
    [
        ("libGL.so.1", "no display"),
        ("libX11.so.6", "no display"),
        ("libxcb-render.so.0", "no display"),
        ("libcuda.so.1", "no GPU"),
        ("libcudart.so.12", "no GPU"),
        ("libcublas.so.12", "no GPU"),
        ("libnvrtc.so.12", "no GPU"),
        ("libc.musl-aarch64.so.1", "musllinux"),
        ("libc.so", "musllinux"),
        ("libpq.so.5", "psycopg2-binary"),
        ("libodbc.so.2", "unixODBC"),
        ("libmariadb.so.3", "PyMySQL"),
        ("libssl.so.1.1", "OpenSSL"),
        ("libcrypto.so.10", "OpenSSL"),
        ("libjvm.so", "Java"),
        ("libpython3.11.so.1.0", "built for Python 3.11: take a wheel of demo for python3.12"),
        ("libpython3.13t.so.1.0", "built for Python 3.13"),
    ],
)
def test_well_known_libraries_tell_what_went_wrong(library: str, word: str) -> None:
    assert word in (remedy(library) or "")


@pytest.mark.parametrize("library", ["libgomp.so.1", "libexpat.so.1", "libcurl.so.4", "libcups.so.2", "libc.so.6"])
def test_of_others_nothing_special_is_known(library: str) -> None:
    assert remedy(library) is None


def test_what_a_system_can_provide_is_taken_along_by_name() -> None:
    assert '`libraries = ["libgomp.so.1"]` takes it from the image' in take_along(["libgomp.so.1"])
    many = take_along([f"lib{number}.so" for number in range(9)])
    assert '"lib5.so", …]` takes them' in many
    assert "lib6.so" not in many
