"""Index settings as pip reads them, in files for a place that vanishes: addresses, credentials, certificates, proxies.

Passwords stand in URLs of a secret file and nowhere else; the machine's netrc, which may hold far more, stays here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote, urlsplit
from urllib.request import url2pathname

from layerkit.errors import UsageError, system_reason
from layerkit.formats.wheel import WheelName, WheelProblem
from layerkit.index import DEFAULT_INDEX, IndexSettings
from layerkit.index_source import netloc_of, with_credentials

_CERTIFICATES: Final = ".ca.pem"
_CONFIGURATION: Final = "pip.conf"
_CERTIFICATE_SUFFIXES: Final = (".pem", ".crt", ".cer")
_CERTIFICATE_VARIABLES: Final = ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_PROXY_VARIABLES: Final = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "all_proxy")
_HERE_TOO: Final = (*_PROXY_VARIABLES, "NO_PROXY", "no_proxy")
_DISTRIBUTIONS: Final = (".whl", ".tar.gz", ".zip", ".tar.bz2", ".tar.xz")


class LocalIndexNotThere(UsageError):
    """An index on this machine's disk, which the place does not share."""

    def __init__(self, *, url: str) -> None:
        super().__init__(
            f"the index `{url}` is on this machine's disk, where pip in another place cannot read it",
            hint="copy what is needed into a folder for `--find-links`, or serve it over HTTP and name that with"
            " `--index-url`",
        )


class CertificatesUnreadable(UsageError):
    """A bundle of certificates that the settings name and that cannot be read."""

    def __init__(self, *, path: Path, reason: str) -> None:
        super().__init__(f"the certificates in `{path}` cannot be read: {reason}", hint="name another with `PIP_CERT`")


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexFiles:
    """What to put into a place. ``links`` are files for a folder ``find_links``, if there are any.

    ``environment`` and ``secret_files`` may hold passwords; ``passwords`` are those, for taking them out of texts.
    ``left_out`` are indexes on this machine's disk, which come last and which the place cannot read.
    """

    secret_files: dict[str, bytes] = field(repr=False)
    environment: dict[str, str] = field(repr=False)
    passwords: tuple[str, ...] = field(repr=False)
    links: tuple[Path, ...]
    left_out: tuple[str, ...]


def index_files(
    settings: IndexSettings, *, environ: Mapping[str, str], secrets: str, find_links: str, python: str, machine: str
) -> IndexFiles:
    """Say the settings as pip reads them. ``secrets`` and ``find_links`` are folders there, ``python`` a minor version.

    The proxies of ``environ``, this machine's, hold there too.

    Raises ``LocalIndexNotThere``, ``CertificatesUnreadable`` and ``SettingsFileError``.
    """
    urls, left_out = _reachable(settings.urls)
    remote = [link for link in settings.find_links if _path_of(link) is None]
    links = tuple(file for file in _files_of(settings.find_links) if _may_serve(file.name, python, machine))
    with_passwords = [_signed(url, settings) for url in (*urls, *remote)]
    indexes, pages = with_passwords[: len(urls)], with_passwords[len(urls) :]
    certificates = _certificates(settings.ca_bundle)
    bundle = f"{secrets}/{_CERTIFICATES}"
    environment = {name: environ[name] for name in _HERE_TOO if environ.get(name)}
    environment["PIP_CONFIG_FILE"] = f"{secrets}/{_CONFIGURATION}"
    environment |= dict.fromkeys(_CERTIFICATE_VARIABLES, bundle) if certificates else {}
    environment |= dict.fromkeys(_PROXY_VARIABLES, settings.proxy) if settings.proxy else {}
    lines = [
        "[global]",
        f"index-url = {indexes[-1] if indexes else DEFAULT_INDEX}",
        _listed("extra-index-url", indexes[:-1]),
        _listed("find-links", [*pages, *([find_links] if links else [])]),
        f"no-index = {'true' if settings.no_index else 'false'}",
        f"cert = {bundle if certificates else ''}",
        f"proxy = {settings.proxy or ''}",
    ]
    files = {_CONFIGURATION: ("\n".join(lines) + "\n").encode()}
    files |= {_CERTIFICATES: certificates} if certificates else {}
    passwords = tuple(_passwords((*settings.urls, *remote), settings))
    return IndexFiles(
        secret_files=files, environment=environment, passwords=passwords, links=links, left_out=tuple(left_out)
    )


def _reachable(urls: Sequence[str]) -> tuple[list[str], list[str]]:
    """Part the indexes into those that a place can ask and those on this disk that come after all others.

    One on this disk that comes before another shields its names: it cannot be left out.
    """
    reachable: list[str] = []
    left_out: list[str] = []
    for url in urls:
        if _path_of(url) is not None:
            left_out.append(url)
        elif left_out:
            raise LocalIndexNotThere(url=left_out[0])
        else:
            reachable.append(url)
    if left_out and not reachable:
        raise LocalIndexNotThere(url=left_out[0])
    return reachable, left_out


def _path_of(link: str) -> Path | None:
    """Return the path on this machine that an index or find-links setting means, if it means one."""
    parts = urlsplit(link)
    if parts.scheme == "file":
        return Path(url2pathname(unquote(parts.path) if "%" in parts.path else parts.path))
    return None if netloc_of(link) else Path(link)


def _files_of(find_links: Sequence[str]) -> Iterator[Path]:
    for link in find_links:
        path = _path_of(link)
        if path is None:
            continue
        if path.suffix in {".html", ".htm"}:
            raise LocalIndexNotThere(url=link)
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        yield from (file for file in files if file.name.endswith(_DISTRIBUTIONS) and file.is_file())


def _may_serve(name: str, python: str, machine: str) -> bool:
    """Leave out wheels, which may be large, that are plainly for another Python or machine."""
    if not name.endswith(".whl"):
        return True
    try:
        tags = WheelName.parse(name).tags
    except WheelProblem:
        return False
    own = "cp" + python.replace(".", "")
    return any(
        tag.endswith(("-any", f"_{machine}")) and (tag.startswith((own, "py")) or "-abi3-" in tag) for tag in tags
    )


def _signed(url: str, settings: IndexSettings) -> str:
    return with_credentials(url, settings.credentials_for(url)).replace(" ", "%20")


def _passwords(urls: Sequence[str], settings: IndexSettings) -> Iterator[str]:
    for url in urls:
        found = settings.credentials_for(url) if netloc_of(url) else None
        secret = (found.password or found.username) if found else ""
        yield from dict.fromkeys((secret, quote(secret), quote(secret, safe=""))) if secret else ()


def _listed(key: str, values: Sequence[str]) -> str:
    return f"{key} =" + "".join(f"\n    {value}" for value in values)


def _certificates(bundle: Path | None) -> bytes:
    if bundle is None:
        return b""
    try:
        if not bundle.is_dir():
            return bundle.read_bytes()
        files = sorted(path for path in bundle.iterdir() if path.suffix in _CERTIFICATE_SUFFIXES and path.is_file())
        return b"\n".join(dict.fromkeys(path.read_bytes() for path in files))
    except OSError as exc:
        raise CertificatesUnreadable(path=bundle, reason=system_reason(exc)) from exc
