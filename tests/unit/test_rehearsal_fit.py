"""Layers by others against a target: what the names in them and the heads of their binaries tell."""

import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from layerkit.invoke.listing import Listing
from layerkit.model.target import parse_target
from layerkit.rehearsal_fit import laid_out_wrong, misfits, suited_runtimes
from tests.elf_builder import AARCH64, EXEC, X86_64, make_elf

X86, ARM = make_elf(machine=X86_64), make_elf(machine=AARCH64)
NATIVE = "python/pkg/core.cpython-312-x86_64-linux-gnu.so"
Files = Mapping[str, bytes]


def folder_of(files: Files, path: Path) -> Listing:
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return Listing.of(path)


def zip_of(files: Files, path: Path) -> Listing:
    with zipfile.ZipFile(path / "a.zip", "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in files.items():
            out.writestr(name, content)
    return Listing.of(path / "a.zip")


@dataclass(frozen=True, kw_only=True)
class Lister:
    """Lists files of a layer, as a folder or as a zip."""

    how: Callable[[Files, Path], Listing]
    path: Path

    def misfits(self, files: Files, target: str = "python3.12-x86_64") -> list[str]:
        return [*misfits(self.how(files, self.path), parse_target(target))]

    def layout(self, files: Files, target: str = "python3.12-x86_64") -> list[str]:
        return [*laid_out_wrong(self.how(files, self.path), parse_target(target))]


@pytest.fixture(params=[folder_of, zip_of], ids=["folder", "zip"])
def listing(request: pytest.FixtureRequest, tmp_path: Path) -> Lister:
    return Lister(how=request.param, path=tmp_path)


def test_what_is_for_the_target_fits(listing: Lister) -> None:
    files = {
        NATIVE: X86,
        "python/pkg/any.abi3.so": X86,
        "python/pkg/plain.so": X86,
        "python/pkg.libs/libx-1234.so.1.2": X86,
        "python/lib/python3.12/site-packages/other/x.cpython-312-x86_64-linux-gnu.so": X86,
        "lib/libpq.so.5": X86,
        "bin/tool": make_elf(machine=X86_64, kind=EXEC),
        "bin/script": b"#!/bin/sh\n",
    }
    assert listing.misfits(files) == []


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("x.cpython-311-x86_64-linux-gnu.so", "Python 3.11"),
        ("x.cpython-37m-x86_64-linux-gnu.so", "Python 3.7"),
        ("x.cpython-312-darwin.so", "macOS"),
        ("x.cp312-win_amd64.pyd", "Windows"),
        ("x.pyd", "Windows"),
        ("x.cpython-312-x86_64-linux-musl.so", "musl instead of glibc"),
        ("x.pypy310-pp73-x86_64-linux-gnu.so", "PyPy"),
        ("x.cpython-312t-x86_64-linux-gnu.so", "`cpython-312t-x86_64-linux-gnu`"),
    ],
)
def test_an_extension_module_that_python_does_not_look_for_is_told(listing: Lister, name: str, meant: str) -> None:
    files = {"python/pkg/__init__.py": b"", f"python/pkg/{name}": b""}
    assert listing.misfits(files) == [f"`python/pkg/{name}` is for {meant}, not for python3.12"]


def test_a_package_with_a_module_that_loads_fits(listing: Lister) -> None:
    """As those that bring modules for several versions of Python."""
    assert listing.misfits({NATIVE: b"", NATIVE.replace("312", "311"): b"", NATIVE.replace("312", "313"): b""}) == []


def test_each_package_is_on_its_own_and_the_first_one_is_named(listing: Lister) -> None:
    files = {
        "python/a/x.cpython-311-x86_64-linux-gnu.so": b"",
        "python/b.cpython-311-x86_64-linux-gnu.so": b"",
        "python/c/x.cpython-312-x86_64-linux-gnu.so": b"",
    }
    (told,) = listing.misfits(files)
    assert told.endswith("is for Python 3.11, not for python3.12 (and 1 more like it)")


def test_packages_in_the_folder_of_another_version_only_are_told(listing: Lister) -> None:
    name = "python/lib/python3.11/site-packages/pkg/__init__.py"
    assert listing.misfits({name: b"", "bin/script": b""}) == [f"`{name}` is for Python 3.11, not for python3.12"]


@pytest.mark.parametrize(
    "other",
    [
        "python/other.py",
        "python/lib/python3.12/site-packages/other.py",
        "bootstrap",
        "extensions/agent",
    ],
)
def test_another_versions_folder_beside_something_else_is_no_misfit(listing: Lister, other: str) -> None:
    old = "python/lib/python3.11/site-packages/pkg/x.cpython-311-aarch64-linux-gnu.so"
    assert listing.misfits({old: ARM, other: b""}) == []


@pytest.mark.parametrize(
    "name", ["python/pkg/core.abi3.so", "python/pkg.libs/libx.so.1", "lib/libpq.so.5", "bin/tool", "bootstrap"]
)
@pytest.mark.parametrize("target", ["python3.12-x86_64", "provided.al2023-x86_64"])
def test_a_binary_for_another_machine_is_told(listing: Lister, name: str, target: str) -> None:
    assert listing.misfits({name: ARM}, target) == [f"`{name}` is for arm64, not for x86_64"]


def test_it_is_the_targets_machine_that_counts(listing: Lister) -> None:
    assert listing.misfits({"bin/tool": ARM}, "python3.12-arm64") == []
    assert listing.misfits({"bin/tool": X86}, "python3.12-arm64") == ["`bin/tool` is for x86_64, not for arm64"]


def test_a_machine_without_a_name_is_told_by_its_number(listing: Lister) -> None:
    files = {"lib/a.so": make_elf(machine=243)}
    assert listing.misfits(files) == ["`lib/a.so` is for another machine (`em_243`), not for x86_64"]


def test_a_package_with_binaries_for_several_machines_fits(listing: Lister) -> None:
    assert listing.misfits({"python/pkg/x86_64/a.so": X86, "python/pkg/aarch64/a.so": ARM}) == []


def test_what_other_pythons_and_programs_of_packages_are_for_does_not_count(listing: Lister) -> None:
    files = {
        "python/pkg.py": b"",
        "python/lib/python3.11/site-packages/pkg/x.so": ARM,
        "python/bin/tool": ARM,
        "nodejs/node_modules/x/x.node": ARM,
    }
    assert listing.misfits(files) == []


def test_a_file_that_cannot_be_read_tells_nothing(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "gone.so").symlink_to("nowhere")
    assert [*misfits(Listing.of(tmp_path), parse_target("python3.12-x86_64"))] == []


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (["requests/__init__.py", "requests/api.py"], "`requests/__init__.py` lies at the top, where no runtime looks"),
        (["app.py"], "`app.py` lies at the top, where no runtime looks"),
        (["google/cloud/x.py", "x-1.0.dist-info/METADATA"], "`x-1.0.dist-info/METADATA` lies at the top"),
        (["layer/python/x.py", "layer/bin/y", "__MACOSX/layer/._x"], "everything lies in the folder `layer/`"),
        (["Python/python/x.py"], "everything lies in the folder `Python/`"),
    ],
)
def test_a_layout_that_no_runtime_knows_is_told(listing: Lister, files: list[str], told: str) -> None:
    (found,) = listing.layout(dict.fromkeys(files, b""))
    assert told in found


@pytest.mark.parametrize(
    "files",
    [
        ["python/x.py", "setup.py"],
        ["bin/x"],
        ["bootstrap", "runtime.py"],
        ["etc/app.toml"],
        ["etc/lib/data.bin"],
        ["README.md"],
    ],
)
def test_what_a_function_may_open_by_its_path_is_none_of_our_business(listing: Lister, files: list[str]) -> None:
    assert listing.layout(dict.fromkeys(files, b"")) == []


def test_custom_runtimes_may_look_anywhere(listing: Lister) -> None:
    assert listing.layout({"app.py": b""}, "provided.al2023-x86_64") == []


@pytest.mark.parametrize(
    ("names", "suited"),
    [
        ([NATIVE], ("python3.12",)),
        ([NATIVE, NATIVE.replace("312", "313")], ("python3.12", "python3.13")),
        (["python/lib/python3.11/site-packages/x.py"], ("python3.11",)),
        (["python/pkg/x.abi3.so", "python/x.py"], ()),
        (["python/a/x.cpython-311-x86_64-linux-gnu.so", "python/b/x.cpython-312-x86_64-linux-gnu.so"], ()),
        (["bin/tool"], ()),
    ],
)
def test_names_tell_for_which_runtimes_a_layer_is(names: list[str], suited: tuple[str, ...]) -> None:
    assert suited_runtimes(names) == suited
