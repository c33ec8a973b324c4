"""The doctor's checks of places where a target's interpreter can run: this machine and containers."""

import platform
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from layerkit.doctor_check import Check, Status
from layerkit.facts import Architecture, runtimes
from layerkit.facts.images import builder_image
from layerkit.index_source import hide_userinfo
from layerkit.model.limits import format_mib

if TYPE_CHECKING:
    from layerkit.sandbox.container import Engine

_BINFMT: Final = Path("/proc/sys/fs/binfmt_misc")
_MEMINFO: Final = Path("/proc/meminfo")
_LITTLE: Final = 1 << 30  # bytes of memory; resolving and compiling take hundreds of MiB


def interpreter(version: str) -> Sequence[Check]:
    """Check whether a Python of a minor version runs here."""
    from layerkit.sandbox.interpreters import InterpreterMissing, find_interpreter

    name = f"python{version}"
    found = find_interpreter(version)
    if found is not None:
        return [Check(name=name, status=Status.OK, detail=f"{found.version} at {found.path}")]
    hint = InterpreterMissing(version=version, purpose=name).hint
    return [Check(name=name, status=Status.MISSING, detail="none here; prebuilt wheels do not need it", hint=hint)]


def engine(environ: Mapping[str, str]) -> Sequence[Check]:
    """Check whether a container engine answers, and which of the images of the targets it has."""
    from layerkit.sandbox.container import Engine
    from layerkit.sandbox.container_errors import EngineError, NoEngine

    try:
        found = Engine.connect(environ)
    except EngineError as exc:
        status = Status.MISSING if isinstance(exc, NoEngine) else Status.BROKEN
        return [Check(name="engine", status=status, detail=exc.message, hint=exc.hint)]
    with found:
        return [_engine(found), *_images(found)]


def _engine(engine: "Engine") -> Check:
    rootless = any("rootless" in option for option in engine.facts.get("SecurityOptions") or ())
    version = engine.api.version().get("ApiVersion")
    detail = f"{engine.title}, API {version}, at {hide_userinfo(engine.endpoint.url)}"
    return Check(name="engine", status=Status.OK, detail=f"{detail}{', rootless' if rootless else ''}")


def _images(engine: "Engine") -> list[Check]:
    systems = dict.fromkeys(runtime.system.name for runtime in runtimes().values() if not runtime.removed)
    wanted: dict[str, list[str]] = {}
    for system in systems:
        for architecture in Architecture:
            wanted.setdefault(builder_image(system, architecture), []).append(f"{system} {architecture}")
    return [_image(engine, image, ", ".join(served)) for image, served in wanted.items()]


def _image(engine: "Engine", image: str, served: str) -> Check:
    from layerkit.sandbox.container_api import doing, status_of
    from layerkit.sandbox.container_errors import EngineError

    short = image.partition("@")[0]
    try:
        with doing(f"looking for image `{short}`"):
            engine.api.inspect_image(image)
    except EngineError as exc:
        if exc.__cause__ is None or status_of(exc.__cause__) != 404:  # type: ignore[arg-type]  # noqa: PLR2004
            return Check(name="image", status=Status.BROKEN, detail=exc.message, hint=exc.hint)
        hint = "the first build that needs it pulls it"
        return Check(name="image", status=Status.MISSING, detail=f"{short} for {served}", hint=hint)
    return Check(name="image", status=Status.OK, detail=f"{short} for {served}")


def emulation() -> Sequence[Check]:
    """Check whether this machine runs programs of the other architecture too."""
    if sys.platform != "linux":
        return [Check(name="emulation", status=Status.OK, detail="the container engine's own business on this system")]
    own = platform.machine()
    other = "x86_64" if own == "aarch64" else "aarch64"
    architecture = next(each for each in Architecture if each.machine == other)
    if _registered(other):
        return [Check(name="emulation", status=Status.OK, detail=f"{architecture} programs run on this {own} machine")]
    installed = "amd64" if other == "x86_64" else "arm64"
    return [
        Check(
            name="emulation",
            status=Status.MISSING,
            detail=f"{architecture} programs do not run on this {own} machine; prebuilt wheels do not need it",
            hint=f"`docker run --privileged --rm tonistiigi/binfmt --install {installed}`, or"
            " `apt-get install qemu-user-static`",
        )
    ]


def _registered(machine: str) -> bool:
    try:
        return (_BINFMT / f"qemu-{machine}").read_text(encoding="utf-8").startswith("enabled")
    except OSError:
        return False


def namespaces() -> Sequence[Check]:
    """Check whether a layer can be shown at ``/opt`` on this machine without touching it."""
    from layerkit.invoke.stage import private_mount
    from layerkit.sandbox.local import local_runner

    with local_runner() as runner:
        folder = Path(runner.home, "opt")
        folder.mkdir()
        if private_mount(runner, str(folder), interpreter=sys.executable):
            return [Check(name="namespaces", status=Status.OK, detail="`unshare` shows a layer at /opt")]
    return [
        Check(
            name="namespaces",
            status=Status.MISSING,
            detail="`unshare --mount` does not work here; a layer's imports are tried in a plain folder instead",
            hint="a container engine shows layers at /opt as well",
        )
    ]


def memory() -> Sequence[Check]:
    """Check how much memory there is."""
    amounts = _memory()
    total, available = amounts.get("MemTotal"), amounts.get("MemAvailable")
    if total is None or available is None:
        return [Check(name="memory", status=Status.OK, detail="not known on this system")]
    detail = f"{format_mib(available)} of {format_mib(total)} available"
    if available < _LITTLE:
        return [
            Check(name="memory", status=Status.BROKEN, detail=detail, hint="build fewer targets at once: `--jobs 1`")
        ]
    return [Check(name="memory", status=Status.OK, detail=detail)]


def _memory() -> dict[str, int]:
    """Return what the kernel says, in bytes; other systems tell at least the total."""
    try:
        lines = _MEMINFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    pairs = (line.partition(":")[::2] for line in lines)
    return {name: int(value.split()[0]) * 1024 for name, value in pairs if value.strip().endswith("kB")}
