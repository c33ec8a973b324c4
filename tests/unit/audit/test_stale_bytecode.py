"""Bytecode that the target's Python does not use, or refuses; nothing about bytecode that is right."""

import pytest

from layerkit.audit.stale_bytecode import bytecode_findings
from layerkit.model.contents import Contents, Insides
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.stack import Stack
from layerkit.model.target import Target, make_target
from tests.unit.audit.holding import MIB, holding, installed

PY312 = make_target("python3.12", "x86_64")
PY311 = make_target("python3.11", "x86_64")
MAGIC = {"2.7": 62211, "3.11": 3495, "3.12": 3531}
SITE = "python/lib/python3.12/site-packages"


def found(*layers: Contents, function: Contents | None = None, targets: tuple[Target, ...] = (PY312,)) -> list[Finding]:
    return list(bytecode_findings(Stack(layers=layers, function=function), targets))


def only(findings: list[Finding]) -> Finding:
    (finding,) = findings
    assert finding.code is Code.PYTHON_STALE_BYTECODE
    return finding


def head(python: str, *, flags: int = 0, size: int = 100) -> bytes:
    parts = (MAGIC[python] | 0x0A0D0000, flags, 0, size)
    return b"".join(part.to_bytes(4, "little") for part in parts)


def layer(
    *paths: str, heads: dict[str, bytes], sizes: dict[str, int] | None = None, runtimes: tuple[str, ...] = ()
) -> Contents:
    return holding(*paths, *heads, sizes=sizes or {}, insides=Insides(bytecode=heads), runtimes=runtimes)


RIGHT = {
    "fresh": layer("python/x.py", heads={"python/__pycache__/x.cpython-312.pyc": head("3.12")}),
    "hashed": layer("python/x.py", heads={"python/__pycache__/x.cpython-312.pyc": head("3.12", flags=1, size=7)}),
    "without a source, as it should be": layer(heads={"python/x.pyc": head("3.12")}),
    "beside its source": layer("python/x.py", heads={"python/x.pyc": head("3.11")}),
    "for two Pythons": layer(
        *(f"python/lib/python3.{minor}/site-packages/x.py" for minor in (11, 12)),
        heads={
            f"python/lib/python3.{minor}/site-packages/__pycache__/x.cpython-3{minor}.pyc": head(f"3.{minor}")
            for minor in (11, 12)
        },
    ),
    "for two Pythons in one folder": layer(
        "python/x.py",
        heads={f"python/__pycache__/x.cpython-3{minor}.pyc": head(f"3.{minor}") for minor in (11, 12)},
        runtimes=("python3.11", "python3.12"),
    ),
    "nobody looked inside": holding(*installed("python", "a", python="312"), insides=None),
    "a program's own": layer(heads={"tool/x.pyc": head("3.11")}),
    "a link for a source": holding(
        "python/__pycache__/x.cpython-312.pyc",
        links={"python/x.py": "y.py"},
        insides=Insides(bytecode={"python/__pycache__/x.cpython-312.pyc": head("3.12", size=7)}),
    ),
    "a source over 4 GiB": layer(
        heads={"python/__pycache__/x.cpython-312.pyc": head("3.12", size=5)}, sizes={"python/x.py": 2**32 + 5}
    ),
    "none": holding(*installed("python", "a")),
}


@pytest.mark.parametrize("right", RIGHT.values(), ids=RIGHT)
def test_nothing_is_said_about_what_is_right(right: Contents) -> None:
    assert found(right) == []


@pytest.mark.parametrize("targets", [(), (make_target("provided.al2023", "arm64"),)])
def test_nothing_is_said_without_a_python_target(targets: tuple[Target, ...]) -> None:
    assert found(holding(*installed("python", "a", python="311")), targets=targets) == []


@pytest.mark.parametrize("insides", [Insides(), None])
def test_bytecode_of_another_python_is_dead_weight(insides: Insides | None) -> None:
    finding = only(found(holding(*installed("python", "a", python="311"), insides=insides)))
    assert (finding.severity, finding.where) == (Severity.NOTE, "layer.zip")
    assert finding.message == (
        "2 files of bytecode (200 bytes) compiled by Python 3.11: never used by python3.12;"
        " `python/a/__pycache__/__init__.cpython-311.pyc`, `python/a/__pycache__/core.cpython-311.pyc`"
    )


def test_much_dead_weight_is_a_warning() -> None:
    heavy = holding("python/x.py", sizes={"python/__pycache__/x.cpython-311.pyc": 5 * MIB})
    finding = only(found(heavy))
    assert finding.severity is Severity.WARNING
    assert finding.where == "layer.zip: python/__pycache__/x.cpython-311.pyc"
    assert "(5.0 MiB)" in finding.message


def test_bytecode_of_another_python_in_a_folder_of_one_version_is_dead_weight() -> None:
    assert "Python 3.11" in only(found(holding(*installed(SITE, "a", python="311")))).message


def test_bytecode_of_another_interpreter_is_dead_weight() -> None:
    finding = only(found(holding("python/x.py", "python/__pycache__/x.pypy310.pyc")))
    assert "of another interpreter: never used by python3.12" in finding.message


def test_a_module_without_source_of_another_python_is_an_error() -> None:
    finding = only(found(layer(heads={"python/a/x.pyc": head("3.11"), "python/a/y.pyc": head("3.12")})))
    assert (finding.severity, finding.paths) == (Severity.ERROR, ("python/a/x.pyc",))
    assert finding.message == (
        "1 file of bytecode (100 bytes) compiled by Python 3.11, without a source: python3.12 refuses that with"
        " `bad magic number`; `python/a/x.pyc`"
    )


def test_a_module_without_source_is_for_one_python_only() -> None:
    finding = only(found(layer(heads={"python/x.pyc": head("3.12")}), targets=(PY311, PY312)))
    assert finding.severity is Severity.ERROR


def test_a_module_without_source_is_judged_for_the_python_that_looks_there() -> None:
    own = layer(heads={f"{SITE}/x.pyc": head("3.12")})
    assert found(own, targets=(PY311, PY312)) == []
    assert found(own, targets=(PY311,)) == []


def test_bytecode_whose_source_has_another_size_is_compiled_at_every_start() -> None:
    stale = layer("python/x.py", heads={"python/__pycache__/x.cpython-312.pyc": head("3.12", size=99)})
    finding = only(found(stale))
    assert finding.severity is Severity.WARNING
    assert "out of date: each source is compiled anew at every cold start" in finding.message


def test_bytecode_with_the_wrong_name_is_compiled_at_every_start() -> None:
    finding = only(found(layer("python/x.py", heads={"python/__pycache__/x.cpython-312.pyc": head("3.11")})))
    assert "out of date" in finding.message


def test_bytecode_in_the_cache_folder_without_a_source_is_never_used() -> None:
    finding = only(found(layer("python/y.py", heads={"python/__pycache__/x.cpython-312.pyc": head("3.12")})))
    assert finding.severity is Severity.NOTE
    assert "in `__pycache__` without a source: never used" in finding.message


def test_a_layer_without_any_source_is_a_warning() -> None:
    assert only(found(layer(heads={"python/__pycache__/x.cpython-312.pyc": head("3.12")}))).severity is Severity.WARNING


def test_bytecode_for_optimized_runs_is_never_used() -> None:
    finding = only(found(holding("python/x.py", "python/__pycache__/x.cpython-312.opt-1.pyc")))
    assert "for `python -O`: never used" in finding.message


def test_a_functions_code_is_looked_at_too() -> None:
    function = holding("app.py", "__pycache__/app.cpython-311.pyc", where="build")
    assert only(found(function=function)).where == "build: __pycache__/app.cpython-311.pyc"


def test_what_is_no_bytecode_is_left_alone() -> None:
    assert found(layer(heads={"python/x.pyc": b"data"})) == []
    assert found(layer("python/x.py", heads={"python/__pycache__/x.cpython-312.pyc": b""})) == []
