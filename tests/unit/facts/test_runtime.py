"""What the runtime facts say, held to AWS's published table and to captures inside the runtimes."""

import json
import pickle
from datetime import date
from pathlib import Path

import pytest

from layerkit.facts import Architecture, PythonRuntime, Runtime, RuntimeStatus, newest_python, runtimes
from layerkit.facts.runtime import read_runtimes
from layerkit.facts.table import FactsError, Table

TODAY = date(2026, 11, 24)
CAPTURES = Path(__file__).parents[2] / "data" / "platforms"

# name, system, glibc, deprecated, create blocked, update blocked, architectures: AWS's table of runtimes
PUBLISHED = """
python2.7       AL1    2.17 2021-07-15 2021-07-15 2022-05-30 x86_64
python3.6       AL1    2.17 2022-07-18 2022-07-18 2022-08-29 x86_64
python3.7       AL1    2.17 2023-12-04 2024-01-09 2027-03-03 x86_64
python3.8       AL2    2.26 2024-10-14 2027-02-01 2027-03-03 x86_64,arm64
python3.9       AL2    2.26 2025-12-15 2027-02-01 2027-03-03 x86_64,arm64
python3.10      AL2    2.26 2026-10-31 2027-02-01 2027-03-03 x86_64,arm64
python3.11      AL2    2.26 2027-06-30 2027-07-31 2027-08-31 x86_64,arm64
python3.12      AL2023 2.34 2028-10-31 2028-11-30 2029-01-10 x86_64,arm64
python3.13      AL2023 2.34 2029-06-30 2029-07-31 2029-08-31 x86_64,arm64
python3.14      AL2023 2.34 2029-06-30 2029-07-31 2029-08-31 x86_64,arm64
python3.15      AL2023 2.34 -          -          -          x86_64,arm64
provided        AL1    2.17 2024-01-08 2024-02-08 2027-03-03 x86_64
provided.al2    AL2    2.26 2026-07-31 2027-02-01 2027-03-03 x86_64,arm64
provided.al2023 AL2023 2.34 2029-06-30 2029-07-31 2029-08-31 x86_64,arm64
"""
ROWS = [tuple(line.split()) for line in PUBLISHED.strip().splitlines()]


def python_runtime(name: str) -> PythonRuntime:
    runtime = runtimes()[name]
    assert isinstance(runtime, PythonRuntime)
    return runtime


def test_every_python_and_provided_runtime_is_known_and_no_other() -> None:
    assert list(runtimes()) == [row[0] for row in ROWS]


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_a_runtime_is_as_aws_publishes_it(row: tuple[str, ...]) -> None:
    runtime = runtimes()[row[0]]
    dates = (runtime.deprecated, runtime.create_block, runtime.update_block)
    found = (
        runtime.name,
        runtime.system.name,
        ".".join(str(part) for part in runtime.glibc),
        *(day.isoformat() if day else "-" for day in dates),
        ",".join(runtime.architectures),
    )
    assert found == row


def test_the_patch_level_is_the_one_that_was_captured() -> None:
    for path in CAPTURES.glob("*.json"):
        markers = json.loads(path.read_text())["marker_environment"]
        assert (
            python_runtime(f"python{markers['python_version']}").python_full_version == markers["python_full_version"]
        )


def test_only_python3_15_is_in_preview() -> None:
    assert [name for name, runtime in runtimes().items() if runtime.preview] == ["python3.15"]


def test_a_runtime_has_what_it_bundles_from_the_dump() -> None:
    runtime = python_runtime("python3.11")
    bundled = {distribution.name: distribution.version for distribution in runtime.bundled}
    assert bundled == {
        "awslambdaric": "4.0.1",
        "boto3": "1.42.97",
        "botocore": "1.42.97",
        "jmespath": "1.0.1",
        "pip": "24.0",
        "python-dateutil": "2.9.0.post0",
        "s3transfer": "0.16.0",
        "setuptools": "79.0.1",
        "simplejson": "4.1.1",
        "six": "1.17.0",
        "snapshot-restore-py": "1.0.0",
        "urllib3": "1.26.19",
    }
    assert (runtime.bundled_in, runtime.bundled_seen) == ("/var/lang/lib/python3.11/site-packages", date(2026, 7, 24))


def test_old_runtimes_bundle_in_var_runtime_and_unseen_ones_say_nothing() -> None:
    assert python_runtime("python3.10").bundled_in == "/var/runtime"
    assert (python_runtime("python3.6").bundled, python_runtime("python3.6").bundled_in) == ((), None)


def test_systems_have_the_symbol_levels_of_their_libraries() -> None:
    system = runtimes()["provided.al2"].system
    assert (system.glibcxx, system.cxxabi, system.openssl) == ((3, 4, 24), (1, 3, 11), "1.0.2k")
    system = runtimes()["python3.13"].system
    assert (system.glibcxx, system.cxxabi, system.openssl) == ((3, 4, 33), (1, 3, 15), "3.5.5")


@pytest.mark.parametrize(
    ("name", "today", "status"),
    [
        ("python3.10", date(2026, 10, 30), RuntimeStatus.CURRENT),
        ("python3.10", date(2026, 10, 31), RuntimeStatus.DEPRECATED),
        ("python3.10", date(2027, 1, 31), RuntimeStatus.DEPRECATED),
        ("python3.10", date(2027, 2, 1), RuntimeStatus.BLOCKED),
        ("python3.10", date(2027, 3, 3), RuntimeStatus.REMOVED),
        ("python3.7", TODAY, RuntimeStatus.BLOCKED),
        ("python3.6", TODAY, RuntimeStatus.REMOVED),
        ("python3.15", TODAY, RuntimeStatus.PREVIEW),
        ("provided.al2023", TODAY, RuntimeStatus.CURRENT),
    ],
)
def test_a_status_changes_on_the_day_itself(name: str, today: date, status: RuntimeStatus) -> None:
    assert runtimes()[name].status(today) is status


@pytest.mark.parametrize(
    ("today", "name"),
    [
        (TODAY, "python3.14"),
        (date(2029, 6, 29), "python3.14"),
        (date(2040, 1, 1), "python3.14"),
    ],
)
def test_the_newest_python_is_neither_preview_nor_deprecated_while_there_is_one(today: date, name: str) -> None:
    assert newest_python(today).name == name


def test_removed_is_what_lambda_already_refuses_to_update() -> None:
    assert [name for name, runtime in runtimes().items() if runtime.removed] == ["python2.7", "python3.6"]


def test_runtimes_cannot_be_changed_and_travel_between_processes() -> None:
    with pytest.raises(TypeError):
        runtimes()["x"] = runtimes()["python3.12"]  # type: ignore[index]
    runtime = runtimes()["python3.12"]
    assert pickle.loads(pickle.dumps(runtime)) == runtime  # noqa: S301 -- its own bytes
    assert len({runtime, runtimes()["python3.13"]}) == 2


def test_arm64_is_aarch64_only_at_the_edge() -> None:
    assert [(str(each), each.machine) for each in Architecture] == [("x86_64", "x86_64"), ("arm64", "aarch64")]


GOOD = {
    "as-of": date(2026, 1, 1),
    "systems": {"AL9": {"glibc": "2.40"}},
    "runtimes": {
        "python4.0": {"system": "AL9", "architectures": ["arm64"], "python": "4.0", "python-full-version": "4.0.1"}
    },
}


def read(**changes: object) -> Runtime:
    entry = {**GOOD["runtimes"]["python4.0"], **changes}  # type: ignore[index]
    entry = {key.replace("_", "-"): value for key, value in entry.items() if value is not None}
    return read_runtimes(Table({**GOOD, "runtimes": {"python4.0": entry}}, file="runtimes.toml"))["python4.0"]


def test_the_table_that_the_wrong_ones_are_made_from_is_right() -> None:
    assert read().glibc == (2, 40)


@pytest.mark.parametrize(
    ("changes", "key", "problem"),
    [
        ({"system": None}, "system", "is missing"),
        ({"system": 3}, "system", "must be a str"),
        ({"system": "AL8"}, "system", "unknown system"),
        ({"colour": "red"}, "colour", "is unknown"),
        ({"architectures": ["mips"]}, "architectures", "unknown architecture"),
        ({"architectures": [3]}, "architectures", "strings only"),
        ({"deprecated": "2026-01-01"}, "deprecated", "must be a date"),
        ({"preview": "no"}, "preview", "must be a bool"),
        ({"python": "4"}, "python", "two numbers"),
        ({"python": "4.x"}, "python", "dotted version"),
        ({"python_full_version": "4.1.0"}, "python-full-version", "no patch level"),
        ({"bundled": {"six": "1.0"}}, "bundled", "where and when"),
        ({"bundled": {"six": 1}}, "bundled", "names to versions"),
    ],
)
def test_a_wrong_fact_is_an_error_with_file_and_key(changes: dict[str, object], key: str, problem: str) -> None:
    with pytest.raises(FactsError) as caught:
        read(**changes)
    assert str(caught.value).startswith(f"runtimes.toml: `runtimes.python4.0.{key}` ")
    assert problem in str(caught.value)


def test_an_unknown_table_is_an_error() -> None:
    with pytest.raises(FactsError, match=r"runtimes.toml: `colours` is unknown"):
        read_runtimes(Table({**GOOD, "colours": {}}, file="runtimes.toml"))


def test_a_value_in_the_place_of_a_table_is_an_error() -> None:
    with pytest.raises(FactsError, match=r"runtimes.toml: `systems.AL9` must be a table, not 3"):
        read_runtimes(Table({**GOOD, "systems": {"AL9": 3}}, file="runtimes.toml"))
