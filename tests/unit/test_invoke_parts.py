"""The event of ``layerkit invoke``: what editors and shells write is taken, and handed over as UTF-8."""

import codecs
import sys
from pathlib import Path

import pytest

from layerkit.cli.invoke_parts import BadEvent, event_of

EVENT = '{"a": "\u00fc"}'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_an_event_may_be_in_any_encoding_that_json_has(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "event.json"
    path.write_bytes(EVENT.encode(encoding))
    assert event_of(str(path)) == EVENT.encode()


@pytest.mark.parametrize("said", ["5", "-5", "1.5", "1e3", "null", ' {"a": 1}', '"text"'])
def test_json_itself_is_an_event(said: str) -> None:
    assert event_of(said) == said.encode()


def test_numbers_are_left_to_the_function() -> None:
    assert event_of("1" * 5000) == b"1" * 5000


@pytest.mark.parametrize("content", [b"", b" \n", codecs.BOM_UTF8])
def test_an_empty_file_is_called_empty(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "event.json"
    path.write_bytes(content)
    with pytest.raises(BadEvent, match="is empty"):
        event_of(str(path))


def test_a_closed_stdin_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(BadEvent, match="on stdin cannot be read: it is closed"):
        event_of("-")
