"""What is left in layers by accident, as data."""

import tomllib

import pytest

from layerkit.facts.leftovers import leftover_sorts, read_leftovers, secret_names
from layerkit.facts.table import FactsError, Table
from layerkit.model.contents import Kind

SECRETS = """
[secrets]
files = [".netrc"]
except = []
except-below = []
source = "x"
"""


def read(text: str) -> None:
    read_leftovers(Table(tomllib.loads(text), file="leftovers.toml"))


def test_every_sort_takes_something_and_says_what_it_is() -> None:
    for sort in leftover_sorts():
        assert sort.folders or sort.files or sort.distributions or sort.kinds, sort.name
        assert sort.what
        assert sort.hint
        assert sort.source.startswith("https://")


def test_kinds_are_kinds() -> None:
    assert {kind for sort in leftover_sorts() for kind in sort.kinds} <= set(Kind)


def test_secrets_have_names() -> None:
    assert ".netrc" in secret_names().files


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[sorts.x]\nwhat = "x"\nhint = "x"\nsource = "x"\nalways = "error"' + SECRETS, "sorts.x.always"),
        ('[sorts.x]\nwhat = "x"\nhint = "x"\nsource = "x"\nunknown = 1' + SECRETS, "sorts.x.unknown"),
        ('[sorts.x]\nhint = "x"\nsource = "x"' + SECRETS, "sorts.x.what"),
        ("[sorts]" + SECRETS + "more = 1", "secrets.more"),
        ("[sorts]", "secrets"),
    ],
)
def test_a_wrong_key_is_named(text: str, key: str) -> None:
    with pytest.raises(FactsError, match=key):
        read(text)
