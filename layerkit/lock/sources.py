"""Which kind of file requirements are read from, and what each kind gives. Loads only what the kind at hand needs."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from layerkit.index import IndexSettings
from layerkit.lock.failures import UnknownSelectionError
from layerkit.lock.selection import Selection
from layerkit.model.lock import Lock
from layerkit.model.universal import LockTarget

if TYPE_CHECKING:
    from layerkit.lock.requirements import RequirementsFile


def read_source(path: Path, *, selection: Selection | None = None, environ: Mapping[str, str]) -> "RequirementsFile":
    """Read requirements from a requirements.txt, a pyproject.toml or a poetry.lock, told apart by name.

    Raises ``UsageError`` or ``ResolutionError`` in one of their kinds, ``UnknownSelectionError`` also for extras and
    groups of a file that has none.
    """
    from layerkit.lock.requirements import RequirementsFile, read_requirements

    selection = selection or Selection()
    if path.name == "poetry.lock":
        from layerkit.lock.foreign import requirements_from_poetry_lock

        return requirements_from_poetry_lock(path, selection=selection, environ=environ)
    if path.suffix == ".toml":
        from layerkit.lock.pyproject import read_pyproject

        return RequirementsFile(requirements=read_pyproject(path, extras=selection.extras, groups=selection.groups))
    _refuse_selection(path, selection)
    return read_requirements(path, environ=environ)


def use_lock(path: Path, target: LockTarget, *, settings: IndexSettings, selection: Selection | None = None) -> Lock:
    """Return the target's part of a lock for which ``is_lock`` holds. Raises as the functions of ``foreign`` do."""
    from layerkit.lock.foreign import lock_from_pylock, lock_from_uv_lock

    selection = selection or Selection()
    if path.name == "uv.lock":
        return lock_from_uv_lock(path, target, settings=settings, selection=selection)
    _refuse_selection(path, selection)
    return lock_from_pylock(path, target, selection=selection)


def _refuse_selection(path: Path, selection: Selection) -> None:
    for kind, names in (("extra", selection.extras), ("group", selection.groups)):
        if names:
            raise UnknownSelectionError(path=path, kind=kind, names=names, valid=())
