"""From what botocore raises to our own errors; the one place that knows both."""

import contextlib
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from layerkit.aws import errors
from layerkit.aws.asking import Asking, close_to
from layerkit.aws.failures import of_failure
from layerkit.errors import AwsError

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

_EXPIRED: Final = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"})
_INVALID: Final = frozenset(
    {
        "AuthFailure",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "InvalidToken",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_CLOCK: Final = frozenset({"RequestTimeTooSkewed", "RequestInTheFuture"})
_STILL_EXPIRED: Final = "credentials are still expired"
_CLOCK_WORDS: Final = ("Signature expired", "Signature not yet current")
_THROTTLED: Final = frozenset(
    {"RequestLimitExceeded", "SlowDown", "Throttling", "ThrottlingException", "TooManyRequestsException"}
)
_FORBIDDEN: Final = "403"  # the whole code where a HEAD request is denied
_DENIED: Final = frozenset(
    {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AccessDeniedFault", _FORBIDDEN}
)
_REGION: Final = frozenset({"RegionDisabledException", "OptInRequired", "InvalidRegionException"})
_MISSING: Final = frozenset(
    {"NoSuchBucket", "NoSuchEntity", "NoSuchKey", "ParameterNotFound", "ResourceNotFoundException"}
)
_DENIAL: Final = re.compile(
    r"not authorized to perform: (?P<action>[\w:*-]+)(?: on resource: \"?(?P<resource>[^\s\"]+)\"?)?\s*(?P<reason>.*)",
    re.DOTALL,
)
_BODIES: Final = ("{", "<")
_BAD_REQUEST: Final = 400
_TOO_MANY: Final = 429
_TIMEOUT: Final = 408
_NOT_FOUND: Final = 404
_SERVER_FAILS: Final = 500


@contextlib.contextmanager
def translated(asking: Asking) -> Iterator[None]:
    """Turn what botocore raises in the block into ``AwsError`` subclasses."""
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    try:
        yield
    except ClientError as exc:
        raise of_answer(exc, asking) from exc
    except ResponseParserError as exc:
        raise errors.AnswerIncomplete(action=asking.action) from exc
    except BotoCoreError as exc:
        raise of_failure(exc, asking) from exc
    except RuntimeError as exc:  # of botocore, where what STS has just given out is over by this machine's clock
        if _STILL_EXPIRED not in str(exc):
            raise
        raise errors.ClockWrong from exc


def of_answer(exc: "ClientError", asking: Asking) -> AwsError:
    """Return our error for an answer that says no."""
    response: Mapping[str, Any] = exc.response
    told = response.get("Error", {})
    code, text = str(told.get("Code") or "unknown"), str(told.get("Message") or "").strip()
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)
    if text.startswith(_BODIES):  # botocore could not read it, because it was cut short
        text = ""
        if code.isdigit() and _BAD_REQUEST <= status < _SERVER_FAILS and status != _TOO_MANY:
            return errors.AnswerIncomplete(action=asking.action)
    return (
        _of_credentials(code, text, asking)
        or _of_availability(code, status, asking)
        or _of_permission(code, text, status, asking)
        or errors.CallRefused(action=asking.action, code=code, text=text)
    )


def _of_credentials(code: str, text: str, asking: Asking) -> AwsError | None:
    if code in _CLOCK or (code in _INVALID and text.startswith(_CLOCK_WORDS)):
        return errors.ClockWrong()
    if code in _EXPIRED:
        return errors.CredentialsExpired()
    if code in _INVALID:
        return errors.CredentialsInvalid(code=code)
    if code in _REGION:
        return errors.NoSuchRegion(region=asking.region or "unknown", close=close_to(asking.region))
    return None


def _of_availability(code: str, status: int, asking: Asking) -> AwsError | None:
    if code in _THROTTLED or status == _TOO_MANY:
        return errors.Throttled(action=asking.action)
    if status >= _SERVER_FAILS or status == _TIMEOUT:
        return errors.ServiceFailed(action=asking.action, code=code, status=status)
    return None


def _of_permission(code: str, text: str, status: int, asking: Asking) -> AwsError | None:
    match = _DENIAL.search(text)
    if asking.role is not None and (code in _DENIED or code == "ValidationError"):
        return errors.RoleRefused(role=asking.role, reason=_refusal_of_role(match, text))
    if code in _DENIED:
        return errors.ActionDenied(
            action=match["action"] if match else asking.action,
            resource=match["resource"] if match else None,
            reason=(match["reason"].strip() if match else text) or None,
        )
    if code in _MISSING or status == _NOT_FOUND:
        return errors.NotThere(action=asking.action, text=text.rstrip(".") or code)
    return None


def _refusal_of_role(match: re.Match[str] | None, text: str) -> str:
    return f"AWS denied `{match['action']}`" if match else text.rstrip(".")
