"""What becomes useless when libraries are missing, and how bad that is."""

from dataclasses import replace

import pytest

from layerkit.audit.layer_binary import LayerBinary
from layerkit.audit.loader import Loader
from layerkit.audit.needs import Damage, Needs
from layerkit.audit.tree import Tree
from layerkit.model.finding import Severity
from layerkit.model.target import parse_target
from tests.unit.audit.holding import elf

GONE = "libgone.so.1"
TARGET = parse_target("python3.12-x86_64")


def binary(name: str, *needed: str, owner: str = "demo", owned: bool = True, anywhere: bool = False) -> LayerBinary:
    facts = replace(elf(), needed=needed, search_path=("$ORIGIN",))
    return LayerBinary(name=f"python/demo/{name}", owner=owner, facts=facts, is_owned=owned, runs_anywhere=anywhere)


def damage(*binaries: LayerBinary) -> Damage:
    loader = Loader.of(binaries, TARGET, Tree.of([each.path for each in binaries]))
    assert loader is not None
    needs = Needs.of(binaries, loader)
    return needs.damage([each for each in binaries if needs.missing(each)])


def told(found: Damage) -> tuple[str, int, int, Severity]:
    return found.owner, found.lost, found.entries, found.severity


@pytest.mark.parametrize(("lost", "severity"), [(1, Severity.WARNING), (2, Severity.ERROR), (4, Severity.ERROR)])
def test_half_of_the_modules_are_too_much_to_go_without(lost: int, severity: Severity) -> None:
    modules = [binary(f"m{number}.abi3.so", *[GONE][: number < lost]) for number in range(4)]
    assert told(damage(*modules)) == ("demo", lost, 4, severity)


def test_what_needs_a_broken_library_is_broken_through_any_number_of_others() -> None:
    chain = [binary("m.abi3.so", "liba.so"), binary("liba.so", "libb.so"), binary("libb.so", "libc1.so")]
    assert told(damage(*chain, binary("libc1.so", GONE))) == ("demo", 1, 1, Severity.ERROR)


def test_libraries_that_need_each_other_in_a_circle_end() -> None:
    circle = [binary("m.abi3.so", "liba.so"), binary("liba.so", "libb.so"), binary("libb.so", "liba.so", GONE)]
    assert told(damage(*circle)) == ("demo", 1, 1, Severity.ERROR)


def test_a_library_that_only_an_optional_module_needs_is_no_great_loss() -> None:
    good = [binary(f"m{number}.abi3.so") for number in range(2)]
    found = damage(*good, binary("extra.abi3.so", "liba.so"), binary("liba.so", GONE))
    assert told(found) == ("demo", 1, 3, Severity.WARNING)


def test_the_worst_hit_owner_counts() -> None:
    """A distribution brings libraries; the modules of another need one of them."""
    libraries = [
        binary("liba.so", GONE, owner="libs"),
        binary("libb.so", owner="libs"),
        binary("lib1.so", owner="libs"),
    ]
    user = replace(binary("m.abi3.so", "liba.so", owner="user"))
    assert told(damage(*libraries)) == ("libs", 1, 3, Severity.WARNING)
    assert told(damage(*libraries, user)) == ("user", 1, 1, Severity.ERROR)


class TestWithoutModules:
    def test_a_library_that_python_opens_is_what_matters_not_what_comes_with_it(self) -> None:
        main = binary("lib_main.so", "libhelp.so", GONE)
        assert told(damage(main, binary("libhelp.so"))) == ("demo", 1, 1, Severity.ERROR)

    def test_one_of_two_may_be_for_other_machines(self) -> None:
        """So are NVIDIA's: one for InfiniBand lies beside one that everybody loads."""
        found = damage(binary("libplain.so.0"), binary("libplain_rdma.so.1", GONE))
        assert told(found) == ("demo", 1, 2, Severity.WARNING)

    def test_a_program_is_all_that_some_have(self) -> None:
        assert damage(binary("driver/node", GONE)).severity is Severity.ERROR


class TestWithoutOwner:
    def test_a_module_is_an_error(self) -> None:
        assert damage(binary("m.so", GONE, owned=False)).severity is Severity.ERROR

    def test_a_library_or_a_program_is_a_warning(self) -> None:
        assert damage(binary("liba.so.1", GONE, owned=False)).severity is Severity.WARNING
        assert damage(binary("tool", GONE, owned=False)).severity is Severity.WARNING


class TestOptional:
    def test_what_a_pure_package_picks_by_its_name_is_a_warning(self) -> None:
        found = damage(binary("attach_linux_amd64.so", GONE, anywhere=True))
        assert told(found) == ("demo", 0, 0, Severity.WARNING)

    @pytest.mark.parametrize("name", ["attach.so", "fast.cpython-312-x86_64-linux-gnu.so"])
    def test_what_is_not_named_for_a_machine_is_not_optional(self, name: str) -> None:
        assert damage(binary(name, GONE, anywhere=True)).severity is Severity.ERROR


@pytest.mark.parametrize(
    ("name", "soname", "is_module"),
    [
        ("fast.cpython-312-x86_64-linux-gnu.so", None, True),
        ("lib.cpython-312-x86_64-linux-gnu.so", None, True),
        ("libfast.abi3.so", "libother.so", True),
        ("fast.so", None, True),
        ("fast.so", "fast.so", True),
        ("fast.so", "libfast.so.1", False),
        ("libfast.so", None, False),
        ("libfast.so.1", "libfast.so.1", False),
        ("tool", None, False),
    ],
)
def test_modules_are_told_from_libraries_by_their_names(name: str, soname: str | None, is_module: bool) -> None:
    each = LayerBinary(name=f"python/{name}", owner="demo", facts=replace(elf(), soname=soname))
    assert each.is_module is is_module
