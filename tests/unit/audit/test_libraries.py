"""Needed libraries and versioned symbols of a stack, as the loader of the target would look for them."""

from dataclasses import replace

import pytest

from layerkit.audit.binaries import stack_binary_findings
from layerkit.formats.elf import BinaryFacts, RequiredVersion
from layerkit.model.contents import Contents, Insides
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.stack import Stack
from layerkit.model.target import audited_target, parse_target
from tests.unit.audit.holding import elf, holding

NEW, OLD = "python3.12-x86_64", "python3.11-x86_64"
MODULE = "python/demo/fast.cpython-312-x86_64-linux-gnu.so"


def needing(*libraries: str, path: tuple[str, ...] = (), soname: str | None = None) -> BinaryFacts:
    return replace(elf(), needed=libraries, search_path=path, soname=soname)


def asking(library: str, version: str, *, path: tuple[str, ...] = ()) -> BinaryFacts:
    required = RequiredVersion(library=library, version=version, weak=False)
    return replace(elf(), versions=(required,), needed=(library,), search_path=path)


def layer(binaries: dict[str, BinaryFacts], *paths: str, where: str = "layer.zip") -> Contents:
    metadata = "python/demo-1.0.dist-info/METADATA"
    return holding(*binaries, *paths, metadata, insides=Insides(binaries=binaries), where=where)


def found(*layers: Contents, target: str = NEW) -> list[Finding]:
    return list(stack_binary_findings(Stack(layers=layers), [parse_target(target)]))


def kinds(findings: list[Finding]) -> list[tuple[Code, Severity]]:
    return [(finding.code, finding.severity) for finding in findings]


MISSING = [(Code.ELF_MISSING_LIBRARY, Severity.ERROR)]


def test_a_library_of_the_system_or_of_the_runtime_is_there() -> None:
    assert found(layer({MODULE: needing("libc.so.6", "libpython3.12.so.1.0", "linux-vdso.so.1")})) == []


def test_a_library_that_nobody_has_is_an_error_that_names_it_and_the_way_out() -> None:
    (finding,) = found(layer({MODULE: needing("libpq.so.5")}))
    assert kinds([finding]) == MISSING
    assert finding.where == f"layer.zip: {MODULE}"
    assert "demo needs `libpq.so.5`" in finding.message
    assert "neither python3.12 on x86_64 nor the stack" in finding.message
    assert "psycopg2-binary" in (finding.hint or "")


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("$ORIGIN/../demo.libs", "python/demo.libs/libx.so.1"),
        ("${ORIGIN}", "python/demo/libx.so.1"),
        ("/opt/extra", "extra/libx.so.1"),
        ("", "lib/libx.so.1"),
    ],
)
def test_a_library_is_found_on_the_binarys_own_path_and_in_opt_lib(path: str, place: str) -> None:
    facts = needing("libx.so.1", path=(path,) if path else ())
    assert found(layer({MODULE: facts, place: needing(soname="libx.so.1")})) == []


def test_a_link_serves_as_well_as_a_file() -> None:
    library = {"lib/libx.so.1.2": needing(soname="libx.so.1")}
    assert found(layer({MODULE: needing("libx.so.1"), **library}, "lib/libx.so.1")) == []


def test_another_layer_may_bring_the_library() -> None:
    other = layer({"lib/libpq.so.5": needing(soname="libpq.so.5")}, where="pq.zip")
    assert found(other, layer({MODULE: needing("libpq.so.5")})) == []


def test_a_library_off_every_path_is_a_note_since_somebody_may_load_it_beforehand() -> None:
    place = "python/other/lib/libx.so.1"
    (finding,) = found(layer({MODULE: needing("libx.so.1"), place: needing(soname="libx.so.1")}))
    assert kinds([finding]) == [(Code.ELF_MISSING_LIBRARY, Severity.NOTE)]
    assert f"`/opt/{place}`" in finding.message


def test_an_optional_module_among_many_is_a_warning() -> None:
    modules = {f"python/demo/m{number}.abi3.so": elf() for number in range(3)}
    assert kinds(found(layer({**modules, MODULE: needing("libtbb.so.12")}))) == [
        (Code.ELF_MISSING_LIBRARY, Severity.WARNING)
    ]


def test_what_needs_a_library_that_lacks_another_cannot_load_either() -> None:
    """Three modules need one library of the layer, which needs what nobody has: nothing of the distribution works."""
    core = {"python/demo.libs/libcore.so.1": needing("libGL.so.1", soname="libcore.so.1")}
    modules = {
        f"python/demo/m{number}.abi3.so": needing("libcore.so.1", path=("$ORIGIN/../demo.libs",)) for number in range(3)
    }
    part = layer({**modules, **core})
    owned = replace(part, files=tuple(replace(file, owner="demo") for file in part.files))
    assert kinds(found(owned)) == MISSING


@pytest.mark.parametrize("library", ["libc.musl-x86_64.so.1", "libc.so"])
def test_a_musl_wheel_is_recognised(library: str) -> None:
    (finding,) = found(layer({MODULE: needing(library)}))
    assert finding.hint == "it was built for Alpine (musllinux): take a manylinux wheel"


def test_nothing_is_said_of_a_system_into_which_nobody_looked() -> None:
    targets = [audited_target("python3.7", "x86_64")]
    part = layer({"python/demo/fast.abi3.so": needing("libnobody.so.1")})
    assert list(stack_binary_findings(Stack(layers=(part,)), targets)) == []


def test_the_systems_library_beats_one_in_opt_lib() -> None:
    libraries = {"lib/libstdc++.so.6": needing(soname="libstdc++.so.6")}
    (finding,) = found(layer({MODULE: needing("libstdc++.so.6"), **libraries}))
    assert kinds([finding]) == [(Code.STACK_SYSTEM_LIBRARY, Severity.WARNING)]
    assert found(layer({MODULE: needing("libstdc++.so.6", path=("/opt/lib",)), **libraries})) == []


@pytest.mark.parametrize(
    ("library", "version", "target", "code"),
    [
        ("libc.so.6", "GLIBC_2.28", OLD, Code.ELF_GLIBC),
        ("libstdc++.so.6", "GLIBCXX_3.4.25", OLD, Code.ELF_SYMBOL_VERSION),
        ("libstdc++.so.6", "CXXABI_1.3.12", OLD, Code.ELF_SYMBOL_VERSION),
        ("libstdc++.so.6", "GLIBCXX_3.4.24", OLD, None),
        ("libstdc++.so.6", "GLIBCXX_3.4.33", NEW, None),
        ("libstdc++.so.6", "CXXABI_TM_1", NEW, None),
        ("libcrypto.so.3", "OPENSSL_3.4.0", NEW, None),
        ("libcrypto.so.3", "OPENSSL_3.6.0", NEW, Code.ELF_SYMBOL_VERSION),
    ],
)
def test_symbols_are_held_to_what_the_systems_libraries_define(
    library: str, version: str, target: str, code: Code | None
) -> None:
    findings = found(layer({"python/demo/fast.abi3.so": asking(library, version)}), target=target)
    assert kinds(findings) == ([(code, Severity.ERROR)] if code else [])
    assert all(f"{version} of {library}" in finding.message for finding in findings)


def test_a_library_of_its_own_counts_in_place_of_the_systems() -> None:
    facts = asking("libstdc++.so.6", "GLIBCXX_3.4.99", path=("$ORIGIN/../demo.libs",))
    own = {"python/demo.libs/libstdc++.so.6": needing(soname="libstdc++.so.6")}
    assert found(layer({MODULE: facts, **own})) == []


def test_many_binaries_of_one_distribution_are_one_finding() -> None:
    modules = {f"python/demo/m{number}.abi3.so": elf("aarch64") for number in range(30)}
    (finding,) = found(layer(modules))
    assert (finding.code, finding.where, len(finding.paths)) == (Code.ELF_ARCHITECTURE, "layer.zip", 30)
    assert "30 binaries" in finding.message


def test_the_functions_own_binaries_lie_elsewhere() -> None:
    function = holding(
        "demo/fast.abi3.so",
        "demo/libx.so.1",
        insides=Insides(
            binaries={"demo/fast.abi3.so": needing("libx.so.1", path=("/var/task/demo",)), "demo/libx.so.1": elf()}
        ),
        where="build/",
    )
    stack = Stack(layers=(), function=function)
    assert list(stack_binary_findings(stack, [parse_target(NEW)])) == []
