"""What a place is like in which a target's interpreter is to run: asked of the place itself, not of its name."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from layerkit.errors import BuildError
from layerkit.sandbox.runner import Order, Runner

_INSTALLERS: Final = ("dnf", "yum", "microdnf", "apt-get", "apk")  # best first
_PATIENCE: Final = 120.0  # seconds for an interpreter to start; under emulation it takes ten
_LOOK: Final = (
    'for each in "$@" /opt/python/cp*/bin/python /var/lang/bin/python3; do '
    '[ -x "$each" ] && echo "python $each"; done; '
    'for each in python3 python; do found=$(command -v "$each") && echo "python $found"; done; '
    f'for each in {" ".join(_INSTALLERS)}; do command -v "$each" >/dev/null && echo "installer $each"; done; true'
)
_QUESTION: Final = """
import json, os, platform, sys
try:
    libc = os.confstr("CS_GNU_LIBC_VERSION")
except (AttributeError, ValueError, OSError):
    libc = None
print(json.dumps([platform.python_implementation(), ".".join(map(str, sys.version_info[:3])), sys.version,
                  os.uname()[4], libc]))
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """An interpreter and its surroundings: full version (``3.13.5``), the whole text of ``sys.version``, ``uname -m``.

    ``glibc`` is ``None`` where there is another C library; ``installer`` is the system's way to install packages.
    """

    interpreter: str
    version: str
    build: str
    machine: str
    glibc: tuple[int, int] | None
    installer: str | None


class InterpreterNotInImage(BuildError):
    """The place has no CPython of the target's version."""

    def __init__(self, *, version: str, title: str, found: Sequence[str]) -> None:
        there = ", ".join(found) if found else "none at all"
        super().__init__(
            f"there is no Python {version} in {title}",
            details=[f"found {there}"],
            hint=f"choose an image that has it as `python{version}` on PATH, in `/opt/python` or in `/var/lang`",
        )


def look_around(runner: Runner, version: str) -> Place:
    """Find the CPython of a minor version (``3.13``) and tell what is around it. Raises ``InterpreterNotInImage``."""
    pythons, installers = _there(runner, version)
    seen: dict[str, str] = {}
    for path in pythons:
        answer = _ask(runner, path)
        if answer is None:
            continue
        implementation, full, build, machine, libc = answer
        if implementation == "CPython" and full.startswith(f"{version}."):
            installer = next((name for name in _INSTALLERS if name in installers), None)
            return Place(
                interpreter=path, version=full, build=build, machine=machine, glibc=_glibc(libc), installer=installer
            )
        seen[path] = f"{implementation} {full} ({path})"
    raise InterpreterNotInImage(version=version, title=runner.title, found=list(seen.values()))


def _there(runner: Runner, version: str) -> tuple[list[str], set[str]]:
    tag = "cp" + version.replace(".", "")
    wanted = (f"/opt/python/{tag}-{tag}/bin/python", f"/var/lang/bin/python{version}")
    on_path = f'set -- "$@" "$(command -v python{version})"; '
    answer = runner.run(Order(command=["/bin/sh", "-c", on_path + _LOOK, "sh", *wanted], timeout=_PATIENCE))
    pairs = [line.split(" ", 1) for line in answer.stdout.splitlines() if " " in line]
    pythons = dict.fromkeys(path for kind, path in pairs if kind == "python")
    return list(_plausible(pythons, tag)), {name for kind, name in pairs if kind == "installer"}


def _plausible(paths: Iterable[str], tag: str) -> Iterator[str]:
    """Leave out other variants of the same version, such as the free-threaded one."""
    for path in paths:
        parts = PurePosixPath(path).parts
        if parts[1:3] != ("opt", "python") or parts[3] == f"{tag}-{tag}" or not parts[3].startswith(f"{tag}-"):
            yield path


def _ask(runner: Runner, path: str) -> tuple[str, str, str, str, str | None] | None:
    answer = runner.run(Order(command=[path, "-I", "-c", _QUESTION], timeout=_PATIENCE))
    if not answer.ok:
        return None
    try:
        implementation, full, build, machine, libc = json.loads(answer.stdout)
    except ValueError:
        return None
    return implementation, full, build, machine, libc


def _glibc(libc: str | None) -> tuple[int, int] | None:
    name, _, version = (libc or "").partition(" ")
    numbers = version.split(".")
    if name != "glibc" or len(numbers) < 2 or not all(part.isdecimal() for part in numbers[:2]):  # noqa: PLR2004
        return None
    return int(numbers[0]), int(numbers[1])
