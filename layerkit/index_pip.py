"""What pip's settings say about indexes: environment variables and ``pip.conf`` files, with pip's own precedence.

Within pip a more specific place replaces what a less specific one says, lists too, and ``[install]`` goes before
``[global]`` whichever file it stands in; the result is one source. Paths stay as written: relative to the working
folder, as for pip. Extra indexes on this machine's own disk become fallbacks: for pip all indexes are one, but where
the first that has a name wins, such a partial mirror would hide newer versions and put its paths into locks that others
are to use. What ``pip.conf`` says about anything else is none of our business.
See https://pip.pypa.io/en/stable/topics/configuration/
"""

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from layerkit.index_source import IndexSettingError, IndexSource, SettingsFileError, home, read_settings

_SECTIONS: Final = ("global", "install")
_KEYS: Final = ("index-url", "extra-index-url", "find-links", "no-index", "cert", "proxy", "keyring-provider")
_TRUTH: Final = {"y": True, "yes": True, "t": True, "true": True, "on": True, "1": True}
_FALSEHOOD: Final = {"n": False, "no": False, "f": False, "false": False, "off": False, "0": False}
_KEYRING: Final = {"import": True, "subprocess": True, "disabled": False}  # pip's `auto` leaves it to others


def source(environ: Mapping[str, str]) -> IndexSource:
    """Read what pip would use. Raises ``SettingsFileError`` and ``IndexSettingError``."""
    said = _said(environ)
    extras = said.get("extra-index-url", "").split()
    ca_bundle = said.get("cert") or environ.get("REQUESTS_CA_BUNDLE") or environ.get("CURL_CA_BUNDLE")
    return IndexSource(
        index_url=said.get("index-url"),
        extra_index_urls=tuple(url for url in extras if not _is_on_disk(url)),
        fallback_index_urls=tuple(url for url in extras if _is_on_disk(url)),
        find_links=tuple(said.get("find-links", "").split()),
        no_index=_flag(said.get("no-index")),
        ca_bundle=Path(ca_bundle).expanduser() if ca_bundle else None,
        proxy=said.get("proxy"),
        keyring=_KEYRING.get(said.get("keyring-provider", "auto")),
    )


def _is_on_disk(url: str) -> bool:
    return url.lower().startswith("file:")


def _said(environ: Mapping[str, str]) -> dict[str, str]:
    sections: dict[str, dict[str, str]] = {section: {} for section in _SECTIONS}
    for path in settings_files(environ):
        for section, entries in _read(path).items():
            sections[section] |= entries
    said = {key: value for section in _SECTIONS for key, value in sections[section].items()}
    for key in _KEYS:
        if value := environ.get("PIP_" + key.upper().replace("-", "_"), "").strip():
            said[key] = value
    return said


def settings_files(environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield where pip looks, the most specific last; ``PIP_CONFIG_FILE`` stands in for the user's files."""
    named = environ.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return
    name = "pip.ini" if os.name == "nt" else "pip.conf"
    yield from (folder / name for folder in system_folders(environ))
    if not (named and Path(named).exists()):
        yield from (folder / name for folder in _user_folders(environ))
    yield Path(sys.prefix) / name
    if named:
        yield Path(named)


def system_folders(environ: Mapping[str, str]) -> list[Path]:
    """Return the folders of the whole machine's ``pip.conf``, the most specific last."""
    if os.name == "nt":
        return [Path(environ.get("PROGRAMDATA", r"C:\ProgramData")) / "pip"]
    if sys.platform == "darwin":
        return [Path("/Library/Application Support/pip")]
    shared = environ.get("XDG_CONFIG_DIRS") or "/etc/xdg"
    return [*(Path(folder) / "pip" for folder in shared.split(os.pathsep) if folder), Path("/etc")]


def _user_folders(environ: Mapping[str, str]) -> list[Path]:
    base = home(environ)
    if os.name == "nt":
        return [base / "pip", Path(environ.get("APPDATA", base / "AppData" / "Roaming")) / "pip"]
    library = base / "Library" / "Application Support" / "pip"
    if sys.platform == "darwin":
        return [base / ".pip", library if library.is_dir() else base / ".config" / "pip"]
    return [base / ".pip", Path(environ.get("XDG_CONFIG_HOME") or base / ".config") / "pip"]


def _read(path: Path) -> dict[str, dict[str, str]]:
    """Return the entries about indexes by section. An error quotes no line, which may hold a password."""
    text = read_settings(path)
    if text is None:
        return {}
    import configparser

    parser = configparser.RawConfigParser()
    try:
        parser.read_string(text)
    except configparser.DuplicateOptionError as exc:
        problem = f"line {exc.lineno} says `{exc.option}` for the second time"
    except configparser.DuplicateSectionError as exc:
        problem = f"line {exc.lineno} begins `[{exc.section}]` for the second time"
    except configparser.MissingSectionHeaderError as exc:
        problem = f"line {exc.lineno} stands before any `[section]`"
    except configparser.ParsingError as exc:
        problem = f"line {exc.errors[0][0]} is neither `[section]` nor `key = value`"
    else:
        return {section: _entries(parser.items(section)) for section in _SECTIONS if parser.has_section(section)}
    raise SettingsFileError(path=path, problem=problem)


def _entries(items: list[tuple[str, str]]) -> dict[str, str]:
    named = {key.lower().replace("_", "-").removeprefix("--"): value for key, value in items}
    return {key: value.strip() for key, value in named.items() if key in _KEYS and value and value.strip()}


def _flag(text: str | None) -> bool | None:
    if text is None:
        return None
    truth = (_TRUTH | _FALSEHOOD).get(text.lower())
    if truth is None:
        raise IndexSettingError(setting="truth value for pip's `no-index`", value=text, valid="write `true` or `false`")
    return truth
