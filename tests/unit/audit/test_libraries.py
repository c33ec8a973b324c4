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


def owned(part: Contents, owner: str = "demo") -> Contents:
    return replace(part, files=tuple(replace(file, owner=owner) for file in part.files))


class TestMissing:
    def test_libraries_that_the_same_helps_against_are_one_finding(self) -> None:
        modules = {
            "python/demo/a.abi3.so": needing("libGL.so.1", "libX11.so.6"),
            "python/demo/b.abi3.so": needing("libGL.so.1"),
            "python/demo/c.abi3.so": needing("libgomp.so.1"),
        }
        display, other = found(layer(modules))
        assert "demo needs `libGL.so.1`, `libX11.so.6` for `python/demo/a.abi3.so`, `python/demo/b.abi3.so`" in (
            display.message
        )
        assert "2 of 3 extension modules of demo cannot be loaded" in display.message
        assert (display.severity, display.where, len(display.paths)) == (Severity.ERROR, "layer.zip", 2)
        assert (other.severity, other.where) == (Severity.WARNING, "layer.zip: python/demo/c.abi3.so")
        assert 'libraries = ["libgomp.so.1"]' in (other.hint or "")

    def test_it_is_said_where_nothing_is_left(self) -> None:
        core = {"python/demo/libcore.so.1": needing("libgone.so.1", soname="libcore.so.1")}
        modules = {f"python/demo/{name}.abi3.so": needing("libcore.so.1", path=("$ORIGIN",)) for name in "ab"}
        (finding,) = found(layer({**core, **modules}))
        assert finding.message.endswith("nor the stack has it: nothing of demo can be loaded")

    def test_files_of_nobodys_are_one_finding_named_by_themselves(self) -> None:
        files = {f"lib/lib{name}.so.1": needing("libgone.so.1") for name in "ab"}
        (finding,) = found(layer(files))
        assert finding.message.startswith("`lib/liba.so.1`, `lib/libb.so.1` need `libgone.so.1`, and neither")
        assert kinds([finding]) == [(Code.ELF_MISSING_LIBRARY, Severity.WARNING)]

    def test_nothing_is_called_missing_where_a_part_could_not_be_read(self) -> None:
        unread = replace(holding(where="arn"), is_read=False)
        assert found(layer({MODULE: needing("libpq.so.5")}), unread) == []

    def test_a_link_that_leads_nowhere_is_no_library(self) -> None:
        links = {"lib/libx.so.1": "libx.so.1.2"}
        binaries = {MODULE: needing("libx.so.1")}
        part = holding(*binaries, links=links, insides=Insides(binaries=binaries, links=links))
        assert kinds(found(part)) == MISSING

    def test_a_library_astray_is_a_warning_that_tells_where_it_belongs(self) -> None:
        place = "lib64/libx.so.1"
        (finding,) = found(layer({MODULE: needing("libx.so.1"), place: needing(soname="libx.so.1")}))
        assert kinds([finding]) == [(Code.ELF_MISSING_LIBRARY, Severity.WARNING)]
        assert finding.hint == "put it into `lib/` of the layer, where the loader does look"


class TestConcerned:
    @pytest.mark.parametrize(
        "path",
        [
            "python/lib/python3.11/site-packages/demo/fast.abi3.so",
            "python/lib64/python3.12/site-packages/demo/fast.abi3.so",
            "nodejs/node_modules/sharp/sharp.node",
        ],
    )
    def test_what_the_runtime_does_not_look_at_is_not_judged(self, path: str) -> None:
        assert found(layer({path: needing("libgone.so.1")})) == []
        assert found(layer({path: elf("aarch64")})) == []

    def test_another_runtime_may_look_there(self) -> None:
        assert found(layer({"nodejs/x.node": needing("libgone.so.1")}), target="provided.al2023-x86_64") != []
        path = "python/lib/python3.11/site-packages/demo/fast.abi3.so"
        assert kinds(found(layer({path: needing("libgone.so.1")}), target=OLD)) == MISSING


class TestBeaten:
    LIBRARY = "lib/libstdc++.so.6"

    def test_users_are_named(self) -> None:
        (finding,) = found(layer({MODULE: needing("libstdc++.so.6"), self.LIBRARY: needing(soname="libstdc++.so.6")}))
        assert "`/opt/lib` comes last in LD_LIBRARY_PATH: that is loaded for" in finding.message
        assert MODULE in finding.message
        assert finding.where == f"layer.zip: {self.LIBRARY}"

    def test_without_users_it_is_a_note_since_a_program_may_open_it_by_its_path(self) -> None:
        findings = found(layer({self.LIBRARY: needing(soname="libstdc++.so.6")}))
        assert kinds(findings) == [(Code.STACK_SYSTEM_LIBRARY, Severity.NOTE)]

    def test_several_of_one_layer_are_one_finding(self) -> None:
        names = ("libz.so.1", "libssl.so.3")
        module = {MODULE: needing(*names)}
        (finding,) = found(layer({**module, **{f"lib/{name}": needing(soname=name) for name in names}}))
        assert (len(finding.paths), "those are loaded for" in finding.message) == (2, True)

    def test_a_library_is_known_by_the_link_that_bears_its_soname(self) -> None:
        links = {"lib/libz.so.1": "libz.so.1.9"}
        binaries = {MODULE: needing("libz.so.1"), "lib/libz.so.1.9": needing(soname="libz.so.1")}
        part = holding(*binaries, links=links, insides=Insides(binaries=binaries, links=links))
        assert [finding.code for finding in found(part)] == [Code.STACK_SYSTEM_LIBRARY]

    def test_what_the_runtime_lacks_is_not_beaten(self) -> None:
        assert found(layer({MODULE: needing("libgomp.so.1"), "lib/libgomp.so.1": needing(soname="libgomp.so.1")})) == []


class TestSymbols:
    def test_a_library_in_opt_lib_does_not_count_and_that_is_said(self) -> None:
        late = {"lib/libstdc++.so.6": needing(soname="libstdc++.so.6")}
        wanted = asking("libstdc++.so.6", "GLIBCXX_3.4.99")
        symbols, beaten = found(layer({MODULE: wanted, **late}))
        assert (symbols.code, symbols.severity) == (Code.ELF_SYMBOL_VERSION, Severity.ERROR)
        assert "`/opt/lib/libstdc++.so.6` comes after it in LD_LIBRARY_PATH, and is not used" in symbols.message
        assert beaten.code is Code.STACK_SYSTEM_LIBRARY

    def test_a_library_that_the_distribution_may_load_first_counts(self) -> None:
        """Nobody sees from outside whether Python opens it before the module."""
        files = {
            MODULE: asking("libstdc++.so.6", "GLIBCXX_3.4.99"),
            "python/demo/lib/libstdc++.so.6": needing(soname="libstdc++.so.6"),
        }
        assert found(owned(layer(files))) == []
        assert found(layer({MODULE: files[MODULE]})) != []

    def test_the_highest_versions_are_named_and_the_rest_counted(self) -> None:
        versions = tuple(
            RequiredVersion(library="libc.so.6", version=f"GLIBC_2.{minor}", weak=False) for minor in range(27, 39)
        )
        (finding,) = found(layer({MODULE: replace(elf(), versions=versions)}))
        highest = ", ".join(f"GLIBC_2.{minor} of libc.so.6" for minor in (38, 37, 36, 35))
        assert f"asks for {highest}; python3.12 has glibc 2.34" in finding.message
        (finding,) = found(layer({"python/demo/a.abi3.so": replace(elf(), versions=versions)}), target=OLD)
        assert "and 8 more; python3.11 has glibc 2.26" in finding.message

    def test_openssl_of_another_generation_is_not_held_to_this_ones_numbers(self) -> None:
        """It is not there at all, which is another finding."""
        part = layer({"python/demo/fast.abi3.so": asking("libcrypto.so.3", "OPENSSL_3.0.0")})
        assert kinds(found(part, target=OLD)) == MISSING
