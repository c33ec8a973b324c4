"""The constraints of Lambda's shapes, and the words in which it says that a request breaks them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from tests.aws_server.arns import LAYER_ARN_PATTERN, LAYER_VERSION_ARN_PATTERN
from tests.aws_server.wire import ApiError

LAYER_NAME_PATTERN: Final = rf"({LAYER_ARN_PATTERN}|[a-zA-Z0-9-_]{{1,140}})"
STATEMENT_ID_PATTERN: Final = r"([a-zA-Z0-9-_]+)"
PRINCIPAL_PATTERN: Final = r"\d{12}|\*|arn:(aws[a-zA-Z-]*):iam::\d{12}:root"
ORGANIZATION_PATTERN: Final = r"o-[a-z0-9]{10,32}"
ROLE_PATTERN: Final = r"arn:(aws[a-zA-Z-]*)?:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+"
BUCKET_PATTERN: Final = r"[0-9A-Za-z\.\-_]*(?<!\.)"
ARCHITECTURES: Final = ("x86_64", "arm64")
_ITEM: Final = (
    "Member must satisfy constraint: [Member must have length less than or equal to 2048, Member must have length "
    f"greater than or equal to 1, Member must satisfy regular expression pattern: {LAYER_VERSION_ARN_PATTERN}, "
    "Member must not be null]"
)


def invalid_parameter(message: str) -> ApiError:
    return ApiError(400, "InvalidParameterValueException", message)


def not_found(message: str) -> ApiError:
    return ApiError(404, "ResourceNotFoundException", message)


@cache
def runtimes() -> tuple[str, ...]:
    """Return every runtime that the API has ever known, from botocore's model of it."""
    from botocore.loaders import Loader

    model: Mapping[str, Any] = Loader().load_service_model("lambda", "service-2")
    return tuple(model["shapes"]["Runtime"]["enum"])


@dataclass(kw_only=True, slots=True)
class Validation:
    """Collects what is wrong with a request's members, to be said all at once."""

    problems: list[str] = field(default_factory=list)

    def raise_if_any(self) -> None:
        count = len(self.problems)
        if count:
            errors = "error" if count == 1 else "errors"
            message = f"{count} validation {errors} detected: {'; '.join(self.problems)}"
            raise ApiError(400, "ValidationException", message)

    def refuse(self, member: str, value: Any, constraint: str) -> None:
        self.problems.append(f"Value {_shown(value)} at '{member}' failed to satisfy constraint: {constraint}")

    def text(
        self,
        member: str,
        value: str | None,
        *,
        pattern: str | None = None,
        longest: int | None = None,
        shortest: int = 0,
    ) -> None:
        """Check a text that may be missing."""
        if value is None:
            return
        if longest is not None and len(value) > longest:
            self.refuse(member, value, f"Member must have length less than or equal to {longest}")
        if len(value) < shortest:
            self.refuse(member, value, f"Member must have length greater than or equal to {shortest}")
        if pattern is not None and not re.fullmatch(pattern, value):
            self.refuse(member, value, f"Member must satisfy regular expression pattern: {pattern}")

    def one_of(self, member: str, value: str | None, values: Iterable[str]) -> None:
        known = tuple(values)
        if value is not None and value not in known:
            self.refuse(member, value, f"Member must satisfy enum value set: [{', '.join(known)}]")

    def all_of(self, member: str, chosen: Iterable[str] | None, values: Iterable[str], *, most: int) -> None:
        """Check a list of at most ``most`` of ``values``."""
        listed, known = list(chosen or ()), tuple(values)
        if any(value not in known for value in listed):
            inner = f"[Member must satisfy enum value set: [{', '.join(known)}], Member must not be null]"
            self.refuse(member, listed, f"Member must satisfy constraint: {inner}")
        if len(listed) > most:
            self.refuse(member, listed, f"Member must have length less than or equal to {most}")

    def number(self, member: str, value: int | None, *, least: int, most: int) -> None:
        if value is not None and value > most:
            self.refuse(member, value, f"Member must have value less than or equal to {most}")
        if value is not None and value < least:
            self.refuse(member, value, f"Member must have value greater than or equal to {least}")

    def present(self, member: str, value: Any) -> None:
        if value is None:
            self.problems.append(f"Value null at '{member}' failed to satisfy constraint: Member must not be null")

    def layer_version_arns(self, arns: Iterable[str]) -> None:
        listed = list(arns)
        if any(not re.fullmatch(LAYER_VERSION_ARN_PATTERN, arn) for arn in listed):
            self.refuse("layers", listed, _ITEM)


def _shown(value: Any) -> str:
    match value:
        case list():
            return f"'[{', '.join(map(str, value))}]'"
        case _:
            return f"'{value}'"


def integer(text: str | None) -> int | None:
    """Return a number of the query string."""
    if text is None:
        return None
    if not re.fullmatch(r"-?\d+", text):
        raise ApiError(400, "SerializationException", "STRING_VALUE cannot be converted to Integer")
    return int(text)
