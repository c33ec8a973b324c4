"""layerkit as processes of its own against the tests' AWS: a configuration, accounts with roles, and what was told."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests.aws_server import AwsServer, LayerVersion
from tests.publishing import ACCOUNTS, role_of

ROOT: Final = Path(__file__).parents[1]


@dataclass(frozen=True, kw_only=True)
class Told:
    """How a process ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.code in {0, 1, 7}, self.err
        return json.loads(self.out)


@dataclass(kw_only=True)
class Shell:
    """Runs command lines in a folder with a layerkit.toml; whatever they say holds no secret and no traceback."""

    server: AwsServer
    folder: Path
    accounts: Sequence[str] = ACCOUNTS[:2]
    regions: Sequence[str] = ("eu-west-1", "us-east-1")
    lines: Sequence[str] = ()
    share: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for account in self.accounts:
            self.server.seed_role(role_of(account), trusted=(self.accounts[0],))
        self.configure()

    def configure(self, *lines: str, share: str | None = None) -> None:
        """Write the layerkit.toml, with further lines in [publish]."""
        text = ["[publish]", f"regions = {json.dumps(list(self.regions))}", *self.lines, *lines]
        for number in self.accounts:
            text += ["[[publish.accounts]]", f'name = "a{number[0]}"', f'role = "{role_of(number)}"']
        text += ["[publish.share]", self.share if share is None else share]
        (self.folder / "layerkit.toml").write_text("\n".join(text) + "\n", encoding="utf-8")

    def environment(self) -> dict[str, str]:
        """Return the environment of a process that knows this server and nothing of the test's own."""
        mine = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT") if name in os.environ}
        return {
            **mine,
            "HOME": str(self.folder),
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "NO_PROXY": "127.0.0.1",
            "LAYERKIT_LEDGER": str(self.folder / "ledger.jsonl"),
            **self.server.environment(self.accounts[0]),
            **self.variables,
        }

    def __call__(self, *arguments: str | Path) -> Told:
        command = [sys.executable, "-m", "layerkit", *map(str, arguments)]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            stdin=subprocess.DEVNULL,
        )
        for text in (done.stdout, done.stderr):
            assert "Traceback" not in text, text
            assert "X-Amz-Signature" not in text, text
        return Told(code=done.returncode, out=done.stdout, err=done.stderr)

    def ledger(self, event: str) -> list[dict[str, Any]]:
        """Return the ledger's events of a kind."""
        path = self.folder / "ledger.jsonl"
        lines = path.read_text(encoding="utf-8").split("\n") if path.is_file() else []
        return [found for line in lines if line and (found := json.loads(line))["event"] == event]


def numbers(server: AwsServer, account: str, region: str, name: str) -> list[int]:
    """Return the numbers of a layer's versions, oldest first."""
    found: list[LayerVersion] = server.layers(account, region).get(name, [])
    return [version.number for version in found]
