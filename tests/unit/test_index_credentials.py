"""How the keyring is asked, and that it never stops anything."""

import sys
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from layerkit.index import Credentials
from layerkit.index_credentials import _ask, from_keyring
from layerkit.sandbox import process
from layerkit.sandbox.process import Completed


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    _ask.cache_clear()
    yield
    _ask.cache_clear()


def keyring_that(get_credential: Any) -> Any:
    return SimpleNamespace(get_credential=get_credential)


def test_an_installed_keyring_is_asked_in_this_process_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str | None]] = []

    def get_credential(service: str, username: str | None) -> Any:
        asked.append((service, username))
        return SimpleNamespace(username="joe", password="geheim") if service == "host" else None

    monkeypatch.setitem(sys.modules, "keyring", keyring_that(get_credential))
    for _ in range(2):
        assert from_keyring(["https://host/simple", "host"], None) == Credentials(username="joe", password="geheim")
    assert asked == [("https://host/simple", None), ("host", None)]


def test_a_keyring_that_fails_has_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def get_credential(service: str, username: str | None) -> Any:
        raise RuntimeError(f"no backend for {service} and {username}")

    monkeypatch.setitem(sys.modules, "keyring", keyring_that(get_credential))
    assert from_keyring(["host"], None) is None


@pytest.mark.parametrize(
    ("username", "command", "stdout", "found"),
    [
        (None, ["keyring", "--mode", "creds", "get", "host"], "joe\ngeheim\n", ("joe", "geheim")),
        ("me", ["keyring", "get", "host", "me"], "geheim\n", ("me", "geheim")),
        ("me", ["keyring", "get", "host", "me"], "", None),
    ],
)
def test_without_it_the_command_is_asked(
    monkeypatch: pytest.MonkeyPatch,
    username: str | None,
    command: list[str],
    stdout: str,
    found: tuple[str, str] | None,
) -> None:
    ran: list[Sequence[Any]] = []

    def run(command: Sequence[Any], **_: Any) -> Completed:
        ran.append(command)
        return Completed(status=0, stdout=stdout, stderr="")

    monkeypatch.setitem(sys.modules, "keyring", None)
    monkeypatch.setattr(process, "run", run)
    expected = Credentials(username=found[0], password=found[1]) if found else None
    assert from_keyring(["host"], username) == expected
    assert ran == [command]


@pytest.mark.parametrize("outcome", [OSError("no such program"), Completed(status=1, stdout="x\ny\n", stderr="")])
def test_a_command_that_fails_has_nothing(monkeypatch: pytest.MonkeyPatch, outcome: Any) -> None:
    def run(command: Sequence[Any], **_: Any) -> Completed:
        del command
        if isinstance(outcome, OSError):
            raise outcome
        assert isinstance(outcome, Completed)
        return outcome

    monkeypatch.setitem(sys.modules, "keyring", None)
    monkeypatch.setattr(process, "run", run)
    assert from_keyring(["host"], None) is None
