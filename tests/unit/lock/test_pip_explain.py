"""pip's words in layerkit's; the texts are pip's own, of 23.2 and 26."""

import pytest

from layerkit.errors import LayerkitError
from layerkit.lock.failures import (
    ConflictError,
    IndexCertificateError,
    IndexDownError,
    IndexRefusedError,
    MissingFileError,
    NoSuchVersionError,
    PythonVersionError,
    UnknownDistributionError,
)
from layerkit.lock.pip_explain import (
    PipBuildError,
    PipCompileError,
    UnreachableError,
    UploadDatesError,
    failure,
    index_failure,
    last_lines,
    unfound,
)

TRACEBACK = """
Traceback (most recent call last):
  File "/x/resolver.py", line 95, in resolve
    result = self._result = resolver.resolve(
             ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
"""
NOTHING = f"""  ERROR: Could not find a version that satisfies the requirement six (from versions: none){TRACEBACK}
pip._internal.exceptions.DistributionNotFound: No matching distribution found for six
"""
OTHERS = "  ERROR: Could not find a version that satisfies the requirement six==99 (from versions: 1.16.0, 1.17.0)\n"
PYTHON = (
    "  ERROR: Ignored the following versions that require a different python version: 1.3 Requires-Python >=3.12; "
    "1.4.0 Requires-Python >=3.12,!=3.14.1\n"
    "  ERROR: Could not find a version that satisfies the requirement contourpy==1.4 (from versions: 1.0, 1.2)\n"
)
CONFLICT = f"""  ERROR: Cannot install -r r.in (line 1) and idna<2 because of conflicts.{TRACEBACK}
pip._vendor.resolvelib.resolvers.ResolutionImpossible: [RequirementInformation(requirement=SpecifierRequirement(\
'idna<2'), parent=None), RequirementInformation(requirement=SpecifierRequirement('idna<4,>=2.5'), \
parent=LinkCandidate('https://me:s3cret@files.example/24/requests-2.32.0-py3-none-any.whl (from \
https://pypi.org/simple/requests/) (requires-python:>=3.8)'))]
pip._internal.exceptions.DistributionNotFound: ResolutionImpossible: for help visit https://pip.pypa.io/en/latest/
"""
NEEDS = (
    "pip.X.ResolutionImpossible: [RequirementInformation(requirement=RequiresPythonRequirement('>=3.99'), parent=1)]"
)
BUILD = f"""    error: subprocess-exited-with-error
    Getting requirements to build wheel did not run successfully.
    ╰─> [24 lines of output]
        Traceback (most recent call last):
          File "x.py", line 1, in <module>
            import setup
        foo.c:1:10: fatal error: Python.h: No such file or directory
        error: command '/usr/bin/gcc' failed with exit code 1
        [end of output]
{TRACEBACK}
pip._internal.exceptions.FailedToPrepareCandidate: Failed to build 'bad' when getting requirements to build wheel
"""
GONE = "pip.X: 404 Client Error: Not Found for url: https://me:s3cret@files.example/foo-1.0.tar.gz"
OLD_PIP = "\nUsage:\n  python -m pip install [options]\n\nno such option: --uploaded-prior-to\n"
NO_DATES = "ERROR: Index https://mirror.example/simple/six/ does not provide upload-time metadata."


@pytest.mark.parametrize(
    ("stderr", "error", "said"),
    [
        (NOTHING, UnknownDistributionError, "`six` is on none of the indexes"),
        (OTHERS, NoSuchVersionError, "the newest version for this target is 1.17.0"),
        (PYTHON, PythonVersionError, "need Python>=3.12,!=3.14.1"),
        (NEEDS, PythonVersionError, "need Python>=3.99"),
        (CONFLICT, ConflictError, "the requirements ask for idna<2\nrequests-2.32.0 needs idna<4,>=2.5"),
        (BUILD, PipBuildError, "Python.h: No such file or directory\nerror: command '/usr/bin/gcc' failed"),
        (GONE, MissingFileError, "https://files.example/foo-1.0.tar.gz: 404 Not Found"),
        (OLD_PIP, UploadDatesError, "older than 26.0"),
        (NO_DATES, UploadDatesError, "https://mirror.example/simple/six/ does not provide upload-time metadata"),
        ("Killed\n", PipCompileError, "Killed"),
    ],
)
def test_a_refusal_becomes_the_error_that_says_what_it_means(
    stderr: str, error: type[LayerkitError], said: str
) -> None:
    told = failure(stderr, target="python3.11-x86_64", place="the box")
    text = "\n".join((told.message, *told.details, told.hint or ""))
    assert type(told) is error
    assert said in text
    assert "Traceback" not in text
    assert "s3cret" not in text


@pytest.mark.parametrize(
    ("skipped", "error", "said"),
    [
        ("connection error: [Errno 111] Connection refused", UnreachableError, "connection refused"),
        (
            (
                "connection error: HTTPSConnectionPool(host='a.example', port=443): Max retries exceeded (Caused by "
                "NewConnectionError('<X>: Failed to establish a new connection: [Errno -2] Name or service not known'))"
            ),
            UnreachableError,
            "name or service not known",
        ),
        ("401 Client Error: Unauthorized for url: https://a.example/simple/x/", IndexRefusedError, "401 Unauthorized"),
        (
            (
                "There was a problem with the certificate: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify "
                "failed: self-signed certificate (_ssl.c:1006)"
            ),
            IndexCertificateError,
            "self-signed certificate",
        ),
        ("503 Server Error: Busy for url: https://a.example/simple/x/", IndexDownError, "503 Server Error"),
    ],
)
def test_an_index_that_was_skipped_is_named_with_the_reason(
    skipped: str, error: type[LayerkitError], said: str
) -> None:
    told = index_failure(f"Could not fetch URL https://u:****@a.example/simple/x/: {skipped} - skipping\n", place="it")
    assert type(told) is error
    assert "https://a.example/simple/x" in told.message
    assert said in "\n".join((told.message, *told.details))


def test_an_index_that_just_has_not_the_name_did_not_fail() -> None:
    skipped = "404 Client Error: Not Found for url: https://pypi.org/simple/x/"
    assert index_failure(f"Could not fetch URL https://pypi.org/simple/x/: {skipped} - skipping\n", place="it") is None


def test_only_a_requirement_without_any_version_counts_as_unfound() -> None:
    assert unfound(NOTHING) == "six"
    assert unfound(NOTHING.replace("six (from v", "six>=1 (from app) (from v")) == "six>=1"
    assert unfound(OTHERS) is None


def test_of_a_traceback_only_the_last_exception_is_told() -> None:
    assert last_lines(f"{TRACEBACK}ValueError: first\n{TRACEBACK}x.y.OSError: no space left\n") == ("no space left",)
