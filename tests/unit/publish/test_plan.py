"""Plans: what would be done, from what is wanted and what is there."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerkit.model.publishing import Account, Share
from layerkit.publish.artifact import Artifact, mark_of, without_mark
from layerkit.publish.plan import Destination, Grant, Seen, SeenVersion, Statement, Step, Wanted, plan

DIGEST = "0123456789abcdef" * 4
ARN = "arn:aws:lambda:eu-west-1:111111111111:layer:requests:3"


def artifact(**changes: str) -> Artifact:
    return Artifact(
        name="requests",
        layer_name=changes.get("layer_name", "requests"),
        path=Path("requests.zip"),
        zipped_bytes=10,
        unzipped_bytes=20,
        code_sha256=changes.get("code_sha256", "abc="),
        content_digest=changes.get("content_digest", DIGEST),
        runtimes=("python3.13",),
        architectures=("x86_64",),
        description=changes.get("description", "HTTP for humans"),
    )


def destination(region: str = "eu-west-1") -> Destination:
    return Destination(account=Account(name="prod"), number="111111111111", region=region, partition="aws")


def seen(number: int = 3, *, description: str | None = None, **more: object) -> Seen:
    version = SeenVersion(
        number=number,
        arn=f"arn:aws:lambda:eu-west-1:111111111111:layer:requests:{number}",
        description=artifact().marked_description if description is None else description,
        code_sha256=None,
        statements=tuple(more.get("statements", ())),  # type: ignore[arg-type]
    )
    return Seen(newest=version, parameter=more.get("parameter"))  # type: ignore[arg-type]


def step(wanted: Wanted, found: Seen) -> Step:
    return plan([(wanted, destination(), found)]).steps[0]


def test_a_layer_that_is_nowhere_is_published_shared_and_written_down() -> None:
    wanted = Wanted(
        artifact=artifact(),
        share=Share(accounts=("222222222222",), organizations=("o-abcdefghij",), public=True),
        parameter="/layers/requests",
    )
    made = step(wanted, Seen())
    assert (made.publications, made.version_after, made.set_parameter) == (1, 1, "/layers/requests")
    assert [grant.statement_id for grant in made.add] == [
        "layerkit-account-222222222222",
        "layerkit-org-o-abcdefghij",
        "layerkit-public",
    ]


def test_the_same_content_is_not_published_again() -> None:
    assert not step(Wanted(artifact=artifact(), share=Share()), seen()).changes


def test_the_same_bytes_under_a_foreign_description_are_not_published_again() -> None:
    version = SeenVersion(number=3, arn=ARN, description="somebody's", code_sha256="abc=")
    assert not step(Wanted(artifact=artifact(), share=Share()), Seen(newest=version)).changes


@pytest.mark.parametrize("description", ["", "HTTP for humans", f"[content {'f' * 32}]"])
def test_other_content_is_a_new_version(description: str) -> None:
    made = step(Wanted(artifact=artifact(), share=Share()), seen(description=description))
    assert (made.publications, made.version_after) == (1, 4)


def test_permissions_come_and_only_own_ones_go() -> None:
    own = Statement(id="layerkit-account-333333333333", grant=Grant(principal="333333333333"))
    foreign = Statement(id="by-hand", grant=Grant(principal="444444444444"))
    wanted = Wanted(artifact=artifact(), share=Share(accounts=("222222222222",)))
    made = step(wanted, seen(statements=(own, foreign)))
    assert (made.add, made.remove) == ((Grant(principal="222222222222"),), (own,))
    pruned = Wanted(artifact=artifact(), share=Share(accounts=("222222222222",)), prune_permissions=True)
    assert step(pruned, seen(statements=(own, foreign))).remove == (own, foreign)


def test_what_somebody_else_granted_is_not_granted_again() -> None:
    by_hand = Statement(id="by-hand", grant=Grant(principal="222222222222"))
    wanted = Wanted(artifact=artifact(), share=Share(accounts=("222222222222",)))
    assert not step(wanted, seen(statements=(by_hand,))).changes


def test_a_parameter_that_names_another_version_is_written_anew() -> None:
    wanted = Wanted(artifact=artifact(), share=Share(), parameter="/layers/requests")
    assert step(wanted, seen(parameter=ARN.replace(":3", ":2"))).set_parameter == "/layers/requests"
    assert not step(wanted, seen(parameter=ARN)).changes


def test_a_plan_tells_when_it_makes_a_version_public() -> None:
    public = Wanted(artifact=artifact(), share=Share(public=True))
    assert plan([(public, destination(), Seen())]).makes_public
    statement = Statement(id="layerkit-public", grant=Grant(principal="*"))
    assert not plan([(public, destination(), seen(statements=(statement,)))]).makes_public
    organization = Wanted(artifact=artifact(), share=Share(organizations=("o-abcdefghij",)))
    assert not plan([(organization, destination(), Seen())]).makes_public


@given(numbers=st.lists(st.tuples(st.integers(0, 6), st.booleans()), min_size=1, max_size=8))
def test_aligned_destinations_end_at_one_number_with_the_wanted_content(numbers: list[tuple[int, bool]]) -> None:
    """The number is no higher than one more than the highest that is there."""
    wanted = Wanted(artifact=artifact(), share=Share(public=True))
    found = [
        (wanted, destination(), seen(number, description=None if is_same else "other") if number else Seen())
        for number, is_same in numbers
    ]
    made = plan(found, align=True)
    afterwards = {each.version_after for each in made.steps}
    assert len(afterwards) == 1
    highest = max(number for number, _ in numbers)
    assert highest <= afterwards.pop() <= highest + 1
    for each, (number, is_same) in zip(made.steps, numbers, strict=True):
        assert each.publications > 0 or (number > 0 and is_same)


@given(description=st.text(max_size=400))
def test_the_identity_fits_into_a_description_and_can_be_read_back(description: str) -> None:
    marked = artifact(description=description).marked_description
    assert len(marked) <= 256
    assert mark_of(marked) == DIGEST[:32]
    if len(description) < 200:
        assert without_mark(marked) == description
