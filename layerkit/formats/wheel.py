"""Wheels (PEP 427): file names, schemes, dist-info, entry points. Pure; knows nothing of targets or layers."""

import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from layerkit.formats.zip import unsafe_name
from layerkit.model.names import normalize

_NAME: Final = re.compile(
    r"^(?P<name>[^\s-]+)-(?P<version>[^\s-]+)(-(?P<build>\d[^\s-]*))?"
    r"-(?P<python>[^\s-]+)-(?P<abi>[^\s-]+)-(?P<platform>[^\s-]+)\.whl$"
)
_REFERENCE: Final = re.compile(r"^(?P<module>[\w.]+)\s*(:\s*(?P<attribute>[\w.]+))?\s*(\[[^\]]*\])?$")


class WheelProblem(ValueError):
    """Not a wheel as PEP 427 describes it; the message says why."""


class Scheme(StrEnum):
    """Where a file of a wheel belongs; ``lib`` is both purelib and platlib, which are one place on Lambda."""

    LIB = "lib"
    SCRIPTS = "scripts"
    HEADERS = "headers"
    DATA = "data"


_SCHEMES: Final = {
    "purelib": Scheme.LIB,
    "platlib": Scheme.LIB,
    "scripts": Scheme.SCRIPTS,
    "headers": Scheme.HEADERS,
    "data": Scheme.DATA,
}


@dataclass(frozen=True, kw_only=True, slots=True)
class WheelName:
    """What a wheel's file name says."""

    name: str
    version: str
    tags: tuple[str, ...]

    @classmethod
    def parse(cls, file_name: str) -> "WheelName":
        """Take a file name apart; compressed tag sets (PEP 425) are expanded. Raises ``WheelProblem``."""
        match = _NAME.match(file_name)
        if match is None:
            raise WheelProblem(f"`{file_name}` is not a wheel's file name")
        parts = (match[part].split(".") for part in ("python", "abi", "platform"))
        tags = tuple("-".join(tag) for tag in itertools.product(*parts))
        return cls(name=normalize(match["name"]), version=match["version"], tags=tags)

    @property
    def is_pure(self) -> bool:
        """Whether the wheel serves every architecture and ABI (``none-any``)."""
        return any(tag.endswith("-none-any") for tag in self.tags)


@dataclass(frozen=True, kw_only=True, slots=True)
class Script:
    """A console script: its name and the function it calls."""

    name: str
    module: str
    attribute: str


@dataclass(frozen=True, kw_only=True, slots=True)
class WheelLayout:
    """Which top-level folders of a wheel are its metadata: ``NAME-VERSION.dist-info`` and ``….data``."""

    dist_info: str
    data: str

    @classmethod
    def find(cls, names: Iterable[str], *, distribution: str) -> "WheelLayout":
        """Find the folders among the wheel's names. Raises ``WheelProblem`` unless there is exactly one dist-info.

        The data folder may spell the distribution's name in another way than dist-info does.
        """
        folders = {name.split("/", 1)[0] for name in names if "/" in name}
        found = sorted(folder for folder in folders if folder.endswith(".dist-info"))
        if len(found) != 1:
            raise WheelProblem(f"it has {len(found)} dist-info folders, not one")
        stem = found[0].removesuffix(".dist-info")
        if normalize(stem.rsplit("-", 1)[0]) != distribution:
            raise WheelProblem(f"its metadata `{found[0]}` belongs to another distribution than `{distribution}`")
        data = sorted(folder for folder in folders if _is_data_of(distribution, folder))
        if len(data) > 1:
            raise WheelProblem(f"it has {len(data)} data folders, not one")
        return cls(dist_info=found[0], data=data[0] if data else f"{stem}.data")

    def place(self, name: str) -> tuple[Scheme, str]:
        """Return the scheme of a file and its path within it. Raises ``WheelProblem`` for an unknown scheme."""
        folder, _, rest = name.partition("/")
        if folder != self.data or not rest:
            return Scheme.LIB, name
        key, _, path = rest.partition("/")
        if key not in _SCHEMES or not path:
            raise WheelProblem(f"`{name}` is in no known scheme")
        return _SCHEMES[key], path


def scripts_of(entry_points: str) -> Iterator[Script]:
    """Yield the console and GUI scripts of an ``entry_points.txt``. Raises ``WheelProblem`` if it cannot be read."""
    import configparser

    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None, strict=False, default_section="")
    parser.optionxform = str  # type: ignore[assignment,method-assign] # names are case-sensitive
    try:
        parser.read_string(entry_points)
    except configparser.Error as exc:
        raise WheelProblem(f"its entry_points.txt cannot be read: {exc.message.splitlines()[0]}") from exc
    for section in ("console_scripts", "gui_scripts"):
        for name, reference in parser.items(section) if parser.has_section(section) else ():
            match = _REFERENCE.match(reference.strip())
            if match is None or match["attribute"] is None:
                raise WheelProblem(f"its script `{name}` calls `{reference}`, which is no function")
            if "/" in name or unsafe_name(name):
                raise WheelProblem(f"its script `{name}` has a name that is no file name")
            yield Script(name=name, module=match["module"], attribute=match["attribute"])


def _is_data_of(distribution: str, folder: str) -> bool:
    stem = folder.removesuffix(".data")
    return stem != folder and "-" in stem and normalize(stem.rsplit("-", 1)[0]) == distribution


def is_pure_root(wheel_file: str) -> bool:
    """Tell from the text of ``dist-info/WHEEL`` whether the wheel says that it holds no native code."""
    from email.parser import HeaderParser

    return HeaderParser().parsestr(wheel_file).get("Root-Is-Purelib", "").strip().lower() == "true"
