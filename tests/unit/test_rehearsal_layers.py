"""What ``--layer`` takes for a layer, and what it refuses: whatever lies about beside zips."""

import zipfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from layerkit.cache import Cache
from layerkit.invoke.function import Function
from layerkit.invoke.unreadable import LayerUnreadable
from layerkit.model.arn import MalformedArnError
from layerkit.model.target import parse_target
from layerkit.progress import Silent
from layerkit.rehearsal import target_for
from layerkit.rehearsal_arn import VersionNotCached
from layerkit.rehearsal_layers import Layer, LayersDoNotFit, NoSuchLayer, check_layers, merged_layers, read_layers
from tests.elf_builder import AARCH64, make_elf

NATIVE = "python/pkg/core.cpython-312-x86_64-linux-gnu.so"
NOTHING: Mapping[str, str] = {}


def zip_of(path: Path, *names: str, content: bytes = b"") -> Path:
    with zipfile.ZipFile(path, "w") as out:
        for name in names:
            out.writestr(name, content)
    return path


def folder_of(path: Path, *names: str) -> Path:
    path.mkdir(exist_ok=True)
    for name in names:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text("")
    return path


def check(*layers: Layer, folder: Path, runtime: str = "python3.13", env: Mapping[str, str] = NOTHING) -> None:
    target = parse_target(f"{runtime}-x86_64")
    check_layers(layers, Function(handler="a.b", target=target, variables=env), folder_of(folder / "code"))


def test_a_folder_is_a_layer_by_its_own_name(tmp_path: Path) -> None:
    found = Layer.read(folder_of(tmp_path / "opt", "python/x.py", "bin/y"))
    assert (found.name, found.runtimes, found.unzipped_bytes) == ("opt", (), 0)
    with merged_layers([found], Cache(tmp_path / "cache")) as opt:
        assert opt == tmp_path / "opt"


@pytest.mark.parametrize(
    ("names", "name", "why", "hint"),
    [
        ([], "a", "the folder is empty", "name a zip, a folder"),
        (["a.zip", "a.layer.json"], "dist", "it is a folder of zips", "name its zips: `--layer {}/a.zip`"),
        (["recipe.toml", "README.md"], "a", "it is a recipe", "build it with `layerkit build {}`"),
        (["x/__init__.py"], "python", "it is what a layer has in its folder `python`", "the folder that it lies in"),
    ],
)
def test_a_folder_of_something_else_is_refused(
    tmp_path: Path, names: list[str], name: str, why: str, hint: str
) -> None:
    path = folder_of(tmp_path / name, *names)
    with pytest.raises(NoSuchLayer) as error:
        Layer.read(path)
    assert error.value.exit_code == 2
    assert error.value.message == f"layer `{path}` cannot be used: {why}"
    assert hint.format(path) in str(error.value.hint)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("x-1.0-py3-none-any.whl", "it is a wheel, and a wheel is not laid out as a layer"),
        ("recipe.toml", "it is a recipe"),
        ("layer.tar.gz", "it is a tar archive, and Lambda takes zips only"),
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, name: str, why: str) -> None:
    (tmp_path / name).write_text("")
    with pytest.raises(NoSuchLayer, match=why):
        Layer.read(tmp_path / name)


@pytest.mark.parametrize("content", [b"", b"just text\n", b"PK\x03\x04 cut short"])
def test_what_is_no_zip_is_refused_at_once(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(LayerUnreadable, match="is not a layer: not a zip file, or cut short"):
        Layer.read(tmp_path / "a.zip")


def test_files_tell_which_runtime_to_take(tmp_path: Path) -> None:
    found = Layer.read(zip_of(tmp_path / "a.zip", NATIVE))
    assert found.runtimes == ("python3.12",)
    assert target_for(None, [found], today=date(2026, 11, 24)).runtime.name == "python3.12"


def test_a_layer_for_another_python_is_refused_by_name_and_file(tmp_path: Path) -> None:
    found = Layer.read(zip_of(tmp_path / "a.zip", NATIVE))
    with pytest.raises(LayersDoNotFit) as error:
        check(found, folder=tmp_path)
    assert error.value.exit_code == 6
    assert error.value.details == (f"`a.zip`: `{NATIVE}` is for Python 3.12, not for python3.13",)
    assert "`--force`" in str(error.value.hint)
    check(found, folder=tmp_path, runtime="python3.12")


def test_all_layers_and_all_reasons_are_told_at_once(tmp_path: Path) -> None:
    layers = [
        Layer.read(zip_of(tmp_path / "a.zip", NATIVE, content=make_elf(machine=AARCH64))),
        Layer.read(folder_of(tmp_path / "b", "x/__init__.py")),
    ]
    with pytest.raises(LayersDoNotFit) as error:
        check(*layers, folder=tmp_path)
    assert error.value.details == (
        "`b`: `x/__init__.py` lies at the top, where no runtime looks",
        f"`a.zip`: `{NATIVE}` is for Python 3.12, not for python3.13",
        f"`a.zip`: `{NATIVE}` is for arm64, not for x86_64",
    )


def test_a_functions_code_as_a_layer_is_refused_with_the_option_for_it(tmp_path: Path) -> None:
    found = Layer.read(zip_of(tmp_path / "a.zip", "lambda_function.py", "requests/__init__.py"))
    with pytest.raises(LayersDoNotFit, match="this stack would not work") as error:
        check(found, folder=tmp_path)
    assert "`--code`" in str(error.value.hint)
    check(found, folder=tmp_path, env={"PYTHONPATH": "/opt"})


def test_what_a_publisher_says_chooses_the_runtime_and_refuses_none(tmp_path: Path) -> None:
    """Lambda takes a layer with any runtime; versions by others are often published for fewer than they fit."""
    path = zip_of(tmp_path / "a.zip", "python/x.py")
    named = ("python3.12", "nodejs22.x", "python3.6", "python3.11")
    found = Layer.undescribed(path, name="theirs:3", runtimes=named)
    assert found.runtimes == ("python3.11", "python3.12")
    check(found, folder=tmp_path, runtime="python3.13")


def test_an_arn_is_no_path(tmp_path: Path) -> None:
    def read(said: str) -> None:
        read_layers([said], cache=Cache(tmp_path), progress=Silent(), offline=True)

    with pytest.raises(MalformedArnError, match="names a layer, but none of its versions"):
        read("arn:aws:lambda:eu-west-1:123456789012:layer:x")
    with pytest.raises(VersionNotCached) as error:
        read("arn:aws:lambda:eu-west-1:123456789012:layer:x:3")
    assert (error.value.exit_code, error.value.hint) == (4, "run once without `--offline`")
