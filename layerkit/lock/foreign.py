"""Locks of other tools: pylock.toml as it is, uv.lock and poetry.lock through their own tools' export."""

import hashlib
import re
import shutil
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from layerkit.errors import UsageError, system_reason
from layerkit.index import IndexSettings
from layerkit.lock.failures import ExportError, UncoveredTargetError, UnreadableLockError
from layerkit.lock.inputs import without_credentials
from layerkit.lock.locker import packages_for
from layerkit.lock.placement import Places, SelectionError
from layerkit.lock.requirements import RequirementsFile, read_requirements
from layerkit.lock.selection import Selection
from layerkit.lock.uv import export
from layerkit.model.lock import Lock
from layerkit.model.names import normalize
from layerkit.model.universal import LockTarget, title_of
from layerkit.sandbox.process import run

_PLUGIN: Final = "install it with its export plugin (`pipx install poetry; pipx inject poetry poetry-plugin-export`)"
_EXPORT_HINT: Final = f"{_PLUGIN}, or export to a requirements.txt elsewhere and use that with `-r`"


class MissingLockError(UsageError):
    """A lock of another tool that is not there."""

    def __init__(self, *, path: Path) -> None:
        super().__init__(f"there is no file `{path}`", hint="check the path given with `-r`")


def lock_from_pylock(path: Path, target: LockTarget, *, selection: Selection) -> Lock:
    """Use a PEP 751 lock of any tool as it is; exclusions take along what only they needed, where the lock tells.

    Many tools write no ``dependencies`` of packages: then only the excluded packages themselves are left out. No lock
    tells what was required by itself, so something required besides that an excluded package needs as well goes too,
    unless another package needs it.

    Paths in the result are relative to the file's own folder. Raises ``UnreadableLockError``, and
    ``UncoveredTargetError`` which says for which packages the target is not covered; for a universal layer also
    ``NotPureError`` and ``MixedVersionsError``.
    """
    text = _read(path)
    return _lock(text, path, target, base=path.parent, selection=selection)


def lock_from_uv_lock(path: Path, target: LockTarget, *, settings: IndexSettings, selection: Selection) -> Lock:
    """Use a ``uv.lock`` by way of ``uv export``; exclusions take along what only they needed.

    Raises as ``lock_from_pylock`` does, and ``ExportError``.
    """
    _read(path)
    arguments = ["--no-emit-project", "--no-dev"]
    for flag, names in (
        ("--extra", selection.extras),
        ("--group", selection.groups),
        ("--prune", selection.exclusions),
    ):
        for name in names:
            arguments += [flag, name]
    done = export(path.parent, arguments, settings)
    if not done.ok:
        details = [line.removeprefix("error: ").strip() for line in done.stderr.splitlines() if "warning" not in line]
        raise ExportError(path=path, tool="uv export", details=[line for line in details if line])
    return _lock(done.stdout, path, target, base=Path.cwd(), selection=selection)


def requirements_from_poetry_lock(path: Path, *, selection: Selection, environ: Mapping[str, str]) -> RequirementsFile:
    """Return what a ``poetry.lock`` pins, with hashes, by way of ``poetry export``; it is still to be resolved.

    Raises ``ExportError`` with the way out where poetry or its export plugin is missing.
    """
    _read(path)
    poetry = shutil.which("poetry", path=environ.get("PATH"))
    if poetry is None:
        raise ExportError(path=path, tool="poetry export", details=["poetry is not installed"], hint=_EXPORT_HINT)
    command = [poetry, "export", "--format", "requirements.txt", "--no-interaction", "--directory", str(path.parent)]
    for flag, names in (("--extras", selection.extras), ("--with", selection.groups)):
        for name in names:
            command += [flag, name]
    with tempfile.TemporaryDirectory(prefix="layerkit-poetry-") as folder:  # indexes may come with passwords
        output = Path(folder) / "requirements.txt"
        try:
            done = run([*command, "--output", str(output)], environment=environ)
        except OSError as exc:
            raise ExportError(
                path=path, tool="poetry export", details=[exc.strerror or str(exc)], hint=_EXPORT_HINT
            ) from exc
        if not done.ok:
            said = without_credentials(done.stderr or done.stdout)
            lines = [line.strip() for line in said.splitlines() if line.strip()]
            hint = (
                _EXPORT_HINT
                if re.search(r"export\"? (does not exist|is not defined)|no commands defined", said)
                else None
            )
            raise ExportError(path=path, tool="poetry export", details=lines, hint=hint)
        return read_requirements(output, environ={})


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as exc:
        raise MissingLockError(path=path) from exc
    except OSError as exc:
        raise UnreadableLockError(path=path, reason=system_reason(exc)) from exc
    except UnicodeDecodeError as exc:
        raise UnreadableLockError(path=path, reason="it is not UTF-8") from exc


def _lock(text: str, path: Path, target: LockTarget, *, base: Path, selection: Selection) -> Lock:
    from packaging.pylock import Pylock, PylockValidationError

    try:
        pylock = Pylock.from_dict(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, PylockValidationError) as exc:
        raise UnreadableLockError(path=path, reason=str(exc)) from exc
    places = Places(base=base, lock_folder=path.parent)
    try:
        packages = packages_for(
            pylock, target, places=places, without=selection.exclusions, sources=selection.no_binary
        )
    except SelectionError as exc:
        raise UncoveredTargetError(path=path, target=title_of(target), problems=exc.problems) from exc
    inputs = {
        "lock": path.name,
        "lock-sha256": hashlib.sha256(text.encode()).hexdigest(),
        "target": target.identifier,
        "no-binary": sorted({normalize(name) for name in selection.no_binary}),
        "exclude": sorted({normalize(name) for name in selection.exclusions}),
    }
    return Lock(
        target=target.identifier,
        requires_python=str(pylock.requires_python or f">={target.python_version}"),
        inputs={key: value for key, value in inputs.items() if value},
        packages=packages,
    )
