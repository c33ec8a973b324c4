"""Where passwords are kept outside of settings: netrc files and the system's keyring."""

import functools
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from layerkit.errors import system_reason
from layerkit.index_source import Credentials, SettingsFileError, home

_ASKING: Final = threading.Lock()  # a keyring may put a question to the user: one at a time


def netrc_file(environ: Mapping[str, str]) -> Path | None:
    """Return the netrc file in force: ``NETRC``, else ``~/.netrc``, else ``~/_netrc``."""
    named = environ.get("NETRC")
    base = home(environ)
    candidates = [Path(named).expanduser()] if named else [base / ".netrc", base / "_netrc"]
    return next((path for path in candidates if path.is_file()), None)


@functools.cache
def netrc_entries(path: Path) -> Mapping[str, Credentials]:
    """Read a netrc file by host; the key ``default`` holds for every other host. Raises ``SettingsFileError``."""
    import netrc

    try:
        hosts = netrc.netrc(str(path)).hosts
    except netrc.NetrcParseError as exc:
        raise SettingsFileError(path=path, problem=f"line {exc.lineno} is not what a netrc file may hold") from exc
    except UnicodeDecodeError as exc:
        raise SettingsFileError(path=path, problem="it is not UTF-8 text") from exc
    except OSError as exc:
        raise SettingsFileError(path=path, problem=system_reason(exc)) from exc
    return {
        host: Credentials(username=login or account or "", password=password or "")
        for host, (login, account, password) in hosts.items()
    }


def from_netrc(path: Path | None, netloc: str) -> Credentials | None:
    """Return what the netrc file has for the host of ``netloc``; ports do not matter there."""
    if path is None:
        return None
    entries = netrc_entries(path)
    host = netloc.rpartition(":")[0] if netloc.rpartition(":")[2].isdigit() else netloc
    return entries.get(host.strip("[]")) or entries.get("default")


def from_keyring(services: Iterable[str], username: str | None) -> Credentials | None:
    """Ask the keyring for each service in turn; one that does not answer has nothing."""
    with _ASKING:
        return next((found for service in services if (found := _ask(service, username))), None)


@functools.cache
def _ask(service: str, username: str | None) -> Credentials | None:
    try:
        import keyring
    except ImportError:
        return _ask_command(service, username)
    try:
        found = keyring.get_credential(service, username)
    except Exception:  # noqa: BLE001 -- each keyring backend fails in its own way, and none may stop a build
        return None
    if found is None or not found.password:
        return None
    return Credentials(username=found.username or username or "", password=found.password)


def _ask_command(service: str, username: str | None) -> Credentials | None:
    from layerkit.sandbox import process

    command = ["keyring", "get", service, username] if username else ["keyring", "--mode", "creds", "get", service]
    try:
        answer = process.run(command, timeout=30)
    except OSError:
        return None
    lines = answer.stdout.splitlines()
    if not answer.ok or not lines:
        return None
    return Credentials(username=username or lines[0], password=lines[-1])
