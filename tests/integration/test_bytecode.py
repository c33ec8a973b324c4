"""Bytecode by a real interpreter of the target: the same bytes, and really used."""

import os
import subprocess
import zipfile
from pathlib import Path

import pytest

from layerkit.assemble import bytecode
from layerkit.assemble.bytecode import CompilationFailed, bytecode_of
from layerkit.assemble.layout import LayerFile, Placement, lay_out
from layerkit.assemble.link import link
from layerkit.assemble.prepare import ChangedWhileRead
from layerkit.assemble.prune import plan_pruning
from layerkit.cache import Cache, DamagedEntry
from layerkit.model.recipe_parts import Prune, PruneProfile
from layerkit.sandbox.interpreters import Interpreter
from tests.builders import PLACEMENT, SITE, Content, contents, fragments_of, make_wheel
from tests.interpreters import find_python

pytestmark = pytest.mark.interpreter
NESTED = Placement(site_packages=SITE, interpreter="/var/lang/bin/python3.12")
MODULES: dict[str, Content] = {
    "demo/__init__.py": "WHERE = (lambda: 0).__code__.co_filename\nNAMES = frozenset({'a', 'b', 'c', 'd'})\n",
    "demo/shared.py": "def f(a, b=('x', 'y')):\n    return {'a', 'b', 'c'} & {a}, 'x', b\n" * 20,
    "demo/broken.py": "def f(:\n",
    "demo/deep.py": "(" * 5000 + ")" * 5000,
    "demo/zero.py": b"x = 1\0",
    "demo/warns.py": "x = '\\d'\n",
}


@pytest.fixture
def python() -> Interpreter:
    path = find_python("3.12")
    if path is None:
        pytest.skip("no Python 3.12 on this machine")
    build = subprocess.run([path, "-c", "import sys; print(sys.version)"], capture_output=True, text=True, check=True)
    return Interpreter(path=path, version=build.stdout.split()[0], build=build.stdout.strip())


def compiled(
    wheel: Path,
    python: Interpreter,
    folder: Path,
    *,
    placement: Placement = PLACEMENT,
    prune: Prune = Prune(),  # noqa: B008 -- frozen
) -> tuple[dict[str, bytes], tuple[LayerFile, ...]]:
    """Build a layer of one wheel with bytecode; return what is in its zip, and the bytecode."""
    fragments = fragments_of([wheel], folder / "cache")
    plan = plan_pruning(fragments, prune)
    cache = Cache(folder / "cache")
    files = bytecode_of(plan.selections[0], placement=placement, interpreter=python, cache=cache)
    link(lay_out(plan.selections, placement=placement, bytecode=files), folder / "layer.zip")
    return contents(folder / "layer.zip"), files


def pycs(layer: dict[str, bytes]) -> dict[str, bytes]:
    return {name: content for name, content in layer.items() if name.endswith(".pyc")}


@pytest.mark.parametrize("placement", [PLACEMENT, NESTED])
def test_each_module_that_compiles_gets_its_pyc_in_both_layouts(
    tmp_path: Path, python: Interpreter, placement: Placement
) -> None:
    layer, _ = compiled(make_wheel(tmp_path, files=MODULES), python, tmp_path, placement=placement)
    cached = f"{placement.site_packages}/demo/__pycache__"
    assert sorted(pycs(layer)) == [f"{cached}/{name}.cpython-312.pyc" for name in ("__init__", "shared", "warns")]
    record = layer[f"{placement.site_packages}/demo-1.0.dist-info/RECORD"].decode()
    assert record.count("demo/__pycache__/shared.cpython-312.pyc") == 1


def test_bytecode_is_the_same_twice_alone_and_in_company(tmp_path: Path, python: Interpreter) -> None:
    once, _ = compiled(make_wheel(tmp_path, files=MODULES), python, tmp_path / "1")
    again, _ = compiled(make_wheel(tmp_path, files=dict(reversed(MODULES.items()))), python, tmp_path / "2")
    alone, _ = compiled(
        make_wheel(tmp_path, files={"demo/shared.py": MODULES["demo/shared.py"]}), python, tmp_path / "3"
    )
    assert pycs(once) == pycs(again)
    assert pycs(alone) == {name: content for name, content in pycs(once).items() if "shared" in name}


def test_a_pyc_is_used_whatever_became_of_the_source(tmp_path: Path, python: Interpreter) -> None:
    layer, _ = compiled(make_wheel(tmp_path, files=MODULES), python, tmp_path)
    assert b"/opt/python/demo/__init__.py" in layer["python/demo/__pycache__/__init__.cpython-312.pyc"]
    with zipfile.ZipFile(tmp_path / "layer.zip") as packed:
        packed.extractall(tmp_path / "opt")
    source = tmp_path / "opt" / "python" / "demo" / "__init__.py"
    source.write_text("WHERE = 'recompiled'\n")
    os.utime(source, (1, 1))
    done = subprocess.run(
        [python.path, "-c", "import demo; print(demo.WHERE, demo.__cached__)"],
        env={"PYTHONPATH": str(tmp_path / "opt" / "python")},
        capture_output=True,
        text=True,
        check=True,
    )
    where, cached = done.stdout.split()
    assert where == str(source)
    assert cached.endswith("__init__.cpython-312.pyc")


def test_modules_of_the_purelib_scheme_and_stored_ones_are_compiled_too(tmp_path: Path, python: Interpreter) -> None:
    wheel = make_wheel(
        tmp_path, files={"a.py": "x = 1\n" * 200}, data={"purelib/b.py": "y = 2\n"}, method=zipfile.ZIP_STORED
    )
    layer, _ = compiled(wheel, python, tmp_path)
    assert set(pycs(layer)) == {f"python/__pycache__/{name}.cpython-312.pyc" for name in ("a", "b")}


def test_bytecode_replaces_what_the_wheel_brings(tmp_path: Path, python: Interpreter) -> None:
    name = "__pycache__/a.cpython-312.pyc"
    wheel = make_wheel(tmp_path, files={"a.py": "x = 1", name: "stale"})
    layer, _ = compiled(wheel, python, tmp_path, prune=Prune(profile=PruneProfile.NONE))
    assert layer[f"python/{name}"] != b"stale"
    assert layer["python/demo-1.0.dist-info/RECORD"].decode().count(name) == 1


def test_it_comes_from_the_cache_and_a_damaged_entry_is_made_again(tmp_path: Path, python: Interpreter) -> None:
    wheel = make_wheel(tmp_path, files=MODULES)
    layer, files = compiled(wheel, python, tmp_path)
    source = files[0].source
    assert source is not None
    whole = source.read_bytes()
    gone = Interpreter(path=tmp_path / "none", version=python.version, build=python.build)
    assert compiled(wheel, gone, tmp_path)[0] == layer
    for damaged in (whole[: len(whole) // 2], whole[:-1], b"garbage", whole[:-1] + bytes([whole[-1] ^ 1])):
        source.write_bytes(damaged)
        assert compiled(wheel, python, tmp_path)[0] == layer


def test_an_entry_lost_after_compiling_is_told(
    tmp_path: Path, python: Interpreter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bytecode, "_load", lambda *_, **__: None)
    with pytest.raises(ChangedWhileRead):
        compiled(make_wheel(tmp_path, files=MODULES), python, tmp_path)


def test_a_relative_cache_will_do(tmp_path: Path, python: Interpreter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    wheel = make_wheel(tmp_path, files={"a.py": "x = 1\n" * 99}, method=zipfile.ZIP_STORED)
    layer, _ = compiled(wheel, python, Path("here"))
    assert set(pycs(layer)) == {"python/__pycache__/a.cpython-312.pyc"}


def test_damaged_source_is_not_compiled(tmp_path: Path, python: Interpreter) -> None:
    """Its bytecode would be kept under the name of the whole wheel."""
    wheel = make_wheel(tmp_path, files={"a.py": "x = 1"}, method=zipfile.ZIP_STORED)
    plan = plan_pruning(fragments_of([wheel], tmp_path / "cache"), Prune())
    wheel.write_bytes(wheel.read_bytes().replace(b"x = 1", b"x = 2"))
    with pytest.raises(DamagedEntry):
        bytecode_of(plan.selections[0], placement=PLACEMENT, interpreter=python, cache=Cache(tmp_path / "cache"))
    assert not (tmp_path / "cache" / "bytecode").exists()


def test_an_interpreter_that_fails_is_told(tmp_path: Path, python: Interpreter) -> None:
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\necho no luck >&2\nexit 3\n")
    script.chmod(0o755)
    broken = Interpreter(path=script, version=python.version, build=python.build)
    with pytest.raises(CompilationFailed) as caught:
        compiled(make_wheel(tmp_path, files=MODULES), broken, tmp_path)
    assert caught.value.details == ("no luck",)


def test_a_console_script_really_runs(tmp_path: Path, python: Interpreter) -> None:
    wheel = make_wheel(
        tmp_path,
        files={"demo.py": "import sys\nclass App:\n    @staticmethod\n    def run():\n        return sys.argv[1:]\n"},
        entry_points="[console_scripts]\nsay = demo:App.run [extra]\n",
    )
    placement = Placement(site_packages="python", interpreter=str(python.path))
    compiled(wheel, python, tmp_path, placement=placement)
    with zipfile.ZipFile(tmp_path / "layer.zip") as layer:
        layer.extractall(tmp_path / "opt")
    script = tmp_path / "opt" / "bin" / "say"
    script.chmod(0o755)
    environment = {"PYTHONPATH": str(tmp_path / "opt" / "python")}
    done = subprocess.run([script, "hello"], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "['hello']\n")
