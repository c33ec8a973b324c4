"""Packages for macOS or Windows: what an installer leaves there, where nobody tells it to install for Linux.

How their wheels and extension modules are called: PEP 425, https://packaging.python.org/specifications/platform-compatibility-tags/
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from layerkit.audit.weight import count, examples
from layerkit.model.contents import Contents, HeldDistribution, HeldFile
from layerkit.model.finding import Code, Finding, Severity
from layerkit.model.stack import Stack
from layerkit.model.tags import expand

_BY_PLATFORM: Final = {"macosx": "macOS", "win32": "Windows", "win": "Windows", "ios": "iOS", "android": "Android"}
_MODULES: Final = {
    re.compile(r"(?P<stem>.+)\.cpython-\d+[a-z]*-darwin\.so"): "macOS",
    re.compile(r"(?P<stem>.+?)(?:\.cp\d+[a-z]*-win[a-z0-9_]+)?\.pyd"): "Windows",
}
_NATIVE: Final = (".so", ".dylib", ".pyd", ".dll", ".exe")


def other_system_findings(stack: Stack) -> Iterator[Finding]:
    """Yield, for each part and system, what is not for Linux and can therefore not be loaded."""
    for part in stack.parts:
        installed = {each.name: system for each in part.distributions if (system := _system_of(each)) is not None}
        loose = dict(_loose_modules(part))
        for system in sorted({*installed.values(), *loose.values()}):
            names = sorted(name for name, each in installed.items() if each == system)
            files = [
                file.path
                for file in part.files
                if loose.get(file.path) == system or (file.owner in names and file.path.endswith(_NATIVE))
            ]
            yield _finding(part, system, names or files, files)


def _finding(part: Contents, system: str, names: list[str], files: list[str]) -> Finding:
    is_or_are = "is" if len(names) == 1 else "are"
    return Finding(
        code=Code.ELF_ARCHITECTURE,
        severity=Severity.ERROR,
        where=part.where,
        message=f"{examples(names)} {is_or_are} for {system}, and Lambda runs Linux:"
        f" {count(len(files), 'file')} of native code cannot be loaded",
        hint="install for Linux: `pip install --platform manylinux2014_x86_64 --only-binary=:all: --target python …`,"
        " with `manylinux2014_aarch64` for arm64; or use `layerkit build`, which does so anywhere",
        paths=tuple(files),
    )


def _system_of(distribution: HeldDistribution) -> str | None:
    """Return the system that a distribution's wheel is for, if that is another than Linux."""
    tags = (each for tag in distribution.tags for each in expand(tag))
    systems = {_BY_PLATFORM.get(tag.split("-")[2].partition("_")[0]) for tag in tags if tag.count("-") == 2}  # noqa: PLR2004
    return systems.pop() if len(systems) == 1 else None


def _loose_modules(part: Contents) -> Iterator[tuple[str, str]]:
    """Yield modules that no wheel's tags tell of, by their names, unless the same module is there for Linux."""
    tagged = {each.name for each in part.distributions if each.tags}
    linux = {file.path.partition(".")[0] for file in part.files if _is_for_linux(file)}
    for path in _untagged(part.files, tagged):
        for pattern, system in _MODULES.items():
            match = pattern.fullmatch(path)
            if match and match["stem"] not in linux:
                yield path, system


def _untagged(files: Iterable[HeldFile], tagged: set[str]) -> Iterator[str]:
    yield from (file.path for file in files if file.owner not in tagged)


def _is_for_linux(file: HeldFile) -> bool:
    return file.path.endswith(".so") and not file.path.endswith("-darwin.so")
