"""Carrying a plan out, as far as no AWS is needed."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from layerkit.model.publishing import Share
from layerkit.progress import Silent
from layerkit.publish.apply import Applier, Interrupted, layer_arn
from layerkit.publish.ledger import Ledger
from layerkit.publish.outcome import Status
from layerkit.publish.plan import Seen, Step, Wanted
from layerkit.publish.run import carry_out
from layerkit.publish.staging import Staging
from tests.unit.publish.test_plan import DIGEST, artifact, destination, seen

ARN = "arn:aws:lambda:eu-west-1:111111111111:layer:requests"


def step(found: Seen, *, publications: int) -> Step:
    wanted = Wanted(artifact=artifact(), share=Share())
    return Step(wanted=wanted, destination=destination(), seen=found, publications=publications)


def applier(folder: Path) -> Applier:
    return Applier(staging=Staging(None, create=False), ledger=Ledger(path=folder / "ledger.jsonl"))


def test_a_step_without_changes_asks_nobody(tmp_path: Path) -> None:
    outcome = applier(tmp_path).apply(step(seen(3), publications=0))
    assert (outcome.status, outcome.version_number, outcome.arn) == (Status.UNCHANGED, 3, f"{ARN}:3")


def test_after_a_stop_nothing_is_begun_and_every_step_is_told(tmp_path: Path) -> None:
    stopped = applier(tmp_path)
    stopped.stop.set()
    steps = [step(seen(3), publications=0), step(Seen(), publications=1)]
    unchanged, interrupted = carry_out(steps, stopped, progress=Silent())
    assert unchanged.status is Status.UNCHANGED
    assert (interrupted.status, interrupted.arn) == (Status.FAILED, None)
    assert isinstance(interrupted.error, Interrupted)


@pytest.mark.parametrize(
    ("age", "digest", "publications", "expected"),
    [(1, DIGEST, 1, 4), (60, DIGEST, 1, 0), (-60, DIGEST, 1, 0), (1, "other", 1, 0), (1, DIGEST, 0, 0)],
)
def test_only_what_was_just_asked_for_and_is_still_missing_is_waited_for(
    age: float, digest: str, publications: int, expected: float, tmp_path: Path
) -> None:
    began = (datetime.now(UTC) - timedelta(seconds=age)).isoformat()
    event = {"event": "publishing", "time": began, "layer": ARN, "content_digest": digest}
    (tmp_path / "ledger.jsonl").write_text(json.dumps(event) + "\n", encoding="utf-8")
    waiting = step(Seen(), publications=publications)
    assert layer_arn(waiting) == ARN
    assert applier(tmp_path).settling_seconds(waiting) == pytest.approx(expected, abs=0.5)
