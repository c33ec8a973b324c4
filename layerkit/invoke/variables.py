"""The environment of a function, as Lambda sets it: nothing of this machine's but what AWS's own tools would use.

Source: recordings of real functions, python3.14, January 2026 (localstack's snapshots, validated against AWS).
"""

import os
import re
from collections.abc import Iterator, Mapping
from typing import Final

from layerkit.errors import UsageError
from layerkit.facts import limits

PATH: Final = "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:{opt}/bin"
LIBRARY_PATH: Final = "/var/lang/lib:/lib64:/usr/lib64:{runtime}:{runtime}/lib:{task}:{task}/lib:{opt}/lib"
REGION: Final = "us-east-1"
"""Where a function runs if nothing says otherwise."""

_PASSED: Final = re.compile(
    r"AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|PROFILE|CONFIG_FILE|SHARED_CREDENTIALS_FILE|CA_BUNDLE"
    r"|REGION|DEFAULT_REGION|ENDPOINT_URL(_\w+)?)"
)
_RESERVED: Final = re.compile(
    r"_HANDLER|_X_AMZN_TRACE_ID|AWS_EXECUTION_ENV|LAMBDA_TASK_ROOT|LAMBDA_RUNTIME_DIR"
    r"|AWS_LAMBDA_(FUNCTION_\w+|INITIALIZATION_TYPE|LOG_GROUP_NAME|LOG_STREAM_NAME|RUNTIME_API)"
)
_NAME: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9_]+", re.ASCII)


class BadVariables(UsageError):
    """Environment variables that a function of Lambda's cannot have, all of them."""

    def __init__(self, *, problems: Iterator[str] | list[str]) -> None:
        super().__init__("Lambda would not take these environment variables", details=problems, hint="see `--env`")


def check_variables(own: Mapping[str, str]) -> Mapping[str, str]:
    """Return a function's own variables if Lambda would take them. Raises ``BadVariables``.

    Credentials and region, which Lambda reserves, are let through: here it is the user who sets them.
    """
    if problems := [*_problems(own)]:
        raise BadVariables(problems=problems)
    return own


def _problems(own: Mapping[str, str]) -> Iterator[str]:
    for name in own:
        if _RESERVED.fullmatch(name):
            yield f"`{name}` is reserved: Lambda sets it"
        elif not _NAME.fullmatch(name):
            yield f"`{name}` is no name: letters, digits and `_`, two at least, beginning with a letter"
        elif any("\ud800" <= character <= "\udfff" for character in own[name]):  # of bytes that are no UTF-8
            yield f"the value of `{name}` is no UTF-8"
    size = sum(len(os.fsencode(name)) + len(os.fsencode(value)) for name, value in own.items())
    if size > limits().environment_bytes:
        yield f"together they have {size} bytes, over Lambda's {limits().environment_bytes}"


def passed_on(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what a function gets of this machine's environment: AWS credentials, region and endpoints."""
    found = {name: value for name, value in environ.items() if _PASSED.fullmatch(name)}
    region = region_in(environ)
    return {**found, "AWS_REGION": region, "AWS_DEFAULT_REGION": region}


def region_in(environ: Mapping[str, str]) -> str:
    """Return the region that an environment names, or Lambda's oldest."""
    return environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION") or REGION


def folders_in(*, task: str, opt: str, runtime: str, language: bool = True) -> dict[str, str]:
    """Return the variables that name folders: Lambda's own, or those that stand for them.

    Runtimes without a ``language`` of their own have no ``/var/lang``.
    """
    path, libraries = (text if language else text.partition(":")[2] for text in (PATH, LIBRARY_PATH))
    return {
        "LAMBDA_TASK_ROOT": task,
        "LAMBDA_RUNTIME_DIR": runtime,
        "PWD": task,
        "PATH": path.format(opt=opt),
        "LD_LIBRARY_PATH": libraries.format(task=task, runtime=runtime, opt=opt),
    }


def locale_and_time() -> dict[str, str]:
    """Return what Lambda says of language and time zone, and of the shell that there is not."""
    return {"LANG": "en_US.UTF-8", "LC_CTYPE": "C.UTF-8", "SHLVL": "0", "TZ": ":UTC"}
