"""Layers imported for real, by interpreters of this machine."""

import os
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from layerkit.invoke import stage
from layerkit.invoke.imports import Imports, verify_imports
from layerkit.invoke.places import NowhereToImport, import_place
from layerkit.model.finding import Severity
from layerkit.model.target import PythonTarget, parse_target
from tests.interpreters import find_python
from tests.workbench import call

NOWHERE = {"DOCKER_HOST": "tcp://127.0.0.1:9"}
pytestmark = pytest.mark.interpreter


@pytest.fixture(autouse=True)
def interpreter() -> None:
    if not find_python("3.12"):
        pytest.skip("needs Python 3.12")


def layer_of(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    path = folder / "layer.zip"
    with zipfile.ZipFile(path, "w") as out:
        for name, content in files.items():
            out.writestr(f"python/{name}", content)
    return path


def imported(
    path: Path, target: str = "python3.12-x86_64", *, named: tuple[str, ...] = (), timeout: float = 60
) -> Imports:
    found = parse_target(target)
    assert isinstance(found, PythonTarget)
    with import_place(path, found, environ=NOWHERE) as place:
        return verify_imports(path, found, place=place, named=named, timeout=timeout)


def failures(found: Imports) -> dict[str, str]:
    return {finding.where.removeprefix("import "): finding.message for finding in found.findings}


@pytest.mark.network
@pytest.mark.parametrize("runtime", ["python3.12", "python3.13"])
def test_a_layer_built_from_the_index_imports(
    runtime: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """charset-normalizer and PyYAML bring machine code: its ABI and its libraries are right."""
    if not find_python(runtime.removeprefix("python")):
        pytest.skip(f"needs {runtime}")
    monkeypatch.delenv("PIP_CONFIG_FILE")  # where this machine's index is
    monkeypatch.chdir(tmp_path)
    assert (
        call("build", "requests", "pyyaml", "--name", "web", "--runtime", runtime, "--cache-dir", tmp_path / "c") == 0
    )
    capfd.readouterr()
    found = imported(tmp_path / "dist" / f"web-{runtime}-x86_64.zip", f"{runtime}-x86_64", named=("yaml._yaml",))
    assert failures(found) == {}
    assert {"requests", "urllib3", "idna", "certifi", "charset_normalizer", "yaml", "yaml._yaml"} <= set(found.modules)


def test_each_way_to_fail_is_told(tmp_path: Path) -> None:
    path = layer_of(
        tmp_path,
        {
            "good/__init__.py": "print('noise that nobody should take for an answer')",
            "raises.py": "def f():\n    raise ValueError('first\\n last')\nf()\n",
            "exits.py": "import sys; sys.exit(3)",
            "ends.py": "import os; os._exit(4)",
            "segfaults.py": "import ctypes\nctypes.string_at(0)",
            "lacks.py": "import nothing_that_exists",
        },
    )
    found = failures(imported(path))
    assert (
        found.pop("segfaults")
        == "crashes the interpreter with SIGSEGV (Segmentation fault) (at /opt/python/segfaults.py:2)"
    )
    assert found == {
        "raises": "ValueError: last (at /opt/python/raises.py:2)",
        "exits": "exits while it is imported (SystemExit: 3) (at /opt/python/exits.py:1)",
        "ends": "ends the process with status 4",
        "lacks": "ModuleNotFoundError: No module named 'nothing_that_exists' (at /opt/python/lacks.py:1)",
    }


def test_a_module_that_hangs_does_not_hang_the_others(tmp_path: Path) -> None:
    path = layer_of(tmp_path, {"hangs.py": "import time\ntime.sleep(600)", "later.py": "raise ValueError('reached')"})
    found = failures(imported(path, timeout=1))
    assert found["hangs"] == "is not done after 1 seconds (at /opt/python/hangs.py:2)"
    assert found["later"].startswith("ValueError: reached")


def test_machine_code_for_another_python_fails_with_pythons_own_words(tmp_path: Path) -> None:
    name = "fast.cpython-311-x86_64-linux-gnu.so"
    path = layer_of(tmp_path, {name: b"\x7fELF"})
    assert failures(imported(path))["fast"] == (
        f"ModuleNotFoundError: No module named 'fast'; the layer has it as `python/{name}`,"
        " which python3.12-x86_64 does not load"
    )


def test_machine_code_that_is_none_fails_with_the_loaders_own_words(tmp_path: Path) -> None:
    found = failures(imported(layer_of(tmp_path, {"fast.abi3.so": b"not a library"})))
    assert "/opt/python/fast.abi3.so: " in found["fast"]


def test_pth_files_are_run_as_on_lambda(tmp_path: Path) -> None:
    files = {"a.pth": "import sys; sys.from_a = True\nmore\n", "more/inner.py": "import sys; sys.from_a"}
    assert imported(layer_of(tmp_path, files), named=("inner",)).findings == ()


def test_a_pth_file_that_fails_is_a_warning_and_no_more(tmp_path: Path) -> None:
    found = imported(layer_of(tmp_path, {"a.pth": "import nothing_that_exists\n", "good.py": ""}))
    assert [finding.severity for finding in found.findings] == [Severity.WARNING]
    assert "/opt/python/a.pth: ModuleNotFoundError" in found.findings[0].message


def test_a_pth_file_that_ends_the_interpreter_is_told_as_such(tmp_path: Path) -> None:
    path = layer_of(tmp_path, {"a.pth": "import os; os._exit(5)\n", "good.py": ""})
    assert failures(imported(path)) == {".pth": "ends the process with status 5"}


def test_what_lambda_brings_itself_is_only_a_note(tmp_path: Path) -> None:
    found = imported(
        layer_of(tmp_path, {"uses.py": "try:\n  import boto3\nexcept ImportError as e:\n  raise OSError('x')"})
    )
    assert [finding.severity for finding in found.findings] == [Severity.NOTE]
    assert "`boto3`, which python3.12 brings itself" in found.findings[0].message


def test_nothing_of_this_machine_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("SECRET_OF_MINE", "x")
    (tmp_path / "neighbour.py").touch()
    look = (
        "import os, sys\n"
        "assert 'SECRET_OF_MINE' not in os.environ and 'PYTHONPATH' not in os.environ\n"
        "assert os.environ['TZ'] == ':UTC' and os.environ['LAMBDA_TASK_ROOT'] == os.getcwd() == sys.path[0]\n"
        "assert not [path for path in sys.path if 'site-packages' in path and '/opt/' not in path], sys.path\n"
    )
    path = layer_of(tmp_path, {"look.py": look, "near.py": "import neighbour"})
    assert set(failures(imported(path))) == {"near"}


def test_the_layer_cannot_be_written_and_lies_at_opt(tmp_path: Path) -> None:
    look = "import pathlib\nassert __file__ == '/opt/python/look.py'\npathlib.Path(__file__).with_name('x').touch()\n"
    found = imported(layer_of(tmp_path, {"look.py": look}))
    if "in a folder" in found.place:
        pytest.skip("no mount namespaces here")
    assert "Read-only file system" in failures(found)["look"]


def test_without_namespaces_a_folder_stands_for_opt_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stage, "private_mount", lambda *_, **__: ())
    path = layer_of(tmp_path, {"a.pth": "import sys; sys.from_a = 1", "a.py": "import sys; sys.from_a", "b.py": "1/0"})
    found = imported(path)
    assert failures(found) == {"b": "ZeroDivisionError: division by zero (at /opt/python/b.py:1)"}
    assert "in a folder that stands for /opt" in found.summary


def test_a_module_that_fails_only_in_company_is_no_finding(tmp_path: Path) -> None:
    files = {"a.py": "import sys; sys.spoilt = True", "b.py": "import sys\nif hasattr(sys, 'spoilt'): raise OSError"}
    assert imported(layer_of(tmp_path, files)).findings == ()


def test_pure_layers_for_another_architecture_are_tried_here(tmp_path: Path) -> None:
    other = "arm64" if os.uname().machine == "x86_64" else "x86_64"
    assert imported(layer_of(tmp_path, {"good.py": ""}), f"python3.12-{other}").findings == ()


def test_binaries_for_another_architecture_are_refused_before_anything_is_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("layerkit.sandbox.container.endpoints", lambda *_: ())
    other = "arm64" if os.uname().machine == "x86_64" else "x86_64"
    with pytest.raises(NowhereToImport) as caught:
        imported(layer_of(tmp_path, {"fast.abi3.so": b""}), f"python3.12-{other}")
    assert f"and the layer holds binaries for {other}" in caught.value.details[0]
    assert "container engine" in str(caught.value.hint)
