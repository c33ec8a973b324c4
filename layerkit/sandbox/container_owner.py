"""Who a container belongs to, told in its labels, so that what a killed run leaves is found and removed."""

import hashlib
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

LABEL: Final = "layerkit.owner"
_HOST: Final = "layerkit.host"
_PID: Final = "layerkit.pid"
_STARTED: Final = "layerkit.started"
_START_FIELD: Final = 19  # of /proc/PID/stat, counted after the program's name; proc(5): starttime


@dataclass(frozen=True, kw_only=True, slots=True)
class Owner:
    """A process: on which host (boot and process namespace included), its number there, and when it began."""

    host: str
    pid: int
    started: str

    @classmethod
    def this(cls) -> Self:
        """Return this very process."""
        return cls(host=_this_host(), pid=os.getpid(), started=_started(os.getpid()) or "")

    @classmethod
    def from_labels(cls, labels: Mapping[str, str]) -> Self | None:
        """Return the owner that a container's labels name, or ``None`` if they name none."""
        pid = labels.get(_PID, "")
        if not pid.isdecimal() or _HOST not in labels:
            return None
        return cls(host=labels[_HOST], pid=int(pid), started=labels.get(_STARTED, ""))

    @property
    def labels(self) -> dict[str, str]:
        """The labels of this owner's containers."""
        return {LABEL: "layerkit", _HOST: self.host, _PID: str(self.pid), _STARTED: self.started}

    @property
    def host_filter(self) -> str:
        """The label by which a daemon finds the containers of this host."""
        return f"{_HOST}={self.host}"

    def is_gone(self) -> bool:
        """Whether the process is known to have ended: a process of another host, or one that cannot be seen, is not."""
        if self.host != _this_host() or os.name != "posix":  # os.kill(pid, 0) would end the process on Windows
            return False
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        except OSError:
            return False
        now = _started(self.pid)
        return bool(self.started and now and now != self.started)  # the number is another process's by now


def _this_host() -> str:
    parts = [platform.node(), _read("/etc/machine-id"), _read("/proc/sys/kernel/random/boot_id"), _namespace()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _namespace() -> str:
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def _started(pid: int) -> str | None:
    fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return fields[_START_FIELD] if len(fields) > _START_FIELD else None


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
