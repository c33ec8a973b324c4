"""The ledger: what was done, safe against being killed."""

import json
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from layerkit.publish.ledger import Ledger

ARN = "arn:aws:lambda:eu-west-1:111111111111:layer:requests:3"


def test_what_was_noted_can_be_read_back_in_order(tmp_path: Path) -> None:
    ledger = Ledger(path=tmp_path / "new" / "ledger.jsonl")
    ledger.note("published", arn=ARN, code_sha256="abc=")
    ledger.note("granted", arn=ARN, statement="layerkit-public")
    assert [(event["event"], event["arn"]) for event in ledger.events()] == [("published", ARN), ("granted", ARN)]
    assert ledger.code_digests() == {ARN: "abc="}


def test_a_torn_line_is_skipped_and_what_follows_is_read(tmp_path: Path) -> None:
    ledger = Ledger(path=tmp_path / "ledger.jsonl")
    ledger.path.write_bytes(b'[]\n\xff\xfe\n{"event": "publi')
    ledger.note("published", arn=ARN, code_sha256="abc=")
    assert [event["event"] for event in ledger.events()] == ["published"]


def test_a_lost_ledger_knows_nothing(tmp_path: Path) -> None:
    assert list(Ledger(path=tmp_path / "none").events()) == []


def test_writers_at_the_same_time_do_not_mix_their_lines(tmp_path: Path) -> None:
    ledger = Ledger(path=tmp_path / "ledger.jsonl")
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: ledger.note("published", arn=str(number), text="x" * 2000), range(100)))
    lines = ledger.path.read_text(encoding="utf-8").splitlines()
    assert {json.loads(line)["arn"] for line in lines if line} == {str(number) for number in range(100)}


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    ledger = Ledger(path=tmp_path / "ledger.jsonl")
    ledger.note("published")
    assert stat.S_IMODE(ledger.path.stat().st_mode) & 0o077 == 0


def test_what_a_killed_run_left_open_is_told(tmp_path: Path) -> None:
    ledger = Ledger(path=tmp_path / "ledger.jsonl")
    for layer, end in (("one", None), ("two", "published"), ("three", "refused")):
        ledger.note("publishing", layer=layer, content_digest="ab")
        if end is not None:
            ledger.note(end, layer=layer, content_digest="ab", arn=f"{layer}:1")
    with ledger.path.open("a", encoding="utf-8") as stream:
        stream.write('{"event": "publishing", "layer": "four", "content_digest": "ab", "time": "noon"}\n')
    assert set(ledger.under_way()) == {"one ab"}
    assert abs((datetime.now(UTC) - ledger.under_way()["one ab"]).total_seconds()) < 5
