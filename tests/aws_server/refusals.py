"""How each service words that a caller is unknown, has expired credentials, may not, or calls too often."""

from dataclasses import dataclass
from typing import Final

from tests.aws_server.iam import Caller
from tests.aws_server.wire import ApiError

_INVALID: Final = "The security token included in the request is invalid."
_EXPIRED: Final = "The security token included in the request is expired"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Words:
    """A service's codes, each with its HTTP status."""

    unknown: tuple[int, str, str] = (403, "UnrecognizedClientException", _INVALID)
    missing: tuple[int, str, str] = (403, "MissingAuthenticationTokenException", "Missing Authentication Token")
    expired: tuple[int, str, str] = (403, "ExpiredTokenException", _EXPIRED)
    denied: tuple[int, str] = (403, "AccessDeniedException")
    throttled: tuple[int, str, str] = (429, "TooManyRequestsException", "Rate exceeded")
    failed: str = "ServiceException"
    quotes: bool = False


_REST_JSON: Final = _Words()
_BY_SERVICE: Final = {
    "ssm": _Words(
        unknown=(400, "UnrecognizedClientException", _INVALID),
        missing=(400, "MissingAuthenticationTokenException", "Missing Authentication Token"),
        expired=(400, "ExpiredTokenException", _EXPIRED),
        denied=(400, "AccessDeniedException"),
        throttled=(400, "ThrottlingException", "Rate exceeded"),
        failed="InternalServerError",
    ),
    "s3": _Words(
        unknown=(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."),
        missing=(403, "AccessDenied", "Access Denied"),
        expired=(400, "ExpiredToken", "The provided token has expired."),
        denied=(403, "AccessDenied"),
        throttled=(503, "SlowDown", "Please reduce your request rate."),
        failed="InternalError",
        quotes=True,
    ),
    "sts": _Words(
        unknown=(403, "InvalidClientTokenId", _INVALID),
        missing=(403, "MissingAuthenticationToken", "Request is missing Authentication Token"),
        expired=(403, "ExpiredToken", _EXPIRED),
        denied=(403, "AccessDenied"),
        throttled=(400, "Throttling", "Rate exceeded"),
        failed="InternalFailure",
    ),
    "ec2": _Words(
        unknown=(401, "AuthFailure", "AWS was not able to validate the provided access credentials"),
        missing=(401, "AuthFailure", "AWS was not able to validate the provided access credentials"),
        expired=(400, "RequestExpired", "Request has expired."),
        denied=(403, "UnauthorizedOperation"),
        throttled=(503, "RequestLimitExceeded", "Request limit exceeded."),
        failed="InternalError",
    ),
    "account": _Words(failed="InternalServerException"),
    "signer": _Words(failed="InternalServiceErrorException"),
}


def _words(service: str) -> _Words:
    return _BY_SERVICE.get(service, _REST_JSON)


def unknown_client(service: str) -> ApiError:
    return ApiError(*_words(service).unknown)


def missing_token(service: str) -> ApiError:
    return ApiError(*_words(service).missing)


def expired_token(service: str) -> ApiError:
    return ApiError(*_words(service).expired)


def throttled(service: str) -> ApiError:
    return ApiError(*_words(service).throttled)


def failed(service: str, *, status: int) -> ApiError:
    """Return AWS's own trouble."""
    return ApiError(status, _words(service).failed, "An internal error occurred. Please try again.")


def denied(service: str, *, caller: Caller, action: str, resource: str, reason: str) -> ApiError:
    """Return the refusal of ``action`` on ``resource``; ``reason`` is how it ends."""
    words = _words(service)
    on = f'"{resource}"' if words.quotes else resource
    text = f"User: {caller.arn} is not authorized to perform: {action} on resource: {on} {reason}".rstrip()
    if service == "ec2":
        text = f"You are not authorized to perform this operation. {text}"
    return ApiError(*words.denied, text)
