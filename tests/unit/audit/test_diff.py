"""What changed between two layers."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from layerkit.audit.diff import Change, Difference, compare
from layerkit.model.contents import Contents
from tests.unit.audit.holding import holding, installed

SITE = "python/lib/python3.12/site-packages"
LIMIT = 262_144_000


def changed(contents: Contents, *paths: str) -> Contents:
    """Return a layer in which some files have another content."""
    return replace(
        contents, files=tuple(replace(file, crc32=1) if file.path in paths else file for file in contents.files)
    )


def distributions(difference: Difference) -> Mapping[str, tuple[Change, str | None, str | None]]:
    return {
        each.name: (each.change, each.old.version if each.old else None, each.new.version if each.new else None)
        for each in difference.distributions
    }


def files(difference: Difference) -> list[tuple[str, str]]:
    return sorted((str(each.change), each.path) for each in difference.files)


def test_the_same_is_no_difference() -> None:
    layer = holding(*installed("python", "requests"), "bin/x")
    assert compare(layer, layer).is_empty


def test_what_came_and_what_went() -> None:
    difference = compare(holding(*installed("python", "a", "b")), holding(*installed("python", "b", "c")))
    assert distributions(difference) == {"a": (Change.REMOVED, "1.0", None), "c": (Change.ADDED, None, "1.0")}
    assert files(difference) == sorted(
        [("removed", path) for path in installed("python", "a")]
        + [("added", path) for path in installed("python", "c")]
    )


def test_another_version_is_one_change_and_its_metadata_is_no_other_file() -> None:
    old = holding(*installed("python", "a", version="1.0"))
    new = holding(*installed("python", "a", version="2.0"), sizes={"python/a/core.py": 300})
    difference = compare(old, new)
    assert distributions(difference) == {"a": (Change.VERSION, "1.0", "2.0")}
    assert difference.distributions[0].grown_bytes == 200
    assert ("content", "python/a/core.py") in files(difference)
    assert not {"added", "removed"} & {change for change, _ in files(difference)}


def test_other_bytes_of_the_same_version_are_told() -> None:
    layer = holding(*installed("python", "a", "b"))
    difference = compare(layer, changed(layer, "python/a/core.py"))
    assert distributions(difference) == {"a": (Change.CONTENT, "1.0", "1.0")}
    assert files(difference) == [("content", "python/a/core.py")]


def test_files_of_no_distribution_are_a_row_of_their_own() -> None:
    difference = compare(holding("bin/x"), holding("bin/x", "bin/y"))
    assert distributions(difference) == {"(no distribution)": (Change.CONTENT, None, None)}


def test_a_move_between_the_two_layouts_is_a_move() -> None:
    old, new = holding(*installed("python", "a")), holding(*installed(SITE, "a"))
    difference = compare(old, new)
    assert distributions(difference) == {"a": (Change.MOVED, "1.0", "1.0")}
    assert {change for change, _ in files(difference)} == {"moved"}
    assert difference.kinds == ()


def test_a_record_and_bytecode_that_change_with_a_move_are_still_a_move() -> None:
    old = holding(*installed("python", "a", python="312"))
    compiled = f"{SITE}/a/__pycache__/core.cpython-312.pyc"
    new = changed(holding(*installed(SITE, "a", python="312")), f"{SITE}/a-1.0.dist-info/RECORD", compiled)
    assert distributions(compare(old, new)) == {"a": (Change.MOVED, "1.0", "1.0")}


def test_code_that_changes_with_a_move_is_a_change() -> None:
    new = changed(holding(*installed(SITE, "a")), f"{SITE}/a/core.py")
    assert distributions(compare(holding(*installed("python", "a")), new)) == {"a": (Change.CONTENT, "1.0", "1.0")}


def test_a_move_to_another_pythons_folder_and_modules_is_none_of_adding() -> None:
    old = holding("python/lib/python3.11/site-packages/x.cpython-311-x86_64-linux-gnu.so")
    new = holding(f"{SITE}/x.cpython-312-x86_64-linux-gnu.so")
    assert files(compare(old, new)) == [("content", f"{SITE}/x.cpython-312-x86_64-linux-gnu.so")]


def test_what_could_have_moved_from_two_places_is_not_guessed() -> None:
    old = holding("python/x.py", "python/lib/python3.11/site-packages/x.py")
    difference = compare(old, holding(f"{SITE}/x.py"))
    assert [change for change, _ in files(difference)] == ["added", "removed", "removed"]


def test_a_distribution_without_files_of_its_own_is_still_compared() -> None:
    old = holding(*installed("python", "a", version="1.0"), owned=False)
    new = holding(*installed("python", "a", version="2.0"), owned=False)
    assert distributions(compare(old, new))["a"] == (Change.VERSION, "1.0", "2.0")


def test_a_link_in_place_of_a_file_is_a_change() -> None:
    assert files(compare(holding("lib/x"), holding(links={"lib/x": "y"}))) == [("content", "lib/x")]


def test_the_largest_change_comes_first() -> None:
    old = holding(sizes={"python/a.py": 500, "python/b.so": 10})
    new = holding(sizes={"python/b.so": 2000, "python/c.txt": 20})
    difference = compare(old, new)
    assert [each.path for each in difference.files] == ["python/b.so", "python/a.py", "python/c.txt"]
    assert [each.kind for each in difference.kinds] == ["native", "python", "data"]


@pytest.mark.parametrize(("size", "left"), [(100, LIMIT - 101), (LIMIT - 1, 0), (LIMIT, -1)])
def test_the_room_that_is_left_ends_one_byte_below_the_limit(size: int, left: int) -> None:
    assert compare(holding(), holding(sizes={"bin/x": size})).new.left_bytes == left


def test_its_json() -> None:
    old = holding(*installed("python", "a"), where="old.zip")
    new = replace(holding(sizes={f"{SITE}/x.py": 40}, where="new"), zipped_bytes=None)
    assert compare(old, new).to_json() == {
        "old": {
            "path": "old.zip",
            "files": 7,
            "unzipped_bytes": 700,
            "zipped_bytes": 350,
            "left_bytes": LIMIT - 701,
        },
        "new": {"path": "new", "files": 1, "unzipped_bytes": 40, "zipped_bytes": None, "left_bytes": LIMIT - 41},
        "limit_bytes": LIMIT,
        "distributions": [
            {
                "name": "a",
                "change": "removed",
                "old": {"version": "1.0", "files": 7, "unzipped_bytes": 700},
                "new": None,
            },
            {
                "name": "(no distribution)",
                "change": "added",
                "old": None,
                "new": {"version": None, "files": 1, "unzipped_bytes": 40},
            },
        ],
        "types": [
            {"name": "metadata", "old_bytes": 400, "new_bytes": 0},
            {"name": "python", "old_bytes": 200, "new_bytes": 40},
            {"name": "data", "old_bytes": 100, "new_bytes": 0},
        ],
        "files": [
            *(
                {"path": path, "change": "removed", "distribution": "a", "old_bytes": 100, "new_bytes": None}
                for path in sorted(installed("python", "a"))
            ),
            {
                "path": f"{SITE}/x.py",
                "change": "added",
                "distribution": None,
                "old_bytes": None,
                "new_bytes": 40,
            },
        ],
    }


def test_a_move_tells_in_json_where_the_file_was() -> None:
    (moved,) = compare(holding("python/x.py"), holding(f"{SITE}/x.py")).to_json()["files"]
    assert (moved["path"], moved["old_path"], moved["change"]) == (f"{SITE}/x.py", "python/x.py", "moved")
