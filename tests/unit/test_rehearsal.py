"""What is checked before a function is invoked: its layers, its target, what it would weigh on Lambda."""

import hashlib
import json
import zipfile
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

import pytest

from layerkit import venue
from layerkit.cache import Cache
from layerkit.errors import LayerkitError
from layerkit.invoke.function import Function
from layerkit.model.target import PythonTarget, parse_target
from layerkit.progress import Progress, Silent
from layerkit.rehearsal import (
    CodeUnreadable,
    Layer,
    LayersDoNotFit,
    NoCode,
    NoSuchLayer,
    TooManyLayers,
    Wish,
    rehearsal,
    target_for,
)
from layerkit.sandbox.machine import Machine
from layerkit.venue import NowhereToInvoke, Sandbox, VenueWish

TODAY = date(2026, 11, 24)


@pytest.fixture(autouse=True)
def linux(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this an x86_64 machine with Linux and no interpreter."""
    machine = Machine(system="linux", machine="x86_64", glibc=(2, 36))
    monkeypatch.setattr(Machine, "this", lambda: machine)
    monkeypatch.setattr(venue, "recall_interpreter", lambda *_: None)


def layer(folder: Path, name: str = "a", **manifest: Any) -> Path:
    path = folder / f"{name}.zip"
    with zipfile.ZipFile(path, "w") as out:
        out.writestr("python/x.py", "")
    if manifest:
        said = {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), **manifest}
        path.with_name(f"{name}.layer.json").write_text(json.dumps({"version": 1, "layers": [said]}))
    return path


def target(runtime: str = "python3.12") -> PythonTarget:
    found = parse_target(f"{runtime}-x86_64")
    assert isinstance(found, PythonTarget)
    return found


class Heard(Silent):
    """Remembers what is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def tell(self, text: str) -> None:
        self.told.append(text)


def rehearse(
    folder: Path, *layers: Path, code: Path | None = None, force: bool = False, progress: Progress | None = None
) -> None:
    """Try to; without an interpreter it goes no further than the checks."""
    function = Function(handler="a.b", target=target())
    here = VenueWish(sandbox=Sandbox.LOCAL)
    read = tuple(map(Layer.read, layers))
    wish = Wish(code=folder if code is None else code, layers=read, function=function, force=force, venue=here)
    with rehearsal(wish, cache=Cache(folder / "cache"), progress=progress or Silent(), log=print):
        pass


def test_extensions_that_are_not_started_are_told(tmp_path: Path) -> None:
    path, heard = layer(tmp_path), Heard()
    with zipfile.ZipFile(path, "a") as out:
        out.writestr("extensions/agent", "")
    with pytest.raises(NowhereToInvoke):
        rehearse(tmp_path, path, progress=heard)
    assert any("extensions are not started here" in line for line in heard.told)


def test_a_manifest_tells_what_a_layer_is_for(tmp_path: Path) -> None:
    path = layer(tmp_path, compatible_runtimes=["python3.12"], compatible_architectures=["arm64"])
    found = Layer.read(path)
    assert (found.runtimes, found.architectures) == (("python3.12",), ("arm64",))
    assert Layer.read(tmp_path / "a.layer.json") == found


def test_a_manifest_of_another_zip_tells_nothing(tmp_path: Path) -> None:
    assert Layer.read(layer(tmp_path, compatible_runtimes=["python3.12"], sha256="0" * 64)).runtimes == ()


def test_a_layer_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.zip", tmp_path, tmp_path / "none.layer.json"):
        with pytest.raises(NoSuchLayer):
            Layer.read(path)


def test_a_manifest_without_its_zip_is_told_as_such(tmp_path: Path) -> None:
    layer(tmp_path, compatible_runtimes=["python3.12"]).unlink()
    with pytest.raises(NoSuchLayer, match=r"it is a manifest, and its zip `a\.zip` is not beside it"):
        Layer.read(tmp_path / "a.layer.json")


def test_the_runtime_is_one_that_all_layers_are_for(tmp_path: Path) -> None:
    both = Layer.read(layer(tmp_path, "a", compatible_runtimes=["python3.12", "python3.13"]))
    one = Layer.read(layer(tmp_path, "b", compatible_runtimes=["python3.12"]))
    neutral = Layer.read(layer(tmp_path, "c"))
    assert target_for(None, [neutral, both, one], today=TODAY).runtime.name == "python3.12"
    assert target_for(None, [both], today=TODAY).runtime.name == "python3.13"
    assert target_for("python3.11", [one], today=TODAY).runtime.name == "python3.11"


def test_without_any_word_of_it_the_newest_runtime_is_taken(tmp_path: Path) -> None:
    assert target_for(None, [Layer.read(layer(tmp_path))], today=TODAY).runtime.name == "python3.14"


def test_the_architecture_is_this_machines_unless_no_layer_is_for_it(tmp_path: Path) -> None:
    arm = Layer.read(layer(tmp_path, "a", compatible_architectures=["arm64"]))
    both = Layer.read(layer(tmp_path, "b", compatible_architectures=["arm64", "x86_64"]))
    neutral = Layer.read(layer(tmp_path, "c"))
    assert target_for("python3.12", [neutral, arm], today=TODAY).architecture == "arm64"
    assert target_for("python3.12", [arm, both], today=TODAY).architecture == "x86_64"
    assert target_for("python3.12", [neutral], today=TODAY).architecture == "x86_64"
    assert target_for("python3.12", [arm], today=TODAY, architecture="x86_64").architecture == "x86_64"


def test_a_custom_runtime_can_be_invoked() -> None:
    assert target_for("provided.al2023", [], today=TODAY).identifier == "provided.al2023-x86_64"


def test_a_layer_for_another_target_is_refused_with_every_reason(tmp_path: Path) -> None:
    wrong = layer(tmp_path, compatible_runtimes=["python3.13"], compatible_architectures=["arm64"])
    with pytest.raises(LayersDoNotFit) as error:
        rehearse(tmp_path, wrong)
    assert error.value.exit_code == 6
    assert error.value.details == (
        "`a.zip` is for python3.13, not for python3.12",
        "`a.zip` is for arm64, not for x86_64",
    )


def test_force_tries_it_all_the_same(tmp_path: Path) -> None:
    wrong = layer(tmp_path, compatible_runtimes=["python3.13"])
    with pytest.raises(NowhereToInvoke):  # which comes after the checks
        rehearse(tmp_path, *[wrong] * 6, force=True)


def test_a_sixth_layer_is_refused(tmp_path: Path) -> None:
    one = layer(tmp_path)
    with pytest.raises(TooManyLayers):
        rehearse(tmp_path, *[one] * 6)
    with pytest.raises(NowhereToInvoke):
        rehearse(tmp_path, *[one] * 5)


def test_code_and_layers_count_against_the_limit_together(tmp_path: Path) -> None:
    code = tmp_path / "code"
    code.mkdir()
    (code / "a.py").write_text("12")
    large = layer(tmp_path, unzipped_bytes=262_144_000 - 3)
    with pytest.raises(NowhereToInvoke):
        rehearse(tmp_path, large, code=code)
    (code / "a.py").write_text("123")
    with pytest.raises(LayersDoNotFit) as error:
        rehearse(tmp_path, large, code=code)
    assert "leave something out" in str(error.value.hint)
    assert "--runtime" not in str(error.value.hint)


@pytest.mark.parametrize("name", ["none", "/dev/null", ""])
def test_code_must_be_there(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(NoCode):
        rehearse(tmp_path, code=Path(name))


def test_a_module_is_no_code_but_its_folder_is(tmp_path: Path) -> None:
    module = tmp_path / "app.py"
    module.write_text("")
    with pytest.raises(CodeUnreadable) as error:
        rehearse(tmp_path, code=module)
    assert error.value.hint == f"name the folder that it lies in: `--code {tmp_path}`"


def test_what_cannot_be_looked_at_in_the_code_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "link").symlink_to("elsewhere")

    def refuse(path: Path) -> NoReturn:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "lstat", refuse)
    with pytest.raises(NowhereToInvoke):
        rehearse(tmp_path)


def test_without_an_interpreter_the_ways_out_are_told(tmp_path: Path) -> None:
    with pytest.raises(NowhereToInvoke, match=r"no Python 3\.12 runs on this machine") as error:
        rehearse(tmp_path)
    assert "python3.12" in str(error.value.hint)
    assert "container" in str(error.value.hint)


def test_a_system_on_which_the_runtime_client_does_not_run_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine(system="darwin", machine="arm64", glibc=None)
    monkeypatch.setattr(Machine, "this", lambda: machine)
    with pytest.raises(LayerkitError, match="this machine does not run Linux"):
        rehearse(tmp_path)
