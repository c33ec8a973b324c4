"""What can go wrong between requirements and a lock, in words that lead out of it."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from layerkit.errors import BuildError, EnvironmentFailure, FetchError, ResolutionError, UsageError


class RequirementsFileError(UsageError):
    """A requirements file, or another file that requirements are read from, with all its mistakes."""

    def __init__(self, *, path: Path, problems: Sequence[str], hint: str | None = None) -> None:
        count = f"{len(problems)} mistakes" if len(problems) > 1 else "a mistake"
        super().__init__(f"`{path}` has {count}", details=problems, hint=hint)


class InvalidRequirementsError(UsageError):
    """Requirements that PEP 508 does not allow, all of them."""

    def __init__(self, *, problems: Sequence[str]) -> None:
        count = f"{len(problems)} requirements are" if len(problems) > 1 else "a requirement is"
        super().__init__(f"{count} not valid", details=problems, hint="write for example `requests>=2.32`")


class InvalidDateError(UsageError):
    """A date before which everything must have been released, in a form that nobody can read."""

    def __init__(self, *, text: str) -> None:
        super().__init__(f"`{text}` is not a date", hint="write `2026-01-31` or `2026-01-31T12:00:00Z`")


class UnknownSelectionError(UsageError):
    """An extra or dependency group that a pyproject.toml does not have."""

    def __init__(self, *, path: Path, kind: str, names: Sequence[str], valid: Sequence[str]) -> None:
        listed = ", ".join(f"`{name}`" for name in names)
        hint = f"one of {', '.join(valid)}" if valid else f"it has no {kind}s at all"
        super().__init__(f"`{path}` has no {kind} {listed}", hint=hint)


class StaleLockError(ResolutionError):
    """A lock that is missing or no longer says what is asked for, where it must not be refreshed."""

    def __init__(self, *, path: Path, changed: Sequence[str], command: str) -> None:
        if changed:
            super().__init__(
                f"the lock `{path}` is stale: {', '.join(changed)} changed", hint=f"refresh it with `{command}`"
            )
        else:
            super().__init__(f"there is no lock `{path}`", hint=f"write it with `{command}`")


class ForeignLockFileError(ResolutionError):
    """A file stands where the lock belongs, and layerkit did not write it; it stays as it is."""

    def __init__(self, *, path: Path, reason: str) -> None:
        super().__init__(
            f"`{path}` was not written by layerkit ({reason}), so it is not overwritten",
            hint="move it away, or use it as it is with `-r`",
        )


class BrokenLockError(ResolutionError):
    """A lock that layerkit wrote and that was changed or damaged since."""

    def __init__(self, *, path: Path, reason: str) -> None:
        super().__init__(
            f"the lock `{path}` is damaged: {reason}", hint="write it anew with `--upgrade`, or restore it"
        )


class UncoveredTargetError(ResolutionError):
    """A lock of another tool that does not say what this target needs."""

    def __init__(self, *, path: Path, target: str, problems: Sequence[str]) -> None:
        super().__init__(
            f"`{path}` does not cover {target}",
            details=problems,
            hint="lock again for this platform, or give the requirements instead",
        )


class UnreadableLockError(UsageError):
    """A file that should be a lock of another tool and is not."""

    def __init__(self, *, path: Path, reason: str) -> None:
        super().__init__(f"`{path}` is not a valid lock: {reason}")


class ExportError(ResolutionError):
    """Another tool could not export its lock."""

    def __init__(self, *, path: Path, tool: str, details: Sequence[str], hint: str | None = None) -> None:
        super().__init__(f"`{tool}` could not export `{path}`", details=details, hint=hint)


class UnknownDistributionError(ResolutionError):
    """A requirement that no index has."""

    def __init__(self, *, names: Sequence[str], details: Iterable[str] = ()) -> None:
        listed = ", ".join(f"`{name}`" for name in names)
        verb = "is" if len(names) == 1 else "are"
        super().__init__(
            f"{listed} {verb} on none of the indexes", details=details, hint="check the spelling, and `--index-url`"
        )


class OfflineError(ResolutionError):
    """Requirements that need the index while it must not be asked."""

    def __init__(self, *, details: Iterable[str]) -> None:
        super().__init__(
            "the requirements cannot be resolved offline", details=details, hint="run once without `--offline`"
        )


class NoSuchVersionError(ResolutionError):
    """A version that was never released, or not before the given date."""

    def __init__(self, *, requirement: str, newest: str | None, details: Iterable[str] = ()) -> None:
        hint = f"the newest version for this target is {newest}" if newest else None
        super().__init__(f"there is no version `{requirement}`", details=details, hint=hint)


class NoWheelError(ResolutionError):
    """Versions that have no wheel for the target; says which targets have one.

    ``has_sdist`` is false where it is known that there is nothing to build it from.
    """

    def __init__(
        self,
        *,
        requirement: str,
        target: str,
        available: Sequence[str],
        build_forbidden: bool = False,
        has_sdist: bool = True,
    ) -> None:
        name = re.split(r"[=<>!~]", requirement, maxsplit=1)[0]
        details = [f"wheels exist for {', '.join(available)}" if available else "no Lambda target has a wheel of it"]
        details += [] if has_sdist else ["it has no source distribution to build one from"]
        hint = "choose another version" + (" or runtime" if available else "")
        if available and has_sdist:
            hint += f", or have it built in a container with `--no-binary {name}` or `--builder container`"
        elif build_forbidden and has_sdist:
            hint = "allow building it from source (leave out `--no-build` or `--builder wheels`)"
        super().__init__(f"`{requirement}` has no wheel for {target}", details=details, hint=hint)


class PythonVersionError(ResolutionError):
    """A requirement that needs another Python than the target's."""

    def __init__(self, *, target: str, needs: str, details: Iterable[str]) -> None:
        super().__init__(
            f"the requirements need Python{needs}, which {target} is not",
            details=details,
            hint="choose an older version or a newer runtime",
        )


class ConflictError(ResolutionError):
    """Requirements that contradict each other."""

    def __init__(self, *, target: str, details: Sequence[str]) -> None:
        super().__init__(
            f"the requirements cannot all be met for {target}",
            details=details,
            hint="loosen one of the versions that contradict each other",
        )


class BundledConflictError(ResolutionError):
    """What is excluded because the runtime bundles it, bundled in a version that does not fit."""

    def __init__(self, *, target: str, bundled: Sequence[str], details: Sequence[str]) -> None:
        super().__init__(
            f"the requirements do not fit what {target} bundles: {', '.join(bundled)}",
            details=details,
            hint="exclude less, so that the layer brings its own, or require versions that fit",
        )


class SourceBuildError(BuildError):
    """An sdist whose metadata could not be found out here."""

    def __init__(self, *, details: Sequence[str]) -> None:
        super().__init__(
            "a source distribution could not be prepared on this machine",
            details=details,
            hint="require a version that has a wheel",
        )


class IndexDownError(FetchError):
    """An index that does not answer."""

    def __init__(self, *, url: str, reason: str, slow: bool, proxy: str | None = None) -> None:
        what = "is too slow" if slow else "cannot be reached"
        super().__init__(
            f"the package index {what}: {url}",
            details=[reason, *([f"asked through the proxy {proxy}"] if proxy else [])],
            hint=f"check the network{', the proxy' if proxy else ''} and `--index-url`, and try again",
        )


class IndexRefusedError(FetchError):
    """An index that wants other credentials."""

    def __init__(self, *, url: str, status: str) -> None:
        super().__init__(
            f"the package index refused: {url} ({status})",
            hint="check the credentials in netrc, keyring or pip's and uv's settings",
        )


class IndexCertificateError(FetchError):
    """An index whose certificate is not trusted."""

    def __init__(self, *, url: str, reason: str) -> None:
        super().__init__(
            f"the certificate of the package index is not trusted: {url}",
            details=[reason],
            hint="name your CA bundle, for example in `SSL_CERT_FILE`",
        )


class MissingFileError(FetchError):
    """A file whose metadata resolution needs, and that is not there or not what it says."""

    def __init__(self, *, details: Sequence[str]) -> None:
        super().__init__(
            "a file of a distribution cannot be had, or is damaged",
            details=details,
            hint="try again; if it stays, choose another version, or tell who keeps the index",
        )


class HashMismatchError(FetchError):
    """No file of the locked version has one of the hashes that the requirements allow."""

    def __init__(self, *, problems: Sequence[str]) -> None:
        super().__init__(
            "hashes in the requirements do not match the index",
            details=problems,
            hint="if the change is expected, write the new hashes into the requirements",
        )


class MissingHashesError(ResolutionError):
    """Some requirements have hashes, so all must (as for pip), and these have none."""

    def __init__(self, *, missing: Sequence[str]) -> None:
        super().__init__(
            "some requirements have hashes, so all must; these have none",
            details=missing,
            hint="add them with their hashes (`pip-compile --generate-hashes`), or leave out all hashes",
        )


class UnsupportedSourceError(ResolutionError):
    """Packages from a place that a lock cannot hold to exact bytes."""

    def __init__(self, *, problems: Sequence[str]) -> None:
        super().__init__(
            "some packages are neither wheels nor sdists",
            details=problems,
            hint="build a wheel and require it as `NAME @ file:///path/to/NAME.whl`, or exclude it",
        )


class UvError(EnvironmentFailure):
    """uv is missing, or ended in a way that layerkit does not know."""

    def __init__(self, *, details: Sequence[str]) -> None:
        super().__init__("uv could not be run", details=details, hint="install layerkit again, uv comes with it")


class UnexplainedError(ResolutionError):
    """A resolution that failed in a way that layerkit has no better words for than the resolver's own."""

    def __init__(self, *, details: Sequence[str]) -> None:
        super().__init__(
            "the requirements could not be resolved",
            details=details,
            hint="check the requirements that are named above",
        )


class UncoveredWheelError(ResolutionError):
    """Files of a resolution that do not run on the target after all, by their full tags."""

    def __init__(self, *, target: str, problems: Sequence[str]) -> None:
        super().__init__(
            f"not everything has a file for {target}",
            details=problems,
            hint="choose other versions, or another runtime",
        )
