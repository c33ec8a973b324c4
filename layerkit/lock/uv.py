"""Run uv as a resolver for a target whose interpreter is not here. Knows uv's flags, not what its answers mean."""

import os
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from layerkit.index import IndexSettings
from layerkit.lock.failures import UvError
from layerkit.sandbox.process import Completed, run
from layerkit.sandbox.uv import find_uv

# What shapes a resolution must come from the request, or the lock's digest would not cover it; these do not shape it.
_HARMLESS: Final = (
    "UV_CACHE_DIR",
    "UV_NO_CACHE",
    "UV_LINK_MODE",
    "UV_HTTP_",
    "UV_REQUEST_TIMEOUT",
    "UV_CONCURRENT_",
    "UV_NATIVE_TLS",
    "UV_SYSTEM_CERTS",
    "UV_INSECURE_HOST",
    "UV_KEYRING_PROVIDER",
    "UV_INDEX",
    "UV_DEFAULT_INDEX",
    "UV_EXTRA_INDEX_URL",
    "UV_FIND_LINKS",
    "UV_NO_INDEX",
    "UV_CREDENTIALS_DIR",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """One resolution that uv is asked for. ``sources`` are names that are taken as sdists, all others as wheels.

    With ``any_file`` the answer names the sdist beside the wheels of all others too; without ``dependencies`` uv builds
    none of them for that.

    ``platform`` is ``None`` for all platforms, and all Pythons from ``python`` on, at once. ``preferences`` is an
    earlier lock, whose versions are kept where they still fit, except those of ``upgrades``.
    """

    requirements: tuple[str, ...] = field(repr=False)
    python: str
    platform: str | None
    constraints: tuple[str, ...] = field(default=(), repr=False)
    excludes: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    exclude_newer: str | None = None
    prereleases: bool = False
    dependencies: bool = True
    any_file: bool = False
    preferences: str | None = field(default=None, repr=False)
    upgrades: tuple[str, ...] = ()
    refresh: bool = False
    offline: bool = False


def ask(question: Question, settings: IndexSettings) -> Completed:
    """Put the question; a good answer is a PEP 751 file on stdout. What uv says is free of passwords.

    Raises ``UvError`` where uv cannot be started.
    """
    with tempfile.TemporaryDirectory(prefix="layerkit-lock-") as folder:  # only its owner may enter it
        command = [*_command(question), *settings.arguments_for_uv, *_files(question, Path(folder))]
        done = _run(command, settings=settings, stdin=_text(question.requirements))
    return Completed(status=done.status, stdout=done.stdout, stderr=settings.redact(done.stderr))


def export(folder: Path, arguments: Sequence[str], settings: IndexSettings) -> Completed:
    """Run ``uv export`` on the project in ``folder``, whose own settings are left aside."""
    command = [
        find_uv(),
        "export",
        "--format",
        "pylock.toml",
        "--frozen",
        "--no-config",
        "--no-header",
        "--no-annotate",
    ]
    command += ["--no-python-downloads", "--project", str(folder), *settings.arguments_for_uv, *arguments]
    done = _run(command, settings=settings, stdin="")
    return Completed(status=done.status, stdout=done.stdout, stderr=settings.redact(done.stderr))


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without uv's variables that would shape a resolution behind the lock's back."""
    return {key: value for key, value in environ.items() if not key.startswith("UV_") or key.startswith(_HARMLESS)}


def _run(command: Sequence[str], *, settings: IndexSettings, stdin: str) -> Completed:
    try:
        return run(command, stdin=stdin, environment=settings.environment_for_uv(clean_environment(os.environ)))
    except OSError as exc:
        raise UvError(details=[f"{command[0]}: {exc.strerror or exc}"]) from exc


def _command(question: Question) -> list[str]:
    command = [
        find_uv(),
        "pip",
        "compile",
        "-",
        "--format",
        "pylock.toml",
        "--no-header",
        "--no-annotate",
        "--no-config",
    ]
    command += ["--no-progress", "--color", "never", "--no-python-downloads", "--python", sys.executable]
    command += ["--python-version", question.python]
    command += [] if question.any_file else ["--only-binary", ":all:"]
    command += ["--python-platform", question.platform] if question.platform else ["--universal"]
    command += [] if question.platform else ["--fork-strategy", "fewest"]
    for name in question.sources:
        command += ["--no-binary", name]
    for name in question.upgrades:
        command += ["--upgrade-package", name]
    flags = {
        "--no-deps": not question.dependencies,
        "--offline": question.offline,
        "--refresh": question.refresh and not question.offline,
        "--prerelease=allow": question.prereleases,
        f"--exclude-newer={question.exclude_newer}": question.exclude_newer is not None,
    }
    return command + [flag for flag, wanted in flags.items() if wanted]


def _files(question: Question, folder: Path) -> list[str]:
    arguments = []
    for flag, name, text in (
        ("--constraints", "constraints.txt", _text(question.constraints)),
        ("--excludes", "excludes.txt", _text(question.excludes)),
        ("--output-file", "pylock.previous.toml", question.preferences or ""),
    ):
        if text:
            (folder / name).write_bytes(text.encode())
            arguments += [flag, str(folder / name)]
    return arguments


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
