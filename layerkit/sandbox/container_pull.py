"""What a registry says while an image comes, layer by layer, and what its refusals mean."""

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from layerkit.progress import Progress, Task
from layerkit.sandbox.container_errors import (
    DiskFull,
    EngineError,
    ImageForOther,
    ImageMissing,
    RegistryLimit,
    RegistryUnreachable,
    RegistryWantsLogin,
)

_NO_SPACE: Final = "no space left on device"
_OTHER_PLATFORM: Final = ("no matching manifest for", "does not match the specified platform", "no child with platform")
_TOO_MANY: Final = ("toomanyrequests", "too many requests", "rate limit")
_MISSING: Final = (
    "manifest unknown",
    "not found",
    "does not exist",
    "no such image",
    "name unknown",
    "invalid reference",
)
_LOGIN: Final = ("unauthorized", "authentication required", "no basic auth", "denied", "forbidden", "expired")


@dataclass(slots=True)
class _Layers:
    """The bars of the layers that are under way."""

    progress: Progress
    bars: contextlib.ExitStack
    tasks: dict[str, Task] = field(default_factory=dict)
    done: dict[str, int] = field(default_factory=dict)

    def see(self, layer: str, *, current: int, total: int) -> None:
        if layer not in self.tasks:
            task = self.progress.task(f"layer {layer}", total=total, unit="B")
            self.tasks[layer] = self.bars.enter_context(task)
        self.tasks[layer].advance(current - self.done.get(layer, 0))
        self.done[layer] = current


def follow(events: Iterable[Mapping[str, Any]], *, image: str, platform: str | None, progress: Progress) -> None:
    """Show how an image comes. Raises an ``EngineError`` if the registry or the daemon says no."""
    with contextlib.ExitStack() as bars:
        layers = _Layers(progress, bars)
        for event in events:
            if error := event.get("error"):
                raise why_not(str(error), image=image, platform=platform)
            detail = event.get("progressDetail") or {}
            if event.get("status") == "Downloading" and detail.get("total"):
                layers.see(str(event.get("id")), current=int(detail.get("current", 0)), total=int(detail["total"]))


def why_not(reason: str, *, image: str, platform: str | None) -> EngineError:
    """Tell what a failed pull was about, from what docker, podman and the registries say of it."""
    said = reason.lower()
    kinds: tuple[tuple[tuple[str, ...], EngineError], ...] = (
        ((_NO_SPACE,), DiskFull(doing=f"pulling image `{image}`")),
        (_OTHER_PLATFORM, ImageForOther(image=image, platform=platform or "this platform")),
        (_TOO_MANY, RegistryLimit(image=image, reason=reason)),
        (("pull access denied",), ImageMissing(image=image, reason=reason)),  # docker does not tell the two apart
        (_MISSING, ImageMissing(image=image, reason=reason)),
        (_LOGIN, RegistryWantsLogin(image=image, reason=reason)),
    )
    unreachable = RegistryUnreachable(image=image, reason=reason)
    return next((error for words, error in kinds if any(word in said for word in words)), unreachable)
