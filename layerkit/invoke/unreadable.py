"""Files that are taken for layers and are none."""

from pathlib import Path

from layerkit.errors import UsageError


class LayerUnreadable(UsageError):
    """A file that is no layer."""

    def __init__(self, *, path: Path, reason: str) -> None:
        super().__init__(
            f"`{path}` is not a layer: {reason}", hint="a layer is a zip file as `layerkit build` writes it"
        )
