"""Whose certificates are trusted over HTTPS."""

import os
from pathlib import Path

from layerkit.errors import system_reason
from layerkit.http_errors import CertificatesUnusable


def verification(ca_bundle: Path | None) -> bool | str:
    """Return what ``requests`` is to verify with: the settings' bundle, else the usual variables', else its own.

    Raises ``CertificatesUnusable``.
    """
    named = str(ca_bundle) if ca_bundle else None
    for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        named = named or os.environ.get(variable)
    if not named:
        return True
    import ssl

    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        folder = Path(named).is_dir()
        context.load_verify_locations(cafile=None if folder else named, capath=named if folder else None)
    except ssl.SSLError as exc:
        raise CertificatesUnusable(path=named, reason="no certificate is in it") from exc
    except OSError as exc:
        raise CertificatesUnusable(path=named, reason=system_reason(exc)) from exc
    return named
