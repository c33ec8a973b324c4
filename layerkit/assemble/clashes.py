"""What a layer's files may not be to each other: two contents for one path, or names that file systems confuse."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

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
        path = problems[0][0]
        way_out = f"leave it out with `--drop '{_pattern(path, site_packages)}'`"
        if path in own:
            way_out = "give one of the [[files]] another target"
        raise UnportableNames(problems=problems, way_out=way_out)


def _problems(owners: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for file, below in files_that_are_folders(owners):
        yield file, f"of {owners[file]} is a file, and a folder for `{below}` of {owners[below]}"
    for first, second in case_collisions(owners):
        yield second, f"differs from `{first}` only by case or composed letters"
    for name in sorted(owners):
        if reserved_name(name):
            yield name, f"of {owners[name]} is a device name on Windows"
        if too_long(name):
            yield name, f"of {owners[name]} is longer than Linux allows"


def _pattern(path: str, site_packages: str) -> str:
    """Return the pattern that takes the file, as ``--drop`` counts paths."""
    return _SPECIAL.sub(r"[\g<0>]", path.removeprefix(f"{site_packages}/"))
