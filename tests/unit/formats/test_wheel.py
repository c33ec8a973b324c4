"""Wheels: names, folders, schemes, scripts."""

import pytest

from layerkit.formats.wheel import Scheme, Script, WheelLayout, WheelName, WheelProblem, is_pure_root, scripts_of


def test_a_file_name_is_taken_apart() -> None:
    name = WheelName.parse("Foo.Bar-1.0-cp39-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl")
    assert (name.name, name.version) == ("foo-bar", "1.0")
    assert name.tags == ("cp39-abi3-manylinux_2_17_x86_64", "cp39-abi3-manylinux2014_x86_64")
    assert not name.is_pure


def test_a_build_number_is_no_part_of_version_or_tags() -> None:
    name = WheelName.parse("a-1.0-2b-py2.py3-none-any.whl")
    assert (name.version, name.tags, name.is_pure) == ("1.0", ("py2-none-any", "py3-none-any"), True)


@pytest.mark.parametrize("text", ["a.whl", "a-1-py3-none.whl", "a-1-x-py3-none-any.whl", "a-1-py3-none-any.zip", ""])
def test_what_is_no_wheel_name_is_refused(text: str) -> None:
    with pytest.raises(WheelProblem, match="file name"):
        WheelName.parse(text)


@pytest.mark.parametrize("spelling", ["Foo_Bar-1.0", "foo.bar-1.0", "foo-bar-1", "FOO_BAR-1.0.0"])
def test_dist_info_may_spell_the_name_in_any_way(spelling: str) -> None:
    layout = WheelLayout.find([f"{spelling}.dist-info/WHEEL", "x.py"], distribution="foo-bar")
    assert layout.dist_info == f"{spelling}.dist-info"


def test_the_data_folder_may_be_spelled_differently_than_dist_info() -> None:
    names = ["foo_bar-1.0.dist-info/WHEEL", "Foo.Bar-1.0.data/scripts/x"]
    layout = WheelLayout.find(names, distribution="foo-bar")
    assert layout.place("Foo.Bar-1.0.data/scripts/x") == (Scheme.SCRIPTS, "x")


def test_two_data_folders_are_refused() -> None:
    names = ["a-1.dist-info/WHEEL", "a-1.data/scripts/x", "A-1.data/scripts/x"]
    with pytest.raises(WheelProblem, match="2 data folders"):
        WheelLayout.find(names, distribution="a")


def test_a_package_whose_name_ends_in_data_is_a_package() -> None:
    layout = WheelLayout.find(["a-1.dist-info/WHEEL", "a.data/x"], distribution="a")
    assert layout.place("a.data/x") == (Scheme.LIB, "a.data/x")


@pytest.mark.parametrize(
    ("names", "why"),
    [
        ([], "0 dist-info"),
        (["a/b.py"], "0 dist-info"),
        (["a-1.dist-info/WHEEL", "b-1.dist-info/WHEEL"], "2 dist-info"),
        (["b-1.dist-info/WHEEL"], "another distribution"),
        (["a-1.DIST-INFO/WHEEL"], "0 dist-info"),
    ],
)
def test_a_wheel_without_exactly_its_own_dist_info_is_refused(names: list[str], why: str) -> None:
    with pytest.raises(WheelProblem, match=why):
        WheelLayout.find(names, distribution="a")


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("pkg/x.py", (Scheme.LIB, "pkg/x.py")),
        ("a-1.data/purelib/pkg/x.py", (Scheme.LIB, "pkg/x.py")),
        ("a-1.data/platlib/x.so", (Scheme.LIB, "x.so")),
        ("a-1.data/scripts/x", (Scheme.SCRIPTS, "x")),
        ("a-1.data/headers/x.h", (Scheme.HEADERS, "x.h")),
        ("a-1.data/data/share/x", (Scheme.DATA, "share/x")),
    ],
)
def test_every_scheme_has_its_place(name: str, place: tuple[Scheme, str]) -> None:
    assert WheelLayout(dist_info="a-1.dist-info", data="a-1.data").place(name) == place


@pytest.mark.parametrize("name", ["a-1.data/nonsense/x", "a-1.data/x", "a-1.data/scripts"])
def test_an_unknown_scheme_is_refused(name: str) -> None:
    with pytest.raises(WheelProblem, match="no known scheme"):
        WheelLayout(dist_info="a-1.dist-info", data="a-1.data").place(name)


def test_console_and_gui_scripts_are_found_with_extras_comments_and_odd_sections() -> None:
    text = """
# a comment
[console_scripts]
Run = pkg.cli:main
with.extra=pkg.cli : App.run [fancy,other]
[gui_scripts]
gui = pkg.gui:main
[some.plugins]
x = whatever it : likes
y: = 3
[DEFAULT]
z = not a script
"""
    assert list(scripts_of(text)) == [
        Script(name="Run", module="pkg.cli", attribute="main"),
        Script(name="with.extra", module="pkg.cli", attribute="App.run"),
        Script(name="gui", module="pkg.gui", attribute="main"),
    ]


@pytest.mark.parametrize("text", ["x = 1", "[console_scripts]\nnonsense", "[console_scripts\n", "\0"])
def test_entry_points_that_cannot_be_read_are_refused(text: str) -> None:
    with pytest.raises(WheelProblem, match=r"entry_points\.txt"):
        list(scripts_of(text))


@pytest.mark.parametrize("reference", ["pkg", "pkg:", ":main", "a b:c", "a:b; import os", "a:b\n  c", ""])
def test_a_script_that_calls_no_function_is_refused(reference: str) -> None:
    with pytest.raises(WheelProblem, match="no function"):
        list(scripts_of(f"[console_scripts]\nx = {reference}\n"))


@pytest.mark.parametrize("name", ["../../python/evil.py", "a/b", "/bin/sh", "..", "a\\b"])
def test_a_script_whose_name_leaves_its_folder_is_refused(name: str) -> None:
    with pytest.raises(WheelProblem, match="no file name"):
        list(scripts_of(f"[console_scripts]\n{name} = a:b\n"))


@pytest.mark.parametrize(("text", "pure"), [("true", True), ("True", True), ("false", False), ("", False)])
def test_purity_is_what_the_wheel_says(text: str, pure: bool) -> None:
    assert is_pure_root(f"Wheel-Version: 1.0\nRoot-Is-Purelib: {text}\n") is pure
