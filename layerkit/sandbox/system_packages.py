"""Packages of the system in a place: the commands of dnf, yum, microdnf, apt-get and apk that install them."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from layerkit.errors import BuildError, UsageError
from layerkit.sandbox.place import Place
from layerkit.sandbox.runner import Runner

_LAST_LINES: Final = 10
# apt drops to a user of its own for downloads, which needs more privileges than a container gets here
_APT: Final = ("apt-get", "-q", "-o", "APT::Sandbox::User=root")
_COMMANDS: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "dnf": (("dnf", "install", "-y", "--setopt=install_weak_deps=False"),),
    "yum": (("yum", "install", "-y"),),
    "microdnf": (("microdnf", "install", "-y"),),
    "apt-get": ((*_APT, "update"), (*_APT, "install", "-y", "--no-install-recommends")),
    "apk": (("apk", "add", "--no-cache"),),
}
_UNKNOWN: Final = re.compile(
    r"Unable to locate package (\S+)|Package '?(\S+?)'? has no installation candidate|No match for argument: (\S+)"
    r"|No package (\S+) available|^\s+(\S+) \(no such package\)|nothing provides (\S+)",
    re.MULTILINE,
)


class SystemPackagesFailed(BuildError):
    """The system's own installer refused; the details are its last lines."""

    def __init__(self, *, title: str, packages: Sequence[str], output: str) -> None:
        unknown = [name for match in _UNKNOWN.finditer(output) for name in match.groups() if name]
        culprits = [name for name in packages if name in unknown] or list(packages)
        names = ", ".join(f"`{name}`" for name in culprits)
        reason = f"{title} knows no {names}" if unknown else f"installing {names} failed"
        super().__init__(
            f"the system packages could not be installed in {title}: {reason}",
            details=[line for line in output.splitlines() if line.strip()][-_LAST_LINES:],
            hint="`system-packages` are named as the image's own distribution names them"
            if unknown
            else "look at the lines above; the container may need `--network host` to reach its mirrors",
        )


class SystemPackagesNotPossible(UsageError):
    """System packages were asked for where none can be installed."""

    def __init__(self, *, title: str, packages: Sequence[str], reason: str) -> None:
        names = ", ".join(f"`{name}`" for name in packages)
        super().__init__(
            f"the system packages {names} cannot be installed in {title}: {reason}",
            hint="install them beforehand and leave them out here, or use `--builder container`",
        )


def installation(runner: Runner, place: Place, packages: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Return the commands that install ``packages``, in order; none for none. Raises ``SystemPackagesNotPossible``."""
    if not packages:
        return ()
    if not runner.whole_system:
        raise SystemPackagesNotPossible(title=runner.title, packages=packages, reason="layerkit does not change it")
    if place.installer is None or place.installer not in _COMMANDS:
        known = ", ".join(_COMMANDS)
        raise SystemPackagesNotPossible(title=runner.title, packages=packages, reason=f"it has none of {known}")
    *before, last = _COMMANDS[place.installer]
    return (*before, (*last, *packages))
