"""From botocore's failures, before or instead of an answer, to our own errors."""

import contextlib
import os
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from layerkit.aws import errors
from layerkit.aws.asking import Asking, close_to
from layerkit.errors import AwsError

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError

_UNRESOLVED: Final = ("NameResolution", "getaddrinfo", "not known", "No address associated")
_PARAMETER: Final = re.compile(r"parameter:? \"?([\w.\[\]]+)")


def of_failure(exc: "BotoCoreError", asking: Asking) -> AwsError:
    """Return our error for a call that got no answer, or could not be made."""
    return (
        _no_credentials(exc)
        or _no_login(exc, asking)
        or _no_retrieval(exc)
        or _not_connected(exc, asking)
        or _not_answered(exc, asking)
        or _not_set_up(exc, asking)
    )


def _no_credentials(exc: "BotoCoreError") -> AwsError | None:
    import botocore.exceptions as raised

    match exc:
        case raised.NoCredentialsError() | raised.NoAuthTokenError():
            return errors.NoCredentials()
        case raised.PartialCredentialsError():
            return errors.PartialCredentials(source=str(exc.kwargs["provider"]), missing=str(exc.kwargs["cred_var"]))
        case raised.ProfileNotFound():
            return errors.UnknownProfile(name=str(exc.kwargs["profile"]), known=_profiles())
        case _:
            return None


def _no_login(exc: "BotoCoreError", asking: Asking) -> AwsError | None:
    import botocore.exceptions as raised

    profile = asking.profile or os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE")
    if isinstance(exc, raised.SSOError | raised.TokenRetrievalError):
        return errors.LoginNeeded(profile=profile)
    newer: type[Exception] | None = getattr(raised, "LoginError", None)
    if newer is not None and isinstance(exc, newer):
        return errors.LoginNeeded(profile=profile, command="aws login")
    return None


def _no_retrieval(exc: "BotoCoreError") -> AwsError | None:
    import botocore.exceptions as raised

    match exc:
        case raised.CredentialRetrievalError():  # its text may be what some program printed: it stays inside
            return errors.CredentialsUnusable(reason=f"`{exc.kwargs['provider']}` brought none")
        case raised.MetadataRetrievalError():
            return errors.CredentialsUnusable(reason="the machine's own metadata service brought none")
        case raised.RefreshWithMFAUnsupportedError():
            return errors.CredentialsUnusable(reason="a new code of the MFA device is needed")
        case _:
            return None


def _not_connected(exc: "BotoCoreError", asking: Asking) -> AwsError | None:
    import botocore.exceptions as raised

    endpoint = _shown(str(exc.kwargs.get("endpoint_url") or exc.kwargs.get("proxy_url") or ""))
    if isinstance(exc, raised.EndpointConnectionError):
        return _no_endpoint(exc, endpoint, asking)
    reasons: tuple[tuple[type[Exception], str], ...] = (
        (raised.SSLError, "its certificate cannot be trusted; `AWS_CA_BUNDLE` names others"),
        (raised.ConnectTimeoutError, "no connection came about in time"),
        (raised.ProxyConnectionError, "the proxy does not answer or refuses"),
    )
    for kind, reason in reasons:
        if isinstance(exc, kind):
            return errors.NotConnected(endpoint=endpoint, reason=reason)
    return None


def _no_endpoint(exc: "BotoCoreError", endpoint: str, asking: Asking) -> AwsError:
    from layerkit.facts.regions import regions

    cause = repr(exc.kwargs.get("error"))
    unresolved = any(word in cause for word in _UNRESOLVED)
    region = asking.region
    if unresolved and region and f".{region}." in endpoint and region not in regions():
        return errors.NoSuchRegion(region=region, close=close_to(region))
    reason = "no such host name" if unresolved else "connection refused" if "refused" in cause else "no connection"
    return errors.NotConnected(endpoint=endpoint, reason=reason)


def _not_answered(exc: "BotoCoreError", asking: Asking) -> AwsError | None:
    import botocore.exceptions as raised

    match exc:
        case raised.ReadTimeoutError():
            return errors.ConnectionLost(action=asking.action, reason="nothing came in time")
        case raised.IncompleteReadError():
            return errors.AnswerIncomplete(action=asking.action)
        case raised.HTTPClientError() | raised.ConnectionError():
            return errors.ConnectionLost(action=asking.action, reason="the connection broke off")
        case _:
            return None


def _not_set_up(exc: "BotoCoreError", asking: Asking) -> AwsError:
    import botocore.exceptions as raised

    told = (
        raised.ConfigParseError,
        raised.ConfigNotFound,
        raised.InvalidConfigError,
        raised.InvalidRetryConfigurationError,
        raised.EndpointProviderError,
    )
    match exc:
        case raised.NoRegionError():
            return errors.NoRegion()
        case raised.InvalidRegionError() | raised.UnknownRegionError() | raised.UnknownEndpointError():
            return errors.NoSuchRegion(region=asking.region or "unknown", close=close_to(asking.region))
        case raised.ParamValidationError():  # the report may hold values: only the names come out
            named = ", ".join(f"`{name}`" for name in _PARAMETER.findall(str(exc)))
            return errors.SetupWrong(reason=f"`{asking.action}` does not take this {named or 'call'}")
        case _ if isinstance(exc, told):
            return errors.SetupWrong(reason=str(exc).rstrip("."))
        case _:
            return errors.SetupWrong(reason=f"{type(exc).__name__} at `{asking.action}`")


def _shown(url: str) -> str:
    """Return where a URL leads, without what may be secret in it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else "its endpoint"


def _profiles() -> tuple[str, ...]:
    import botocore.session
    from botocore.exceptions import BotoCoreError

    with contextlib.suppress(BotoCoreError):
        return tuple(botocore.session.Session().available_profiles)
    return ()
