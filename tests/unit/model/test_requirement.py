"""Requirements and names of distributions."""

import pytest

from layerkit.model.requirement import BadNameError, check_requirement, normalised_name


@pytest.mark.parametrize(
    "text",
    [
        "requests",
        "pandas>=3",
        "pandas >= 2, < 4",
        "psycopg[binary,pool]==3.2.*",
        "numpy~=2.1",
        "a==1.0.post1 ; python_version >= '3.12'",
        "name @ https://example.com/name-1-py3-none-any.whl",
        "a===weird",
    ],
)
def test_what_pep_508_allows_is_accepted(text: str) -> None:
    assert check_requirement(f" {text} ") == text


@pytest.mark.parametrize(
    ("text", "name"),
    [("Foo.Bar__baz", "foo-bar-baz"), ("a", "a"), ("A-_.b", "a-b"), ("typing_extensions", "typing-extensions")],
)
def test_names_are_normalised_as_pep_503_asks(text: str, name: str) -> None:
    assert normalised_name(text) == name


@pytest.mark.parametrize("text", ["", "-a", "a-", "a b", "a>1", "é"])
def test_what_cannot_name_a_distribution_is_refused(text: str) -> None:
    with pytest.raises(BadNameError):
        normalised_name(text)
