"""``layerkit doctor``: what works here, as text and as JSON, also where nothing does."""

import json
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.workbench import Answer, Workbench

Run = Callable[..., Answer]
NAMES = [
    *("layerkit", "uv", "settings", "index", "credentials", "cache"),
    *(f"python3.{minor}" for minor in range(8, 15)),
    *("engine", "emulation", "namespaces", "memory"),
]


def checks_of(answer: Answer) -> dict[str, Mapping[str, Any]]:
    found = json.loads(answer.stdout)
    assert found["version"] == 1
    return {check["name"]: check for check in found["checks"]}


def nothing_here(bench: Workbench, *argv: str, index: str | None = None) -> Answer:
    """Run the doctor where PATH leads nowhere and no engine answers."""
    empty = bench.root / "empty"
    empty.mkdir(exist_ok=True)
    url = index or bench.index.url
    return bench.run("doctor", *argv, PATH=str(empty), DOCKER_HOST="tcp://127.0.0.1:9", LAYERKIT_INDEX_URL=url)


def test_what_prebuilt_wheels_need_is_enough(bench: Workbench) -> None:
    answer = nothing_here(bench, "--json")
    checks = checks_of(answer)
    assert answer.code == 0
    assert [name for name in checks if name != "image"] == NAMES
    assert {checks[name]["status"] for name in NAMES[:6]} == {"ok"}
    assert checks["index"]["detail"].startswith(bench.index.url)
    assert checks["engine"]["status"] == "broken"
    assert "DOCKER_HOST" in checks["engine"]["hint"]
    assert checks["namespaces"]["status"] == "missing"
    assert all(check["hint"] for check in checks.values() if check["status"] != "ok")
    assert all(set(check) == {"name", "status", "detail", "hint"} for check in checks.values())


def test_text_has_a_line_for_each_check_and_one_for_each_way_out(bench: Workbench) -> None:
    answer = nothing_here(bench)
    lines = answer.stdout.splitlines()
    starts = [line for line in lines if not line.startswith(" ")]
    assert [line.split()[1] for line in starts] == NAMES
    assert {line.index(line.split(maxsplit=2)[2]) for line in starts} == {len("missing  credentials  ")}
    hints = [line.strip() for line in lines if line.startswith(" ")]
    assert len(hints) == sum(not line.startswith("ok") for line in starts)
    assert all(hint.startswith("hint: ") for hint in hints)
    assert answer.stderr == ""


def test_an_index_that_is_down_is_broken_and_exits_1(bench: Workbench) -> None:
    answer = nothing_here(bench, "--json", index="http://me:hunter2@127.0.0.1:9/simple")
    check = checks_of(answer)["index"]
    assert (answer.code, check["status"]) == (1, "broken")
    assert "connection refused" in check["detail"]
    assert "hunter2" not in str(answer)


def test_an_index_that_is_silent_holds_nothing_up(bench: Workbench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        began = time.monotonic()
        address = f"127.0.0.1:{server.getsockname()[1]}"
        answer = bench.run(
            "doctor", "--json", DOCKER_HOST=f"tcp://{address}", LAYERKIT_INDEX_URL=f"http://{address}/simple"
        )
        assert time.monotonic() - began < 10
    checks = checks_of(answer)
    assert answer.code == 1
    assert checks["index"]["status"] == checks["engine"]["status"] == "broken"


def test_no_index_at_all_is_what_was_asked_for(bench: Workbench) -> None:
    check = checks_of(bench.run("doctor", "--no-index", "--json", DOCKER_HOST="tcp://127.0.0.1:9"))["index"]
    assert (check["status"], check["detail"]) == ("ok", "none, as `no-index` wants it")


@pytest.mark.parametrize("exists", [True, False])
def test_an_index_on_disk_is_looked_for(bench: Workbench, exists: bool) -> None:
    url = (bench.shelf if exists else bench.root / "none").as_uri()
    answer = nothing_here(bench, "--json", index=url)
    assert checks_of(answer)["index"]["status"] == ("ok" if exists else "missing")
    assert answer.code == (0 if exists else 1)
