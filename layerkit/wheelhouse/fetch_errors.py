"""How the files of a lock fail to arrive."""

from collections.abc import Sequence
from pathlib import Path

from layerkit.errors import FetchError, LayerkitError


class HashMismatch(FetchError):
    """A file whose bytes are not those that the lock names."""

    def __init__(self, *, name: str, expected: str, got: str, source: str) -> None:
        super().__init__(
            f"`{name}` is not the file that was locked",
            details=[f"expected sha256 {expected}", f"got sha256      {got}", f"from {source}"],
            hint="the index or a proxy changed it; if that is right, `--upgrade` locks what is there now",
        )


class SizeMismatch(FetchError):
    """A file that is longer or shorter than the lock says."""

    def __init__(self, *, name: str, expected: int, got: str, source: str) -> None:
        super().__init__(
            f"`{name}` is not the file that was locked",
            details=[f"expected {expected:,} bytes", f"got {got} bytes", f"from {source}"],
            hint="the index or a proxy changed it; if that is right, `--upgrade` locks what is there now",
        )


class LocalFileMissing(FetchError):
    """A file of ``--find-links`` that is no longer where the lock says, or cannot be read."""

    def __init__(self, *, name: str, path: Path, reason: str) -> None:
        super().__init__(
            f"cannot read `{name}` at `{path}`: {reason}",
            hint="put the file there, or let `--upgrade` lock another",
        )


class BadDigest(FetchError):
    """A lock whose sha256 is none."""

    def __init__(self, *, name: str) -> None:
        super().__init__(f"the lock's sha256 of `{name}` is not 64 hexadecimal digits", hint="lock again: `--upgrade`")


class NotCached(FetchError):
    """Files that would have to be downloaded, but ``--offline`` forbids it."""

    def __init__(self, *, names: Sequence[str]) -> None:
        count = "a file is" if len(names) == 1 else f"{len(names)} files are"
        super().__init__(
            f"{count} not in the cache, and `--offline` forbids downloading",
            details=names,
            hint="run once without `--offline`",
        )


class SeveralFailures(FetchError):
    """All files that could not be had."""

    def __init__(self, *, failures: Sequence[LayerkitError]) -> None:
        details = [line for failure in failures for line in (failure.message, *(f"  {d}" for d in failure.details))]
        hints = dict.fromkeys(failure.hint for failure in failures if failure.hint)
        super().__init__(f"{len(failures)} files could not be fetched", details=details, hint="; ".join(hints) or None)
