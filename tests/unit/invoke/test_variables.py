"""A function's environment: Lambda's, the user's, and of this machine's only what AWS's own tools need."""

import pytest

from layerkit.invoke.function import Function, OutOfRange
from layerkit.invoke.variables import BadVariables, folders_in
from layerkit.model.target import PythonTarget, parse_target

RECORDED = {
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
    "LANG",
    "LC_CTYPE",
    "PATH",
    "LD_LIBRARY_PATH",
    "PWD",
    "SHLVL",
    "TZ",
    "_HANDLER",
}
"""What a real function of python3.14 has, apart from X-Ray's and what its runtime client sets itself."""
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_SESSION_TOKEN": "c"}


def function(**settings: object) -> Function:
    target = parse_target("python3.14-x86_64")
    assert isinstance(target, PythonTarget)
    return Function(handler="app.handler", target=target, **settings)  # type: ignore[arg-type]


def environment(environ: dict[str, str] | None = None, variables: dict[str, str] | None = None) -> dict[str, str]:
    folders = folders_in(task="/var/task", opt="/opt", runtime="/var/runtime")
    return function(variables=variables or {}).environment(api="127.0.0.1:9", folders=folders, environ=environ or {})


def test_the_variables_are_those_of_a_real_function() -> None:
    assert set(environment(CREDENTIALS)) == RECORDED


def test_their_values_are_lambdas() -> None:
    found = environment()
    assert found["PATH"] == "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin"
    assert found["LD_LIBRARY_PATH"] == (
        "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib"
    )
    expected = {
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.14",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_REGION": "us-east-1",
        "LANG": "en_US.UTF-8",
        "LC_CTYPE": "C.UTF-8",
        "TZ": ":UTC",
        "_HANDLER": "app.handler",
    }
    assert found | expected == found


def test_a_custom_runtime_has_no_folder_of_a_language() -> None:
    folders = folders_in(task="/var/task", opt="/opt", runtime="/var/runtime", language=False)
    assert folders["PATH"] == "/usr/local/bin:/usr/bin/:/bin:/opt/bin"
    assert folders["LD_LIBRARY_PATH"].startswith("/lib64:/usr/lib64:/var/runtime:")
    function = Function(handler="h", target=parse_target("provided.al2023-arm64"))
    assert "AWS_EXECUTION_ENV" not in function.environment(api="", folders=folders, environ={})


def test_nothing_else_of_this_machine_gets_in() -> None:
    alien = {
        "HOME": "/home/me",
        "PYTHONPATH": "/x",
        "TOKEN": "t",
        "AWS_VAULT": "v",
        "LD_PRELOAD": "p",
        "VIRTUAL_ENV": "e",
    }
    assert set(environment(alien)) & set(alien) == set()


def test_credentials_region_and_endpoints_get_in() -> None:
    said = {**CREDENTIALS, "AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": "u", "AWS_ENDPOINT_URL_S3": "s"}
    found = environment(said)
    assert found | said == found
    assert environment({"AWS_DEFAULT_REGION": "eu-west-3"})["AWS_REGION"] == "eu-west-3"


def test_the_users_own_variables_win_over_lambdas_defaults() -> None:
    assert environment(variables={"TZ": "Europe/Berlin", "PYTHONPATH": "/opt/lib"})["TZ"] == "Europe/Berlin"


@pytest.mark.parametrize("name", ["_HANDLER", "AWS_LAMBDA_FUNCTION_NAME", "LAMBDA_TASK_ROOT", "A", "A-B", "_X", "ÄÖ"])
def test_a_name_that_lambda_refuses_is_refused(name: str) -> None:
    with pytest.raises(BadVariables) as error:
        function(variables={name: "x", "GOOD": "y"})
    assert [name in line for line in error.value.details] == [True]


def test_a_value_that_is_no_text_is_refused_without_being_told() -> None:
    with pytest.raises(BadVariables) as error:
        function(variables={"SECRET": "hush\udcff"})
    assert error.value.details == ("the value of `SECRET` is no UTF-8",)


def test_variables_have_4_kb_together() -> None:
    function(variables={"BIG": "x" * 4093})
    with pytest.raises(BadVariables):
        function(variables={"BIG": "x" * 4094})


@pytest.mark.parametrize("handler", ["", "app.han dler", "app.handler\n", "a." + "h" * 127])
def test_a_handler_that_lambda_does_not_take_is_told(handler: str) -> None:
    with pytest.raises(OutOfRange) as error:
        Function(handler=handler, target=parse_target("python3.14-x86_64"))
    assert "is no handler" in error.value.details[0]


@pytest.mark.parametrize(
    ("settings", "options"),
    [
        ({"timeout": 0}, ["--timeout"]),
        ({"timeout": 901}, ["--timeout"]),
        ({"memory": 127}, ["--memory"]),
        ({"memory": 10241, "tmp": 511}, ["--memory", "--tmp"]),
        ({"tmp": 10241}, ["--tmp"]),
    ],
)
def test_settings_that_lambda_does_not_have_are_all_told(settings: dict[str, int], options: list[str]) -> None:
    with pytest.raises(OutOfRange) as error:
        function(**settings)
    assert [option for option in ("--timeout", "--memory", "--tmp") if option in str(error.value.details)] == options


def test_lambdas_own_limits_are_taken() -> None:
    function(timeout=1, memory=128, tmp=512)
    function(timeout=900, memory=10240, tmp=10240)
