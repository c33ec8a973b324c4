"""Regions and their partitions."""

import pytest

from layerkit.facts.regions import read_regions, regions
from layerkit.facts.table import FactsError, Table


def test_regions_know_their_partition_and_whether_they_must_be_enabled() -> None:
    assert (regions()["eu-west-1"].partition, regions()["eu-west-1"].opt_in) == ("aws", False)
    assert regions()["af-south-1"].opt_in
    assert regions()["cn-north-1"].partition == "aws-cn"
    assert len([region for region in regions().values() if region.partition == "aws"]) == 34


def test_a_region_in_two_places_is_a_mistake() -> None:
    partitions = {"aws": {"default": ["eu-west-1"], "opt-in": ["eu-west-1"]}}
    with pytest.raises(FactsError, match="twice"):
        read_regions(Table({"partitions": partitions}, file="regions.toml"))
