"""What was done, one line an event, in a file that only grows.

A line is written at once and brought to the disk before anything follows from it, so a killed run loses nothing but a
torn last line, which readers skip. Losing the whole file costs time: what it knows can be asked again.
"""

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from layerkit.files import DiskFailure, translating

_CODE: Final = "code_sha256"


@dataclass(kw_only=True, slots=True)
class Ledger:
    """A file of JSON lines, shared by any number of processes.

    ``failure`` tells that it could not be written, which stops nothing: what it knows can be asked again.
    """

    path: Path
    failure: DiskFailure | None = None

    @classmethod
    def default(cls) -> "Ledger":
        """Return the ledger in the platform's own place."""
        import platformdirs

        return cls(path=Path(platformdirs.user_state_dir("layerkit", appauthor=False)) / "ledger.jsonl")

    def note(self, event: str, **facts: Any) -> None:
        """Add a line: ``event``, the time, and the facts; where the disk refuses, ``failure`` tells.

        It begins on a line of its own even where a killed process left half a line.
        """
        try:
            self._write({"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **facts})
        except DiskFailure as exc:
            self.failure = exc

    def _write(self, entry: Mapping[str, Any]) -> None:
        line = json.dumps(entry)
        with translating(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(handle, f"\n{line}\n".encode())
                os.fsync(handle)
            finally:
                os.close(handle)

    def events(self) -> Iterator[Mapping[str, Any]]:
        """Yield what was noted, oldest first; lines that are no JSON are skipped, and a file that cannot be read."""
        try:
            text = self.path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            return
        for line in text.splitlines():
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict):
                yield event

    def under_way(self) -> Mapping[str, datetime]:
        """Return when runs asked for versions of which they noted no end, by ``"LAYER_ARN CONTENT_DIGEST"``."""
        found: dict[str, datetime] = {}
        for event in self.events():
            what = f"{event.get('layer')} {event.get('content_digest')}"
            if event.get("event") == "publishing":
                with contextlib.suppress(TypeError, ValueError):
                    found[what] = datetime.fromisoformat(event["time"]).astimezone(UTC)
            elif event.get("event") in {"published", "refused"}:
                found.pop(what, None)
        return found

    def code_digests(self) -> Mapping[str, str]:
        """Return the CodeSha256 of each version that was published or looked at, by ARN; a version never changes."""
        return {
            event["arn"]: event[_CODE]
            for event in self.events()
            if isinstance(event.get("arn"), str) and isinstance(event.get(_CODE), str)
        }
