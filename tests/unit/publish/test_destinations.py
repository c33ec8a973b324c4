"""Which accounts and regions are meant, as far as no AWS is needed to tell."""

import pytest

from layerkit.errors import UsageError
from layerkit.model.publishing import Account, Publishing
from layerkit.publish.destinations import UnknownAccount, WrongPartition, access_to, find_destinations
from layerkit.publish.plan import Destination
from layerkit.publish.wanted import UnfitName, bucket_name, wanted_of
from tests.unit.publish.test_plan import artifact, destination

CHINA = Account(name="china", roles=("arn:aws-cn:iam::111111111111:role/publisher",), regions=("cn-north-1",))
WORLD = Account(name="world", roles=("arn:aws:iam::111111111111:role/publisher",))


def test_an_account_that_is_not_configured() -> None:
    with pytest.raises(UnknownAccount, match="no account is named `prod`") as caught:
        find_destinations(Publishing(accounts=(CHINA, WORLD)), only=["prod"])
    assert caught.value.hint == "one of china, world"


@pytest.mark.parametrize(("account", "region"), [(WORLD, "cn-north-1"), (CHINA, "eu-west-1")])
def test_credentials_do_not_cross_partitions(account: Account, region: str) -> None:
    with pytest.raises(WrongPartition) as caught:
        find_destinations(Publishing(accounts=(account,)), in_regions=[region])
    assert isinstance(caught.value, UsageError)


def test_all_regions_of_an_account_share_one_way_into_it() -> None:
    """So that its role is assumed once."""
    places = [
        Destination(account=WORLD, number="111111111111", region=region, partition="aws", home="eu-west-1")
        for region in ("eu-west-1", "us-east-1")
    ]
    assert access_to(places[0]) == access_to(places[1])


def test_buckets_are_named_as_s3_allows() -> None:
    assert bucket_name("Acme-{architecture}-{region}", artifact(), destination()) == "acme-x86-64-eu-west-1"
    for template in ("a", "-{name}", "{name}..x", "x" * 64, "acme {name}"):
        with pytest.raises(UnfitName, match="cannot be an S3 bucket's name"):
            bucket_name(template, artifact(), destination())


def test_parameters_are_named_as_ssm_allows() -> None:
    fit = Publishing(ssm_parameter="/layers/{name}/{runtime}/{architecture}")
    assert wanted_of(artifact(), fit, destination()).parameter == "/layers/requests/python3.13/x86_64"
    for template in ("/a b", "/a//b", "/" + "x" * 1000, "/x" * 16):
        with pytest.raises(UnfitName, match="cannot be an SSM parameter's name"):
            wanted_of(artifact(), Publishing(ssm_parameter=template), destination())
