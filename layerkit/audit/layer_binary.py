"""A binary of a layer, and how findings name one or several of them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from layerkit.formats.elf import BinaryFacts


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerBinary:
    """An ELF file: its path below ``root`` on Lambda, the distribution that brings it, what its headers say.

    ``label`` names the layer, where there may be several.
    """

    name: str
    owner: str
    facts: BinaryFacts
    root: str = "/opt"
    label: str = ""

    @property
    def path(self) -> str:
        """Where it lies on Lambda."""
        return f"{self.root}/{self.name}"

    @property
    def is_module(self) -> bool:
        """Whether it looks like a Python extension module, and not like a library for others to need."""
        file_name = self.name.rpartition("/")[2]
        return file_name.endswith(".so") and not file_name.startswith("lib") and self.facts.soname in {None, file_name}


def grouped(
    binaries: Iterable[LayerBinary], key: Callable[[LayerBinary], tuple[str, ...]]
) -> Iterator[list[LayerBinary]]:
    """Yield the binaries that have a key in common."""
    groups: dict[tuple[str, ...], list[LayerBinary]] = {}
    for binary in binaries:
        groups.setdefault(key(binary), []).append(binary)
    yield from groups.values()


def place_of(group: Sequence[LayerBinary]) -> str:
    """Return where a finding about these binaries is: the file if it is one, else the layer, or whose they are."""
    first = group[0]
    if len(group) == 1:
        return f"{first.label}: {first.name}" if first.label else first.name
    return first.label or first.owner


def paths_of(group: Sequence[LayerBinary]) -> tuple[str, ...]:
    """Return the paths for a finding, where it is about several."""
    return tuple(binary.name for binary in group) if len(group) > 1 else ()
