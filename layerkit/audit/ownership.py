"""Which distributions a layer holds, and which files are whose."""

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from layerkit.formats.metadata import read_metadata, read_record, read_tags
from layerkit.model.contents import HeldDistribution

_METADATA: Final = re.compile(r"(?P<folder>.+\.dist-info)/METADATA|(?P<egg>.+\.egg-info)(/PKG-INFO)?")
_CACHED: Final = re.compile(r"(?P<folder>(?:.*/)?)__pycache__/(?P<stem>[^/]+)\.[^./]+(?:\.opt-\d)?\.pyc")


@dataclass(frozen=True, kw_only=True, slots=True)
class Installed:
    """A distribution that was found, and the paths that its RECORD lists; ``None`` where there is no RECORD.

    ``tops`` are then the modules and packages that its ``top_level.txt`` names.
    """

    distribution: HeldDistribution
    record: tuple[str, ...] | None
    tops: tuple[str, ...] = ()


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
        top_level = read(f"{folder}/top_level.txt") if record is None and f"{folder}/top_level.txt" in known else None
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
            tops=tuple((top_level or b"").decode("utf-8", errors="replace").split()),
        )


def owners_of(paths: Iterable[str], installed: Collection[Installed]) -> Mapping[str, str]:
    """Return the owner of each path that has one.

    By RECORD; without one, what lies in the dist-info itself and in the folder or module of the distribution's name, or
    in one that it alone says it has. Bytecode belongs to whoever owns its source. What a distribution brings as
    a part of itself (``_vendor``) is its own.
    """
    owners: dict[str, str] = {}
    for each in sorted(installed, key=lambda each: each.distribution.folder.count("/")):
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
    claims = Counter((each.distribution.root, top) for each in installed for top in each.tops)
    for each in installed:
        distribution = each.distribution
        yield distribution.folder, distribution.name
        if each.record is None:
            prefix = f"{distribution.root}/" if distribution.root else ""
            alone = (top for top in each.tops if claims[distribution.root, top] == 1)
            for name in (distribution.name.replace("-", "_"), distribution.name.replace("-", "/"), *alone):
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
    return f"{match['folder']}{match['stem']}.py" if match else path.removesuffix("c")
