"""What uv says, understood."""

import pytest

from layerkit.errors import FetchError, LayerkitError, ResolutionError
from layerkit.lock.explain import Wheelless, explanation, failure, missing_version, python_needed, wheelless
from layerkit.lock.failures import (
    ConflictError,
    IndexCertificateError,
    IndexDownError,
    IndexRefusedError,
    MissingFileError,
    NoSuchVersionError,
    OfflineError,
    PythonVersionError,
    SourceBuildError,
    UnexplainedError,
    UnknownDistributionError,
)

NO_SOLUTION = "error: No solution found when resolving dependencies\n"
NO_WHEELS = (
    NO_SOLUTION
    + "  cause: Because numpy==1.21.0 has no usable wheels and you require numpy==1.21.0, we can conclude that your "
    + "requirements are unsatisfiable.\n\nhint: Wheels are required for `numpy` because building from source is "
    + "disabled for all packages (i.e., with `--no-build`)\n"
)
CONFLICT = (
    NO_SOLUTION
    + "  cause: Because requests==2.31 depends on urllib3>=1.21.1,<3 and you require requests==2.31, we can "
    + "conclude that you require urllib3<3.\n"
    + "         And because you require urllib3<1.20, we can conclude that your requirements are unsatisfiable.\n"
)
DOWN = (
    "error: Failed to fetch: http://127.0.0.1:9/simple/idna/\n  cause: error sending request for url "
    "(http://127.0.0.1:9/simple/idna/)\n  cause: client error (Connect)\n  cause: {reason}\n"
)
REFUSED = (
    NO_SOLUTION
    + "  cause: Because idna was not found in the package registry and you require idna, we can conclude that your "
    + "requirements are unsatisfiable.\n\nhint: An index URL (http://h/simple) could not be queried due to a lack of "
    + "valid authentication credentials (401 Unauthorized)\n"
)


def of_cause(text: str) -> str:
    return f"{NO_SOLUTION}  cause: {text}, we can conclude that your requirements are unsatisfiable.\n"


@pytest.mark.parametrize(
    ("stderr", "expected"),
    [
        (NO_WHEELS, (Wheelless(name="numpy", version="1.21.0"),)),
        (
            of_cause("Because all versions of doc_opt have no usable wheels and you require doc_opt"),
            (Wheelless(name="doc-opt", version=None),),
        ),
        (
            "error: Failed to build `docopt`\n  cause: Building source distributions for `docopt` is disabled\n",
            (Wheelless(name="docopt", version=None),),
        ),
        (
            of_cause(
                "Because pywin32>=306 has no wheels with a matching platform tag (e.g., `x`) and you require pywin32"
            ),
            (Wheelless(name="pywin32", version=None),),
        ),
        (CONFLICT, ()),
    ],
)
def test_names_without_a_wheel_are_found(stderr: str, expected: tuple[Wheelless, ...]) -> None:
    assert wheelless(stderr) == expected


@pytest.mark.parametrize(
    ("stderr", "expected"),
    [
        (of_cause("Because nope was not found in the package registry and you require nope"), UnknownDistributionError),
        (of_cause("Because there is no version of numpy==9 and you require numpy==9"), NoSuchVersionError),
        (of_cause("Because only idna<=3.6 is available and you require idna>=3.20"), NoSuchVersionError),
        (
            of_cause("Because the requested Python version (>=3.10) does not satisfy Python>=3.11 and a==1 needs it"),
            PythonVersionError,
        ),
        (CONFLICT, ConflictError),
        (of_cause("Because zz was not found in the cache and you require zz"), OfflineError),
        (DOWN.format(reason="Connection refused (os error 111)"), IndexDownError),
        (DOWN.format(reason="operation timed out"), IndexDownError),
        (DOWN.format(reason="invalid peer certificate: UnknownIssuer"), IndexCertificateError),
        (
            DOWN.format(reason="HTTP status client error (403 Forbidden) for url (http://127.0.0.1:9/)"),
            IndexRefusedError,
        ),
        (
            DOWN.format(reason="HTTP status client error (404 Not Found) for url (http://127.0.0.1:9/)"),
            MissingFileError,
        ),
        (DOWN.format(reason="HTTP status server error (503 Service Unavailable) for url (x)"), IndexDownError),
        (REFUSED, IndexRefusedError),
        (
            "error: Failed to download and build `a==1`\n  cause: Call to `setuptools.build_meta` failed\n",
            SourceBuildError,
        ),
        ("error: something new\n", UnexplainedError),
    ],
)
def test_each_refusal_becomes_its_own_error(stderr: str, expected: type[LayerkitError]) -> None:
    assert type(failure(stderr, target="python3.12-x86_64")) is expected


def test_exit_codes_tell_requirements_from_the_network() -> None:
    assert isinstance(failure(CONFLICT, target="t"), ResolutionError)
    assert isinstance(failure(DOWN.format(reason="operation timed out"), target="t"), FetchError)


def test_slow_and_down_are_told_apart() -> None:
    assert "too slow" in failure(DOWN.format(reason="operation timed out"), target="t").message
    assert "cannot be reached" in failure(DOWN.format(reason="Connection refused"), target="t").message


def test_the_explanation_is_readable_and_knows_no_flags_of_uv() -> None:
    assert explanation("warning: noise\n" + CONFLICT) == (
        "Because requests==2.31 depends on urllib3>=1.21.1,<3 and you require requests==2.31, you require urllib3<3",
        "And because you require urllib3<1.20, the requirements cannot be met",
    )
    assert "--no-build" not in " ".join(explanation(NO_WHEELS))


def test_no_password_survives_the_explanation() -> None:
    stderr = "error: Failed to download `a @ https://me:s3cret@h/a.whl`\n  cause: https://me:s3cret@h/a.whl is gone\n"
    error = failure(stderr, target="t")
    assert "s3cret" not in " ".join([error.message, *error.details])


def test_the_version_that_does_not_exist_is_named() -> None:
    assert missing_version(of_cause("Because there is no version of numpy==9 and you require numpy==9")) == "numpy==9"
    assert missing_version(CONFLICT) is None


def test_a_hint_about_the_newest_version_is_given_if_it_is_known() -> None:
    stderr = of_cause("Because there is no version of numpy==9 and you require numpy==9")
    assert failure(stderr, target="t", newest="2.5").hint == "the newest version for this target is 2.5"


@pytest.mark.parametrize("says", ["Python (>=3.9) does not satisfy Python>=3.12", "a requires Python >=3.12"])
def test_a_python_that_is_needed_is_read_from_either_wording(says: str) -> None:
    assert python_needed(f"error: No solution found\n  cause: Because {says}, it fails.\n") == ">=3.12"


def test_a_conflict_needs_no_other_python() -> None:
    assert python_needed("error: No solution found\n  cause: Because you require a and b, it fails.\n") is None


def test_an_index_that_is_not_there_is_named_after_retries_with_its_proxy() -> None:
    stderr = (
        "error: Request failed after 3 retries in 6.7s\n"
        "  cause: Failed to fetch: http://me:pw@h.example/simple/six/\n"
        "  cause: Connection refused (os error 111)\n"
    )
    error = failure(stderr, target="t", proxy_of={"http://h.example/simple/six/": "http://p.example:3128"}.get)
    assert isinstance(error, IndexDownError)
    assert error.message == "the package index cannot be reached: http://h.example/simple/six/"
    assert error.details[-1] == "asked through the proxy http://p.example:3128"
