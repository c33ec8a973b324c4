"""Runs ``layerkit audit`` as a user would, and holds what it finds to what there is to find: no more and no less."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """A finding that is expected: its code, how bad it is, and what must stand in its words."""

    code: str
    severity: str
    words: tuple[str, ...]

    def is_in(self, finding: Mapping[str, Any]) -> bool:
        """Tell whether the finding is this one."""
        text = " ".join(str(finding[key]) for key in ("where", "message", "hint"))
        same = (finding["code"], finding["severity"]) == (self.code, self.severity)
        return same and all(word in text for word in self.words)


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What an audit answered."""

    code: int
    answer: Mapping[str, Any]
    stderr: str

    @property
    def findings(self) -> Sequence[Mapping[str, Any]]:
        return list(self.answer["findings"])

    @property
    def targets(self) -> list[str]:
        """The targets that were judged for."""
        stack = self.answer["stack"]
        return [f"{one}-{other}" for one in stack["compatible_runtimes"] for other in stack["compatible_architectures"]]

    def disagreements(self, expected: Iterable[Said]) -> list[str]:
        """Return what was expected and not found, and what was found and not expected."""
        left, missing = list(self.findings), []
        for each in expected:
            match = next((finding for finding in left if each.is_in(finding)), None)
            if match is None:
                missing.append(f"not found: {each}")
            else:
                left.remove(match)
        return missing + [f"not expected: {_told(finding)}" for finding in left]


def error(code: str, *words: str) -> Said:
    """Expect an error."""
    return Said(code=code, severity="error", words=words)


def warning(code: str, *words: str) -> Said:
    """Expect a warning."""
    return Said(code=code, severity="warning", words=words)


def note(code: str, *words: str) -> Said:
    """Expect a note."""
    return Said(code=code, severity="note", words=words)


def layerkit(*argv: str | Path, cache: Path, folder: Path | None = None) -> "subprocess.CompletedProcess[str]":
    """Run layerkit in a process of its own."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("LAYERKIT_", "AWS_"))}
    environment = {**mine, "LAYERKIT_CACHE_DIR": str(cache), "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-m", "layerkit", *map(str, argv)]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def audit(*argv: str | Path, cache: Path) -> Verdict:
    """Audit and read the answer."""
    done = layerkit("audit", *argv, "--json", cache=cache)
    assert done.returncode in {0, 1}, done.stderr
    return Verdict(code=done.returncode, answer=json.loads(done.stdout), stderr=done.stderr)


def _told(finding: Mapping[str, Any]) -> str:
    return f"{finding['severity']} {finding['code']} | {finding['where']} | {finding['message']} | {finding['hint']}"
