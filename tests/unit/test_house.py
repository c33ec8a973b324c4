"""Who may import whom: the rules of the house, read from the imports themselves."""

import ast
import graphlib
from collections.abc import Iterator
from pathlib import Path

import pytest

import layerkit

PACKAGE = Path(layerkit.__file__).parent
GROUND = {"errors", "facts", "formats", "model", "cache", "files", "gate", "progress"}
DOORS = {"sandbox", "aws", "http", "index"}
ROOMS = {"lock", "wheelhouse", "assemble", "audit", "publish", "invoke"}
ABOVE = {
    "build",
    "bundled",
    "composed_binaries",
    "composition",
    "cookbook",
    "doctor",
    "doctor_check",
    "doctor_sandbox",
    "example_files",
    "manufacture",
    "order",
    "places",
    "proof",
    "rehearsal",
    "rehearsal_arn",
    "rehearsal_fit",
    "rehearsal_layers",
    "supply",
    "trial",
    "venue",
}
DOORS_IN_PARTS = {f"http_{part}": "http" for part in ("certificates", "errors", "range")} | {
    f"index_{part}": "index" for part in ("credentials", "pip", "source", "uv")
}
ONLY = {
    "docker": "sandbox/container.py",
    "boto3": "aws/",
    "botocore": "aws/",
    "subprocess": "sandbox/process.py",
    "requests": "http.py",
    "urllib3": "http.py",
    "http": "http.py",
}
# programs for the place where a target's interpreter runs: they are sent there, and never imported here
SENT = {f"invoke/{what}.py" for what in ("relay", "start_function", "try_imports", "watch_function")} | {
    *(f"sandbox/place_{what}.py" for what in ("launch", "prepare")),
    *(f"wheelhouse/place_{what}.py" for what in ("build", "libraries")),
}
MOST_LINES = 300
MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


def imports_of(module: str) -> Iterator[str]:
    """Yield every module that a module imports, also inside functions."""
    for node in ast.walk(ast.parse((PACKAGE / module).read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(name), level=0, names=names):
                yield name
                yield from (f"{name}.{alias.name}" for alias in names)  # each may be a module


def room_of(module: str) -> str:
    """Return the room that a module (``layerkit.lock.uv`` or ``lock/uv.py``) belongs to."""
    first = module.removeprefix("layerkit.").replace("/", ".").removesuffix(".py").split(".")[0]
    return DOORS_IN_PARTS.get(first, first)


def may_import(own: str, other: str) -> bool:
    if own == other or other in {"layerkit", "__init__", "__version__"}:
        return True
    if own in GROUND:
        return other in GROUND
    if own in DOORS:
        return other in GROUND | DOORS
    if own in ROOMS:
        return other in GROUND | DOORS
    if own in ABOVE:
        return other in GROUND | DOORS | ROOMS | ABOVE
    return other != "cli" or own in {"cli", "__main__"}


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_down_the_house_never_up_or_across(module: str) -> None:
    own = room_of(module)
    wrong = [name for name in imports_of(module) if name.startswith("layerkit") and not may_import(own, room_of(name))]
    assert wrong == []


def test_no_two_modules_need_each_other() -> None:
    names = {"layerkit." + module.removesuffix(".py").replace("/", "."): module for module in MODULES}
    graph = {name: {*imports_of(module)} & names.keys() - {name} for name, module in names.items()}
    graphlib.TopologicalSorter(graph).prepare()  # which raises CycleError, with the circle


@pytest.mark.parametrize("module", MODULES)
def test_each_door_to_the_world_has_one_keeper(module: str) -> None:
    tops = {name.split(".")[0] for name in imports_of(module)}
    strangers = [top for top in tops if top in ONLY and not module.startswith(ONLY[top])]
    assert strangers == []


def test_what_is_sent_elsewhere_is_imported_by_nobody_here() -> None:
    sent = {"layerkit." + module.removesuffix(".py").replace("/", ".") for module in SENT}
    assert {name for module in MODULES for name in imports_of(module)} & sent == set()


@pytest.mark.parametrize("module", [module for module in MODULES if module.startswith(("model/", "formats/"))])
def test_model_and_formats_are_pure(module: str) -> None:
    """No network, clock or environment: what they say depends on what they are given."""
    impure = {"socket", "ssl", "time", "os", "subprocess", "random", "tempfile", "platform"}
    assert {name.split(".")[0] for name in imports_of(module)} & impure == set()


def test_every_room_is_known_to_the_rules() -> None:
    known = GROUND | DOORS | ROOMS | ABOVE | {"cli", "__init__", "__main__", "layerkit"}
    assert {room_of(module) for module in MODULES} <= known


@pytest.mark.parametrize("module", MODULES)
def test_a_module_stays_under_300_lines(module: str) -> None:
    assert len((PACKAGE / module).read_text(encoding="utf-8").splitlines()) < MOST_LINES


def test_nothing_but_the_console_prints() -> None:
    prints = [
        module
        for module in MODULES
        for node in ast.walk(ast.parse((PACKAGE / module).read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert prints == []
