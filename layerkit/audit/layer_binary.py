"""A binary of a layer, and how findings name one or several of them."""

import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from layerkit.audit.weight import examples
from layerkit.formats.elf import BinaryFacts
from layerkit.model.finding import Severity
from layerkit.model.target import PythonTarget, Target

_TAGGED_MODULE: Final = re.compile(r"\.(?:abi3|cpython-|pypy|graalpy)[^/]*\.so$")
_NAMES_A_MACHINE: Final = re.compile(
    r"(?:^|[_.-])(?:amd64|x86_64|x64|x86|i[36]86|arm64|aarch64|armv?\d\w*|ppc64le|s390x)(?=[_.-]|$)"
)
_PLURALS: Final = {"is": "are"}
_OTHER_LANGUAGES: Final = ("nodejs/", "ruby/", "java/")
_VERSIONED: Final = re.compile(r"python/lib(?P<copy>64)?/python(?P<version>\d+\.\d+)/")


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerBinary:
    """An ELF file: its path below ``root`` on Lambda, the distribution that brings it, what its headers say.

    Of a file that no distribution brings (``is_owned`` is off), ``owner`` is the package's folder, or the file itself.
    ``runs_anywhere`` tells that the distribution's wheel claims to run on any platform.
    ``label`` names the layer, where there may be several.
    """

    name: str
    owner: str
    facts: BinaryFacts
    root: str = "/opt"
    label: str = ""
    is_owned: bool = True
    runs_anywhere: bool = False

    @property
    def path(self) -> str:
        """Where it lies on Lambda."""
        return f"{self.root}/{self.name}"

    @property
    def file_name(self) -> str:
        """The last part of its path."""
        return self.name.rpartition("/")[2]

    @property
    def is_astray(self) -> bool:
        """Whether it belongs to no distribution and lies in no package."""
        return not self.is_owned and self.owner == self.name

    @property
    def who(self) -> str:
        """The owner, as messages call it."""
        return self.owner if self.is_owned else f"`{self.owner}`"

    @property
    def is_module(self) -> bool:
        """Whether it looks like a Python extension module, and not like a library for others to need."""
        if _TAGGED_MODULE.search(self.file_name):
            return True
        looks_like_one = self.file_name.endswith(".so") and not self.file_name.startswith("lib")
        return looks_like_one and self.facts.soname in {None, self.file_name}

    @property
    def is_optional(self) -> bool:
        """Whether a package that runs anywhere picks it by the machine in its name, and does without on others."""
        tagged = _TAGGED_MODULE.search(self.file_name)
        return self.runs_anywhere and not tagged and _NAMES_A_MACHINE.search(self.file_name) is not None

    def concerns(self, target: Target) -> bool:
        """Whether a function of that target may load it: other Pythons' folders and other languages' do not count."""
        if self.root != "/opt" or not isinstance(target, PythonTarget):
            return True
        match = _VERSIONED.match(self.name)
        if match is not None:
            return match["copy"] is None and match["version"] == target.python_version
        return not self.name.startswith(_OTHER_LANGUAGES)


def grouped(binaries: Iterable[LayerBinary], key: Callable[[LayerBinary], Hashable]) -> Iterator[list[LayerBinary]]:
    """Yield the binaries that have a key in common."""
    groups: dict[Hashable, list[LayerBinary]] = {}
    for binary in binaries:
        groups.setdefault(key(binary), []).append(binary)
    yield from groups.values()


def by_owner(
    binaries: Iterable[LayerBinary], also: Callable[[LayerBinary], Hashable] = lambda _: None
) -> Iterator[list[LayerBinary]]:
    """Yield the binaries that come from one owner in one layer, and have ``also`` in common; the astray go together."""
    yield from grouped(binaries, lambda binary: (binary.label, not binary.is_astray and binary.owner, also(binary)))


def who(group: Sequence[LayerBinary], verb: str) -> str:
    """Return the subject of a sentence about binaries of one owner, and its verb; of the astray, what they are."""
    if not group[0].is_astray:
        return f"{group[0].who} {verb}"
    names = examples([binary.name for binary in group])
    return f"{names} {verb}" if len(group) == 1 else f"{names} {_PLURALS.get(verb, verb.removesuffix('s'))}"


def place_of(group: Sequence[LayerBinary]) -> str:
    """Return where a finding about these binaries is: the file if it is one, else the layer, or whose they are."""
    first = group[0]
    if len(group) == 1:
        return f"{first.label}: {first.name}" if first.label else first.name
    return first.label or first.owner


def paths_of(group: Sequence[LayerBinary]) -> tuple[str, ...]:
    """Return the paths for a finding, where it is about several."""
    return tuple(binary.name for binary in group) if len(group) > 1 else ()


def severity_of_unusable(group: Sequence[LayerBinary], *, has_others: bool = False) -> Severity:
    """Rate binaries that cannot be loaded at all; ``has_others`` tells that their owner has some that can."""
    if all(binary.is_optional for binary in group):
        return Severity.NOTE
    return Severity.WARNING if has_others else Severity.ERROR


def leave_out(group: Sequence[LayerBinary]) -> str:
    """Return how to leave these binaries out of a layer."""
    first = group[0]
    if not first.is_owned:
        return "leave it out of the layer" if len(group) == 1 else "leave them out of the layer"
    if len(group) == 1:
        return f'leave it out: `layerkit build` does so with `--drop "{first.owner}:**/{first.file_name}"`'
    return f'leave them out: `layerkit build` does so with `--drop "{first.owner}:…"` and their paths'
