"""What was built is held to the target by what its binaries ask for."""

from pathlib import Path

import pytest

from layerkit.errors import UnfitError
from layerkit.model.target import PythonTarget, parse_target
from layerkit.wheelhouse.fit import Surroundings, binaries_in, check_fit, unjudged
from layerkit.wheelhouse.native_errors import LibraryNotOnLambda, OtherMachine, TooNew
from tests.builders import make_wheel
from tests.elf_builder import make_elf

MODULE = "pkg/core.so"


def target(name: str = "python3.13-x86_64") -> PythonTarget:
    found = parse_target(name)
    assert isinstance(found, PythonTarget)
    return found


def check(folder: Path, *, on: str = "python3.13-x86_64", others: frozenset[str] = frozenset(), **files: bytes) -> None:
    wheel = make_wheel(folder, files={name.replace("__", "/") + ".so": content for name, content in files.items()})
    check_fit(binaries_in(wheel), Surroundings(target=target(on), others=others, title="image `x`"), what="`pkg` 1.0")


def asking(library: str, version: str, *, weak: bool = False, **more: int) -> bytes:
    return make_elf(versions=((library, ((version, weak),)),), needed=(library,), **more)  # type: ignore[arg-type]


def test_what_asks_for_no_more_than_the_target_has_is_taken(tmp_path: Path) -> None:
    check(tmp_path, pkg__core=asking("libc.so.6", "GLIBC_2.34"))


@pytest.mark.parametrize(
    ("library", "version"),
    [("libc.so.6", "GLIBC_2.38"), ("libc.so.6", "GLIBC_ABI_DT_RELR"), ("libstdc++.so.6", "GLIBCXX_3.4.34")],
)
def test_a_symbol_that_is_too_new_is_named_with_file_and_library(tmp_path: Path, library: str, version: str) -> None:
    with pytest.raises(TooNew, match=r"`pkg` 1\.0, built in image `x`.*glibc 2\.34") as caught:
        check(tmp_path, pkg__core=asking(library, version))
    assert caught.value.details == (f"pkg/core.so asks for {version} of {library}",)
    assert caught.value.exit_code == UnfitError.exit_code
    assert "2.34 or older" in (caught.value.hint or "")


def test_the_ceiling_is_the_targets_own(tmp_path: Path) -> None:
    with pytest.raises(TooNew, match=r"glibc 2\.26"):
        check(tmp_path, on="python3.11-x86_64", pkg__core=asking("libc.so.6", "GLIBC_2.28"))


def test_a_weak_symbol_may_be_missing(tmp_path: Path) -> None:
    check(tmp_path, pkg__core=asking("libc.so.6", "GLIBC_2.38", weak=True))


def test_a_library_that_neither_wheel_nor_lambda_has_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(LibraryNotOnLambda, match=r"needs libexpat\.so\.1") as caught:
        check(tmp_path, pkg__core=make_elf(needed=("libexpat.so.1", "libc.so.6")))
    assert 'libraries = ["libexpat.so.1"]' in (caught.value.hint or "")


def test_a_library_of_lambda_s_is_there(tmp_path: Path) -> None:
    check(tmp_path, on="python3.11-x86_64", pkg__core=make_elf(needed=("libexpat.so.1", "libpython3.11.so.1.0")))


def test_a_library_in_the_wheel_is_there_by_its_soname_or_file_name(tmp_path: Path) -> None:
    check(
        tmp_path,
        pkg__core=make_elf(needed=("libone.so.1", "two.so")),
        pkg__one=make_elf(soname="libone.so.1"),
        pkg__two=make_elf(soname=None),
    )


def test_a_library_that_the_layer_has_from_elsewhere_is_there(tmp_path: Path) -> None:
    check(tmp_path, others=frozenset({"libexpat.so.1"}), pkg__core=make_elf(needed=("libexpat.so.1",)))


def test_a_binary_for_another_machine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OtherMachine, match="aarch64"):
        check(tmp_path, pkg__core=make_elf(machine=183))


def test_what_is_no_binary_is_not_looked_at(tmp_path: Path) -> None:
    check(tmp_path, pkg__core=b"\x7fELF but nothing else", pkg__text=b"print()")


def test_versions_of_other_libraries_than_the_compilers_cannot_be_judged(tmp_path: Path) -> None:
    wheel = make_wheel(
        tmp_path, files={"a.so": asking("libz.so.1", "ZLIB_1.2.12"), "b.so": asking("libc.so.6", "GLIBC_2.2")}
    )
    assert unjudged(binaries_in(wheel)) == ("ZLIB_1.2.12 of libz.so.1",)


def test_versions_of_libraries_in_the_wheel_need_no_judgement(tmp_path: Path) -> None:
    wheel = make_wheel(
        tmp_path, files={"a.so": asking("libz.so.1", "ZLIB_1.2.12"), "z.so": make_elf(soname="libz.so.1")}
    )
    assert unjudged(binaries_in(wheel)) == ()
