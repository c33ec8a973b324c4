"""Give a fragment for each wheel: from the cache, or made now."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from layerkit.assemble import fragment as fragments
from layerkit.assemble.fragment import Fragment, Preparation, VerifiedWheel
from layerkit.cache import Cache, DamagedEntry
from layerkit.errors import EnvironmentFailure
from layerkit.files import sha256_of
from layerkit.progress import Progress

_BUCKET: Final = "fragments"


class ChangedWhileRead(EnvironmentFailure):
    """Another program changed the cache under our hands."""

    def __init__(self, *, path: Path) -> None:
        super().__init__(f"`{path}` changed while it was read", hint="run the command again")


def prepare(
    wheels: Sequence[VerifiedWheel], *, cache: Cache, preparation: Preparation, jobs: int, progress: Progress
) -> tuple[Fragment, ...]:
    """Return a fragment for each wheel, in the same order, from the cache where it has them.

    Raises ``CorruptWheel`` or ``HopelessWheel`` for the first wheel that cannot be used, and ``DamagedEntry``.
    """
    known = {wheel.sha256: _from_cache(wheel, cache, preparation) for wheel in wheels}
    missing = [wheel for wheel in wheels if known[wheel.sha256] is None]
    if missing:
        _make(missing, cache=cache, preparation=preparation, jobs=jobs, progress=progress)
    return tuple(known[wheel.sha256] or _made(wheel, cache, preparation) for wheel in wheels)


def _made(wheel: VerifiedWheel, cache: Cache, preparation: Preparation) -> Fragment:
    fragment = _from_cache(wheel, cache, preparation)
    if fragment is None:
        raise ChangedWhileRead(path=wheel.path)
    return fragment


def _from_cache(wheel: VerifiedWheel, cache: Cache, preparation: Preparation) -> Fragment | None:
    path = cache.find(_BUCKET, preparation.key(wheel.sha256))
    return None if path is None else fragments.read(path, wheel=wheel)


def _make(
    wheels: Sequence[VerifiedWheel], *, cache: Cache, preparation: Preparation, jobs: int, progress: Progress
) -> None:
    from layerkit.assemble.examine import Examination

    total = sum(wheel.path.stat().st_size for wheel in wheels)
    with progress.task("Preparing", total=total, unit="B") as task, ThreadPoolExecutor(jobs) as pool:
        _refuse_damaged(wheels, pool)
        for wheel in wheels:
            with cache.store(_BUCKET, preparation.key(wheel.sha256)) as out:
                Examination(wheel, preparation, pool).write(out)
            task.advance(wheel.path.stat().st_size)


def _refuse_damaged(wheels: Sequence[VerifiedWheel], pool: ThreadPoolExecutor) -> None:
    """Raise ``DamagedEntry`` for wheels that are not what was fetched, and remove them from the cache."""
    digests = pool.map(sha256_of, (wheel.path for wheel in wheels))
    bad = [wheel for wheel, digest in zip(wheels, digests, strict=True) if digest.hex() != wheel.sha256]
    if bad:
        damaged = DamagedEntry(paths=[wheel.path for wheel in bad], of=[wheel.name for wheel in bad])
        damaged.discard()
        raise damaged
