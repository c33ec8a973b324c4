"""Binaries against the target that is to load them."""

from dataclasses import replace

import pytest

from layerkit.audit.binaries import binary_findings
from layerkit.audit.layer_binary import LayerBinary
from layerkit.audit.tree import Tree
from layerkit.formats.elf import binary_facts
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.target import parse_target
from tests.elf_builder import make_elf
from tests.unit.audit.holding import elf

AARCH64 = 183
X86_64 = 62
OLD, NEW = "python3.11-x86_64", "python3.12-x86_64"


def binary(
    name: str, *, owner: str = "demo", machine: int = X86_64, version: str = "GLIBC_2.17", weak: bool = False
) -> LayerBinary:
    data = make_elf(machine=machine, versions=(("libc.so.6", ((version, weak),)),))
    return LayerBinary(name=f"python/{name}", owner=owner, facts=binary_facts(data))


def found(*binaries: LayerBinary, target: str = NEW) -> tuple[Finding, ...]:
    return binary_findings(binaries, [parse_target(target)], tree=Tree.of(()))


def kinds(*findings: Finding) -> list[tuple[Code, Severity]]:
    return [(finding.code, finding.severity) for finding in findings]


def test_a_binary_for_the_target_is_fine() -> None:
    assert found(binary("a.so"), binary("b.cpython-312-x86_64-linux-gnu.so"), binary("c.abi3.so")) == ()


def test_a_binary_for_another_architecture_is_an_error_and_names_its_distribution() -> None:
    (finding,) = found(binary("a.so", machine=AARCH64))
    assert kinds(finding) == [(Code.ELF_ARCHITECTURE, Severity.ERROR)]
    assert finding.message == "demo brings a binary for aarch64; python3.12-x86_64 cannot load it"


def test_of_a_module_for_another_architecture_nothing_more_is_said() -> None:
    """That its name ends in another way than the target's is no second fault."""
    module = binary("a.cpython-312-aarch64-linux-gnu.so", machine=AARCH64)
    assert kinds(*found(module)) == [(Code.ELF_ARCHITECTURE, Severity.ERROR)]


def test_it_is_a_warning_where_the_same_distribution_has_binaries_that_load() -> None:
    assert kinds(*found(binary("a.so", machine=AARCH64), binary("b.so"))) == [(Code.ELF_ARCHITECTURE, Severity.WARNING)]
    other = binary("b.so", owner="other")
    assert kinds(*found(binary("a.so", machine=AARCH64), other)) == [(Code.ELF_ARCHITECTURE, Severity.ERROR)]


@pytest.mark.parametrize(
    ("version", "target", "loads"),
    [
        ("GLIBC_2.34", NEW, True),
        ("GLIBC_2.35", NEW, False),
        ("GLIBC_2.26", OLD, True),
        ("GLIBC_2.27", OLD, False),
        ("GLIBC_2.2.5", OLD, True),
        ("GLIBC_ABI_DT_RELR", NEW, False),
        ("GLIBCXX_3.4.99", OLD, True),
    ],
)
def test_the_symbols_asked_for_are_held_to_the_glibc_of_the_runtime(version: str, target: str, loads: bool) -> None:
    expected = [] if loads else [(Code.ELF_GLIBC, Severity.ERROR)]
    assert kinds(*found(binary("a.so", version=version), target=target)) == expected


def test_a_weak_symbol_may_be_missing() -> None:
    assert found(binary("a.so", version="GLIBC_2.38", weak=True)) == ()


def test_a_module_for_another_python_is_an_error_unless_a_sibling_fits() -> None:
    wrong = binary("pkg/fast.cpython-311-x86_64-linux-gnu.so")
    assert kinds(*found(wrong)) == [(Code.PYTHON_ABI, Severity.ERROR)]
    for right in ("pkg/fast.cpython-312-x86_64-linux-gnu.so", "pkg/fast.abi3.so", "pkg/fast.so"):
        assert found(wrong, binary(right)) == ()
    assert kinds(*found(wrong, binary("other/fast.so"))) == [(Code.PYTHON_ABI, Severity.ERROR)]


def test_a_module_for_this_python_and_another_c_library_is_told_by_what_it_needs() -> None:
    assert found(binary("a.cpython-312-x86_64-linux-musl.so")) == ()


def test_a_runtime_without_python_cares_for_no_abi() -> None:
    assert found(binary("fast.cpython-311-x86_64-linux-gnu.so"), target="provided.al2023-x86_64") == ()


def test_each_finding_is_told_once_for_several_targets() -> None:
    targets = [parse_target(name) for name in ("python3.12-x86_64", "python3.13-x86_64")]
    assert len(binary_findings([binary("a.so", version="GLIBC_2.40")], targets, tree=Tree.of(()))) == 2
    same = [targets[0], targets[0]]
    assert len(binary_findings([binary("a.so", version="GLIBC_2.40")], same, tree=Tree.of(()))) == 1


def test_a_binary_of_nobodys_goes_by_its_path() -> None:
    loose = [
        LayerBinary(name=f"lib/{name}.so", owner=f"lib/{name}.so", facts=elf("aarch64"), is_owned=False)
        for name in "ab"
    ]
    (one,), (both,) = found(loose[0]), found(*loose)
    assert one.message == "`lib/a.so` is a binary for aarch64; python3.12-x86_64 cannot load it"
    assert both.message == "`lib/a.so`, `lib/b.so` are binaries for aarch64; python3.12-x86_64 cannot load them"
    assert both.hint == "build them for x86_64"


def test_a_package_of_nobodys_goes_by_its_folder() -> None:
    modules = [
        LayerBinary(name=f"python/demo/{name}.so", owner="python/demo", facts=elf("aarch64"), is_owned=False)
        for name in "abc"
    ]
    (finding,) = found(*modules)
    assert finding.message.startswith("`python/demo` brings 3 binaries, such as `python/demo/a.so`, for aarch64;")


def test_machines_have_names() -> None:
    strange = replace(elf(), machine="em_3", bits=32)
    (finding,) = found(LayerBinary(name="python/a.so", owner="demo", facts=strange))
    assert "demo brings a binary for i386;" in finding.message


def test_a_pure_package_can_do_without_what_it_picks_by_the_machines_name() -> None:
    """So does debugpy, whose wheel for any platform attaches to processes on some."""
    facts = binary_facts(make_elf(machine=AARCH64, versions=(("libc.so.6", (("GLIBC_2.99", False),)),)))
    helper = LayerBinary(name="python/demo/attach_linux_arm64.so", owner="demo", facts=facts, runs_anywhere=True)
    assert kinds(*found(helper)) == [(Code.ELF_ARCHITECTURE, Severity.NOTE)]
    assert kinds(*found(helper, target="python3.12-arm64")) == [(Code.ELF_GLIBC, Severity.NOTE)]
    assert kinds(*found(replace(helper, runs_anywhere=False))) == [(Code.ELF_ARCHITECTURE, Severity.ERROR)]
    assert kinds(*found(replace(helper, name="python/demo/core.so"))) == [(Code.ELF_ARCHITECTURE, Severity.ERROR)]


@pytest.mark.parametrize(
    "name",
    ["a.cpython-312t-x86_64-linux-gnu.so", "a.pypy310-pp73-x86_64-linux-gnu.so", "a.graalpy-38-native-x86_64-linux.so"],
)
def test_free_threaded_and_other_pythons_are_others(name: str) -> None:
    (finding,) = found(binary(name))
    assert kinds(finding) == [(Code.PYTHON_ABI, Severity.ERROR)]


def test_objects_that_nobody_loads_are_not_judged() -> None:
    assert found(LayerBinary(name="python/a.o", owner="demo", facts=replace(elf("aarch64"), type="rel"))) == ()
