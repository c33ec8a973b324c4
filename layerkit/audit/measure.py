"""Who takes how much of a layer: by distribution, by file, by kind of file; exact sums."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from layerkit.model.contents import Contents, HeldFile

NO_DISTRIBUTION: Final = "(no distribution)"


@dataclass(frozen=True, kw_only=True, slots=True)
class Share:
    """What one part takes; sizes in bytes."""

    name: str
    version: str | None
    files: int
    unzipped_bytes: int
    zipped_bytes: int


def by_distribution(contents: Contents) -> tuple[Share, ...]:
    """Return each distribution's share, the largest first; files that belong to none are one row."""
    versions: dict[str, list[str]] = {}
    for distribution in contents.distributions:
        versions.setdefault(distribution.name, []).append(distribution.version)
    shares = _shares(contents, lambda file: file.owner or NO_DISTRIBUTION)
    return tuple(
        replace(share, version=", ".join(dict.fromkeys(versions.get(share.name, ()))) or None) for share in shares
    )


def without_distribution(contents: Contents) -> tuple[HeldFile, ...]:
    """Return the files that belong to no distribution, the largest first."""
    files = (file for file in contents.files if file.owner is None)
    return tuple(sorted(files, key=lambda file: (-file.unzipped_bytes, file.path)))


def by_kind(contents: Contents) -> tuple[Share, ...]:
    """Return the share of each kind of file, the largest first."""
    return _shares(contents, lambda file: str(file.kind))


def by_file(contents: Contents) -> tuple[Share, ...]:
    """Return every file, the largest first."""
    return _shares(contents, lambda file: file.path)


def _shares(contents: Contents, key: Callable[[HeldFile], str]) -> tuple[Share, ...]:
    sums: dict[str, list[int]] = {}
    for file in contents.files:
        entry = sums.setdefault(key(file), [0, 0, 0])
        entry[0] += 1
        entry[1] += file.unzipped_bytes
        entry[2] += file.zipped_bytes
    ordered = sorted(sums.items(), key=lambda item: (-item[1][1], item[0]))
    return tuple(
        Share(name=name, version=None, files=files, unzipped_bytes=unzipped, zipped_bytes=zipped)
        for name, (files, unzipped, zipped) in ordered
    )
