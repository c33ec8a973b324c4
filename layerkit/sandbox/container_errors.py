"""What can go wrong with containers, and the way out of each."""

from collections.abc import Iterable, Sequence
from typing import Final

from layerkit.errors import BuildError

_START: Final = (
    "start Docker, Podman, colima or Rancher Desktop, or name one with DOCKER_HOST; `docker info` must answer"
)
_LAST_LINES: Final = 20


def last_lines(text: str, count: int = _LAST_LINES) -> tuple[str, ...]:
    """Return the last lines of a program's output that say anything."""
    return tuple(line.rstrip() for line in text.splitlines() if line.strip())[-count:]


class EngineError(BuildError):
    """Something about the container engine or a container."""


class NoEngine(EngineError):
    """No daemon at any of the usual places."""

    def __init__(self, *, tried: Sequence[str]) -> None:
        super().__init__("no container engine found", details=[f"tried {place}" for place in tried], hint=_START)


class BadContext(EngineError):
    """A docker context that is not there, or cannot be read."""

    def __init__(self, *, name: str) -> None:
        super().__init__(
            f"docker context `{name}` cannot be read",
            hint="`docker context ls` shows those that there are; DOCKER_CONTEXT or `docker context use` chooses one",
        )


class BadCertificates(EngineError):
    """Certificates for a daemon over TLS that are missing or wrong."""

    def __init__(self, *, url: str, origin: str, reason: str) -> None:
        super().__init__(
            f"the TLS certificates for the container engine at {url} ({origin}) do not serve: {reason}",
            hint="DOCKER_CERT_PATH must hold `ca.pem`, `cert.pem` and `key.pem`",
        )


class EngineNotPermitted(EngineError):
    """The daemon's socket is there, but not for this user."""

    def __init__(self, *, url: str) -> None:
        super().__init__(
            f"permission denied on the container engine's socket {url}",
            hint="`sudo usermod -aG docker $USER` and a new login, or a rootless engine; in CI, run the job with the"
            " socket's group",
        )


class EngineUnreachable(EngineError):
    """There should be a daemon, but it does not answer, or not as one does."""

    def __init__(self, *, url: str, origin: str, reason: str) -> None:
        super().__init__(f"the container engine at {url} ({origin}) does not answer: {reason}", hint=_START)


class NoSsh(EngineError):
    """A daemon behind ssh: the SDK cannot hand on a program's streams over it."""

    def __init__(self, *, url: str, origin: str) -> None:
        host = url.removeprefix("ssh://").rstrip("/")
        super().__init__(
            f"the container engine at {url} ({origin}) is behind ssh, which layerkit does not speak",
            hint=f"forward its socket: `ssh -NL /tmp/docker.sock:/var/run/docker.sock {host}`, and"
            " DOCKER_HOST=unix:///tmp/docker.sock",
        )


class EngineTooOld(EngineError):
    """A daemon whose API lacks what is needed."""

    def __init__(self, *, url: str, version: str, needed: str) -> None:
        super().__init__(
            f"the container engine at {url} speaks API {version}, and {needed} is the least that serves",
            hint="Docker 20.10 and Podman 4 are new enough",
        )


class EngineLost(EngineError):
    """The daemon went away, or the connection to it broke, while it was used."""

    def __init__(self, *, doing: str, reason: str) -> None:
        super().__init__(
            f"the container engine was lost while {doing}: {reason}",
            hint="look whether it still runs (`docker info`), then run the same command again",
        )


class EngineRefused(EngineError):
    """The daemon said no, for a reason that only it can explain."""

    def __init__(self, *, doing: str, reason: str) -> None:
        super().__init__(f"the container engine refused while {doing}: {reason}")


class NetworkMissing(EngineError):
    """The daemon has no such network."""

    def __init__(self, *, network: str | None, reason: str) -> None:
        which = f"network `{network}`" if network else "default network"
        super().__init__(
            f"the container engine has no {which}: {reason}",
            hint="`--network host` uses the engine's own, `docker network ls` shows what there is",
        )


class ImageMissing(EngineError):
    """No such image in any place."""

    def __init__(self, *, image: str, reason: str) -> None:
        super().__init__(
            f"there is no image `{image}`: {reason}",
            hint="check the name given with `--image`; if it is private, `docker login` first",
        )


class ImageForOther(EngineError):
    """The image is there, but not for the platform."""

    def __init__(self, *, image: str, platform: str) -> None:
        super().__init__(
            f"image `{image}` is not there for {platform}", hint="name one that is with `--image`, per architecture"
        )


class RegistryUnreachable(EngineError):
    """The daemon cannot reach the image's registry."""

    def __init__(self, *, image: str, reason: str) -> None:
        super().__init__(
            f"image `{image}` is not here, and its registry cannot be reached: {reason}",
            hint="the engine, not layerkit, needs the network and its proxy settings; or name with `--image` one that"
            " `docker images` shows",
        )


class RegistryWantsLogin(EngineError):
    """The registry asks who one is."""

    def __init__(self, *, image: str, reason: str) -> None:
        registry = image.split("/", 1)[0] if "." in image.split("/", 1)[0] else ""
        login = f"docker login {registry}".strip()
        super().__init__(
            f"image `{image}` is not for everybody: {reason}",
            hint=f"`{login}`, or `{login.replace('login', 'logout', 1)}` if an old login is in the way",
        )


class RegistryLimit(EngineError):
    """The registry has had enough of this address."""

    def __init__(self, *, image: str, reason: str) -> None:
        super().__init__(f"the registry of image `{image}` limits pulls: {reason}", hint="`docker login`, or wait")


class EmulationMissing(EngineError):
    """The daemon cannot run programs of the image's architecture."""

    def __init__(self, *, image: str, machine: str) -> None:
        name = "arm64" if machine == "aarch64" else "amd64"
        super().__init__(
            f"the container engine cannot run {machine} programs, which image `{image}` is made of",
            hint=f"`docker run --privileged --rm tonistiigi/binfmt --install {name}`, or on the engine's machine"
            " `apt-get install qemu-user-static`; or build on a machine of that architecture",
        )


class WrongMachine(EngineError):
    """The container is of another architecture than asked for."""

    def __init__(self, *, image: str, machine: str, wanted: str) -> None:
        super().__init__(
            f"image `{image}` is of {machine}, and {wanted} is needed", hint="name one that is with `--image`"
        )


class ContainerDied(EngineError):
    """The container ended while it was used."""

    def __init__(self, *, image: str, output: str = "") -> None:
        super().__init__(
            f"the container of image `{image}` ended while it was used",
            details=last_lines(output),
            hint="it needs /bin/sh; if somebody removed it, run the same command again",
        )


class TookTooLong(BuildError):
    """A program that did not end in time, in a container or on this machine."""

    def __init__(self, *, command: str, timeout: float, output: str) -> None:
        super().__init__(
            f"`{command}` did not end within {timeout:g} seconds",
            details=last_lines(output),
            hint="`--build-timeout` gives it more",
        )


class OutOfMemory(EngineError):
    """A program in the container was ended because it took too much memory."""

    def __init__(self, *, command: str, limit: int | None, output: str) -> None:
        allowed = f", which is limited to {limit / 2**20:.0f} MiB" if limit else ""
        super().__init__(
            f"`{command}` ran out of memory in the container{allowed}",
            details=last_lines(output),
            hint="give the engine's machine more memory, or build fewer targets at once with `--jobs`",
        )


class DiskFull(EngineError):
    """The daemon's disk, or a file system in the container, is full."""

    def __init__(self, *, doing: str, details: Iterable[str] = ()) -> None:
        super().__init__(
            f"no space left in the container engine while {doing}",
            details=details,
            hint="`docker system df` shows what takes it, `docker system prune` frees some",
        )


class NothingThere(EngineError):
    """A file or folder that should have come out of a container is not in it."""

    def __init__(self, *, path: str) -> None:
        super().__init__(f"there is nothing at `{path}` in the container")


class StrangeArchive(EngineError):
    """What came out of a container holds names or kinds of files that nobody put there."""

    def __init__(self, *, name: str, reason: str) -> None:
        super().__init__(f"a file that came out of the container is not taken: {name!r} {reason}")
