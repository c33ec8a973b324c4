"""What a layer's files may not be to each other: two contents for one path, or names that file systems confuse."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from layerkit.errors import UsageError
from layerkit.formats.zip import case_collisions, files_that_are_folders, reserved_name, too_long

_MOST_SHOWN = 20
_SPECIAL = re.compile(r"[*?\[]")


class Collision(UsageError):
    """Files of different content that want the same path.

    ``collisions`` are triples of a path below ``/opt`` and the two that claim it; ``way_out`` is the hint.
    """

    def __init__(self, *, collisions: Sequence[tuple[str, str, str]], way_out: str) -> None:
        path, _, _ = collisions[0]
        super().__init__(
            f"{len(collisions)} paths are claimed twice with different content"
            if len(collisions) > 1
            else f"`{path}` is claimed twice with different content",
            details=[f"`{path}` by {first} and {second}" for path, first, second in collisions[:_MOST_SHOWN]],
            hint=way_out,
        )


class UnportableNames(UsageError):
    """Paths that file systems would confuse or cannot hold; pairs of a path below ``/opt`` and what is wrong."""

    def __init__(self, *, problems: Sequence[tuple[str, str]], way_out: str) -> None:
        super().__init__(
            "the layer has paths that not every file system can hold",
            details=[f"`{path}` {why}" for path, why in problems[:_MOST_SHOWN]],
            hint=way_out,
        )


def refuse_collisions(collisions: Sequence[tuple[str, str, str]], *, site_packages: str, own: Collection[str]) -> None:
    """Raise ``Collision`` if there are any; ``own`` are the paths that the recipe's ``[[files]]`` claim."""
    if not collisions:
        return
    ordered = sorted(collisions)
    path, first, second = ordered[0]
    if path in own:
        way_out = "give one of the [[files]] another target"
    elif first == second:
        way_out = f'leave it out with `--drop "{second}:{_pattern(path, site_packages)}"`'
    else:
        drop = f'`--drop "{second}:{_pattern(path, site_packages)}"`'
        way_out = f"choose one with {drop}, or leave a distribution out with `--exclude`"
    raise Collision(collisions=ordered, way_out=way_out)


def refuse_unportable(owners: Mapping[str, str], *, site_packages: str, own: Collection[str]) -> None:
    """Raise ``UnportableNames`` unless all paths unpack anywhere; ``owners`` maps them to who brings them."""
    problems = list(_problems(owners))
    if problems:
        sides = [_Side.find(path, owners) for path in problems[0].paths]
        possible = [side for side in sides if side.can_be_dropped(site_packages, own)]
        way_out = "give one of the [[files]] another target"
        if possible:
            drops = min(possible, key=lambda side: len(side.owners)).drops(site_packages)
            way_out = f"leave {'one' if len(sides) > 1 else 'it'} out with `{drops}`"
        raise UnportableNames(problems=[(each.paths[0], each.why) for each in problems], way_out=way_out)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Problem:
    """What is wrong with the first of ``paths``; leaving any one of them out mends it."""

    paths: tuple[str, ...]
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Side:
    """A file, or a folder and all files below it, and who brings them."""

    path: str
    names: tuple[str, ...]
    owners: tuple[str, ...]

    @classmethod
    def find(cls, path: str, owners: Mapping[str, str]) -> "_Side":
        names = (path,) if path in owners else tuple(name for name in owners if name.startswith(f"{path}/"))
        return cls(path=path, names=names, owners=tuple(sorted({owners[name] for name in names})))

    def __str__(self) -> str:
        return f"`{self.path}` of {' and '.join(self.owners)}"

    def can_be_dropped(self, site_packages: str, own: Collection[str]) -> bool:
        """Tell whether ``--drop`` reaches it: no file of the recipe, nor the folder of all packages."""
        return not f"{site_packages}/".startswith(f"{self.path}/") and not any(name in own for name in self.names)

    def drops(self, site_packages: str) -> str:
        """Return the options that leave it out."""
        below = "" if self.path in self.names else "/**"
        pattern = f"{_pattern(self.path, site_packages)}{below}"
        return " ".join(f"--drop '{owner}:{pattern}'" for owner in self.owners)


def _problems(owners: Mapping[str, str]) -> Iterator[_Problem]:
    for file, below in files_that_are_folders(owners):
        why = f"of {owners[file]} is a file, and a folder for `{below}` of {owners[below]}"
        yield _Problem(paths=(file,), why=why)
    for first, second in dict.fromkeys(case_collisions(owners)):
        brought_by = " and ".join(_Side.find(second, owners).owners)
        why = f"of {brought_by} differs from {_Side.find(first, owners)} only by case or composed letters"
        yield _Problem(paths=(second, first), why=why)
    for name in sorted(owners):
        if reserved_name(name):
            yield _Problem(paths=(name,), why=f"of {owners[name]} is a device name on Windows")
        if too_long(name):
            yield _Problem(paths=(name,), why=f"of {owners[name]} is longer than Linux allows")


def _pattern(path: str, site_packages: str) -> str:
    """Return the pattern that takes the file, as ``--drop`` counts paths."""
    return _SPECIAL.sub(r"[\g<0>]", path.removeprefix(f"{site_packages}/"))
