"""Does the layer import: its top-level modules, and those that the recipe names, as a function would find them.

What fails is a finding, never an exception: whoever asked decides what it means. What is raised here is about the
place, not about the layer.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from layerkit.errors import BuildError
from layerkit.invoke.modules import LayerContents
from layerkit.invoke.outcomes import Ended, Judge, Outcome, Raised
from layerkit.invoke.places import ImportPlace
from layerkit.invoke.stage import Stage, set_up
from layerkit.model.finding import Finding
from layerkit.model.target import PythonTarget
from layerkit.sandbox.process import Completed

TIMEOUT: Final = 60.0  # seconds a module
_EMULATION: Final = 10.0  # times slower
_STARTS: Final = 2  # more waits of that length for interpreters to start


class ImportsNotTried(BuildError):
    """The interpreter did not even begin to import."""

    def __init__(self, *, title: str, done: Completed) -> None:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        super().__init__(
            f"the imports could not be tried: the interpreter of {title} ended with status {done.status}",
            details=lines[-5:],
            hint="build without `--verify-imports`, or name another image with `--image`",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Imports:
    """What came of trying: the modules, the findings about those that failed, and the place, in words."""

    modules: tuple[str, ...]
    findings: tuple[Finding, ...] = ()
    place: str = ""

    @property
    def summary(self) -> str:
        """One line about it, for people."""
        count = f"{len(self.modules)} modules" if len(self.modules) != 1 else "1 module"
        return f"Tried to import {count} under {self.place}" if self.modules else "Found no modules to import"


def verify_imports(
    layer: Path, target: PythonTarget, *, place: ImportPlace, named: Sequence[str] = (), timeout: float = TIMEOUT
) -> Imports:
    """Import a layer's modules, and those ``named``, in a place; ``timeout`` is in seconds a module.

    Raises ``LayerUnreadable``, ``ImportsNotTried``, and what the runner raises.
    """
    contents = LayerContents.read(layer)
    modules = _wanted(contents, target, named)
    if not modules:
        return Imports(modules=())
    patience = timeout * _EMULATION if place.emulated else timeout
    stage = set_up(layer, target, place)
    trial = _Trial(stage=stage, timeout=patience)
    trial.run(modules)
    judge = Judge(target=target, contents=contents, bundled=trial.bundled, timeout=patience)
    return Imports(
        modules=modules,
        findings=tuple(_findings(trial, modules, judge, named=named)),
        place=", ".join(filter(None, [f"Python {trial.python}", place.runner.title, stage.mode])),
    )


def _wanted(contents: LayerContents, target: PythonTarget, named: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*named, *contents.modules(target.python_version)]))


def _findings(trial: "_Trial", modules: Sequence[str], judge: Judge, *, named: Sequence[str]) -> Iterator[Finding]:
    if trial.complaints:
        yield judge.complaint(trial.complaints)
    if trial.broken:
        yield judge.broken(trial.broken)
        return
    records = judge.contents.modules(judge.target.python_version)
    working = {records.get(module, "") for module in modules if trial.outcomes[module] is None} - {""}
    for module in modules:
        outcome = trial.outcomes[module]
        if outcome is not None:
            has_siblings = module not in named and records[module] in working
            yield judge.finding(module, outcome, has_siblings=has_siblings)


@dataclass(kw_only=True)
class _Trial:
    """Imports modules together, and once more alone what failed in company; remembers how each ended (``None``: well).

    ``broken`` tells how the interpreter ended if it did so before the first import, over a ``.pth`` file.
    """

    stage: Stage
    timeout: float
    outcomes: dict[str, Outcome | None] = field(default_factory=dict)
    python: str = ""
    bundled: bool = False
    complaints: str | None = None
    broken: Ended | None = None

    def run(self, modules: Sequence[str]) -> None:
        """Try all modules."""
        pending = list(modules)
        while pending and not self.broken:
            tried = self._together(pending)
            for module, outcome in tried.items():
                alone = len(pending) == 1 or outcome is None
                self.outcomes[module] = outcome if alone else self._together([module])[module]
            pending = pending[len(tried) :]

    def _together(self, modules: Sequence[str]) -> dict[str, Outcome | None]:
        """Import modules in one process, as far as it comes: at least the first one has an outcome."""
        order = {
            "modules": list(modules),
            "root": self.stage.root,
            "task": self.stage.task,
            "drop": self.stage.place.runner.whole_system,
            "timeout": self.timeout,
        }
        limit = self.timeout * (len(modules) + _STARTS)
        done = self.stage.run(json.dumps(order), timeout=limit)
        events = list(_events(self.stage.as_on_lambda(done.stdout)))
        if not events:
            raise ImportsNotTried(title=self.stage.place.runner.title, done=done)
        return self._read(events, modules, done)

    def _read(
        self, events: Sequence[dict[str, Any]], modules: Sequence[str], done: Completed
    ) -> dict[str, Outcome | None]:
        tried: dict[str, Outcome | None] = {}
        current = modules[0]
        for event in events:
            match event:
                case {"event": "begin"}:
                    self.python, self.bundled = event["python"], event["bundled"]
                case {"event": "pth"}:
                    self.complaints = event["complaints"]
                case {"event": "start"}:
                    current = event["module"]
                case {"event": "end"}:
                    tried[event["module"]] = Raised.from_json(event["failure"]) if event["failure"] else None
                case {"event": "done"}:
                    return tried
        ended = Ended(status=done.status, stderr=self.stage.as_on_lambda(done.stderr))
        if self.complaints is None:
            self.broken = ended
        return {**tried, current: ended}


def _events(text: str) -> Iterator[dict[str, Any]]:
    for line in text.splitlines():
        try:
            event = json.loads(line)
        except ValueError:  # cut short by a crash, or written by somebody else
            continue
        if isinstance(event, dict):
            yield event
