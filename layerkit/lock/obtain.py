"""The room's door: the lock of one target, from the file if it is current, else resolved and written."""

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from layerkit.errors import UsageError, system_reason
from layerkit.files import write_text
from layerkit.index import IndexSettings
from layerkit.lock.failures import BrokenLockError, ForeignLockFileError, StaleLockError
from layerkit.lock.inputs import RESOLVER_UV, LockRequest, inputs_of
from layerkit.model.lock import CREATED_BY, Lock, digest_of_inputs
from layerkit.model.names import normalize
from layerkit.model.universal import LockTarget

if TYPE_CHECKING:
    from layerkit.lock.pip_compile import OpenWorkshop
    from layerkit.lock.resolve import Keeping, Resolved

_PYLOCK: Final = re.compile(r"^pylock(\.[^.]+)?\.toml$")


class ContradictingModeError(UsageError):
    """A lock that must not be refreshed and is to be upgraded."""

    def __init__(self, *, flag: str) -> None:
        super().__init__(
            f"`--locked` and `{flag}` contradict each other", hint=f"leave one out: `{flag}` writes the lock anew"
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class LockMode:
    """When a lock may be refreshed.

    ``locked``: never. ``upgrade``: always, all versions anew; ``upgrade_packages``: only these. ``offline``: only from
    what uv's cache holds. ``command`` is what refreshes the lock, for messages; ``tell`` hears of names given in vain.
    """

    locked: bool = False
    upgrade: bool = False
    upgrade_packages: tuple[str, ...] = ()
    offline: bool = False
    command: str = "layerkit lock"
    tell: Callable[[str], None] = field(default=lambda _: None, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Raise ``ContradictingModeError`` where nothing can be meant."""
        if self.locked and (self.upgrade or self.upgrade_packages):
            raise ContradictingModeError(flag="--upgrade" if self.upgrade else "--upgrade-package")


def lock_file_name(name: str, target: LockTarget) -> str:
    """Return ``pylock.<name>-py313-x86_64.toml`` or ``….<name>-universal.toml``; PEP 751 allows no dots in it."""
    return f"pylock.{name.replace('.', '-')}-{target.lock_suffix}.toml"


def is_lock(path: Path) -> bool:
    """Tell whether the file is a lock that is used as it is: nothing is resolved, no lock is written."""
    return path.name == "uv.lock" or _PYLOCK.match(path.name) is not None


def obtain(
    request: LockRequest,
    target: LockTarget,
    *,
    path: Path,
    settings: IndexSettings,
    mode: LockMode | None = None,
    open_workshop: "OpenWorkshop | None" = None,
) -> Lock:
    """Return the lock for the request; resolve and write it to ``path`` if the one there is not current.

    ``open_workshop`` is called only if something must be resolved, and only for a request that is not uv's.

    Raises ``StaleLockError`` where it must not be refreshed, ``BrokenLockError`` and ``ForeignLockFileError`` for what
    else may stand at ``path``, and what ``resolve`` raises.
    """
    mode = mode or LockMode()
    inputs = inputs_of(request, target, settings)
    existing = _existing(path, overwrite=mode.upgrade and not mode.locked)
    current = existing is not None and existing.inputs_digest == digest_of_inputs(inputs)
    if existing is not None and current and (mode.locked or not (mode.upgrade or mode.upgrade_packages)):
        return existing
    if mode.locked:
        changed = _changed(existing.inputs, inputs) if existing else ()
        raise StaleLockError(path=path, changed=changed, command=mode.command)
    keeping = _keeping(path, mode)
    resolved = _resolve(request, target, settings=settings, folder=path.parent, keeping=keeping, opening=open_workshop)
    lock = Lock(
        target=target.identifier,
        requires_python=resolved.requires_python,
        inputs=inputs,
        packages=resolved.packages,
    )
    write_text(path, lock.to_toml())
    for line in _in_vain(lock, resolved.needless, request, mode):
        mode.tell(line)
    return lock


def _in_vain(lock: Lock, needless: Iterable[str], request: LockRequest, mode: LockMode) -> Iterator[str]:
    """Yield what should be said of names that match nothing."""
    names = {package.name for package in lock.packages}
    for name in needless:
        yield f"warning: nothing of {lock.target} needs `{name}`, so excluding it changes nothing"
    for name in mode.upgrade_packages:
        if normalize(name) not in names:
            yield f"warning: there is no `{name}` to upgrade in the lock for {lock.target}"
    if not names and not request.exclusions:
        yield f"warning: no requirement applies to {lock.target}: the marker of none holds there"


def is_current(request: LockRequest, target: LockTarget, *, path: Path, settings: IndexSettings) -> bool:
    """Tell whether the lock at ``path`` is the one for the request, without asking any index.

    Raises ``BrokenLockError`` and ``ForeignLockFileError``.
    """
    existing = _existing(path, overwrite=False)
    return existing is not None and existing.inputs_digest == digest_of_inputs(inputs_of(request, target, settings))


def state_of(request: LockRequest, target: LockTarget, *, path: Path, settings: IndexSettings) -> str:
    """Return how the lock at ``path`` stands to the request, in words that follow its name.

    Raises ``BrokenLockError`` and ``ForeignLockFileError``.
    """
    existing = _existing(path, overwrite=False)
    if existing is None:
        return "is not there yet"
    inputs = inputs_of(request, target, settings)
    if existing.inputs_digest == digest_of_inputs(inputs):
        return "is current"
    return f"is stale: {', '.join(_changed(existing.inputs, inputs))} changed"


def _keeping(path: Path, mode: LockMode) -> "Keeping":
    from layerkit.lock.resolve import Keeping

    return Keeping(
        previous=path.read_text(encoding="utf-8") if path.is_file() and not mode.upgrade else None,
        upgrades=tuple(sorted({normalize(name) for name in mode.upgrade_packages})),
        refresh=mode.upgrade,
        offline=mode.offline,
    )


def _resolve(
    request: LockRequest,
    target: LockTarget,
    *,
    settings: IndexSettings,
    folder: Path,
    keeping: "Keeping",
    opening: "OpenWorkshop | None",
) -> "Resolved":
    if request.resolver == RESOLVER_UV:
        from layerkit.lock.resolve import resolve

        return resolve(request, target, settings=settings, folder=folder, keeping=keeping)
    from layerkit.lock.in_place import resolve_in_place

    if opening is None:
        raise ValueError("a request that is not uv's needs a workshop")
    return resolve_in_place(request, target, settings=settings, folder=folder, keeping=keeping, open_workshop=opening)


def _existing(path: Path, *, overwrite: bool) -> Lock | None:
    """Read the lock at ``path``; a damaged one of our own counts as none where it is to be written anew."""
    try:
        text = path.read_bytes().decode()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except UnicodeDecodeError as exc:
        raise ForeignLockFileError(path=path, reason="it is not text") from exc
    except OSError as exc:
        raise BrokenLockError(path=path, reason=system_reason(exc)) from exc
    try:
        return Lock.from_toml(text)
    except ValueError as exc:
        if not _is_ours(text):
            raise ForeignLockFileError(path=path, reason=_author(text)) from exc
        if overwrite:
            return None
        raise BrokenLockError(path=path, reason=str(exc)) from exc


def _is_ours(text: str) -> bool:
    return f'\ncreated-by = "{CREATED_BY}"\n' in text.replace("\r\n", "\n")


def _author(text: str) -> str:
    try:
        author = tomllib.loads(text).get("created-by")
    except tomllib.TOMLDecodeError:
        return "it is not TOML"
    return f"it says `created-by = {author!r}`" if author else "it does not say who created it"


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    keys = sorted({*before, *after})
    return tuple(f"`{key}`" for key in keys if before.get(key) != after.get(key))
