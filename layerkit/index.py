"""Package index settings and credentials, read once from where pip and uv keep them.

Precedence, most specific first: flags and ``LAYERKIT_*``, the recipe's ``[index]`` and requirements file, uv's settings,
pip's settings. A source that names ``index-url`` (or ``no-index``) starts the list of indexes anew; ``extra-index-url``
and ``find-links`` add to it. The first index that has a name wins unless the strategy says otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """A user name and password; never shown."""

    username: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexSource:
    """What one place says about indexes; ``None`` and empty mean that it says nothing. URLs as written there."""

    index_url: str | None = None
    extra_index_urls: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    no_index: bool | None = None
    strategy: str | None = None  # first-index, unsafe-best-match
    ca_bundle: Path | None = None
    proxy: str | None = None
    keyring: bool | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexSettings:
    """The settings in force. ``urls`` in order of priority, without credentials."""

    urls: tuple[str, ...]
    find_links: tuple[str, ...] = ()
    no_index: bool = False
    strategy: str = "first-index"
    ca_bundle: Path | None = None
    proxy: str | None = field(default=None, repr=False)
    keyring: bool = False
    known_credentials: Mapping[str, Credentials] = field(default_factory=dict, repr=False)  # by netloc
    project: Mapping[str, Any] = field(default_factory=dict)  # what the project itself configures; no credentials; goes into a lock's digest

    def environment_for_uv(self, base: Mapping[str, str]) -> dict[str, str]:
        """Return the environment in which uv (called with ``--no-config``) uses exactly these settings, secrets included."""
        raise NotImplementedError

    def credentials_for(self, url: str) -> Credentials | None:
        """Return what to send to ``url``: an index's own credentials on the same host, else netrc's, else the keyring's."""
        raise NotImplementedError

    def redact(self, text: str) -> str:
        """Return ``text`` without any password that these settings know, and without ``user:password@`` in URLs."""
        raise NotImplementedError


def resolve(*, project: tuple[IndexSource, ...], environ: Mapping[str, str], folder: Path) -> IndexSettings:
    """Merge the project's own sources (most specific first) with what uv's and pip's settings say.

    ``folder`` is where project-level ``uv.toml`` and ``pyproject.toml`` are looked for.
    """
    raise NotImplementedError
