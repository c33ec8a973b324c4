"""How modules are tried: together first, alone where that fails; and in which environment."""

import json
import sys
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from layerkit.invoke import try_imports
from layerkit.invoke.imports import ImportsNotTried, verify_imports
from layerkit.invoke.places import ImportPlace
from layerkit.model.finding import Severity
from layerkit.model.target import PythonTarget, parse_target
from layerkit.sandbox.process import Completed
from layerkit.sandbox.runner import Order

OK = None
RAISES = {"exits": False, "error": "ValueError: no", "causes": [], "missing": [], "standard": [], "at": None}
CRASH = -11

Behaviour = Mapping[str, Any]


@dataclass
class FakeContainer:
    """A place whose interpreter does with each module what it is told: alone or in company."""

    alone: Behaviour = field(default_factory=dict)
    company: Behaviour = field(default_factory=dict)
    starts: bool = True
    pth: bool = True
    tried: list[list[str]] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    folders: dict[str, list[str]] = field(default_factory=dict)

    home = "/home"
    secrets = "/secrets"
    title = "image `fake`"
    identity = "fake"
    whole_system = True

    def put(self, files: Mapping[str, bytes], *, secret: bool = False) -> None:
        assert not secret
        self.folders["/home"] = list(files)

    def put_folder(self, folder: Path, *, at: str) -> None:
        self.folders[at] = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())

    def get(self, path: str, into: Path) -> None:
        raise NotImplementedError

    def run(self, order: Order) -> Completed:
        self.orders.append(order)
        wanted: list[str] = json.loads(order.stdin)["modules"]
        self.tried.append(wanted)
        if not self.starts:
            return Completed(status=127, stdout="", stderr="no such program\n")
        events: list[dict[str, Any]] = [{"event": "begin", "python": "3.12.1", "bundled": False}]
        if not self.pth:
            return self._told(events, status=CRASH)
        events.append({"event": "pth", "complaints": ""})
        behaviour = self.alone if len(wanted) == 1 else {**self.alone, **self.company}
        for module in wanted:
            events.append({"event": "start", "module": module})
            if behaviour.get(module) == CRASH:
                return self._told(events, status=CRASH)
            events.append({"event": "end", "module": module, "failure": behaviour.get(module)})
        return self._told([*events, {"event": "done"}], status=0)

    @staticmethod
    def _told(events: Sequence[Mapping[str, Any]], *, status: int) -> Completed:
        return Completed(status=status, stdout="".join(json.dumps(event) + "\n" for event in events), stderr="")


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    path = tmp_path / "layer.zip"
    with zipfile.ZipFile(path, "w") as out:
        for name in ("a", "b", "c"):
            out.writestr(f"python/{name}.py", "")
        out.writestr("lib/libx.so", "")
    return path


def target(text: str = "python3.12-x86_64") -> PythonTarget:
    found = parse_target(text)
    assert isinstance(found, PythonTarget)
    return found


def place(runner: FakeContainer, *, emulated: bool = False) -> ImportPlace:
    return ImportPlace(runner=runner, interpreter="/py", emulated=emulated)


def failed(runner: FakeContainer, layer: Path) -> dict[str, str]:
    found = verify_imports(layer, target(), place=place(runner)).findings
    return {finding.where: finding.message for finding in found}


def test_all_modules_are_tried_in_one_process_where_nothing_fails(layer: Path) -> None:
    runner = FakeContainer()
    found = verify_imports(layer, target(), place=place(runner), named=("json", "b"))
    assert found.findings == ()
    assert runner.tried == [["json", "b", "a", "c"]]
    assert found.summary == "Tried to import 4 modules under Python 3.12.1, image `fake`"


def test_what_fails_in_company_gets_a_second_try_alone(layer: Path) -> None:
    runner = FakeContainer(company={"a": RAISES}, alone={"c": RAISES})
    assert failed(runner, layer) == {"import c": "ValueError: no"}
    assert runner.tried == [["a", "b", "c"], ["a"], ["c"]]


def test_after_a_crash_the_rest_is_tried_in_a_new_process(layer: Path) -> None:
    runner = FakeContainer(alone={"a": CRASH})
    assert failed(runner, layer) == {"import a": "crashes the interpreter with SIGSEGV"}
    assert runner.tried == [["a", "b", "c"], ["a"], ["b", "c"]]


def test_a_module_that_is_alone_already_is_tried_once(layer: Path) -> None:
    runner = FakeContainer(alone={"c": CRASH})
    failed(runner, layer)
    assert runner.tried == [["a", "b", "c"], ["c"]]
    assert list(failed(FakeContainer(alone={"b": CRASH, "c": RAISES}), layer)) == ["import b", "import c"]


def test_a_pth_file_that_ends_the_interpreter_is_one_finding(layer: Path) -> None:
    runner = FakeContainer(pth=False)
    assert failed(runner, layer) == {".pth": "crashes the interpreter with SIGSEGV"}
    assert len(runner.tried) == 2


def test_an_interpreter_that_does_not_start_is_no_fault_of_the_layer(layer: Path) -> None:
    with pytest.raises(ImportsNotTried) as caught:
        verify_imports(layer, target(), place=place(FakeContainer(starts=False)))
    assert "status 127" in caught.value.message
    assert caught.value.details == ("no such program",)


def test_a_layer_without_modules_needs_no_interpreter(tmp_path: Path) -> None:
    path = tmp_path / "layer.zip"
    with zipfile.ZipFile(path, "w") as out:
        out.writestr("etc/app.toml", "")
    runner = FakeContainer(starts=False)
    found = verify_imports(path, target(), place=place(runner))
    assert (found.findings, runner.orders, found.summary) == ((), [], "Found no modules to import")


def test_an_optional_part_is_an_error_only_where_it_was_named(tmp_path: Path) -> None:
    path = tmp_path / "layer.zip"
    with zipfile.ZipFile(path, "w") as out:
        out.writestr("python/ns/part.py", "")
        out.writestr("python/ns/extra.py", "")
        out.writestr("python/x-1.dist-info/RECORD", "ns/part.py,,\nns/extra.py,,\n")
    runner = FakeContainer(alone={"ns.extra": {**RAISES, "missing": ["grpc"]}})
    severities = [
        verify_imports(path, target(), place=place(runner), named=named).findings[0].severity
        for named in ((), ("ns.extra",))
    ]
    assert severities == [Severity.WARNING, Severity.ERROR]


def test_the_layer_lies_at_opt_of_a_container(layer: Path) -> None:
    runner = FakeContainer()
    verify_imports(layer, target(), place=place(runner))
    assert runner.folders["/opt"] == ["lib/libx.so", "python/a.py", "python/b.py", "python/c.py"]
    assert json.loads(runner.orders[0].stdin)["root"] == "/opt"


def test_emulation_gets_more_time(layer: Path) -> None:
    slow, quick = FakeContainer(), FakeContainer()
    verify_imports(layer, target(), place=place(slow, emulated=True), timeout=2)
    verify_imports(layer, target(), place=place(quick), timeout=2)
    times = [json.loads(runner.orders[0].stdin)["timeout"] for runner in (slow, quick)]
    assert times == [20, 2]


def test_the_environment_is_lambdas_and_nothing_else(layer: Path) -> None:
    runner = FakeContainer()
    verify_imports(layer, target(), place=place(runner))
    command = list(runner.orders[0].command)
    assert command[:2] == ["env", "-i"]
    environment = dict(word.split("=", 1) for word in command[2 : command.index("/py")])
    assert environment["LD_LIBRARY_PATH"] == (
        "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"
    )
    assert environment["PATH"] == "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin"
    assert environment["AWS_EXECUTION_ENV"] == "AWS_Lambda_python3.12"
    assert environment["TZ"] == ":UTC"
    assert not {"PYTHONPATH", "HOME"} & set(environment)


def test_sys_path_is_function_then_layer_then_standard_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(try_imports, "VERSION", "3.12")
    found = try_imports.search_path("/opt", "/var/task", ["/std.zip", "/std"])
    assert found == ["/var/task", "/opt/python/lib/python3.12/site-packages", "/opt/python", "/std.zip", "/std"]


@pytest.mark.parametrize(
    ("version", "bundled"),
    [((3, 10), ["/var/runtime"]), ((3, 12), ["/var/lang/lib/site", "/var/runtime"])],
)
def test_in_lambdas_own_image_its_distributions_come_after_the_layer(
    version: tuple[int, int], bundled: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(try_imports, "VERSION", "3.x")
    monkeypatch.setattr(try_imports, "SITE_PACKAGES", "/var/lang/lib/site")
    monkeypatch.setattr(sys, "version_info", (*version, 0))
    monkeypatch.setattr(Path, "is_dir", lambda _: True)
    found = try_imports.search_path("/opt", "/var/task", ["/std"])
    layers = ["/opt/python/lib/python3.x/site-packages", "/opt/python"]
    assert found == ["/var/task", *layers, *bundled, "/std", "/var/lang/lib/site"]
