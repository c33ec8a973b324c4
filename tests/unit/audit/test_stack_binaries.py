"""The binaries of a merged stack: which are left, whose they are, and which links lead to them."""

from dataclasses import replace

import pytest

from layerkit.audit.layer_binary import LayerBinary
from layerkit.audit.stack_binaries import binaries_of, tree_of
from layerkit.model.contents import Contents, Insides
from layerkit.model.stack import Stack
from tests.unit.audit.holding import elf, holding


def part(*names: str, where: str = "layer.zip", machine: str = "x86_64", metadata: tuple[str, ...] = ()) -> Contents:
    insides = Insides(binaries={name: elf(machine) for name in names})
    return holding(*names, *metadata, insides=insides, where=where)


def only(stack: Stack) -> LayerBinary:
    (binary,) = binaries_of(stack)
    return binary


def test_a_later_layer_overwrites_a_binary_of_an_earlier_one() -> None:
    stack = Stack(layers=(part("python/a.so", machine="aarch64"), part("python/a.so", where="later.zip")))
    assert (only(stack).label, only(stack).facts.machine) == ("later.zip", "x86_64")


def test_a_file_that_is_no_binary_overwrites_one() -> None:
    assert list(binaries_of(Stack(layers=(part("python/a.so"), holding("python/a.so", where="later.zip"))))) == []


def test_the_functions_code_lies_beside_the_layers() -> None:
    stack = Stack(layers=(part("a.so"),), function=part("a.so", where="code/"))
    assert [binary.path for binary in binaries_of(stack)] == ["/opt/a.so", "/var/task/a.so"]
    assert tree_of(stack).files == {"/opt/a.so", "/var/task/a.so"}


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        ("python/demo/core/a.so", "python/demo"),
        ("python/demo.libs/liba.so", "python/demo"),
        ("python/lib/python3.12/site-packages/demo/a.so", "python/lib/python3.12/site-packages/demo"),
        ("python/a.so", "python/a.so"),
        ("python/bin/tool", "python/bin/tool"),
        ("lib/liba.so", "lib/liba.so"),
        ("bin/tool", "bin/tool"),
    ],
)
def test_what_no_distribution_owns_goes_by_its_package_or_by_itself(path: str, owner: str) -> None:
    binary = only(Stack(layers=(part(path),)))
    assert (binary.owner, binary.is_owned) == (owner, False)


@pytest.mark.parametrize(("path", "owner"), [("demo/a.so", "demo"), ("lib/liba.so", "lib/liba.so"), ("a.so", "a.so")])
def test_packages_of_a_function_lie_at_the_top(path: str, owner: str) -> None:
    assert only(Stack(layers=(), function=part(path))).owner == owner


@pytest.mark.parametrize(
    ("tags", "anywhere"), [(("py3-none-any",), True), (("py3-none-any", "py3-none-linux_x86_64"), False), ((), False)]
)
def test_a_distribution_that_runs_anywhere_says_so_in_all_its_tags(tags: tuple[str, ...], anywhere: bool) -> None:
    names = ("python/demo/a.so", "python/demo-1.0.dist-info/METADATA")
    layer = holding(*names, tags={"demo": tags}, insides=Insides(binaries={names[0]: elf()}))
    assert (only(Stack(layers=(layer,))).owner, only(Stack(layers=(layer,))).runs_anywhere) == ("demo", anywhere)


def test_links_are_those_of_the_part_that_wins() -> None:
    link = "lib/liba.so"
    first = holding("lib/liba.so.1", links={link: "gone"}, insides=Insides(links={link: "gone"}))
    second = holding(links={link: "liba.so.1"}, insides=Insides(links={link: "liba.so.1"}), where="later.zip")
    assert tree_of(Stack(layers=(first, second))).find("/opt/lib/liba.so") == "/opt/lib/liba.so.1"
    assert tree_of(Stack(layers=(second, first))).find("/opt/lib/liba.so") is None


def test_a_link_of_which_nobody_knows_where_it_points_counts_as_a_file() -> None:
    layer = replace(holding(links={"lib/liba.so": "x"}), insides=None)
    assert tree_of(Stack(layers=(layer,))).find("/opt/lib/liba.so") == "/opt/lib/liba.so"
