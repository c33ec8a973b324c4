"""What one place says about package indexes, and what all such places need: URLs that may carry a password."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

from layerkit.errors import UsageError, system_reason

_USERINFO: Final = re.compile(r"//[^/?#\s'\"<>]*@")


class SettingsFileError(UsageError):
    """A settings file of pip or uv, or a netrc file, that cannot be read or means nothing."""

    def __init__(self, *, path: Path, problem: str) -> None:
        super().__init__(f"cannot use the settings in `{path}`: {problem}", hint="mend the file, or move it away")


class IndexSettingError(UsageError):
    """A setting about indexes with a value that it cannot have."""

    def __init__(self, *, setting: str, value: str, valid: str) -> None:
        super().__init__(f"`{hide_userinfo(value)}` is no {setting}", hint=valid)


@dataclass(frozen=True, kw_only=True, slots=True)
class Credentials:
    """A user name and password; never shown."""

    username: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexSource:
    """What one place says about indexes; ``None`` and empty mean that it says nothing. URLs as written there.

    ``fallback_index_urls`` are asked only for names that no other index has.
    """

    index_url: str | None = None
    extra_index_urls: tuple[str, ...] = ()
    fallback_index_urls: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    no_index: bool | None = None
    strategy: str | None = None  # first-index, unsafe-first-match, unsafe-best-match
    ca_bundle: Path | None = None
    proxy: str | None = None
    keyring: bool | None = None

    def __repr__(self) -> str:
        """Show what is said, but no user names and passwords of URLs."""
        said = {each.name: getattr(self, each.name) for each in fields(self)}
        if self.proxy and "@" in self.proxy:
            said["proxy"] = "***@" + self.proxy.rpartition("@")[2]
        shown = (f"{name}={value!r}" for name, value in said.items() if value not in (None, ()))
        return hide_userinfo(f"IndexSource({', '.join(shown)})")


def hide_userinfo(text: str) -> str:
    """Return ``text`` with ``***`` for whatever stands before the ``@`` of a URL."""
    return _USERINFO.sub("//***@", text)


def netloc_of(url: str) -> str:
    """Return the host and port of ``url`` as credentials are filed under: lower case, no user name."""
    return _split(url).netloc.rpartition("@")[2].lower()


def split_credentials(url: str) -> tuple[str, Credentials | None]:
    """Return ``url`` without user name and password, and these; a local path comes back as it is."""
    parts = _split(url)
    userinfo, at, host = parts.netloc.rpartition("@")
    if not at:
        return url, None
    username, _, password = userinfo.partition(":")
    found = Credentials(username=unquote(username), password=unquote(password))
    return urlunsplit(parts._replace(netloc=host)), found if username or password else None


def with_credentials(url: str, credentials: Credentials | None) -> str:
    """Return ``url`` carrying ``credentials`` in place of any that it had."""
    bare, _ = split_credentials(url)
    if credentials is None or not netloc_of(bare):
        return bare
    parts = _split(bare)
    password = f":{quote(credentials.password, safe='')}" if credentials.password else ""
    return urlunsplit(parts._replace(netloc=f"{quote(credentials.username, safe='')}{password}@{parts.netloc}"))


def read_settings(path: Path) -> str | None:
    """Return the text of a settings file, or ``None`` if there is none. Raises ``SettingsFileError``."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    except UnicodeDecodeError as exc:
        raise SettingsFileError(path=path, problem="it is not UTF-8 text") from exc
    except OSError as exc:
        raise SettingsFileError(path=path, problem=system_reason(exc)) from exc


def home(environ: Mapping[str, str]) -> Path:
    """Return the user's home folder as ``environ`` has it."""
    named = environ.get("HOME") or environ.get("USERPROFILE")
    return Path(named) if named else Path.home()


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError as exc:
        raise IndexSettingError(setting="URL", value=url, valid="write it as `https://host/path`") from exc
