"""Files that are taken for layers and are none."""

from pathlib import Path
from typing import Self

from layerkit.errors import UsageError, system_reason


class LayerUnreadable(UsageError):
    """A file that is no layer."""

    def __init__(self, *, path: Path, reason: str) -> None:
        super().__init__(
            f"`{path}` is not a layer: {reason}", hint="a layer is a zip file as `layerkit build` writes it"
        )

    @classmethod
    def because(cls, error: OSError, *, path: Path) -> Self:
        """Say why the system does not let it be read."""
        return cls(path=path, reason=system_reason(error))
