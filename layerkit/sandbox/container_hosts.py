"""Where a container engine may listen: what docker's own client would use, then where others put their sockets.

Reads settings only; whether anything answers there is for ``container.py`` to find out.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from layerkit.sandbox.container_errors import BadContext

_DEFAULT_CONTEXT: Final = "default"
_WINDOWS_PIPES: Final = ("npipe:////./pipe/docker_engine", "npipe:////./pipe/podman-machine-default")


@dataclass(frozen=True, kw_only=True, slots=True)
class TlsFiles:
    """The certificates for a daemon reached over TLS; ``verify`` tells whether the daemon's own is checked."""

    ca: Path | None
    certificate: Path | None
    key: Path | None
    verify: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """An address of a daemon, and which setting named it; ``chosen`` if the user did, so that no other is tried."""

    url: str
    origin: str
    chosen: bool
    tls: TlsFiles | None = None

    @property
    def socket(self) -> Path | None:
        """The socket's path, if it is one on this machine."""
        return Path(self.url.removeprefix("unix://")) if self.url.startswith("unix://") else None


def endpoints(environ: Mapping[str, str], home: Path) -> tuple[Endpoint, ...]:
    """Return the places to try, best first; a single one if the user chose it. Raises ``BadContext``.

    The order is docker's: ``DOCKER_HOST``, ``DOCKER_CONTEXT``, the current context, the default socket.
    """
    settings = Path(environ["DOCKER_CONFIG"]) if environ.get("DOCKER_CONFIG") else home / ".docker"
    if host := environ.get("DOCKER_HOST"):
        return (Endpoint(url=host, origin="DOCKER_HOST", chosen=True, tls=_tls_from(environ, settings)),)
    name = environ.get("DOCKER_CONTEXT") or _current_context(settings)
    if name and name != _DEFAULT_CONTEXT:
        return (_context(name, settings),)
    return tuple(_usual(environ, home))


def _tls_from(environ: Mapping[str, str], settings: Path) -> TlsFiles | None:
    verify = bool(environ.get("DOCKER_TLS_VERIFY"))
    if not verify and not environ.get("DOCKER_TLS"):
        return None
    return _tls_in(Path(environ.get("DOCKER_CERT_PATH") or settings), verify=verify)


def _tls_in(folder: Path, *, verify: bool) -> TlsFiles:
    found = {name: path for name in ("ca", "cert", "key") if (path := folder / f"{name}.pem").is_file()}
    return TlsFiles(ca=found.get("ca"), certificate=found.get("cert"), key=found.get("key"), verify=verify)


def _current_context(settings: Path) -> str | None:
    try:
        found = json.loads((settings / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    name = found.get("currentContext") if isinstance(found, dict) else None
    return name if isinstance(name, str) else None


def _context(name: str, settings: Path) -> Endpoint:
    identifier = hashlib.sha256(name.encode()).hexdigest()
    try:
        text = (settings / "contexts" / "meta" / identifier / "meta.json").read_text(encoding="utf-8")
        docker: dict[str, Any] = json.loads(text)["Endpoints"]["docker"]
        host = str(docker["Host"])
        verify = not docker.get("SkipTLSVerify")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
        raise BadContext(name=name) from exc
    folder = settings / "contexts" / "tls" / identifier / "docker"
    tls = _tls_in(folder, verify=verify) if folder.is_dir() else None
    return Endpoint(url=host, origin=f"docker context `{name}`", chosen=True, tls=tls)


def _usual(environ: Mapping[str, str], home: Path) -> Iterator[Endpoint]:
    if os.name == "nt":
        yield from (Endpoint(url=pipe, origin="default", chosen=False) for pipe in _WINDOWS_PIPES)
        return
    runtime = environ.get("XDG_RUNTIME_DIR")
    own = [Path(runtime, "docker.sock"), Path(runtime, "podman", "podman.sock")] if runtime else []
    sockets = {
        "docker": Path("/var/run/docker.sock"),
        "rootless docker": own[0] if own else None,
        "rootless podman": own[1] if own else None,
        "podman": Path("/run/podman/podman.sock"),
        "Docker Desktop": home / ".docker" / "run" / "docker.sock",
        "Docker Desktop for Linux": home / ".docker" / "desktop" / "docker.sock",
        "colima": home / ".colima" / "default" / "docker.sock",
        "Rancher Desktop": home / ".rd" / "docker.sock",
        "OrbStack": home / ".orbstack" / "run" / "docker.sock",
        "podman machine": home / ".local/share/containers/podman/machine/podman.sock",
    }
    for origin, path in sockets.items():
        if path is not None:
            yield Endpoint(url=f"unix://{path}", origin=origin, chosen=False)
