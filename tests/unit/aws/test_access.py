"""How one gets into an account."""

import pytest

from layerkit.aws.access import Access
from layerkit.errors import UsageError
from layerkit.model.publishing import Account

HOP = "arn:aws:iam::111111111111:role/hop"
LAST = "arn:aws:iam::222222222222:role/deep/last"


def test_roles_are_assumed_in_order_and_the_one_asked_for_comes_last() -> None:
    assert Access().chain == ()
    assert Access(role_arn=LAST).chain == (LAST,)
    assert Access(roles=(HOP,), role_arn=LAST).chain == (HOP, LAST)


def test_an_account_to_publish_to_is_a_way_in() -> None:
    account = Account(name="prod", profile="p", roles=(HOP, LAST), external_id="xyz", session_tags={"b": "2", "a": "1"})
    access = Access.of(account, "eu-west-1")
    assert (access.region, access.profile, access.chain, access.external_id) == ("eu-west-1", "p", (HOP, LAST), "xyz")
    assert access.session_tags == (("a", "1"), ("b", "2"))
    assert Access.of(Account(name="current"), "eu-west-1") == Access(region="eu-west-1")


def test_ways_in_are_equal_by_value_so_that_one_session_serves_all() -> None:
    assert len({Access(role_arn=LAST), Access(role_arn=LAST), Access()}) == 2


@pytest.mark.parametrize(
    "text", ["", "role/last", "arn:aws:iam::1:role/x", f"{LAST} ", "arn:aws:iam::111111111111:user/x"]
)
def test_what_is_no_role_is_refused_before_anything_is_asked(text: str) -> None:
    with pytest.raises(UsageError):
        Access(role_arn=text)
