"""What becomes of published layers, against a strict AWS on this machine: compared, looked up, retired, unshared."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.aws_server import AwsServer, Fault, Kind
from tests.aws_server.clients import zip_of
from tests.layer_life import Shell, numbers
from tests.publishing import ACCOUNTS, GUEST, ORGANIZATION, REGIONS, make_zip, permissions, role_of, write_manifest

ONE, TWO, THREE = ACCOUNTS
EU, US = "eu-west-1", "us-east-1"
NAME = "web-python312-x86_64"


@pytest.fixture
def server() -> Iterator[AwsServer]:
    with AwsServer(accounts=(*ACCOUNTS, GUEST), regions=REGIONS, throttle=False) as server:
        yield server


@pytest.fixture
def shell(server: AwsServer, tmp_path: Path) -> Shell:
    return Shell(server=server, folder=tmp_path)


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    path = make_zip(tmp_path, "web")
    write_manifest(path)
    return path


def seed_versions(server: AwsServer, count: int, *, account: str = ONE, region: str = EU, **more: object) -> list[str]:
    return [
        server.seed_layer(account, region, NAME, zip_of(10 + number), **more)  # type: ignore[arg-type]
        for number in range(count)
    ]


# versions


def test_destinations_side_by_side_and_which_of_them_lag(server: AwsServer, shell: Shell, layer: Path) -> None:
    server.seed_layer(TWO, US, NAME, zip_of(), description="old")
    server.seed_layer(ONE, EU, NAME, zip_of(), share={"x": GUEST, "y": "*", "z": ORGANIZATION})
    assert shell("publish", layer, "--to", "a1").code == 0
    told = shell("versions", NAME, "--json")
    assert told.code == 0
    rows = {(row["account"], row["region"]): row for row in told.json["destinations"]}
    assert [(row["version_number"], row["versions"], row["lags"]) for row in rows.values()] == [
        (2, 2, []),
        (1, 1, ["number"]),
        (None, 0, ["number", "content"]),
        (1, 1, ["number", "content"]),
    ]
    assert rows[ONE, EU]["arn"] == f"arn:aws:lambda:{EU}:{ONE}:layer:{NAME}:2"
    assert rows[ONE, EU]["content"] == rows[ONE, US]["content"] != rows[TWO, US]["content"]
    assert rows[ONE, EU]["compatible_runtimes"] == ["python3.12"]
    assert rows[ONE, EU]["license"] == "MIT"


def test_who_may_use_the_newest_version(server: AwsServer, shell: Shell) -> None:
    server.seed_layer(ONE, EU, NAME, zip_of(), share={"x": GUEST, "y": "*", "z": ORGANIZATION})
    told = shell("versions", NAME, "--to", "a1", "--region", EU, "--json").json["destinations"]
    assert told[0]["shared_with"] == {"accounts": [GUEST], "organizations": [ORGANIZATION], "public": True}
    assert f"{GUEST} everybody {ORGANIZATION}" in shell("versions", NAME, "--to", "a1", "--region", EU).out


def test_a_zip_tells_what_the_destinations_should_hold(shell: Shell, layer: Path) -> None:
    """Without it, what was published last counts; a build that was not published yet is ahead of all of them."""
    assert shell("publish", layer).code == 0
    assert {tuple(row["lags"]) for row in shell("versions", layer, "--json").json["destinations"]} == {()}
    newer = make_zip(layer.parent, "web", seed=1)
    write_manifest(newer, content_digest="sha256:" + "a" * 64)
    assert {tuple(row["lags"]) for row in shell("versions", newer, "--json").json["destinations"]} == {("content",)}
    assert {tuple(row["lags"]) for row in shell("versions", NAME, "--json").json["destinations"]} == {()}
    manifest = newer.with_name("web.layer.json")
    assert {tuple(row["lags"]) for row in shell("versions", manifest, "--json").json["destinations"]} == {("content",)}


def test_the_content_that_was_published_last_is_the_current_one(shell: Shell, layer: Path) -> None:
    """However often a straggler publishes what the others had before."""
    assert shell("publish", layer).code == 0
    write_manifest(make_zip(layer.parent, "web", seed=1), content_digest="sha256:" + "b" * 64)
    assert shell("publish", layer, "--to", "a1").code == 0
    rows = shell("versions", NAME, "--json").json["destinations"]
    assert [row["lags"] for row in rows] == [[], [], ["number", "content"], ["number", "content"]]
    assert shell("publish", layer).code == 0
    rows = shell("versions", NAME, "--json").json["destinations"]
    assert [row["lags"] for row in rows] == [[], [], [], []]


def test_a_destination_that_fails_hides_no_other(server: AwsServer, shell: Shell, layer: Path) -> None:
    assert shell("publish", layer).code == 0
    server.faults.add(Fault(kind=Kind.DENIED, operation="ListLayerVersions", account=TWO, region=US, times=None))
    told = shell("versions", NAME, "--json")
    assert told.code == 7
    rows = told.json["destinations"]
    assert [row.get("version_number") for row in rows] == [1, 1, 1, None]
    assert rows[3]["status"] == "failed"
    assert f"{NAME} in a2 ({TWO}) {US}:" in told.err
    assert "AWS denied `lambda:ListLayerVersions`" in told.err


def test_more_versions_than_a_page_holds_are_counted(server: AwsServer, shell: Shell) -> None:
    seed_versions(server, 120)
    told = shell("versions", NAME, "--to", "a1", "--region", EU)
    assert told.out.split("\n")[1].split()[:5] == ["a1", ONE, EU, "120", "120"]


@pytest.mark.parametrize("command", [["versions"], ["retire", "--keep", "1"], ["unshare", "--public"]])
@pytest.mark.parametrize(
    ("layer_name", "words", "code"),
    [
        ("a.b", "`a.b` is not a layer", 2),
        ("missing.zip", "no such file or directory", 2),
        ("missing.layer.json", "no such file or directory", 2),
    ],
)
def test_what_names_no_layer(command: list[str], layer_name: str, words: str, code: int, shell: Shell) -> None:
    told = shell(*command, layer_name)
    assert (told.code, words in told.err) == (code, True), told.err


def test_a_layer_that_is_nowhere(shell: Shell) -> None:
    told = shell("versions", "nothing")
    assert (told.code, told.err.startswith("error: no destination has a layer `nothing`")) == (7, True)


# used-by


def test_functions_of_all_accounts_with_all_their_versions(server: AwsServer, shell: Shell) -> None:
    """A function's published version keeps its layers, and an alias may point at it."""
    first, second = seed_versions(server, 2)
    other = server.seed_layer(THREE, EU, NAME, zip_of())
    server.seed_function(ONE, EU, "orders", layers=[first])
    server.publish_function_version(ONE, EU, "orders")
    server.publish_function_version(ONE, EU, "orders")
    server.seed_function(TWO, EU, "billing", layers=[second])
    server.seed_function(TWO, EU, "stranger", layers=[other])
    server.seed_function(ONE, EU, "plain")
    told = shell("used-by", NAME, "--json")
    assert told.code == 0
    found = [
        (one["layer_version"], one["account"], one["function"], one["function_version"]) for one in told.json["used_by"]
    ]
    assert found == [
        (1, ONE, "orders", "$LATEST"),
        (1, ONE, "orders", "1"),
        (1, ONE, "orders", "2"),
        (2, TWO, "billing", "$LATEST"),
    ]
    assert told.json["failed"] == []
    shown = [line.split() for line in shell("used-by", NAME).out.splitlines()]
    assert shown[1][:3] == ["2", TWO, EU]
    assert shown[2][3:] == ["orders", "$LATEST,", "1,", "2", first.rpartition(":")[0]]


def test_a_layer_of_one_account_used_in_another_that_alone_is_asked(server: AwsServer, shell: Shell) -> None:
    (arn,) = seed_versions(server, 1)
    server.seed_function(TWO, EU, "billing", layers=[arn])
    told = shell("used-by", NAME, "--to", "a2", "--json").json["used_by"]
    assert [one["function"] for one in told] == ["billing"]


@pytest.mark.parametrize(("suffix", "found"), [("", ["new", "old"]), (":1", ["old"]), (":2", ["new"])])
def test_by_the_arn_of_somebody_elses_layer_or_of_one_version(
    suffix: str, found: list[str], server: AwsServer, shell: Shell
) -> None:
    first, second = (server.seed_layer(GUEST, US, "theirs", zip_of(n), share={"x": "*"}) for n in (1, 2))
    server.seed_function(ONE, US, "old", layers=[first])
    server.seed_function(TWO, US, "new", layers=[second])
    told = shell("used-by", f"arn:aws:lambda:{US}:{GUEST}:layer:theirs{suffix}", "--json").json["used_by"]
    assert sorted(one["function"] for one in told) == found
    assert {call.region for call in server.calls_of("ListFunctions")} == {US}


def test_many_functions_come_in_pages(server: AwsServer, shell: Shell) -> None:
    (arn,) = seed_versions(server, 1)
    for number in range(130):
        server.seed_function(ONE, EU, f"f{number:03}", layers=[arn])
    told = shell("used-by", NAME, "--region", EU, "--json").json["used_by"]
    assert [one["function"] for one in told] == [f"f{number:03}" for number in range(130)]


def test_an_account_that_does_not_answer_is_told(server: AwsServer, shell: Shell) -> None:
    (arn,) = seed_versions(server, 1)
    server.seed_function(ONE, EU, "orders", layers=[arn])
    server.seed_role(role_of(TWO), trusted=())
    told = shell("used-by", NAME, "--json")
    assert told.code == 7
    assert [one["function"] for one in told.json["used_by"]] == ["orders"]
    assert [(one["account"], one["region"]) for one in told.json["failed"]] == [(TWO, EU), (TWO, US)]
    assert f"role `{role_of(TWO)}` cannot be assumed" in told.err


def test_nobody_uses_it(shell: Shell) -> None:
    told = shell("used-by", NAME)
    assert (told.code, told.out, told.err) == (0, "", f"No function in 4 destinations uses `{NAME}`\n")


# retire


def test_the_newest_stay_and_the_rest_goes(server: AwsServer, shell: Shell) -> None:
    seed_versions(server, 7)
    seed_versions(server, 2, account=TWO, region=US)
    planned = shell("retire", NAME, "--keep", "5", "--plan")
    assert planned.code == 1
    assert planned.out.split("\n")[1].split() == ["a1", ONE, EU, "1-2", "3-7", "-", "-"]
    assert not server.calls_of("DeleteLayerVersion")
    done = shell("retire", NAME, "--keep", "5", "--yes", "--json")
    assert done.code == 0
    assert numbers(server, ONE, EU, NAME) == [3, 4, 5, 6, 7]
    assert numbers(server, TWO, US, NAME) == [1, 2]
    status = {(one["account"], one["version_number"]): one["status"] for one in done.json["retired"]}
    assert status == {(ONE, n): "retired" if n < 3 else "kept" for n in range(1, 8)} | {
        (TWO, n): "kept" for n in (1, 2)
    }
    assert [event["arn"][-2:] for event in shell.ledger("retired")] == [":1", ":2"]
    again = shell("retire", NAME, "--keep", "5", "--plan")
    assert again.code == 0
    assert shell("retire", NAME, "--keep", "5").code == 0, "there is nothing to ask about"


def test_a_version_in_use_stays_whoever_uses_it_and_in_whichever_version(server: AwsServer, shell: Shell) -> None:
    """By a function, by a published version of one, by a function of another configured account."""
    arns = seed_versions(server, 6)
    server.seed_function(ONE, EU, "now", layers=[arns[0]])
    server.seed_function(ONE, EU, "before", layers=[arns[1]])
    server.publish_function_version(ONE, EU, "before")
    server.region(ONE, EU).functions["before"].layers = []
    server.seed_function(TWO, EU, "guest", layers=[arns[2]])
    told = shell("retire", NAME, "--to", "a1", "--keep", "1", "--yes", "--json")
    assert told.code == 0
    assert numbers(server, ONE, EU, NAME) == [1, 2, 3, 6]
    kept = {one["version_number"]: one for one in told.json["retired"] if one["status"] == "kept"}
    assert {number: one["reason"] for number, one in kept.items()} == {1: "used", 2: "used", 3: "used", 6: "newest"}
    assert kept[2]["used_by"] == [f"arn:aws:lambda:{EU}:{ONE}:function:before:1"]
    assert "now" in shell("retire", NAME, "--to", "a1", "--keep", "1", "--plan").out


@pytest.mark.parametrize("principal", [GUEST, "*", ORGANIZATION])
def test_what_is_shared_out_of_sight_stays_unless_forced(principal: str, server: AwsServer, shell: Shell) -> None:
    seed_versions(server, 2, share={"theirs": principal})
    seed_versions(server, 1)
    told = shell("retire", NAME, "--keep", "1", "--plan")
    assert told.code == 0
    assert "2 with" in told.out
    assert shell("retire", NAME, "--keep", "1", "--yes").code == 0
    assert numbers(server, ONE, EU, NAME) == [1, 2, 3]
    assert shell("retire", NAME, "--keep", "1", "--yes", "--force").code == 0
    assert numbers(server, ONE, EU, NAME) == [3]


def test_what_is_shared_with_an_account_in_sight_goes_if_nothing_there_uses_it(server: AwsServer, shell: Shell) -> None:
    seed_versions(server, 3, share={"theirs": TWO})
    assert shell("retire", NAME, "--keep", "1", "--yes").code == 0
    assert numbers(server, ONE, EU, NAME) == [3]


def test_an_account_that_cannot_be_asked_is_out_of_sight(server: AwsServer, shell: Shell) -> None:
    seed_versions(server, 3, share={"theirs": TWO})
    server.seed_role(role_of(TWO), trusted=())
    told = shell("retire", NAME, "--to", "a1", "--keep", "1", "--yes")
    assert told.code == 0, told.err
    assert numbers(server, ONE, EU, NAME) == [1, 2, 3]


def test_nothing_goes_where_the_functions_cannot_be_seen(server: AwsServer, shell: Shell) -> None:
    seed_versions(server, 3)
    seed_versions(server, 3, region=US)
    server.faults.add(Fault(kind=Kind.DENIED, operation="ListFunctions", account=ONE, region=EU, times=None))
    told = shell("retire", NAME, "--keep", "1", "--yes", "--force")
    assert told.code == 7
    assert "AWS denied `lambda:ListFunctions`" in told.err
    assert numbers(server, ONE, EU, NAME) == [1, 2, 3]
    assert numbers(server, ONE, US, NAME) == [3]


def test_a_deletion_that_fails_ends_that_destination_and_the_next_run_goes_on(server: AwsServer, shell: Shell) -> None:
    seed_versions(server, 4)
    seed_versions(server, 4, account=TWO)
    server.faults.add(Fault(kind=Kind.DENIED, operation="DeleteLayerVersion", account=ONE, after=1))
    told = shell("retire", NAME, "--keep", "1", "--yes", "--json")
    assert told.code == 7
    assert numbers(server, ONE, EU, NAME) == [2, 3, 4]
    assert numbers(server, TWO, EU, NAME) == [4]
    status = {one["version_number"]: one["status"] for one in told.json["retired"] if one["account"] == ONE}
    assert status == {1: "retired", 2: "failed", 3: "failed", 4: "kept"}
    assert shell("retire", NAME, "--keep", "1", "--yes").code == 0
    assert numbers(server, ONE, EU, NAME) == [4]


@pytest.mark.parametrize("kind", [Kind.RESET_AFTER, Kind.ERROR, Kind.THROTTLE])
def test_an_answer_that_is_lost_is_asked_for_again(kind: Kind, server: AwsServer, shell: Shell) -> None:
    seed_versions(server, 3)
    server.faults.add(Fault(kind=kind, operation="DeleteLayerVersion"))
    assert shell("retire", NAME, "--keep", "1", "--yes").code == 0
    assert numbers(server, ONE, EU, NAME) == [3]


@pytest.mark.parametrize("command", [["retire", "--keep", "1"], ["unshare", "--public"]])
def test_without_a_terminal_nothing_is_taken_away_unasked(command: list[str], server: AwsServer, shell: Shell) -> None:
    seed_versions(server, 2, share={"all": "*"})
    seed_versions(server, 2)
    told = shell(*command, NAME, *(["--force"] if "retire" in command else []))
    assert (told.code, "say `--yes`" in told.err) == (2, True)
    assert numbers(server, ONE, EU, NAME) == [1, 2, 3, 4]
    assert not [call for call in server.calls if call.operation.startswith(("Delete", "Remove"))]


@pytest.mark.parametrize(("answer", "code", "left"), [("y", 0, [3]), ("n", 1, [1, 2, 3])])
def test_on_a_terminal_it_shows_the_plan_and_asks(
    answer: str, code: int, left: list[int], server: AwsServer, shell: Shell
) -> None:
    pty = pytest.importorskip("pty")
    seed_versions(server, 3)
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "layerkit", "retire", NAME, "--keep", "1"],
        cwd=shell.folder,
        env=shell.environment(),
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        shown = b""
        while b"[y/N]" not in shown:
            shown += os.read(ours, 4096)
        os.write(ours, f"{answer}\n".encode())
        process.wait(timeout=60)
    os.close(ours)
    assert b"Delete 2 versions of `web-python312-x86_64` for good? [y/N]" in shown
    assert b"1-2" in shown
    assert (process.returncode, numbers(server, ONE, EU, NAME)) == (code, left)


def test_ctrl_c_ends_the_call_under_way_tells_what_is_done_and_can_be_gone_on_from(
    server: AwsServer, shell: Shell
) -> None:
    seed_versions(server, 30)
    server.switches.latency = 0.1
    with subprocess.Popen(
        [sys.executable, "-m", "layerkit", "retire", NAME, "--keep", "1", "--yes", "--json"],
        cwd=shell.folder,
        env=shell.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        until = time.monotonic() + 30
        while not server.calls_of("DeleteLayerVersion") and time.monotonic() < until:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    left = numbers(server, ONE, EU, NAME)
    assert (process.returncode, 1 < len(left) < 30) == (130, True), err
    status = {one["version_number"]: one["status"] for one in json.loads(out)["retired"]}
    assert {number for number, one in status.items() if one == "retired"} == set(range(1, 31)) - set(left)
    assert "interrupted" in err
    server.switches.latency = 0
    assert shell("retire", NAME, "--keep", "1", "--yes").code == 0
    assert numbers(server, ONE, EU, NAME) == [30]


@pytest.mark.parametrize("arguments", [["--keep", "0"], ["--keep", "x"], []])
def test_the_number_to_keep_must_be_said(arguments: list[str], server: AwsServer, shell: Shell) -> None:
    assert shell("retire", NAME, *arguments).code == 2
    assert not server.calls


# unshare


def test_permissions_are_taken_back_from_all_versions_everywhere(server: AwsServer, shell: Shell) -> None:
    """Its own and others' that grant just what is named; nothing else."""
    share = {f"layerkit-account-{GUEST}": GUEST, "theirs": GUEST, "other": THREE, "org": ORGANIZATION}
    seed_versions(server, 3, share=share)
    seed_versions(server, 1, account=TWO, region=US, share=share)
    planned = shell("unshare", NAME, "--account", GUEST, "--plan", "--json")
    assert planned.code == 1
    assert {one["status"] for one in planned.json["removed"]} == {"planned"}
    assert len(planned.json["removed"]) == 8
    assert not server.calls_of("RemoveLayerVersionPermission")
    done = shell("unshare", NAME, "--account", GUEST, "--yes")
    assert done.code == 0
    for account, region in ((ONE, EU), (TWO, US)):
        for version in server.layers(account, region)[NAME]:
            assert permissions(version) == {"other": (THREE, None), "org": ("*", ORGANIZATION)}
    assert len(shell.ledger("revoked")) == 8
    assert shell("unshare", NAME, "--account", GUEST, "--plan").code == 0
    assert shell("unshare", NAME, "--org", ORGANIZATION, "--account", THREE, "--yes").code == 0
    assert permissions(server.layers(ONE, EU)[NAME][0]) == {}


def test_only_from_one_version(server: AwsServer, shell: Shell) -> None:
    seed_versions(server, 3, share={"all": "*"})
    assert shell("unshare", NAME, "--public", "--version", "2", "--yes").code == 0
    assert [list(version.policy) for version in server.layers(ONE, EU)[NAME]] == [["all"], [], ["all"]]


def test_what_still_lets_them_in_is_told(server: AwsServer, shell: Shell) -> None:
    """Another permission for everybody, and the configuration that would grant it again."""
    shell.configure(share=f'accounts = ["{GUEST}"]')
    seed_versions(server, 2, share={"theirs": GUEST, "all": "*"})
    told = shell("unshare", NAME, "--account", GUEST, "--yes")
    assert told.code == 0
    assert f"warning: everybody may still use `{NAME}`, in version 1-2" in told.err
    assert f"[publish.share] still names {GUEST}" in told.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "nobody is named"),
        (["--account", "12"], "`12` is not an account's number"),
        (["--org", "x"], "`x` is not an organisation's id"),
        (["--public", "--version", "newest"], "`newest` is not a version"),
        (["--public", "--version", "0"], "`0` is not a version"),
    ],
)
def test_mistakes_of_unshare(arguments: list[str], words: str, server: AwsServer, shell: Shell) -> None:
    told = shell("unshare", NAME, *arguments)
    assert (told.code, words in told.err) == (2, True), told.err
    assert not server.calls_of("GetLayerVersionPolicy")


def test_a_failure_of_unshare_stops_no_other_destination(server: AwsServer, shell: Shell) -> None:
    seed_versions(server, 2, share={"all": "*"})
    seed_versions(server, 2, account=TWO, share={"all": "*"})
    server.faults.add(Fault(kind=Kind.DENIED, operation="RemoveLayerVersionPermission", account=ONE))
    told = shell("unshare", NAME, "--public", "--yes", "--json")
    assert told.code == 7
    assert [one["status"] for one in told.json["removed"]] == ["failed", "failed", "removed", "removed"]
    assert "AWS denied `lambda:RemoveLayerVersionPermission`" in told.err
    assert shell("unshare", NAME, "--public", "--yes").code == 0
    assert not [version for version in server.layers(ONE, EU)[NAME] if version.policy]
