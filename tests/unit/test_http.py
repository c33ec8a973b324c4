"""What the HTTP client decides without a network."""

from layerkit.http import Patience
from layerkit.http_errors import AccessDenied, CertificateRefused, IndexUnreachable, NotFound

URL = "https://me:geheim@host/a.whl"


def test_pauses_double_vary_and_have_an_end() -> None:
    patience = Patience(first_pause=1.0)
    for attempt, longest in [(1, 1.0), (2, 2.0), (3, 4.0), (40, 30.0)]:
        pauses = {patience.pause(attempt) for _ in range(50)}
        assert len(pauses) > 1
        assert all(longest / 2 <= pause <= longest for pause in pauses)


def test_no_error_shows_the_password_of_a_url() -> None:
    errors = [
        IndexUnreachable(url=URL, reason="down"),
        NotFound(url=URL),
        AccessDenied(url=URL, status=401, tried=True),
        CertificateRefused(url=URL, reason="self-signed"),
    ]
    for error in errors:
        assert "geheim" not in error.message
        assert "host/a.whl" in error.message
        assert error.hint
