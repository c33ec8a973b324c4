"""What a container is to be like, and how that is said to an engine. Knows no SDK: plain values in, JSON out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from layerkit.facts import Architecture
from layerkit.facts.images import builder_image
from layerkit.model.target import Target

HOME: Final = "/layerkit"
SECRETS: Final = "/run/layerkit"

_MACHINES: Final = {"linux/amd64": "x86_64", "linux/arm64": "aarch64"}
_GOARCH: Final = {"amd64": "x86_64", "arm64": "aarch64"}
_SECRETS_SIZE: Final = "64m"
_SHARE_OF_MEMORY: Final = 0.8
_PROCESSES: Final = 4096
# `while read` rather than `sleep`: needs nothing but a shell, and ends when the connection that holds its input does
_LIVE: Final = ["/bin/sh", "-c", "while read -r line; do :; done"]
# What apt, dnf and pip need as root, of what Docker gives by default: owners, modes, the apt user, file capabilities
_CAPABILITIES: Final = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETFCAP", "SETGID", "SETUID"]


@dataclass(frozen=True, kw_only=True, slots=True)
class ContainerSpec:
    """A container to start. ``image`` is a name, with a tag or a digest; ``None`` leaves the choice to the engine.

    ``environment`` can be seen by everybody who may use the engine: no secrets. ``memory`` is in bytes, and so is
    ``tmp``, the room in a ``/tmp`` that lies in memory. Without ``shared_memory`` there is no ``/dev/shm``.
    """

    image: str
    platform: str | None = None
    network: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    memory: int | None = None
    processes: int = _PROCESSES
    tmp: int | None = None
    shared_memory: bool = True

    @classmethod
    def building_for(
        cls, target: Target, *, image: str | None, platform: str | None, network: str | None, **more: Any
    ) -> Self:
        """Return one that builds for a target, or stands for it: of its builder image, if no other one is named."""
        return cls(
            image=image or builder_image(target.runtime.system.name, target.architecture),
            platform=platform or _platform_of(target.architecture),
            network=network,
            **more,
        )

    @property
    def repository(self) -> str:
        """The image's name without its tag; with its digest, if it has one."""
        return self.image.removesuffix(f":{self.tag}") if self.tag else self.image

    @property
    def tag(self) -> str | None:
        """The image's tag: ``latest`` if there is neither tag nor digest, as everywhere; ``None`` with a digest."""
        if "@" in self.image:
            return None
        return self.image.rpartition("/")[2].partition(":")[2] or "latest"


@dataclass(frozen=True, kw_only=True, slots=True)
class Image:
    """An image that the engine has: what it says of itself, which is not always so."""

    identity: str
    machine: str  # as ``uname -m`` would call it
    pulled: bool

    @classmethod
    def from_inspect(cls, name: str, found: Mapping[str, Any]) -> Self:
        """Read what ``docker image inspect`` says."""
        digests = [digest for digest in found.get("RepoDigests") or () if "@sha256:" in digest]
        repository = name.partition("@")[0].partition(":")[0]
        own = [digest for digest in digests if digest.startswith(f"{repository}@")]
        marked = str(found.get("Architecture", ""))
        return cls(
            identity=name if "@sha256:" in name else next(iter(own or digests), str(found["Id"])),
            machine=_GOARCH.get(marked, marked),
            pulled=bool(digests),
        )

    def is_marked(self, platform: str | None) -> bool:
        """Whether the image says that it is for the platform."""
        return platform is not None and machine_of(platform) == self.machine

    def serves(self, platform: str | None) -> bool:
        """Whether there is no need to pull: imported images are marked with the engine's own platform."""
        return platform is None or not self.pulled or self.is_marked(platform)


@dataclass(frozen=True, kw_only=True, slots=True)
class Creation:
    """The body of the request that creates a container, its memory limit, and the limits that cannot be kept."""

    config: dict[str, Any]
    memory: int | None
    unlimited: tuple[str, ...]


def _platform_of(architecture: Architecture) -> str:
    """Return the platform of containers that build for an architecture."""
    return "linux/arm64" if architecture is Architecture.ARM64 else "linux/amd64"


def machine_of(platform: str | None) -> str | None:
    """Return what ``uname -m`` says on a platform, if it is a known one."""
    return _MACHINES.get(platform or "")


def creation(spec: ContainerSpec, image: Image, *, facts: Mapping[str, Any], labels: Mapping[str, str]) -> Creation:
    """Say it to the engine; ``facts`` is what ``docker info`` says, which tells the limits that it can keep."""
    memory = _memory(spec, facts)
    host: dict[str, Any] = {
        "AutoRemove": True,
        "CapDrop": ["ALL"],
        "CapAdd": _CAPABILITIES,
        "SecurityOpt": ["no-new-privileges"],
        "Tmpfs": {SECRETS: f"rw,noexec,nosuid,nodev,mode=0700,size={_SECRETS_SIZE}"},
    }
    if spec.tmp:
        host["Tmpfs"]["/tmp"] = f"rw,exec,nosuid,nodev,mode=1777,size={spec.tmp}"  # noqa: S108 -- the container's own
    if not spec.shared_memory:
        host["IpcMode"] = "none"
    if spec.network:
        host["NetworkMode"] = spec.network
    if memory:
        host["Memory"] = memory
        if facts.get("SwapLimit"):
            host["MemorySwap"] = memory
    if facts.get("PidsLimit"):
        host["PidsLimit"] = spec.processes
    config = {
        "Image": image.identity if image.pulled and "@" not in spec.image else spec.image,
        "User": "0:0",
        "Entrypoint": _LIVE,
        "Cmd": [],
        "Env": [f"{name}={value}" for name, value in sorted(spec.environment.items())],
        "Labels": dict(labels),
        "WorkingDir": "/",
        "OpenStdin": True,
        "StdinOnce": True,
        "AttachStdin": True,
        "AttachStdout": True,
        "AttachStderr": True,
        "Healthcheck": {"Test": ["NONE"]},
        "HostConfig": host,
    }
    missing = (("memory", memory), ("processes", facts.get("PidsLimit")))
    return Creation(config=config, memory=memory, unlimited=tuple(name for name, there in missing if not there))


def _memory(spec: ContainerSpec, facts: Mapping[str, Any]) -> int | None:
    if not facts.get("MemoryLimit"):
        return None
    return spec.memory or int(facts.get("MemTotal", 0) * _SHARE_OF_MEMORY) or None
