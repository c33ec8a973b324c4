"""AWS's own Runtime Interface Emulator, which AWS's SAM brings: take it out, run a function under it, ask it."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SAM: Final = "aws-sam-cli==1.170.0"
_BINARY: Final = "samcli/local/rapid/aws-lambda-rie-x86_64"
_PATIENCE: Final = 60.0  # seconds
_PAUSE: Final = 0.002  # seconds between two attempts to reach it


def take_emulator(folder: Path) -> Path:
    """Take the emulator out of SAM's wheel."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", _SAM]
    environment = {name: value for name, value in os.environ.items() if name != "PIP_CONFIG_FILE"}
    subprocess.run([*command, "--dest", folder], check=True, env=environment)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        path = Path(wheel.extract(_BINARY, folder))
    path.chmod(0o755)
    return path


@dataclass(frozen=True, kw_only=True, slots=True)
class Emulator:
    """The emulator with a function: its code, what stands for ``/opt``, the runtime's own distributions."""

    binary: Path
    python: Path
    code: Path
    opt: Path
    bundled: Path

    def invoke(self, handler: str, event: bytes, *, timeout: int) -> str:
        """Start it, invoke the function once, end it; return the body of the answer. ``timeout`` is in seconds."""
        ports = _free_port(), _free_port()
        addresses = [f"127.0.0.1:{port}" for port in ports]
        command = [self.binary, "--runtime-interface-emulator-address", addresses[0], "--log-level", "error"]
        command += ["--runtime-api-address", addresses[1], self.python, "-m", "awslambdaric", handler]
        process = subprocess.Popen(
            list(map(str, command)),
            env=self._environment(timeout),
            cwd=self.code,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            return _posted(f"http://{addresses[0]}/2015-03-31/functions/function/invocations", event)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _environment(self, timeout: int) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "AWS_EXECUTION_ENV": "AWS_Lambda_python3.12",
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(timeout),
            "LAMBDA_TASK_ROOT": str(self.code),
            "LC_CTYPE": "C.UTF-8",
            "PYTHONPATH": f"{self.code}:{self.opt / 'python'}:{self.bundled}",
        }


def _posted(url: str, event: bytes) -> str:
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            with urllib.request.urlopen(url, data=event, timeout=_PATIENCE) as answer:  # noqa: S310 -- our own
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return error.read().decode()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(_PAUSE)


def _free_port() -> int:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
