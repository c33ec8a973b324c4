"""What uv's settings say about indexes: environment variables, project, user and system files.

The most specific comes first: variables, then the nearest ``uv.toml`` or ``[tool.uv]`` of a ``pyproject.toml`` in the
folder and its parents, then the user's ``uv.toml``, then the system's. ``UV_CONFIG_FILE`` stands in for all files,
``UV_NO_CONFIG`` does away with them. Left out are indexes with ``explicit = true``: they serve only packages that a
project pins to them with ``[tool.uv.sources]``, which is no setting of the machine.
See https://docs.astral.sh/uv/concepts/configuration-files/
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from layerkit.index_source import (
    Credentials,
    IndexSource,
    SettingsFileError,
    home,
    read_settings,
    split_credentials,
    with_credentials,
)

_NAMED: Final = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)=(?P<url>.+)$")
_FALSE: Final = frozenset({"", "0", "false", "no", "n", "off", "f"})


def sources(environ: Mapping[str, str], folder: Path) -> list[IndexSource]:
    """Read what uv would use in ``folder``, the most specific first. Raises ``SettingsFileError``."""
    return [_variables(environ), *(_from_file(found, environ) for found in settings_files(environ, folder))]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Settings:
    """One settings file's tables: uv's own, and ``[pip]``, which goes before it."""

    path: Path
    tables: tuple[Mapping[str, Any], ...]

    def first(self, key: str, kind: type[Any]) -> Any:
        """Return the value of ``key`` where it is said, checked to be of ``kind``."""
        for table in self.tables:
            if key in table:
                return self._checked(key, table[key], kind)
        return None

    def every(self, key: str, kind: type[Any]) -> list[Any]:
        """Return the items of all lists called ``key``."""
        lists = [self._checked(key, table[key], list) for table in self.tables if key in table]
        return [self._checked(key, item, kind) for items in lists for item in items]

    def _checked(self, key: str, value: Any, kind: type[Any]) -> Any:
        if not isinstance(value, kind):
            wanted = {str: "text", bool: "true or false", list: "a list", dict: "a table"}[kind]
            raise SettingsFileError(path=self.path, problem=f"`{key}` should be {wanted}")
        return value

    def indexes(self, environ: Mapping[str, str]) -> Iterator[tuple[str, bool]]:
        """Yield the URL of each ``[[index]]`` and whether it is the default."""
        for entry in self.every("index", dict):
            if not isinstance(entry.get("url"), str):
                raise SettingsFileError(path=self.path, problem="an `[[index]]` has no `url`")
            if not entry.get("explicit"):
                url = _located(entry["url"], self.path.parent)
                yield _with_variables(url, name=entry.get("name"), environ=environ), bool(entry.get("default"))


def _variables(environ: Mapping[str, str]) -> IndexSource:
    default = environ.get("UV_DEFAULT_INDEX") or environ.get("UV_INDEX_URL")
    keyring = environ.get("UV_KEYRING_PROVIDER")
    ca_bundle = environ.get("SSL_CERT_FILE")
    indexes = [_named(item, environ) for item in environ.get("UV_INDEX", "").split()]
    return IndexSource(
        index_url=_named(default, environ) if default else None,
        extra_index_urls=(*indexes, *environ.get("UV_EXTRA_INDEX_URL", "").split()),
        find_links=tuple(link.strip() for link in environ.get("UV_FIND_LINKS", "").split(",") if link.strip()),
        no_index=_true(environ["UV_NO_INDEX"]) if environ.get("UV_NO_INDEX") else None,
        strategy=environ.get("UV_INDEX_STRATEGY") or None,
        ca_bundle=Path(ca_bundle) if ca_bundle else None,
        keyring=keyring == "subprocess" if keyring else None,
    )


def _from_file(settings: _Settings, environ: Mapping[str, str]) -> IndexSource:
    folder = settings.path.parent
    indexes = list(settings.indexes(environ))
    plain = settings.first("index-url", str)
    defaults = [url for url, default in indexes if default] + ([_located(plain, folder)] if plain else [])
    extras = [url for url, default in indexes if not default]
    extras += [_located(url, folder) for url in settings.every("extra-index-url", str)]
    keyring = settings.first("keyring-provider", str)
    return IndexSource(
        index_url=defaults[0] if defaults else None,
        extra_index_urls=tuple(extras),
        find_links=tuple(_located_link(link, folder) for link in settings.every("find-links", str)),
        no_index=settings.first("no-index", bool),
        strategy=settings.first("index-strategy", str),
        keyring=keyring == "subprocess" if keyring else None,
    )


def settings_files(environ: Mapping[str, str], folder: Path) -> Iterator[_Settings]:
    """Yield the settings files that count, the most specific first. Raises ``SettingsFileError``."""
    if named := environ.get("UV_CONFIG_FILE"):
        found = _uv_toml(Path(named))
        if found is None:
            raise SettingsFileError(path=Path(named), problem="`UV_CONFIG_FILE` names it, but there is no such file")
        yield found
    elif not _true(environ.get("UV_NO_CONFIG", "")):
        candidates = [_nearest(folder.absolute()), _uv_toml(_user_file(environ)), _system_file(environ)]
        yield from (found for found in candidates if found is not None)


def _nearest(folder: Path) -> _Settings | None:
    for place in (folder, *folder.parents):
        if found := _uv_toml(place / "uv.toml") or _pyproject(place / "pyproject.toml"):
            return found
    return None


def _uv_toml(path: Path) -> _Settings | None:
    data = _toml(path)
    return None if data is None else _settings(path, data)


def _pyproject(path: Path) -> _Settings | None:
    tool = (_toml(path) or {}).get("tool")
    table = tool.get("uv") if isinstance(tool, dict) else None
    return _settings(path, table) if isinstance(table, dict) else None


def _settings(path: Path, table: Mapping[str, Any]) -> _Settings:
    pip = table.get("pip", {})
    if not isinstance(pip, dict):
        raise SettingsFileError(path=path, problem="`pip` should be a table")
    return _Settings(path=path, tables=(pip, table))


def _toml(path: Path) -> dict[str, Any] | None:
    text = read_settings(path)
    if text is None:
        return None
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        raise SettingsFileError(path=path, problem=f"it is not TOML: {exc}") from exc


def _user_file(environ: Mapping[str, str]) -> Path:
    if os.name == "nt":
        return Path(environ.get("APPDATA") or home(environ) / "AppData" / "Roaming") / "uv" / "uv.toml"
    return Path(environ.get("XDG_CONFIG_HOME") or home(environ) / ".config") / "uv" / "uv.toml"


def _system_file(environ: Mapping[str, str]) -> _Settings | None:
    """Return the first system file that is there."""
    return next((found for path in system_files(environ) if (found := _uv_toml(path))), None)


def system_files(environ: Mapping[str, str]) -> list[Path]:
    """Return where the whole machine's ``uv.toml`` may be, the most specific first."""
    if os.name == "nt":
        return [Path(environ.get("PROGRAMDATA", r"C:\ProgramData")) / "uv" / "uv.toml"]
    shared = environ.get("XDG_CONFIG_DIRS") or "/etc/xdg"
    return [*(Path(each) / "uv" / "uv.toml" for each in shared.split(os.pathsep) if each), Path("/etc/uv/uv.toml")]


def _named(text: str, environ: Mapping[str, str]) -> str:
    """Return the URL of ``name=URL`` or ``URL`` as uv's variables have it."""
    match = _NAMED.match(text)
    return _with_variables(match["url"], name=match["name"], environ=environ) if match else text


def _with_variables(url: str, *, name: Any, environ: Mapping[str, str]) -> str:
    """Add the user name and password that uv's variables have for the index called ``name``."""
    prefix = "UV_INDEX_" + re.sub(r"[^A-Z0-9]", "_", str(name).upper())
    username, password = environ.get(f"{prefix}_USERNAME", ""), environ.get(f"{prefix}_PASSWORD", "")
    if not name or not (username or password):
        return url
    own = split_credentials(url)[1] or Credentials(username="", password="")
    return with_credentials(url, Credentials(username=username or own.username, password=password or own.password))


def _located(url: str, folder: Path) -> str:
    """Return an index's URL; a path in a file is relative to that file's folder."""
    return url if "://" in url or url.startswith("file:") else (folder / url).absolute().as_uri()


def _located_link(link: str, folder: Path) -> str:
    return link if "://" in link or link.startswith("file:") else str((folder / link).absolute())


def _true(text: str) -> bool:
    return text.strip().lower() not in _FALSE
