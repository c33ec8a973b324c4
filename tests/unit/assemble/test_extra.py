"""Files of the recipe: read whole, or every problem told."""

import os
import sys
from pathlib import Path

import pytest

from layerkit.assemble.extra import extra_files
from layerkit.errors import RecipeError
from layerkit.model.recipe import Layer, Recipe, RecipeFile


def recipe(folder: Path, *files: RecipeFile) -> Recipe:
    return Recipe(path=folder / "layerkit.toml", layer=Layer(name="demo"), files=files)


def test_a_folder_brings_all_files_below_it(tmp_path: Path) -> None:
    for name in ("b.txt", "a/c.txt"):
        (tmp_path / "conf" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "conf" / name).write_text(name)
    found = extra_files(recipe(tmp_path, RecipeFile(source="conf", target="etc")))
    assert {(file.name, file.content) for file in found} == {("etc/b.txt", b"b.txt"), ("etc/a/c.txt", b"a/c.txt")}


@pytest.mark.parametrize(
    ("target", "executable"), [("bootstrap", True), ("bin/x", True), ("extensions/x", True), ("etc/x", False)]
)
def test_what_lambda_starts_is_executable(tmp_path: Path, target: str, executable: bool) -> None:
    (tmp_path / "x").write_text("")
    (file,) = extra_files(recipe(tmp_path, RecipeFile(source="x", target=target)))
    assert file.executable is executable


def test_bytecode_of_this_machine_stays_out(tmp_path: Path) -> None:
    for name in ("code/shop/items.py", "code/shop/__pycache__/items.cpython-311.pyc", "code/.DS_Store"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = extra_files(recipe(tmp_path, RecipeFile(source="code", target="python")))
    assert [file.name for file in found] == ["python/shop/items.py"]


def problems(folder: Path, *files: RecipeFile) -> tuple[str, ...]:
    with pytest.raises(RecipeError) as caught:
        extra_files(recipe(folder, *files))
    return caught.value.details


def test_every_missing_source_is_told(tmp_path: Path) -> None:
    found = problems(tmp_path, RecipeFile(source="a", target="a"), RecipeFile(source="b", target="b"))
    assert found == tuple(f"source `{name}` of [[files]] cannot be read: no such file or directory" for name in "ab")


def test_a_file_larger_than_any_layer_is_told_before_it_is_read(tmp_path: Path) -> None:
    with (tmp_path / "big").open("wb") as stream:
        stream.truncate(262_144_000)
    assert problems(tmp_path, RecipeFile(source="big", target="big")) == (
        "source `big` of [[files]] has `big`, which is 250.0 MiB, more than a layer can hold",
    )


@pytest.mark.skipif(sys.platform != "linux", reason="other file systems do not have such names")
def test_names_that_no_layer_can_have_are_told(tmp_path: Path) -> None:
    folder = tmp_path / "conf"
    folder.mkdir()
    (folder / "a\\b").write_text("")
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff")).write_text("")
    os.mkfifo(folder / "pipe")
    found = problems(tmp_path, RecipeFile(source="conf", target="etc"))
    assert [problem.rpartition(", ")[2] for problem in found] == [
        "which has a backslash; folders are parted by `/`",
        "which is no file",
        "whose name is not UTF-8",
    ]


def linked_folder(folder: Path) -> Path:
    """Make a recipe's folder with ``conf/`` and ``shared/x/y.txt`` in it, and a stranger's file beside it."""
    for name in ("recipe/conf/a.txt", "recipe/shared/x/y.txt", "outside/z.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder / "recipe"


CONF = RecipeFile(source="conf", target="etc")


def test_links_to_files_and_folders_of_the_recipe_are_followed(tmp_path: Path) -> None:
    folder = linked_folder(tmp_path)
    (folder / "conf" / "sub").symlink_to("../shared", target_is_directory=True)
    (folder / "conf" / "b.txt").symlink_to("a.txt")
    found = extra_files(recipe(folder, CONF))
    assert [(file.name, file.content) for file in found] == [
        ("etc/a.txt", b"recipe/conf/a.txt"),
        ("etc/b.txt", b"recipe/conf/a.txt"),
        ("etc/sub/x/y.txt", b"recipe/shared/x/y.txt"),
    ]


@pytest.mark.parametrize(
    ("to", "why"),
    [
        ("gone", "leads nowhere"),
        ("../../outside", "leaves the recipe's folder"),
        ("../../outside/z.txt", "leaves the recipe's folder"),
        ("..", "leads in a circle"),
        ("link", "leads in a circle"),
    ],
)
def test_links_that_cannot_be_followed_are_named(tmp_path: Path, to: str, why: str) -> None:
    folder = linked_folder(tmp_path)
    link = folder / "conf" / "link"
    link.symlink_to(to)
    assert problems(folder, CONF) == (f"source `conf` of [[files]] has the link `conf/link`, which {why}",)


def test_a_source_that_is_a_link_is_held_to_the_same(tmp_path: Path) -> None:
    folder = linked_folder(tmp_path)
    (folder / "link").symlink_to("../outside")
    found = problems(folder, RecipeFile(source="link", target="etc"))
    assert found == ("source `link` of [[files]] has the link `link`, which leaves the recipe's folder",)


def test_a_source_outside_of_the_recipes_folder_may_have_links_of_its_own(tmp_path: Path) -> None:
    folder = linked_folder(tmp_path)
    (tmp_path / "outside" / "link.txt").symlink_to("z.txt")
    found = extra_files(recipe(folder, RecipeFile(source="../outside", target="etc")))
    assert [file.name for file in found] == ["etc/link.txt", "etc/z.txt"]
