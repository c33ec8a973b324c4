"""How reading a URL fails, in words that name the way out. No message shows what stands before the ``@`` of a URL."""

from layerkit.errors import FetchError, UsageError
from layerkit.index_source import hide_userinfo


class IndexUnreachable(FetchError):
    """A server that is down, unknown, too slow, or answers with an error again and again."""

    def __init__(self, *, url: str, reason: str) -> None:
        super().__init__(
            f"cannot reach `{hide_userinfo(url)}`: {reason}",
            hint="check the network, the proxy and `--index-url`; `--offline` works with what is cached",
        )


class NotFound(FetchError):
    """A URL that the server does not have."""

    def __init__(self, *, url: str) -> None:
        super().__init__(
            f"not found: `{hide_userinfo(url)}`",
            hint="the index may have dropped the file; `--upgrade` resolves anew",
        )


class AccessDenied(FetchError):
    """A URL that wants other credentials than those at hand, or any at all."""

    def __init__(self, *, url: str, status: int, tried: bool) -> None:
        sent = "the credentials at hand were refused" if tried else "no credentials for it were found"
        super().__init__(
            f"access to `{hide_userinfo(url)}` was denied ({status}): {sent}",
            hint="put them into a netrc file, the keyring (`keyring-provider` of pip or uv) or `--index-url`",
        )


class CertificateRefused(FetchError):
    """A server whose certificate nobody vouches for."""

    def __init__(self, *, url: str, reason: str) -> None:
        super().__init__(
            f"the certificate of `{hide_userinfo(url)}` cannot be trusted: {reason}",
            hint="name the certificates of your organisation with `--ca-bundle`",
        )


class CertificatesUnusable(UsageError):
    """A CA bundle that is not there or holds no certificate."""

    def __init__(self, *, path: str, reason: str) -> None:
        super().__init__(
            f"cannot use the certificates in `{path}`: {reason}",
            hint="`--ca-bundle`, `SSL_CERT_FILE` or `cert` of pip.conf names a PEM file",
        )
