"""Package index settings and credentials, read once from where pip and uv keep them.

Precedence, most specific first: flags and ``LAYERKIT_*``, the recipe's ``[index]`` and requirements file, uv's
settings, pip's settings. A source that names ``index-url`` (or ``no-index``) starts the list of indexes anew: what
lies below it has nothing more to say about indexes and ``find-links``. ``extra-index-url`` and ``find-links`` add to
the list. Extra indexes come before ``index-url``, the most specific first, as in uv; and the first index that has a
name is the only one asked for it, unless the strategy says otherwise. So a private extra index shields its names
against a package that someone else uploads under the same name to a public one (dependency confusion). Only extra
indexes on this machine's disk that pip's settings name come last (see ``index_pip``).
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from layerkit import index_pip, index_uv
from layerkit.index_credentials import from_keyring, from_netrc, netrc_entries, netrc_file
from layerkit.index_source import (
    Credentials,
    IndexSettingError,
    IndexSource,
    SettingsFileError,
    hide_userinfo,
    netloc_of,
    split_credentials,
    with_credentials,
)

__all__ = [
    "DEFAULT_INDEX",
    "Credentials",
    "IndexSettingError",
    "IndexSettings",
    "IndexSource",
    "SettingsFileError",
    "resolve",
    "split_credentials",
]

DEFAULT_INDEX: Final = "https://pypi.org/simple"
_STRATEGIES: Final = ("first-index", "unsafe-first-match", "unsafe-best-match")
_UV_VARIABLES: Final = ("UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_NO_INDEX", "UV_KEYRING_PROVIDER")
_SCHEME: Final = re.compile(r"(?:https?|file)://", re.IGNORECASE)
_PROXIES: Final = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexSettings:
    """The settings in force. ``urls`` in order of priority, without credentials; those are filed by netloc."""

    urls: tuple[str, ...]
    find_links: tuple[str, ...] = ()
    no_index: bool = False
    strategy: str = _STRATEGIES[0]
    ca_bundle: Path | None = None
    proxy: str | None = field(default=None, repr=False)
    keyring: bool = False
    netrc: Path | None = None
    known_credentials: Mapping[str, Credentials] = field(default_factory=dict, repr=False)
    project: Mapping[str, Any] = field(default_factory=dict)

    def environment_for_uv(self, base: Mapping[str, str]) -> dict[str, str]:
        """Return the environment in which uv, whoever calls it, uses these settings and no others, secrets included.

        uv reads no variable for ``no-index``: an index that is not there stands for it, and ``arguments_for_uv``
        makes uv's messages say what is meant.
        """
        environment = {name: value for name, value in base.items() if not _is_index_variable(name)}
        environment["UV_INDEX_STRATEGY"] = self.strategy
        environment["UV_KEYRING_PROVIDER"] = "subprocess" if self.keyring else "disabled"
        environment["UV_NO_CONFIG"] = "1"
        indexes = [self._for_uv(url) for url in self.urls] or [Path(__file__).with_name("no-index").as_uri()]
        environment["UV_DEFAULT_INDEX"] = indexes.pop()
        if indexes:
            environment["UV_INDEX"] = " ".join(indexes)
        if self.find_links:
            environment["UV_FIND_LINKS"] = ",".join(self._link_for_uv(link) for link in self.find_links)
        if self.ca_bundle:
            environment["SSL_CERT_DIR" if self.ca_bundle.is_dir() else "SSL_CERT_FILE"] = str(self.ca_bundle)
        if self.proxy:
            environment = {name: value for name, value in environment.items() if name.upper() not in _PROXIES}
            environment |= dict.fromkeys(_PROXIES, self.proxy)
        return environment

    @property
    def arguments_for_uv(self) -> tuple[str, ...]:
        """What uv takes only as an argument; holds no secret."""
        return ("--no-index",) if self.no_index else ()

    def credentials_for(self, url: str) -> Credentials | None:
        """Return what to send to ``url``: an index's own on the same host, else netrc's, else the keyring's.

        Raises ``SettingsFileError`` for a netrc file that cannot be read.
        """
        netloc = netloc_of(url)
        known = split_credentials(url)[1] or self.known_credentials.get(netloc)
        if not netloc or (known and known.password):
            return known
        username = known.username if known else None
        found = from_netrc(self.netrc, netloc)
        if found and username in (None, found.username):
            return found
        if self.keyring:
            services = [*(index for index in self.urls if netloc_of(index) == netloc), netloc]
            return from_keyring(services, username) or known
        return known

    def proxy_of(self, url: str) -> str | None:
        """Return the proxy through which ``url`` is asked, these settings' own or the environment's; no credentials."""
        from urllib.request import getproxies, proxy_bypass

        found = getproxies()
        if proxy_bypass(netloc_of(url)):
            return None
        proxy = self.proxy or found.get(url.partition(":")[0].lower()) or found.get("all")
        return re.sub(r"^((?:[a-z0-9+.-]+:)?//)?[^/]*@", r"\1", proxy) if proxy else None

    def redact(self, text: str) -> str:
        """Return ``text`` without any password that these settings know, and without ``user:password@`` in URLs."""
        text = hide_userinfo(text)
        for secret in sorted(self._secrets(), key=len, reverse=True):
            text = text.replace(secret, "***")
        return text

    def _secrets(self) -> set[str]:
        from urllib.parse import quote, quote_plus

        proxy = split_credentials(self.proxy if "://" in self.proxy else f"//{self.proxy}")[1] if self.proxy else None
        everyone = [*self.known_credentials.values(), *self._netrc_credentials(), *([proxy] if proxy else [])]
        secrets = {one.password or one.username for one in everyone} - {""}
        return {
            form for secret in secrets for form in (secret, quote(secret), quote(secret, safe=""), quote_plus(secret))
        }

    def _netrc_credentials(self) -> Iterable[Credentials]:
        try:
            return netrc_entries(self.netrc).values() if self.netrc else ()
        except SettingsFileError:
            return ()

    def _for_uv(self, url: str) -> str:
        return with_credentials(url, self.known_credentials.get(netloc_of(url))).replace(" ", "%20")

    def _link_for_uv(self, link: str) -> str:
        if netloc_of(link):
            return self._for_uv(link).replace(",", "%2C")
        return Path(link).absolute().as_uri().replace(",", "%2C") if "," in link and ":" not in link else link


def resolve(*, project: tuple[IndexSource, ...], environ: Mapping[str, str], folder: Path) -> IndexSettings:
    """Merge the project's own sources (most specific first) with what uv's and pip's settings say.

    ``folder`` is where project-level ``uv.toml`` and ``pyproject.toml`` are looked for. ``project`` of the result is
    what the project's own sources configure, without credentials: a lock depends on that and not on the machine.
    Raises ``SettingsFileError`` and ``IndexSettingError``.
    """
    sources = (*project, *index_uv.sources(environ, folder), index_pip.source(environ))
    lists = _merge(sources)
    return IndexSettings(
        urls=(DEFAULT_INDEX,) if lists.urls is None else tuple(_checked(lists.urls)),
        find_links=lists.find_links,
        no_index=lists.urls == (),
        strategy=_strategy(sources),
        ca_bundle=next((source.ca_bundle for source in sources if source.ca_bundle), None),
        proxy=next((source.proxy for source in sources if source.proxy), None),
        keyring=next((source.keyring for source in sources if source.keyring is not None), False),
        netrc=netrc_file(environ),
        known_credentials=_known(sources),
        project=_configured(project),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Lists:
    """What sources say together: ``urls`` is ``None`` if none names an index, empty if there is to be none."""

    urls: tuple[str, ...] | None
    named: tuple[str, ...]
    find_links: tuple[str, ...]


def _merge(sources: Sequence[IndexSource]) -> _Lists:
    named: list[str] = []
    fallbacks: list[str] = []
    links: list[str] = []
    no_index_counts = True
    for source in sources:
        links += source.find_links
        if source.no_index and no_index_counts:
            return _lists(urls=named, named=named, links=links)
        no_index_counts = no_index_counts and source.no_index is None
        named += source.extra_index_urls
        fallbacks += source.fallback_index_urls
        if source.index_url:
            named.append(source.index_url)
            return _lists(urls=[*named, *fallbacks], named=named, links=links)
    said = bool(named or fallbacks)
    return _lists(urls=[*named, DEFAULT_INDEX, *fallbacks] if said else None, named=named, links=links)


def _lists(*, urls: Sequence[str] | None, named: Sequence[str], links: Sequence[str]) -> _Lists:
    return _Lists(urls=None if urls is None else _bare(urls), named=_bare(named), find_links=_bare(links))


def _checked(urls: Iterable[str]) -> Iterator[str]:
    """Yield the URLs of indexes. Raises ``IndexSettingError`` for what cannot be one."""
    for url in urls:
        parts = urlsplit(url) if _SCHEME.match(url) else None
        try:
            usable = parts is not None and (parts.scheme == "file" or bool(parts.hostname and parts.port != 0))
        except ValueError:  # a port that is none
            usable = False
        if not usable and not os.path.isdir(url):  # noqa: PTH112 -- a URL is no path
            raise IndexSettingError(
                setting="URL of a package index", value=url, valid="write it as `https://host/simple`"
            )
        yield url


def _bare(urls: Iterable[str]) -> tuple[str, ...]:
    """Return ``urls`` without credentials, each once."""
    return tuple(dict.fromkeys(split_credentials(url)[0] for url in urls))


def _known(sources: Iterable[IndexSource]) -> dict[str, Credentials]:
    """File the credentials of all URLs by netloc; the most specific source that has some for a netloc wins."""
    known: dict[str, Credentials] = {}
    for source in sources:
        for url in (*source.extra_index_urls, *filter(None, [source.index_url]), *source.find_links):
            found = split_credentials(url)[1]
            if found:
                known.setdefault(netloc_of(url), found)
    return known


def _strategy(sources: Iterable[IndexSource]) -> str:
    strategy = next((source.strategy for source in sources if source.strategy), _STRATEGIES[0])
    if strategy not in _STRATEGIES:
        raise IndexSettingError(setting="index strategy", value=strategy, valid=f"one of {', '.join(_STRATEGIES)}")
    return strategy


def _configured(project: Sequence[IndexSource]) -> dict[str, Any]:
    lists = _merge(project)
    strategy = _strategy(project)
    said: dict[str, Any] = {
        "urls": list(lists.named),
        "find-links": list(lists.find_links),
        "strategy": strategy if strategy != _STRATEGIES[0] else None,
        "no-index": lists.urls == (),
    }
    return {key: value for key, value in said.items() if value}


def _is_index_variable(name: str) -> bool:
    return name.startswith("UV_INDEX") or name in {*_UV_VARIABLES, "UV_CONFIG_FILE"}
