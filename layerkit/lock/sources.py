"""Which kind of file requirements are read from, and what each kind gives."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from layerkit.index import IndexSettings
from layerkit.lock.failures import UnknownSelectionError
from layerkit.lock.foreign import Selection, lock_from_pylock, lock_from_uv_lock, requirements_from_poetry_lock
from layerkit.lock.pyproject import read_pyproject
from layerkit.lock.requirements import RequirementsFile, read_requirements
from layerkit.model.lock import Lock
from layerkit.model.target import PythonTarget

_PYLOCK: Final = re.compile(r"^pylock(\.[^.]+)?\.toml$")


def is_lock(path: Path) -> bool:
    """Tell whether the file is a lock that is used as it is: nothing is resolved, no lock is written."""
    return path.name == "uv.lock" or _PYLOCK.match(path.name) is not None


def read_source(path: Path, *, selection: Selection | None = None, environ: Mapping[str, str]) -> RequirementsFile:
    """Read requirements from a requirements.txt, a pyproject.toml or a poetry.lock, told apart by name.

    Raises ``UsageError`` or ``ResolutionError`` in one of their kinds, ``UnknownSelectionError`` also for extras and
    groups of a file that has none.
    """
    selection = selection or Selection()
    if path.name == "poetry.lock":
        return requirements_from_poetry_lock(path, selection=selection, environ=environ)
    if path.suffix == ".toml":
        return RequirementsFile(requirements=read_pyproject(path, extras=selection.extras, groups=selection.groups))
    _refuse_selection(path, selection)
    return read_requirements(path, environ=environ)


def use_lock(path: Path, target: PythonTarget, *, settings: IndexSettings, selection: Selection | None = None) -> Lock:
    """Return the target's part of a lock for which ``is_lock`` holds. Raises as the functions of ``foreign`` do."""
    selection = selection or Selection()
    if path.name == "uv.lock":
        return lock_from_uv_lock(path, target, settings=settings, selection=selection)
    _refuse_selection(path, selection)
    return lock_from_pylock(path, target, selection=selection)


def _refuse_selection(path: Path, selection: Selection) -> None:
    for kind, names in (("extra", selection.extras), ("group", selection.groups)):
        if names:
            raise UnknownSelectionError(path=path, kind=kind, names=names, valid=())
