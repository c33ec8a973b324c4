"""Which distributions a layer holds, and which files are whose."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from layerkit.formats.metadata import read_metadata, read_record, read_tags
from layerkit.model.contents import HeldDistribution

_METADATA: Final = re.compile(r"(?P<folder>.+\.dist-info)/METADATA|(?P<egg>.+\.egg-info)(/PKG-INFO)?")
_CACHED: Final = re.compile(r"(?P<folder>(?:.*/)?)__pycache__/(?P<stem>[^/]+)\.[^./]+(?:\.opt-\d)?\.pyc")


@dataclass(frozen=True, kw_only=True, slots=True)
class Installed:
    """A distribution that was found, and the paths that its RECORD lists; ``None`` where there is no RECORD."""

    distribution: HeldDistribution
    record: tuple[str, ...] | None


def find_installed(paths: Collection[str], read: Callable[[str], bytes | None]) -> Iterator[Installed]:
    """Yield every distribution whose metadata is among the paths; ``read`` gives a file's content, if it can."""
    known = frozenset(paths)
    for path in sorted(known):
        match = _METADATA.fullmatch(path)
        if match is None:
            continue
        content = read(path)
        metadata = read_metadata(content) if content is not None else None
        if metadata is None:
            continue
        folder = match["folder"] or match["egg"]
        root = folder.rpartition("/")[0]
        wheel = read(f"{folder}/WHEEL") if f"{folder}/WHEEL" in known else None
        record = read(f"{folder}/RECORD") if f"{folder}/RECORD" in known else None
        yield Installed(
            distribution=HeldDistribution(
                name=metadata.name,
                version=metadata.version,
                folder=folder,
                requires=metadata.requires,
                requires_python=metadata.requires_python,
                tags=read_tags(wheel) if wheel is not None else (),
            ),
            record=tuple(read_record(record, root=root)) if record is not None else None,
        )


def owners_of(paths: Iterable[str], installed: Collection[Installed]) -> Mapping[str, str]:
    """Return the owner of each path that has one.

    By RECORD; without one, what lies in the dist-info itself and in the folder or module of the distribution's name.
    Bytecode belongs to whoever owns its source.
    """
    owners: dict[str, str] = {}
    for each in installed:
        for path in each.record or ():
            owners.setdefault(path, each.distribution.name)
    folders = dict(_folders(installed))
    found: dict[str, str] = {}
    for path in paths:
        owner = owners.get(path) or owners.get(_source_of(path)) or _by_folder(path, folders)
        if owner is not None:
            found[path] = owner
    return found


def _folders(installed: Collection[Installed]) -> Iterator[tuple[str, str]]:
    for each in installed:
        distribution = each.distribution
        yield distribution.folder, distribution.name
        if each.record is None:
            prefix = f"{distribution.root}/" if distribution.root else ""
            for name in (distribution.name.replace("-", "_"), distribution.name.replace("-", "/")):
                yield f"{prefix}{name}", distribution.name
                yield f"{prefix}{name}.py", distribution.name


def _by_folder(path: str, folders: Mapping[str, str]) -> str | None:
    at = len(path)
    while at > 0:
        owner = folders.get(path[:at])
        if owner is not None:
            return owner
        at = path.rfind("/", 0, at)
    return None


def _source_of(path: str) -> str:
    match = _CACHED.fullmatch(path)
    return f"{match['folder']}{match['stem']}.py" if match else path
