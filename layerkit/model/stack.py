"""A stack: layers as Lambda merges them at ``/opt``, the function's code over them, the runtime below."""

from dataclasses import dataclass

from layerkit.model.contents import Contents


@dataclass(frozen=True, kw_only=True, slots=True)
class Stack:
    """Layers in the order in which Lambda unpacks them: a later one overwrites an earlier one file by file."""

    layers: tuple[Contents, ...]
    function: Contents | None = None

    @property
    def parts(self) -> tuple[Contents, ...]:
        """Everything that counts against the unzipped limit: the layers, then the function's code."""
        return self.layers if self.function is None else (*self.layers, self.function)

    @property
    def unzipped_bytes(self) -> int:
        """What AWS counts: each part unzipped, added up."""
        return sum(part.unzipped_bytes for part in self.parts)
