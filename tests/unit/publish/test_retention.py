from collections.abc import Sequence
from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from layerkit.model.arn import LayerVersionArn
from layerkit.model.publishing import Account
from layerkit.publish.plan import Destination, Grant
from layerkit.publish.retention import Held, Reason, Retirement, Sight, retire, still_going
from layerkit.publish.used_by import Use

REGION: Final = "eu-west-1"
OWNER, GUEST = "111111111111", "222222222222"
HERE: Final = Destination(account=Account(name="one"), number=OWNER, region=REGION, partition="aws")
PUBLIC: Final = Grant(principal="*")


def arn_of(number: int) -> str:
    return f"arn:aws:lambda:{REGION}:{OWNER}:layer:web:{number}"


def use_of(number: int) -> Use:
    return Use(
        layer=LayerVersionArn.parse(arn_of(number)),
        function="orders",
        function_version="$LATEST",
        function_arn=f"arn:aws:lambda:{REGION}:{OWNER}:function:orders",
    )


def held(number: int, *, used: bool = False, shared: bool = False) -> Held:
    return Held(
        number=number,
        arn=arn_of(number),
        created="",
        uses=(use_of(number),) if used else (),
        unseen=(PUBLIC,) if shared else (),
    )


def plan(versions: Sequence[Held], *, keep: int = 1, force: bool = False) -> Retirement:
    return retire(HERE, "web", versions, keep=keep, force=force)


def going(step: Retirement) -> list[int]:
    return [version.number for version in step.go]


def staying(step: Retirement) -> dict[int, Reason]:
    return {kept.version.number: kept.reason for kept in step.stay}


@st.composite
def layers(draw: st.DrawFn, *, numbers: Sequence[int] | None = None) -> list[Held]:
    """Versions in any order, with gaps, each in use or shared or neither or both."""
    if numbers is None:
        numbers = draw(st.lists(st.integers(1, 60), unique=True, max_size=25))
    return [held(number, used=draw(st.booleans()), shared=draw(st.booleans())) for number in numbers]


KEEP: Final = st.integers(0, 12)


@given(layers(), KEEP, st.booleans())
def test_every_version_either_goes_or_stays(versions: list[Held], keep: int, force: bool) -> None:
    step = plan(versions, keep=keep, force=force)
    assert sorted([*going(step), *staying(step)]) == sorted(version.number for version in versions)
    assert going(step) == sorted(going(step)), "oldest first"
    assert list(staying(step)) == sorted(staying(step), reverse=True), "newest first"


@given(layers(), KEEP, st.booleans())
def test_never_the_newest_and_never_fewer_than_are_to_be_kept(versions: list[Held], keep: int, force: bool) -> None:
    step = plan(versions, keep=keep, force=force)
    newest = sorted((version.number for version in versions), reverse=True)[: max(1, keep)]
    assert set(newest) <= set(staying(step))
    assert len(step.stay) >= min(keep, len(versions))


@given(layers(), KEEP, st.booleans())
def test_never_one_that_is_used_whatever_is_forced(versions: list[Held], keep: int, force: bool) -> None:
    assert not [version for version in plan(versions, keep=keep, force=force).go if version.uses]


@given(layers(), KEEP)
def test_never_one_that_is_shared_out_of_sight_unless_forced(versions: list[Held], keep: int) -> None:
    assert not [version for version in plan(versions, keep=keep).go if version.unseen]


@given(layers(), KEEP, st.booleans())
def test_nothing_stays_without_its_reason(versions: list[Held], keep: int, force: bool) -> None:
    step = plan(versions, keep=keep, force=force)
    for kept in step.stay:
        match kept.reason:
            case Reason.NEWEST:
                assert sum(version.number > kept.version.number for version in versions) < max(1, keep)
            case Reason.USED:
                assert kept.version.uses
            case Reason.SHARED:
                assert kept.version.unseen
                assert not force


@given(layers(), KEEP, st.booleans())
def test_a_second_run_finds_nothing_to_do(versions: list[Held], keep: int, force: bool) -> None:
    left = [kept.version for kept in plan(versions, keep=keep, force=force).stay]
    assert not plan(left, keep=keep, force=force).go


@given(st.data(), KEEP)
def test_after_another_look_goes_only_what_was_planned_and_may_still_go(data: st.DataObject, keep: int) -> None:
    """Versions may have come and gone meanwhile, and have got users and guests."""
    before, after = data.draw(layers()), data.draw(layers())
    planned, now = plan(before, keep=keep), plan(after, keep=keep)
    last = still_going(planned, now)
    assert set(going(last)) == set(going(planned)) & set(going(now))
    assert sorted([*going(last), *staying(last)]) == sorted(version.number for version in after)
    assert list(staying(last)) == sorted(staying(last), reverse=True)


def test_the_reasons() -> None:
    versions = [held(1), held(2, used=True), held(3, shared=True), held(5, used=True, shared=True), held(6)]
    step = plan(versions)
    assert (going(step), staying(step)) == (
        [1],
        {6: Reason.NEWEST, 5: Reason.USED, 3: Reason.SHARED, 2: Reason.USED},
    )
    assert going(plan(versions, force=True)) == [1, 3]


def test_a_version_that_was_not_planned_to_go_stays_as_if_it_were_newest() -> None:
    last = still_going(plan([held(1), held(2)]), plan([held(1), held(2), held(3)]))
    assert (going(last), staying(last)) == ([1], {3: Reason.NEWEST, 2: Reason.NEWEST})


def test_only_the_functions_of_accounts_that_answered_are_in_sight() -> None:
    sight = Sight.of([(HERE, [use_of(3)])])
    assert sight.uses == {arn_of(3): (use_of(3),)}
    assert sight.sees(Grant(principal=OWNER), REGION)
    assert not sight.sees(Grant(principal=OWNER), "us-east-1")
    assert not sight.sees(Grant(principal=GUEST), REGION)
    assert not sight.sees(PUBLIC, REGION)
    assert not sight.sees(Grant(principal="*", organization="o-abcdefghij"), REGION)
