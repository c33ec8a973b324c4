"""What is said about imports that failed: who is at fault, and what would help."""

import pytest

from layerkit.invoke.modules import LayerContents
from layerkit.invoke.outcomes import Ended, Judge, Raised
from layerkit.model.finding import Code, Severity
from layerkit.model.target import PythonTarget, parse_target

NUMPY = "python/numpy/_core/_multiarray_umath.cpython-311-x86_64-linux-gnu.so"


def judge(*names: str, bundled: bool = False, target: str = "python3.12-x86_64") -> Judge:
    found = parse_target(target)
    assert isinstance(found, PythonTarget)
    return Judge(target=found, contents=LayerContents(names=names, records={}), bundled=bundled, timeout=60)


def missing(name: str, *, standard: bool = False) -> Raised:
    return Raised(
        error=f"ModuleNotFoundError: No module named '{name}'", missing=(name,), standard=(name,) if standard else ()
    )


def test_a_failing_import_is_an_error_with_its_last_line_and_place() -> None:
    finding = judge().finding("app", Raised(error="ValueError: no", at="/opt/python/app.py:3"))
    assert (finding.code, finding.severity) == (Code.PYTHON_IMPORT, Severity.ERROR)
    assert finding.where == "import app"
    assert finding.message == "ValueError: no (at /opt/python/app.py:3)"


def test_the_first_cause_is_told_too() -> None:
    raised = Raised(error="ImportError: see the docs", causes=("ImportError: x", "OSError: libz is gone"))
    assert judge().finding("app", raised).message == "ImportError: see the docs; because of OSError: libz is gone"


def test_a_missing_dependency_is_the_layers_fault() -> None:
    finding = judge().finding("app", missing("idna"))
    assert finding.severity is Severity.ERROR
    assert "`idna`" in str(finding.hint)


def test_an_optional_part_of_a_distribution_may_lack_what_nobody_asked_for() -> None:
    finding = judge().finding("google.rpc_grpc", missing("grpc"), has_siblings=True)
    assert finding.severity is Severity.WARNING
    assert "`grpc` if a function needs this" in str(finding.hint)


@pytest.mark.parametrize("raised", [missing("grpc.aio"), Raised(error="OSError: no")])
def test_a_part_that_fails_for_another_reason_is_an_error_all_the_same(raised: Raised) -> None:
    finding = judge("python/grpc/__init__.py").finding("google.rpc_grpc", raised, has_siblings=True)
    assert finding.severity is Severity.ERROR


@pytest.mark.parametrize("name", ["boto3", "botocore.exceptions", "dateutil", "urllib3", "simplejson"])
def test_what_the_runtime_brings_itself_is_a_note(name: str) -> None:
    finding = judge().finding("app", missing(name))
    assert finding.severity is Severity.NOTE
    assert f"`{name.partition('.')[0]}`, which python3.12 brings itself" in finding.message


def test_what_the_runtime_brings_is_no_excuse_where_it_was_there() -> None:
    assert judge(bundled=True).finding("app", missing("boto3")).severity is Severity.ERROR


def test_what_the_runtime_brings_is_no_excuse_where_the_layer_hides_it() -> None:
    finding = judge("python/botocore/__init__.py").finding("app", missing("botocore.exceptions"))
    assert finding.severity is Severity.ERROR


def test_setuptools_comes_with_older_runtimes_only() -> None:
    assert judge(target="python3.11-x86_64").finding("app", missing("pkg_resources")).severity is Severity.NOTE
    assert judge().finding("app", missing("pkg_resources")).severity is Severity.ERROR


def test_an_interpreter_that_lacks_a_part_of_the_standard_library_is_to_blame_itself() -> None:
    finding = judge().finding("app", missing("_lzma", standard=True))
    assert finding.severity is Severity.NOTE
    assert "built without `_lzma`" in finding.message


def test_lambda_has_no_tkinter_either() -> None:
    assert judge().finding("app", missing("_tkinter", standard=True)).severity is Severity.ERROR


@pytest.mark.parametrize(("library", "severity"), [("libssl.so.3", Severity.NOTE), ("libexpat.so.1", Severity.ERROR)])
def test_libraries_that_lambda_has_may_be_missing_here(library: str, severity: Severity) -> None:
    text = f"ImportError: {library}: cannot open shared object file: No such file or directory"
    assert judge().finding("app", Raised(error=text)).severity is severity


@pytest.mark.parametrize(
    ("version", "target", "severity"),
    [
        ("GLIBC_2.34", "python3.12-x86_64", Severity.NOTE),
        ("GLIBC_2.34", "python3.11-x86_64", Severity.ERROR),
        ("GLIBC_2.38", "python3.12-x86_64", Severity.ERROR),
        ("GLIBCXX_3.4.29", "python3.12-x86_64", Severity.NOTE),
        ("CXXABI_1.3.16", "python3.12-x86_64", Severity.ERROR),
    ],
)
def test_symbols_are_held_to_what_lambda_has_not_to_what_is_here(version: str, target: str, severity: Severity) -> None:
    text = f"ImportError: /lib64/libm.so.6: version `{version}' not found (required by /opt/python/x.so)"
    finding = judge(target=target).finding("app", Raised(error=text))
    assert finding.severity is severity
    assert severity is Severity.NOTE or "required by /opt/python/x.so" in finding.message


@pytest.mark.parametrize(
    "raised",
    [
        missing("numpy._core._multiarray_umath"),
        Raised(error="ImportError: cannot import name '_multiarray_umath' from 'numpy._core' (/opt/x.py)"),
    ],
)
def test_an_extension_for_another_python_is_named(raised: Raised) -> None:
    message = judge(NUMPY).finding("numpy", raised).message
    assert message.startswith(raised.error)
    assert f"`{NUMPY}`, which python3.12-x86_64 does not load" in message


def test_an_extension_for_this_python_is_not_blamed() -> None:
    here = NUMPY.replace("311", "312")
    assert here not in judge(NUMPY, here).finding("numpy", missing("numpy._core._multiarray_umath")).message


def test_exits_are_findings() -> None:
    finding = judge().finding("app", Raised(error="SystemExit: 3", exits=True))
    assert finding.message == "exits while it is imported (SystemExit: 3)"


@pytest.mark.parametrize("status", [-11, 139])
def test_a_crash_is_told_by_its_signal_and_the_place_in_the_layer(status: int) -> None:
    stderr = (
        "Fatal Python error: Segmentation fault\n\nCurrent thread 0x1 (most recent call first):\n"
        '  File "/opt/python/cp312-cp312/lib/python3.12/ctypes/__init__.py", line 5 in string_at\n'
        '  File "/opt/python/app.py", line 2 in <module>\n'
    )
    finding = judge().finding("app", Ended(status=status, stderr=stderr))
    expected = "crashes the interpreter with SIGSEGV (Segmentation fault) (at /opt/python/app.py:2)"
    assert (finding.severity, finding.message) == (Severity.ERROR, expected)


def test_an_end_without_a_signal_is_told_by_its_status() -> None:
    assert judge().finding("app", Ended(status=4, stderr="")).message == "ends the process with status 4"


def test_a_module_that_hangs_is_told_by_the_time_and_the_place() -> None:
    stderr = 'Timeout (0:01:00)!\nThread 0x1 (most recent call first):\n  File "/opt/python/app.py", line 2 in f\n'
    finding = judge().finding("app", Ended(status=1, stderr=stderr))
    assert finding.message == "is not done after 60 seconds (at /opt/python/app.py:2)"


def test_a_pth_file_whose_line_fails_is_a_warning() -> None:
    text = (
        "Error processing line 1 of /opt/python/x.pth:\n\n  Traceback (most recent call last):\n"
        "  ModuleNotFoundError: No module named 'x'\n\nRemainder of file ignored\n"
    )
    finding = judge().complaint(text)
    assert finding.severity is Severity.WARNING
    assert finding.message == "Error processing line 1 of /opt/python/x.pth: ModuleNotFoundError: No module named 'x'"
