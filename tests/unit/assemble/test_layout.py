"""The files of a layer: their places, a true RECORD, scripts, and what may not lie together."""

import base64
import csv
import hashlib
import io
import zipfile
from pathlib import Path

import pytest

from layerkit.assemble.clashes import Collision, UnportableNames
from layerkit.assemble.layout import ExtraFile, Placement
from layerkit.errors import LayerkitError
from layerkit.model.recipe_parts import Prune, PruneProfile
from tests.builders import PLACEMENT, SITE, Content, contents, linked, make_wheel

NESTED = Placement(site_packages=SITE, interpreter="/var/lang/bin/python3.12")


def record_of(layer: dict[str, bytes], site: str = "python") -> list[tuple[str, str, str]]:
    text = layer[f"{site}/demo-1.0.dist-info/RECORD"].decode()
    return [(row[0], row[1], row[2]) for row in csv.reader(io.StringIO(text))]


@pytest.mark.parametrize("placement", [PLACEMENT, NESTED])
def test_record_lists_every_file_exactly_once_with_its_true_hash_and_size(tmp_path: Path, placement: Placement) -> None:
    wheel = make_wheel(
        tmp_path,
        files={"demo/__init__.py": "x = 1\n", 'demo/a,"b".txt': "odd", "demo/é.txt": "", "demo/x.c": "pruned"},
        data={"scripts/run": "#!python\n", "headers/demo.h": "//", "data/share/x": "x", "data/python/y.py": "y"},
        entry_points="[console_scripts]\ndemo = demo:main\n[gui_scripts]\ndemo = demo:main\n",
    )
    layer = contents(linked([wheel], tmp_path, placement=placement))
    site = placement.site_packages
    rows = record_of(layer, site)
    climb = "../" * (site.count("/") + 1)
    paths = [(f"{site}/{row[0]}" if not row[0].startswith("..") else row[0].removeprefix(climb)) for row in rows]
    assert sorted(paths) == sorted(layer)
    assert len(set(paths)) == len(paths)
    for path, (_, digest, size) in zip(paths, rows, strict=True):
        if path.endswith("RECORD"):
            assert (digest, size) == ("", "")
        else:
            true = base64.urlsafe_b64encode(hashlib.sha256(layer[path]).digest()).rstrip(b"=").decode()
            assert (digest, size) == (f"sha256={true}", str(len(layer[path])))
    assert f"{climb}bin/run" in {row[0] for row in rows}


def test_every_scheme_goes_to_its_place(tmp_path: Path) -> None:
    schemes: dict[str, Content] = {f"{name}/demo/x": name for name in ("purelib", "scripts", "headers", "data")}
    layer = contents(linked([make_wheel(tmp_path, data=schemes)], tmp_path))
    assert layer["python/demo/x"] == b"purelib"
    assert layer["bin/demo/x"] == b"scripts"
    assert layer["include/demo/demo/x"] == b"headers"
    assert layer["demo/x"] == b"data"


def test_the_data_folder_counts_however_its_name_is_spelled(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, data={"scripts/x": "x"}, data_folder="DEMO-1.data", dist_info="Demo-1.dist-info")
    layer = contents(linked([wheel], tmp_path))
    assert {"bin/x", "python/Demo-1.dist-info/RECORD"} <= set(layer)


@pytest.mark.parametrize(
    ("first", "becomes"),
    [
        (b"#!python\n", b"#!/var/lang/bin/python3.12\n"),
        (b"#!pythonw\n", b"#!/var/lang/bin/python3.12\n"),
        (b"#!python -O\r\n", b"#!/var/lang/bin/python3.12 -O\n"),
        (b"#!python3\n", b"#!/var/lang/bin/python3.12\n"),
        (b"#!python", b"#!/var/lang/bin/python3.12"),
        (b"#!/bin/sh\n", b"#!/bin/sh\n"),
        (b"\x7fELF", b"\x7fELF"),
    ],
)
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_scripts_get_the_interpreter_of_the_target(tmp_path: Path, first: bytes, becomes: bytes, method: int) -> None:
    wheel = make_wheel(tmp_path, data={"scripts/x": first + b"rest"}, method=method)
    rest = first + b"rest"
    expected = becomes + rest[len(first) :]
    if first == b"#!python":
        expected = becomes + b"rest"
    assert contents(linked([wheel], tmp_path))["bin/x"] == expected


def test_scripts_are_executable_and_modules_are_not(tmp_path: Path) -> None:
    wheel = make_wheel(
        tmp_path,
        files={"a.py": "", "tool": ""},
        data={"scripts/x": "x"},
        entry_points="[console_scripts]\ny = a:b\n",
        modes={"tool": 0o775, "a.py": 0o600},
    )
    with zipfile.ZipFile(linked([wheel], tmp_path)) as read:
        modes = {info.filename: info.external_attr >> 16 for info in read.infolist()}
    assert {modes[name] for name in ("bin/x", "bin/y", "python/tool")} == {0o100755}
    assert modes["python/a.py"] == 0o100644


def test_an_entry_point_wins_over_a_script_of_the_same_name(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, data={"scripts/x": "#!python\nold"}, entry_points="[console_scripts]\nx = a:b\n")
    layer = contents(linked([wheel], tmp_path))
    assert b"from a import b" in layer["bin/x"]
    assert [row[0] for row in record_of(layer)].count("../bin/x") == 1


def two(folder: Path, first: dict[str, Content], second: dict[str, Content]) -> list[Path]:
    return [make_wheel(folder, name="one", files=first), make_wheel(folder, name="two", files=second)]


def test_namespace_packages_merge(tmp_path: Path) -> None:
    layer = contents(linked(two(tmp_path, {"ns/a/__init__.py": "a"}, {"ns/b/__init__.py": "b"}), tmp_path))
    assert {"python/ns/a/__init__.py", "python/ns/b/__init__.py"} <= set(layer)


def test_the_same_bytes_at_one_path_are_there_once_whoever_comes_first(tmp_path: Path) -> None:
    content = "x = 1\n" * 100
    wheels = [
        make_wheel(tmp_path, name="one", files={"ns/__init__.py": content}, level=1),
        make_wheel(tmp_path, name="two", files={"ns/__init__.py": content}, level=9, modes={"ns/__init__.py": 0o755}),
    ]
    forth = linked(wheels, tmp_path).read_bytes()
    assert linked(wheels[::-1], tmp_path).read_bytes() == forth
    with zipfile.ZipFile(tmp_path / "layer.zip") as read:
        assert read.namelist().count("python/ns/__init__.py") == 1
        assert read.getinfo("python/ns/__init__.py").external_attr >> 16 == 0o100755


@pytest.mark.parametrize("path", ["ns/__init__.py", "odd [1]/*.txt"])
def test_different_bytes_at_one_path_are_refused_and_the_hint_is_the_way_out(tmp_path: Path, path: str) -> None:
    wheels = two(tmp_path, {path: ""}, {path: "x = 1"})
    with pytest.raises(Collision, match="claimed twice") as caught:
        linked(wheels, tmp_path)
    assert caught.value.details == (f"`python/{path}` by one and two",)
    assert caught.value.hint is not None
    drop = caught.value.hint.split('"')[1]
    assert drop.startswith("two:")
    assert contents(linked(wheels, tmp_path, prune=Prune(drop=(drop,))))[f"python/{path}"] == b""


def test_two_console_scripts_of_one_name_collide_and_the_hint_is_the_way_out(tmp_path: Path) -> None:
    wheels = [
        make_wheel(tmp_path, name=name, entry_points=f"[console_scripts]\nrun = {name}:main\n")
        for name in ("one", "two")
    ]
    with pytest.raises(Collision) as caught:
        linked(wheels, tmp_path)
    drop = (caught.value.hint or "").split('"')[1]
    layer = contents(linked(wheels, tmp_path, prune=Prune(drop=(drop,))))
    assert b"from one import main" in layer["bin/run"]
    assert b"bin/run" not in layer["python/two-1.0.dist-info/RECORD"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"pkg/A.py": ""}, {"pkg/a.py": ""}),
        ({"Pkg/a.py": ""}, {"pkg/b.py": ""}),
        ({"caf\u00e9.py": ""}, {"cafe\u0301.py": ""}),
        ({"foo": ""}, {"foo/bar.py": ""}),
        ({"pkg/aux.py": ""}, {}),
        ({"x" * 300 + ".py": ""}, {}),
    ],
)
def test_names_that_file_systems_confuse_are_refused_and_the_hint_is_the_way_out(
    tmp_path: Path, first: dict[str, Content], second: dict[str, Content]
) -> None:
    wheels = two(tmp_path, first, second)
    with pytest.raises(UnportableNames) as caught:
        linked(wheels, tmp_path)
    drop = (caught.value.hint or "").split("'")[1]
    contents(linked(wheels, tmp_path, prune=Prune(drop=(drop,))))


def test_folders_that_differ_by_case_are_one_line_with_owners_and_a_hint_for_one_side(tmp_path: Path) -> None:
    names = ("x.py", "y.py", "z.py")
    wheels = two(tmp_path, {f"Aa/{name}": "" for name in names}, {f"aa/{name}": "" for name in names})
    with pytest.raises(UnportableNames) as caught:
        linked(wheels, tmp_path)
    line = "`python/aa` of two differs from `python/Aa` of one only by case or composed letters"
    assert caught.value.details == (line,)
    assert caught.value.hint == "leave one out with `--drop 'two:aa/**'`"
    left = contents(linked(wheels, tmp_path, prune=Prune(drop=("two:aa/**",))))
    assert {f"python/Aa/{name}" for name in names} <= set(left)


def test_of_two_folders_the_hint_names_the_one_that_can_be_left_out(tmp_path: Path) -> None:
    mine = ExtraFile(name="python/aa/x", content=b"", executable=False, owner="files of the recipe")
    with pytest.raises(UnportableNames) as caught:
        linked([make_wheel(tmp_path, files={"Aa/x.py": ""})], tmp_path, extra=[mine])
    assert caught.value.hint == "leave one out with `--drop 'demo:Aa/**'`"


def test_the_folder_of_all_packages_is_never_the_one_to_leave_out(tmp_path: Path) -> None:
    with pytest.raises(UnportableNames) as caught:
        linked([make_wheel(tmp_path, data={"data/Python/x": ""})], tmp_path)
    assert caught.value.hint == "leave one out with `--drop 'demo:Python/**'`"


def test_files_of_the_recipe_collide_with_their_own_way_out(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, files={"a.py": "1"})
    extra = ExtraFile(name="python/a.py", content=b"2", executable=False, owner="files of the recipe")
    with pytest.raises(Collision) as caught:
        linked([wheel], tmp_path, extra=[extra])
    assert caught.value.hint == "give one of the [[files]] another target"


def test_nothing_is_written_where_a_layer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LayerkitError):
        linked(two(tmp_path, {"a": "1"}, {"a": "2"}), tmp_path)
    assert not (tmp_path / "layer.zip").exists()


def test_bytecode_of_another_machine_may_stay_if_asked_for(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, files={"a/__pycache__/b.pyc": "x"})
    assert "python/a/__pycache__/b.pyc" not in contents(linked([wheel], tmp_path))
    assert "python/a/__pycache__/b.pyc" in contents(linked([wheel], tmp_path, prune=Prune(profile=PruneProfile.NONE)))
