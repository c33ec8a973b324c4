"""The files of a lock, verified, in the cache: downloaded in parallel, resumed, each once for all processes.

A download grows in the cache's ``partial`` bucket, under a file lock, so that a killed run is taken up by the next and
two runs share one download; it moves to ``files`` when size and sha256 are right. Nothing else ever gets there.
"""

import contextlib
import queue
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from layerkit.cache import Cache
from layerkit.errors import FetchError, system_reason
from layerkit.files import translating
from layerkit.model.lock import LockedFile
from layerkit.progress import Progress, Task
from layerkit.wheelhouse.fetch_errors import (
    BadDigest,
    HashMismatch,
    LocalFileMissing,
    NotCached,
    SeveralFailures,
    SizeMismatch,
)
from layerkit.wheelhouse.verified import Counter, Verified

if TYPE_CHECKING:
    from layerkit.http import Client, Patience
    from layerkit.index import IndexSettings

BUCKET: Final = "files"
_PARTIAL: Final = "partial"
_CHUNK: Final = 1 << 20  # bytes
_POLL: Final = 0.1  # seconds between looks at a lock that another process holds


@dataclass(frozen=True, kw_only=True, slots=True)
class FetchOptions:
    """How to fetch: whether the network may be used, and how many downloads at a time; ``patience`` is ``http``'s."""

    offline: bool = False
    jobs: int = 8
    patience: "Patience | None" = None


def fetch(
    files: Iterable[LockedFile],
    *,
    lock_folder: Path,
    cache: Cache,
    settings: "IndexSettings",
    progress: Progress,
    options: FetchOptions | None = None,
) -> dict[str, Path]:
    """Return where the cache keeps each file, by sha256; what is not there yet is fetched and verified first.

    Relative paths of files count from ``lock_folder``. Raises a ``FetchError`` that tells of every file that failed,
    or ``DiskFailure``.
    """
    options = options or FetchOptions()
    wanted = {file.sha256: file for file in files}
    missing = [file for file in wanted.values() if not _cached(cache, file)]
    if options.offline:
        _refuse_downloads(missing)
    if missing:
        _Run(lock_folder=lock_folder, cache=cache, settings=settings, options=options).all_of(missing, progress)
    return {sha256: cache.path(BUCKET, sha256) for sha256 in wanted}


def _cached(cache: Cache, file: LockedFile) -> Path | None:
    """Return the cached file; one of another size than the lock's is damaged, and goes."""
    if len(file.sha256) != 64 or set(file.sha256) - set("0123456789abcdef"):  # noqa: PLR2004 -- it becomes a path
        raise BadDigest(name=file.name)
    path = cache.find(BUCKET, file.sha256)
    if path and file.size is not None and path.stat().st_size != file.size:
        cache.discard(BUCKET, file.sha256)
        return None
    return path


def _refuse_downloads(missing: Sequence[LockedFile]) -> None:
    names = sorted(file.name for file in missing if file.url and not file.url.startswith("file:"))
    if names:
        raise NotCached(names=names)


class _Stopped(Exception):
    """The run is over; whoever still works for it drops its work."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Run:
    """One call of ``fetch``: what its threads share."""

    lock_folder: Path
    cache: Cache
    settings: "IndexSettings"
    options: FetchOptions
    stop: threading.Event = field(default_factory=threading.Event)

    def all_of(self, missing: Sequence[LockedFile], progress: Progress) -> None:
        """Fetch the biggest first, in daemon threads, so that Ctrl-C need not wait for a silent server."""
        from layerkit.http import Client

        by_size = sorted(missing, key=lambda file: (-(file.size or 0), file.name))
        total = None if any(file.size is None for file in missing) else sum(file.size or 0 for file in missing)
        todo: queue.SimpleQueue[LockedFile] = queue.SimpleQueue()
        for file in by_size:
            todo.put(file)
        done: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
        with (
            Client(self.settings, patience=self.options.patience, sleep=self._pause) as client,
            progress.task("Downloading", total=total, unit="B") as task,
        ):
            try:
                for _ in range(max(1, min(self.options.jobs, len(by_size)))):
                    threading.Thread(target=self._work, args=(todo, done, client, task), daemon=True).start()
                _raise_for(_next(done) for _ in by_size)
            finally:
                self.stop.set()

    def _work(
        self,
        todo: "queue.SimpleQueue[LockedFile]",
        done: "queue.SimpleQueue[BaseException | None]",
        client: "Client",
        task: Task,
    ) -> None:
        while not self.stop.is_set():
            try:
                file = todo.get_nowait()
            except queue.Empty:
                return
            try:
                self._one(file, client, Counter(task))
            except BaseException as exc:  # noqa: BLE001 -- the main thread raises it
                done.put(exc)
            else:
                done.put(None)

    def _one(self, file: LockedFile, client: "Client", counter: Counter) -> None:
        with self._only_one(file):
            found = _cached(self.cache, file)
            if found is not None:
                counter.reach(found.stat().st_size)
            elif file.path is not None:
                self._copy(file, self.lock_folder / file.path, counter)
            else:
                self._download(file, client, counter)

    def _copy(self, file: LockedFile, source: Path, counter: Counter) -> None:
        """Copy a local file into the cache, verifying what is copied."""
        with contextlib.ExitStack() as stack:
            try:
                stream = stack.enter_context(source.open("rb"))
            except OSError as exc:
                reason = system_reason(exc)
                raise LocalFileMissing(name=file.name, path=source, reason=reason) from exc
            target = stack.enter_context(self.cache.store(BUCKET, file.sha256))
            written = Verified(file=file, source=f"`{source}`", target=target, counter=counter)
            while piece := stream.read(_CHUNK):
                self._go_on()
                written.add(piece)
            written.finish()

    def _download(self, file: LockedFile, client: "Client", counter: Counter) -> None:
        """Download a file whose lock we hold; what turns out wrong, as a resumed one may, is tried once more, whole."""
        partial = self.cache.path(_PARTIAL, file.sha256)
        with translating(partial), _no_empty_file(partial):
            try:
                self._stream(file, partial, client, counter)
            except (HashMismatch, SizeMismatch):
                partial.unlink(missing_ok=True)
                self._last_time(file, partial, client, counter)
            target = self.cache.path(BUCKET, file.sha256)
            target.parent.mkdir(parents=True, exist_ok=True)
            partial.replace(target)

    def _last_time(self, file: LockedFile, partial: Path, client: "Client", counter: Counter) -> None:
        try:
            self._stream(file, partial, client, counter)
        except (HashMismatch, SizeMismatch):
            partial.unlink(missing_ok=True)
            raise

    def _stream(self, file: LockedFile, partial: Path, client: "Client", counter: Counter) -> None:
        """Bring ``partial`` to its end and verify all of it."""
        url = file.url or ""
        with partial.open("a+b") as target:
            written = Verified(file=file, source=f"`{self.settings.redact(url)}`", target=target, counter=counter)
            target.seek(0)
            while piece := target.read(_CHUNK):
                self._go_on()
                written.note(piece)
            if file.size is None or written.position < file.size:
                for piece in client.get(url, offset=written.position):
                    self._go_on()
                    written.add(piece)
            written.finish()

    @contextlib.contextmanager
    def _only_one(self, file: LockedFile) -> Iterator[None]:
        """Hold the lock on bringing ``file`` into the cache; a process that waits for it finds the file there."""
        import filelock

        path = self.cache.path(_PARTIAL, file.sha256).with_suffix(".lock")
        with translating(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(path)
        while not lock.is_locked:
            self._go_on()
            with translating(path), contextlib.suppress(filelock.Timeout):
                lock.acquire(timeout=_POLL, poll_interval=_POLL / 2)
        try:
            yield
        finally:
            lock.release()
        with contextlib.suppress(OSError):
            path.unlink()  # whoever waits for it, or makes a new one, finds the file in the cache

    def _go_on(self) -> None:
        if self.stop.is_set():
            raise _Stopped

    def _pause(self, seconds: float) -> None:
        self.stop.wait(seconds)
        self._go_on()


@contextlib.contextmanager
def _no_empty_file(path: Path) -> Iterator[None]:
    """Leave no file without content behind: there is nothing in it to resume."""
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            if path.stat().st_size == 0:
                path.unlink()


def _raise_for(outcomes: Iterable[BaseException | None]) -> None:
    """Raise what failed: fetching errors together at the end, anything else at once."""
    failures: list[FetchError] = []
    for outcome in outcomes:
        if isinstance(outcome, FetchError):
            failures.append(outcome)
        elif outcome is not None:
            raise outcome
    if len(failures) == 1:
        raise failures[0]
    if failures:
        raise SeveralFailures(failures=sorted(failures, key=lambda failure: failure.message))


def _next(done: "queue.SimpleQueue[BaseException | None]") -> BaseException | None:
    """Wait for an outcome in short turns: Windows delivers Ctrl-C only between them."""
    while True:
        with contextlib.suppress(queue.Empty):
            return done.get(timeout=_POLL)
