"""A function as Lambda would be told of it: handler, limits, variables; and what its process is told of itself."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from layerkit.errors import UsageError
from layerkit.facts import limits
from layerkit.facts.quotas import Range
from layerkit.invoke.invocation import VERSION
from layerkit.invoke.variables import check_variables, locale_and_time, passed_on, region_in
from layerkit.model.target import PythonTarget, Target

NAME: Final = "function"
ACCOUNT: Final = "123456789012"
_MIB: Final = 1024 * 1024
_HANDLER: Final = re.compile(r"\S{1,128}")


class OutOfRange(UsageError):
    """Settings that Lambda does not take, all of them."""

    def __init__(self, *, problems: Sequence[str]) -> None:
        super().__init__("Lambda has no such function", details=problems, hint="see `layerkit invoke --help`")


@dataclass(frozen=True, kw_only=True, slots=True)
class Function:
    """A function: seconds for ``timeout``, MiB for ``memory`` and ``tmp``. ``variables`` may hold secrets."""

    handler: str
    target: Target
    timeout: int = 3
    memory: int = 128
    tmp: int = 512
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Raise ``OutOfRange`` or ``BadVariables`` where Lambda would refuse."""
        if problems := [*self._problems()]:
            raise OutOfRange(problems=problems)
        check_variables(self.variables)

    def _problems(self) -> Iterator[str]:
        known = limits()
        if not _HANDLER.fullmatch(self.handler):
            yield f"`{self.handler}` is no handler: it has 1 to 128 characters, none of them a space"
        yield from _outside("--timeout", self.timeout, known.timeout_seconds, "seconds")
        yield from _outside("--memory", self.memory, known.memory_mib, "MB")
        yield from _outside("--tmp", self.tmp, known.tmp_mib, "MB")

    @property
    def memory_bytes(self) -> int:
        """The most that its processes may use."""
        return self.memory * _MIB

    @property
    def arn(self) -> str:
        """A name as Lambda gives them, for an account that nobody has."""
        return f"arn:aws:lambda:{region_in({**os.environ, **self.variables})}:{ACCOUNT}:function:{NAME}"

    @property
    def _execution_environment(self) -> dict[str, str]:
        """What only managed runtimes have."""
        managed = isinstance(self.target, PythonTarget)
        return {"AWS_EXECUTION_ENV": f"AWS_Lambda_{self.target.runtime.name}"} if managed else {}

    def environment(self, *, api: str, folders: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
        """Return all variables of its process; ``api`` is the Runtime API's address, ``environ`` this machine's."""
        day = datetime.now(UTC).strftime("%Y/%m/%d")
        return {
            **passed_on({**environ, **self.variables}),
            **locale_and_time(),
            **folders,
            **self.variables,
            "_HANDLER": self.handler,
            **self._execution_environment,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.memory),
            "AWS_LAMBDA_FUNCTION_NAME": NAME,
            "AWS_LAMBDA_FUNCTION_VERSION": VERSION,
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{NAME}",
            "AWS_LAMBDA_LOG_STREAM_NAME": f"{day}/[{VERSION}]{os.urandom(16).hex()}",
            "AWS_LAMBDA_RUNTIME_API": api,
        }


def _outside(option: str, value: int, allowed: Range, unit: str) -> Iterator[str]:
    if not allowed.least <= value <= allowed.most:
        yield f"`{option} {value}` is not within {allowed.least} to {allowed.most} {unit}"
