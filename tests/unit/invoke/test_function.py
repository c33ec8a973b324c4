"""What a function's process is told of itself."""

from layerkit.invoke.function import Function
from layerkit.model.target import make_target

FOLDERS = {"LAMBDA_TASK_ROOT": "/var/task"}


def variables(said: dict[str, str], environ: dict[str, str]) -> dict[str, str]:
    function = Function(handler="app.handler", target=make_target("python3.13", "x86_64"), variables=said)
    return function.environment(api="127.0.0.1:1", folders=FOLDERS, environ=environ)


def test_a_region_that_the_user_names_is_also_the_default_one() -> None:
    found = variables({"AWS_REGION": "eu-west-1"}, {"AWS_DEFAULT_REGION": "us-west-2"})
    assert (found["AWS_REGION"], found["AWS_DEFAULT_REGION"]) == ("eu-west-1", "eu-west-1")


def test_of_this_machine_only_aws_settings_are_passed_on() -> None:
    found = variables({}, {"HOME": "/root", "AWS_PROFILE": "dev", "TOKEN": "x"})
    assert found["AWS_PROFILE"] == "dev"
    assert {"HOME", "TOKEN"}.isdisjoint(found)


def test_what_lambda_sets_cannot_be_changed_by_this_machine() -> None:
    found = variables({"GREETING": "hello"}, {"_HANDLER": "other.handler", "AWS_LAMBDA_FUNCTION_NAME": "other"})
    assert found["_HANDLER"] == "app.handler"
    assert found["AWS_LAMBDA_FUNCTION_NAME"] == "function"
    assert found["GREETING"] == "hello"
