"""Destinations side by side: what each holds, and in which way it lags."""

from pathlib import Path

import pytest

from layerkit.model.publishing import Account
from layerkit.publish.artifact import Artifact
from layerkit.publish.plan import Destination, Grant, Statement
from layerkit.publish.versions import Holding, Lag, Newest, Standing, compare

OLD, NEW = "a" * 32, "b" * 32
NOTHING = Holding(versions=0, newest=None)


def place(region: str) -> Destination:
    return Destination(account=Account(name="prod"), number="111111111111", region=region, partition="aws")


def holding(
    number: int,
    mark: str | None,
    *,
    day: int = 1,
    code: str = "code=",
    statements: tuple[Statement, ...] = (),
) -> Holding:
    newest = Newest(
        number=number,
        arn=f"arn:aws:lambda:eu-west-1:111111111111:layer:web:{number}",
        created=f"2026-01-{day:02}T00:00:00.000+0000",
        mark=mark,
        code_sha256=code,
        code_size=10,
        runtimes=("python3.13",),
        architectures=("x86_64",),
        license="MIT",
        description=f"Web [content {mark}]" if mark else "Web",
        statements=statements,
    )
    return Holding(versions=number, newest=newest)


def artifact(digest: str, code: str = "other=") -> Artifact:
    return Artifact(
        name="web",
        layer_name="web",
        path=Path("web.zip"),
        zipped_bytes=10,
        unzipped_bytes=20,
        code_sha256=code,
        content_digest=digest * 2,
        runtimes=("python3.13",),
        architectures=("x86_64",),
    )


def standings(*found: Holding, wanted: Artifact | None = None) -> tuple[Standing, ...]:
    return compare([(place(f"region-{at}"), each) for at, each in enumerate(found)], wanted=wanted)


def lags(*found: Holding, wanted: Artifact | None = None) -> list[tuple[Lag, ...]]:
    return [each.lags for each in standings(*found, wanted=wanted)]


def test_equal_destinations_do_not_lag() -> None:
    assert lags(holding(3, NEW), holding(3, NEW)) == [(), ()]


def test_a_lower_number_lags_in_number_even_with_the_same_content() -> None:
    assert lags(holding(3, NEW), holding(2, NEW)) == [(), (Lag.NUMBER,)]


def test_other_content_than_what_came_up_last_lags_in_content() -> None:
    assert lags(holding(3, OLD, day=1), holding(3, NEW, day=2)) == [(Lag.CONTENT,), ()]


def test_a_straggler_that_catches_up_with_old_content_does_not_make_it_current() -> None:
    """The old content was there before the new one, so a late copy of it is not what was published last."""
    assert lags(holding(1, OLD, day=1), holding(1, NEW, day=2), holding(1, OLD, day=3)) == [
        (Lag.CONTENT,),
        (),
        (Lag.CONTENT,),
    ]


def test_a_destination_without_the_layer_lags_in_both() -> None:
    assert lags(holding(1, NEW), NOTHING) == [(), (Lag.NUMBER, Lag.CONTENT)]


def test_where_the_layer_is_nowhere_nobody_lags_unless_it_is_named_by_a_zip() -> None:
    assert lags(NOTHING, NOTHING) == [(), ()]
    assert lags(NOTHING, wanted=artifact(NEW)) == [(Lag.CONTENT,)]


def test_a_zip_says_what_is_wanted_whatever_was_published_last() -> None:
    assert lags(holding(1, OLD, day=1), holding(1, NEW, day=2), wanted=artifact(OLD)) == [(), (Lag.CONTENT,)]


def test_a_zip_is_found_by_its_bytes_where_layerkit_left_no_mark() -> None:
    assert lags(holding(1, None, code="same="), wanted=artifact(NEW, code="same=")) == [()]
    assert lags(holding(1, None, code="else="), wanted=artifact(NEW, code="same=")) == [(Lag.CONTENT,)]


def test_the_same_bytes_with_and_without_a_mark_are_one_content() -> None:
    found = standings(holding(1, NEW, code="same="), holding(1, None, code="same="))
    assert [each.content for each in found] == [NEW, NEW]
    assert [each.lags for each in found] == [(), ()]


def test_one_mark_is_one_content_whatever_compressed_it() -> None:
    assert lags(holding(1, NEW, code="one="), holding(1, NEW, code="two=")) == [(), ()]


@pytest.mark.parametrize(
    ("grant", "shared"),
    [
        (Grant(principal="222222222222"), {"accounts": ["222222222222"], "organizations": [], "public": False}),
        (
            Grant(principal="*", organization="o-abcdefghij"),
            {"accounts": [], "organizations": ["o-abcdefghij"], "public": False},
        ),
        (Grant(principal="*"), {"accounts": [], "organizations": [], "public": True}),
    ],
)
def test_json_tells_who_may_use_it(grant: Grant, shared: dict[str, object]) -> None:
    (standing,) = standings(holding(1, NEW, statements=(Statement(id="x", grant=grant),)))
    assert standing.to_json()["shared_with"] == shared


def test_json_has_the_same_keys_where_there_is_nothing() -> None:
    there, nothing = standings(holding(2, NEW), NOTHING)
    assert there.to_json().keys() == nothing.to_json().keys()
    assert (there.to_json()["version_number"], there.to_json()["lags"]) == (2, [])
    assert (nothing.to_json()["version_number"], nothing.to_json()["lags"]) == (None, ["number", "content"])
