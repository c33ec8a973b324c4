"""Pruning: each rule takes what cannot matter, and nothing else."""

from pathlib import Path

import pytest

from layerkit.assemble.prune import PrunePlan, UnknownServices, plan_pruning
from layerkit.model.recipe_parts import Prune, PruneProfile
from tests.builders import Content, fragments_of, make_wheel
from tests.elf_builder import make_elf

PACKAGE: dict[str, Content] = {"pkg/__init__.py": "", "pkg/tests/__init__.py": "", "pkg/tests/x.py": "x = 1"}


def plan(folder: Path, *wheels: Path, **options: object) -> PrunePlan:
    return plan_pruning(fragments_of(wheels, folder / "cache"), Prune(**options))  # type: ignore[arg-type]


def removed(folder: Path, files: dict[str, Content], **options: object) -> dict[str, str]:
    (selection,) = plan(folder, make_wheel(folder, files=files), **options).selections
    return {file.path: rule for file, rule in selection.removed}


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("a/__pycache__/b.cpython-312.pyc", "bytecode-cache"),
        ("a/b.pyi", "type-stub"),
        ("a/b.c", "native-source"),
        ("a/b.hpp", "native-source"),
        ("a/b.pyx", "native-source"),
        ("libx.a", "static-library"),
        ("a/tests/__init__.py", "tests"),
    ],
)
def test_each_rule_takes_its_files(tmp_path: Path, path: str, rule: str) -> None:
    assert removed(tmp_path, {"a/__init__.py": "", path: ""}) == {path: rule}


@pytest.mark.parametrize(
    "path",
    [
        "a/b.pyc",
        "a/py.typed",
        "a/b.json",
        "tests/__init__.py",
        "a/tests/data.json",
        "a/tests.py",
        "a/test/__init__.py",
        "a/cc",
        "demo-1.0.dist-info/licenses/LICENSE.c",
        "demo-1.0.dist-info/licenses/tests/__init__.py",
        "a/B.C",
    ],
)
def test_what_may_matter_stays(tmp_path: Path, path: str) -> None:
    assert removed(tmp_path, {"a/__init__.py": "", path: ""}) == {}


def test_stubs_stay_where_a_module_beside_them_reads_them(tmp_path: Path) -> None:
    files: dict[str, Content] = {
        "a/__init__.py": "import lazy_loader\nlazy_loader.attach_stub(__name__, __file__)\n",
        "a/__init__.pyi": "",
        "a/b/c.pyi": "",
    }
    assert removed(tmp_path, files) == {"a/b/c.pyi": "type-stub"}


@pytest.mark.parametrize(
    "source",
    [
        "import pkg.tests.x",
        "import os, pkg.tests as t",
        "from pkg.tests import x",
        "from pkg import tests",
        "from . import tests",
        "from .tests.x import x",
        "from pkg import (\n    a,  # one (of many)\n    tests,\n)",
        "from pkg import a, \\\n    tests",
        "from pkg import \\\n  (a,\n   tests)",
        "import importlib\nimportlib.import_module('pkg.tests.x')",
        "import importlib\nimportlib.import_module('.tests', __package__)",
        "import importlib\nimportlib.import_module(f'{__name__}.tests')",
        "type X = int\nfrom pkg import tests\n$ not python",
        "def f():\n    if True: from pkg import tests",
    ],
)
def test_tests_stay_where_something_outside_imports_them(tmp_path: Path, source: str) -> None:
    files = {**PACKAGE, "pkg/__init__.py": source}
    assert removed(tmp_path, files) == {}


@pytest.mark.parametrize("source", ["# tests", "'''runs the tests'''", "tests = 1", "from pkg import a\ntests(a)"])
def test_the_mere_word_keeps_no_tests(tmp_path: Path, source: str) -> None:
    assert set(removed(tmp_path, {**PACKAGE, "pkg/__init__.py": source})) == {"pkg/tests/__init__.py", "pkg/tests/x.py"}


def test_tests_that_only_tests_import_go(tmp_path: Path) -> None:
    files = {**PACKAGE, "pkg/tests/x.py": "from pkg.tests import y\nfrom . import x"}
    assert len(removed(tmp_path, files)) == 2


def test_tests_stay_where_a_compiled_module_names_them(tmp_path: Path) -> None:
    module = make_elf(others={".rodata": b"\0pkg.tests.x\0"})
    assert removed(tmp_path, {**PACKAGE, "pkg/fast.so": module}) == {}


def test_tests_stay_where_an_entry_point_names_them(tmp_path: Path) -> None:
    for text in ("[console_scripts]\nx = pkg.tests.x:main\n", "[some.plugins]\nx = pkg.tests.x:Plugin\n"):
        (selection,) = plan(tmp_path, make_wheel(tmp_path, files=PACKAGE, entry_points=text)).selections
        assert selection.removed == ()


def test_tests_stay_where_another_distribution_imports_them(tmp_path: Path) -> None:
    one = make_wheel(tmp_path, name="one", files=PACKAGE)
    two = make_wheel(tmp_path, name="two", files={"two.py": "from pkg.tests import x"})
    assert [selection.removed for selection in plan(tmp_path, one, two).selections] == [(), ()]


def test_tests_stay_where_tests_that_stay_import_them(tmp_path: Path) -> None:
    one = make_wheel(tmp_path, name="one", files={**PACKAGE, "pkg/tests/x.py": "from two.tests import helper"})
    two = make_wheel(tmp_path, name="two", files={"two/__init__.py": "", "two/tests/__init__.py": ""})
    three = make_wheel(tmp_path, name="three", files={"three.py": "import pkg.tests"})
    with_three = plan(tmp_path, one, two, three)
    without = plan(tmp_path, one, two)
    assert [len(selection.removed) for selection in with_three.selections] == [0, 0, 0]
    assert [len(selection.removed) for selection in without.selections] == [2, 1]


def test_keep_beats_drop_and_drop_beats_rules(tmp_path: Path) -> None:
    files: dict[str, Content] = {"a/b.c": "", "a/c.c": "", "a/d.txt": ""}
    assert removed(tmp_path, files, keep=("a/b.c",), drop=("a/b.c", "a/d.txt")) == {
        "a/c.c": "native-source",
        "a/d.txt": "drop",
    }


def test_no_profile_no_rules(tmp_path: Path) -> None:
    assert removed(tmp_path, {**PACKAGE, "a.c": ""}, profile=PruneProfile.NONE) == {}


def test_patterns_without_a_file_are_told(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, files={"a.txt": ""}, entry_points="[console_scripts]\nrun = a:b\n")
    found = plan(tmp_path, wheel, keep=("b.txt",), drop=("a.txt", "other:a.txt", "demo:bin/run", "bin/walk"))
    assert found.unmatched == ("b.txt", "other:a.txt", "bin/walk")
    assert found.selections[0].scripts == ()


SDK: dict[str, Content] = {
    f"botocore/data/{path}": "{}" for path in ("endpoints.json", "s3/2006/service-2.json.gz", "ec2/2016/service-2.json")
}


def test_only_the_services_asked_for_stay(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, name="botocore", files=SDK)
    (selection,) = plan(tmp_path, wheel, botocore_services=("s3",)).selections
    assert [(file.path, rule) for file, rule in selection.removed] == [
        ("botocore/data/ec2/2016/service-2.json", "botocore-services")
    ]
    assert plan(tmp_path, wheel).selections[0].removed == ()


def test_unknown_services_are_refused(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, name="botocore", files=SDK)
    with pytest.raises(UnknownServices, match="`s3x`") as caught:
        plan(tmp_path, wheel, botocore_services=("s3x", "ec2"))
    assert caught.value.hint == "did you mean s3?"


def test_services_without_botocore_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownServices, match="not in the layer"):
        plan(tmp_path, make_wheel(tmp_path), botocore_services=("s3",))
