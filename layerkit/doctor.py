"""What works on this machine and what would be needed: everything that layerkit leans on, tried at once.

Every check runs in a thread of its own and has a few seconds: a dead proxy or daemon shows up as such and holds
nothing up. Nothing here fails; what does not work is the answer. No password is looked at, let alone shown.
"""

import functools
import os
import platform
import queue
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit
from urllib.request import url2pathname

from layerkit import __version__, index, index_pip, index_uv
from layerkit.cache import Cache
from layerkit.doctor_check import Check, Status
from layerkit.errors import LayerkitError, system_reason
from layerkit.facts import PythonRuntime, runtimes
from layerkit.index import IndexSettings, IndexSource
from layerkit.index_credentials import netrc_entries
from layerkit.index_source import hide_userinfo
from layerkit.model.limits import format_mib

if TYPE_CHECKING:
    from packaging.specifiers import SpecifierSet

DEADLINE: Final = 8.0  # seconds for everything
_TEST_PROJECT: Final = "pip"  # a page that every index has or misses quickly
_INDEX: Final = "index"
_OLDEST: Final = (3, 8)  # the Python that what runs in a target's interpreter is written for
_LEAST_FREE: Final = 1 << 30  # bytes; a build of a large layer downloads and unpacks about that much


@dataclass(frozen=True, kw_only=True, slots=True)
class Circumstances:
    """What the checks depend on: the cache, the flags about indexes, the environment and the working folder."""

    cache: Cache
    flags: IndexSource
    environ: Mapping[str, str]
    folder: Path


_Examination = Callable[[], Sequence[Check]]


def examine(circumstances: Circumstances, *, deadline: float = DEADLINE) -> tuple[Check, ...]:
    """Check everything at once; what has no answer after ``deadline`` seconds is broken."""
    return _examine_all(_examinations(circumstances), deadline=deadline)


def _examine_all(examinations: Mapping[str, _Examination], *, deadline: float) -> tuple[Check, ...]:
    answers: queue.Queue[tuple[str, Sequence[Check]]] = queue.Queue()
    for title, examination in examinations.items():
        # a daemon: one that hangs must not keep the program from ending, as a pool's threads would
        threading.Thread(target=_answer, args=(title, examination, answers), daemon=True).start()
    found = dict(_gather(answers, len(examinations), until=time.monotonic() + deadline))
    return tuple(check for title in examinations for check in found.get(title) or _silent(title, deadline))


def is_fit(checks: Sequence[Check]) -> bool:
    """Tell whether everything that a build from prebuilt wheels needs works."""
    return all(check.status is Status.OK for check in checks if check.needed)


def _answer(title: str, examination: _Examination, answers: "queue.Queue[tuple[str, Sequence[Check]]]") -> None:
    try:
        checks = examination()
    except LayerkitError as exc:
        checks = [_broken(title, exc)]
    except Exception as exc:  # noqa: BLE001 -- the one thing that a doctor must not do is fall ill
        detail = hide_userinfo(f"{type(exc).__name__}: {exc}")
        checks = [Check(name=title, status=Status.BROKEN, detail=detail, needed=_needed(title))]
    answers.put((title, checks))


def _gather(
    answers: "queue.Queue[tuple[str, Sequence[Check]]]", count: int, *, until: float
) -> Iterator[tuple[str, Sequence[Check]]]:
    for _ in range(count):
        try:
            yield answers.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            return


def _silent(title: str, deadline: float) -> list[Check]:
    url = title.partition(" ")[2]
    detail = f"{url}: no answer within {deadline:g} seconds".removeprefix(": ")
    hint = "look at the network, the proxy, or the daemon that should answer"
    return [Check(name=title, status=Status.BROKEN, detail=detail, hint=hint, needed=_needed(title))]


def _broken(title: str, error: LayerkitError, *, status: Status = Status.BROKEN) -> Check:
    return Check(name=title, status=status, detail=error.message, hint=error.hint, needed=_needed(title))


def _needed(title: str) -> bool:
    return title.partition(" ")[0] in {"layerkit", "uv", "settings", _INDEX, "cache"}


def _examinations(circumstances: Circumstances) -> dict[str, _Examination]:
    from layerkit import doctor_sandbox

    settings = functools.cache(lambda: _settings(circumstances))
    versions = sorted({each.python for each in _pythons()})
    pythons = [f"{major}.{minor}" for major, minor in versions]
    return {
        "layerkit": _layerkit,
        "uv": _uv,
        "settings": lambda: _settings_files(circumstances),
        _INDEX: lambda: _indexes(settings()),
        "credentials": lambda: _credentials(settings()),
        "cache": lambda: _cache(circumstances.cache),
        **{f"python{each}": functools.partial(doctor_sandbox.interpreter, each) for each in pythons},
        "engine": lambda: doctor_sandbox.engine(circumstances.environ),
        "emulation": doctor_sandbox.emulation,
        "namespaces": doctor_sandbox.namespaces,
        "memory": doctor_sandbox.memory,
    }


def _pythons() -> list[PythonRuntime]:
    found = (each for each in runtimes().values() if isinstance(each, PythonRuntime) and each.python >= _OLDEST)
    return [each for each in found if not each.preview and not each.removed]


def _settings(circumstances: Circumstances) -> IndexSettings:
    return index.resolve(project=(circumstances.flags,), environ=circumstances.environ, folder=circumstances.folder)


def _layerkit() -> list[Check]:
    libc = " ".join(platform.libc_ver()).strip() or "no glibc"
    system = f"{platform.system()} {platform.machine()}, {libc}" if sys.platform == "linux" else platform.platform()
    detail = f"{__version__} under Python {platform.python_version()} on {system}"
    return [Check(name="layerkit", status=Status.OK, detail=detail, needed=True)]


def _uv() -> list[Check]:
    from packaging.version import InvalidVersion, Version

    from layerkit.sandbox.process import run
    from layerkit.sandbox.uv import UvMissing, find_uv

    try:
        path = find_uv()
        answer = run([path, "--version"], timeout=DEADLINE)
        version = Version(answer.stdout.split()[1])
    except UvMissing as exc:
        return [_broken("uv", exc, status=Status.MISSING)]
    except (OSError, IndexError, InvalidVersion):
        hint = "install layerkit again"
        return [Check(name="uv", status=Status.BROKEN, detail="it does not tell its version", hint=hint, needed=True)]
    tested = _tested_uv()
    if version in tested:
        return [Check(name="uv", status=Status.OK, detail=f"{version} at {path}", needed=True)]
    detail = f"{version} at {path} is outside the tested range {tested}"
    return [Check(name="uv", status=Status.BROKEN, detail=detail, hint="install layerkit again", needed=True)]


def _tested_uv() -> "SpecifierSet":
    """Return the versions of uv that layerkit itself asks for."""
    from importlib.metadata import PackageNotFoundError, requires

    from packaging.requirements import Requirement
    from packaging.specifiers import SpecifierSet

    try:
        needed = [Requirement(line) for line in requires("layerkit") or ()]
    except PackageNotFoundError:  # run from its source
        needed = []
    return next((each.specifier for each in needed if each.name == "uv"), SpecifierSet())


def _settings_files(circumstances: Circumstances) -> list[Check]:
    environ = circumstances.environ
    files = [found.path for found in index_uv.settings_files(environ, circumstances.folder)]
    files += [path for path in index_pip.settings_files(environ) if path.is_file()]
    _settings(circumstances)
    read = ", ".join(map(str, files)) or "no settings file of pip's or uv's"
    return [Check(name="settings", status=Status.OK, detail=f"read {read}", needed=True)]


def _indexes(settings: IndexSettings) -> Sequence[Check]:
    if not settings.urls:
        return [Check(name=_INDEX, status=Status.OK, detail="none, as `no-index` wants it", needed=True)]
    examinations = {f"{_INDEX} {url}": functools.partial(_index, settings, url) for url in settings.urls}
    return [replace(check, name=_INDEX) for check in _examine_all(examinations, deadline=DEADLINE - 1)]


def _index(settings: IndexSettings, url: str) -> list[Check]:
    from layerkit.http import Client, Patience
    from layerkit.http_errors import NotFound

    patience = Patience(attempts=1, connect=DEADLINE / 3, read=DEADLINE / 3)
    began = time.monotonic()
    try:
        if urlsplit(url).scheme == "file":
            _check_folder(url)
        else:
            with Client(settings, patience=patience) as client:
                next(client.get(f"{url.rstrip('/')}/{_TEST_PROJECT}/"), b"")
    except NotFound as exc:
        if urlsplit(url).scheme == "file":
            return [_broken(_INDEX, exc, status=Status.MISSING)]
    except LayerkitError as exc:
        return [_broken(_INDEX, exc)]
    detail = f"{url} answers after {time.monotonic() - began:.1f}s"
    return [Check(name=_INDEX, status=Status.OK, detail=detail, needed=True)]


def _check_folder(url: str) -> None:
    from layerkit.http_errors import NotFound

    if not Path(url2pathname(urlsplit(url).path)).is_dir():
        raise NotFound(url=url)


def _credentials(settings: IndexSettings) -> list[Check]:
    netrc = netrc_entries(settings.netrc) if settings.netrc else {}
    hosts = [*settings.known_credentials, *(f"{host} ({settings.netrc})" for host in netrc)]
    hosts += ["any host that the keyring knows"] if settings.keyring else []
    detail = f"known for {', '.join(hosts)}" if hosts else "none known"
    return [Check(name="credentials", status=Status.OK, detail=detail)]


def _cache(cache: Cache) -> list[Check]:
    make: Any = functools.partial(Check, name="cache", needed=True)
    folder = next(each for each in (cache.root, *cache.root.absolute().parents) if each.exists())
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as exc:
        detail = f"{cache.root} cannot be written: {system_reason(exc)}"
        return [make(status=Status.BROKEN, detail=detail, hint="choose another folder with `--cache-dir`")]
    used, free = sum(bucket.bytes for bucket in cache.usage()), shutil.disk_usage(folder).free
    detail = f"{cache.root} holds {format_mib(used)}, {format_mib(free)} free"
    if free < _LEAST_FREE:
        hint = "free some space, or choose another folder with `--cache-dir`"
        return [make(status=Status.BROKEN, detail=f"{detail}: little for a large layer", hint=hint)]
    return [make(status=Status.OK, detail=detail)]


def own_circumstances(*, cache: Cache, flags: IndexSource) -> Circumstances:
    """Return the circumstances of this very process."""
    return Circumstances(cache=cache, flags=flags, environ=os.environ, folder=Path())
