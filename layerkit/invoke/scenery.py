"""The folders that a function sees in namespaces of its own, as a table of mounts for mount(8)."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

OPT: Final = "/opt"
TASK: Final = "/var/task"
RUNTIME: Final = "/var/runtime"
LANGUAGE: Final = "/var/lang"
PROGRAM: Final = "/var/bootstrap.py"
"""What the function's interpreter is started with."""

START: Final = Path(__file__).with_name("start_function.py")
_WATCH: Final = START.with_name("watch_function.py")
_OURS: Final = "layerkit"  # by this name: of two file systems of one name in one place mount(8) leaves out the second
_ESCAPES: Final = str.maketrans({character: f"\\{ord(character):03o}" for character in " \t\n\\"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """What a function is made of, as folders of this machine: its code, its layers merged, the runtime's own."""

    code: Path
    opt: Path
    bundled: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenery:
    """What stands where. ``scene`` is an empty folder, ``bundled_at`` where Lambda has the runtime's own.

    ``python`` is the interpreter, of ``version``, and ``prefix`` the folder of its installation, where that can be seen
    at ``/var/lang``; elsewhere only links to the interpreter are.
    """

    parts: Parts
    scene: Path
    bundled_at: str
    python: Path
    version: str
    prefix: Path | None
    tmp_mib: int

    def build(self) -> str:
        """Lay out the scene; return the mounts as fstab(5) has them, to be made in order.

        What the function is to see is bound before anything is hidden: code, cache and interpreter may lie in ``/var``,
        ``/tmp`` or ``/opt``. Lambda has no shared memory: multiprocessing's queues and pools must fail here, too.
        """
        for place in (TASK, RUNTIME, LANGUAGE):
            self._in_scene(place).mkdir()
        for place, program in programs().items():
            self._in_scene(place).write_bytes(program)
        mounts = [*self._bound(), _tmpfs("/tmp", f"mode=1777,size={self.tmp_mib}m")]  # noqa: S108 -- the function's own
        if Path("/dev/shm").is_dir():  # noqa: S108
            mounts.append(_tmpfs("/dev/shm", "ro"))  # noqa: S108
        return "".join(f"{mount}\n" for mount in mounts)

    def _bound(self) -> Iterator[str]:
        site_packages = f"{LANGUAGE}/lib/python{self.version}/site-packages"
        yield _bind(self.parts.code, self._in_scene(TASK))
        if self.prefix is None:
            self._link_interpreter()
            self._in_scene(self.bundled_at).mkdir(parents=True, exist_ok=True)
        else:
            yield _bind(self.prefix, self._in_scene(LANGUAGE))
            yield _bind(self.parts.bundled, self._in_scene(site_packages))
        if self.prefix is None or self.bundled_at != site_packages:
            yield _bind(self.parts.bundled, self._in_scene(self.bundled_at))
        yield _bind(self.parts.opt, Path(OPT))
        yield _bind(self.scene, Path("/var"), how="rbind")

    def _link_interpreter(self) -> None:
        folder = self._in_scene(f"{LANGUAGE}/bin")
        folder.mkdir()
        for name in ("python", "python3", f"python{self.version}"):
            (folder / name).symlink_to(self.python)

    def _in_scene(self, path: str) -> Path:
        return self.scene / path.removeprefix("/var/")


def programs() -> dict[str, bytes]:
    """Return ``start_function`` and what it needs beside it, by their places."""
    return {PROGRAM: START.read_bytes(), f"/var/{_WATCH.name}": _WATCH.read_bytes()}


def _bind(source: Path, target: Path, *, how: str = "bind") -> str:
    """Return a read-only mount. Whoever is not root must not take flags of a mount away (mount_namespaces(7))."""
    noexec = ",noexec" if os.statvfs(source).f_flag & os.ST_NOEXEC else ""
    return f"{_escaped(source)} {_escaped(target)} none {how},ro,nosuid,nodev{noexec} 0 0"


def _tmpfs(target: str, options: str) -> str:
    return f"{_OURS} {target} tmpfs {options} 0 0"


def _escaped(path: Path) -> str:
    return str(path).translate(_ESCAPES)
