"""Where the loader finds the libraries that binaries need, in a stack on Lambda."""

from dataclasses import replace

import pytest

from layerkit.audit.layer_binary import LayerBinary
from layerkit.audit.loader import Loader, own_folders
from layerkit.audit.tree import Tree
from layerkit.model.target import audited_target, parse_target
from tests.unit.audit.holding import elf

TARGET = parse_target("python3.12-x86_64")


def binary(name: str, *path: str, owner: str = "demo", root: str = "/opt", soname: str | None = None) -> LayerBinary:
    return LayerBinary(name=name, owner=owner, root=root, facts=replace(elf(), search_path=path, soname=soname))


def loader(*binaries: LayerBinary, paths: tuple[str, ...] = (), links: dict[str, str] | None = None) -> Loader:
    tree = Tree.of([*(each.path for each in binaries), *paths, *(links or {})], links)
    found = Loader.of(binaries, TARGET, tree)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("written", "folder"),
    [
        ("$ORIGIN", "/opt/python/demo"),
        ("${ORIGIN}/../demo.libs", "/opt/python/demo.libs"),
        ("$ORIGIN/$LIB/../${PLATFORM}", "/opt/python/demo/x86_64"),
        ("/opt/${LIB}", "/opt/lib64"),
        ("$ORIGINAL", "/var/task/$ORIGINAL"),
        ("lib", "/var/task/lib"),
        ("", "/var/task"),
    ],
)
def test_search_paths_are_spelled_out_and_relative_ones_start_where_functions_do(written: str, folder: str) -> None:
    assert own_folders(binary("python/demo/fast.so", written)) == (folder,)


class TestOrder:
    def test_the_own_search_path_the_system_and_then_what_a_stack_fills(self) -> None:
        module = binary("python/demo/fast.so", "$ORIGIN/../demo.libs")
        own = binary("python/demo.libs/libz.so.1")
        late = [
            binary(name, owner=name, root=root)
            for root, name in [("/opt", "lib/libz.so.1"), ("/opt", "lib/libq.so.1"), ("/var/task", "lib/libq.so.1")]
        ]
        assert loader(module, own, *late).find("libz.so.1", module) == own.path
        assert loader(module, *late).find("libz.so.1", module) == "libz.so.1"
        assert loader(module, *late).find("libq.so.1", module) == "/var/task/lib/libq.so.1"
        assert loader(module, *late[:2]).find("libq.so.1", module) == "/opt/lib/libq.so.1"
        assert loader(module).find("libq.so.1", module) is None

    @pytest.mark.parametrize("name", ["libpython3.12.so.1.0", "ld-linux-x86-64.so.2", "linux-vdso.so.1", "libc.so.6"])
    def test_the_runtime_the_loader_and_the_kernel_bring_theirs(self, name: str) -> None:
        assert loader().find(name, binary("fast.so")) == name

    def test_libraries_beside_the_task_and_in_its_root_are_found(self) -> None:
        library = binary("libq.so.1", root="/var/task")
        assert loader(library).find("libq.so.1", binary("fast.so")) == "/var/task/libq.so.1"


class TestSharing:
    def test_a_library_that_one_binary_of_a_distribution_finds_all_of_them_find(self) -> None:
        """DT_RPATH is inherited along a chain of libraries, and what is loaded once is found by its name."""
        finder, other = binary("python/demo/fast.so", "$ORIGIN/lib"), binary("python/demo/lib/liba.so")
        stranger = binary("python/x/x.so", owner="x")
        files = loader(finder, other, stranger, paths=("/opt/python/demo/lib/libb.so",))
        assert files.find("libb.so", other) == "/opt/python/demo/lib/libb.so"
        assert files.find("libb.so", stranger) is None

    def test_libraries_elsewhere_are_known_by_their_names_and_sonames(self) -> None:
        library = binary("python/x/libx-2.so", soname="libx.so.2")
        assert {*loader(library).elsewhere} == {"libx-2.so", "libx.so.2"}


def test_links_lead_to_the_library_itself() -> None:
    library = binary("lib/libq.so.1.2")
    found = loader(library, links={"/opt/lib/libq.so.1": "libq.so.1.2"}).find("libq.so.1", binary("fast.so"))
    assert found == library.path


@pytest.mark.parametrize(
    ("needed", "found"),
    [
        ("/opt/own/libq.so.1", "/opt/own/libq.so.1"),
        ("/opt/own/../own/libq.so.1", "/opt/own/libq.so.1"),
        ("/opt/none/libq.so.1", None),
        ("/lib64/ld-linux-x86-64.so.2", "ld-linux-x86-64.so.2"),
        ("/lib64/libnobody.so.1", None),
        ("own/libt.so", "/var/task/own/libt.so"),
    ],
)
def test_a_library_that_is_needed_by_its_path_is_looked_for_there_alone(needed: str, found: str | None) -> None:
    paths = ("/opt/own/libq.so.1", "/var/task/own/libt.so", "/opt/lib/libnobody.so.1")
    assert loader(paths=paths).find(needed, binary("fast.so")) == found


def test_nobody_has_looked_into_the_first_amazon_linux() -> None:
    assert Loader.of([], audited_target("python3.7", "x86_64"), Tree.of([])) is None
