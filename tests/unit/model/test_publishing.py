"""Where layers are published: names from templates, and the [publish] of a configuration."""

from pathlib import Path

import pytest

from layerkit.errors import ConfigError
from layerkit.model.publishing import (
    Account,
    Publishing,
    Share,
    UnfitLayerNameError,
    layer_name_of,
)
from layerkit.model.publishing_sections import read_publishing

CONFIG = """
[publish]
regions = ["eu-west-1", "us-east-1"]
staging-bucket = "acme-layers-{region}"
ssm-parameter = "/layers/{name}/{runtime}/{architecture}"
[[publish.accounts]]
name = "prod"
role = "arn:aws:iam::111111111111:role/layer-publisher"
external-id = "x"
[[publish.accounts]]
name = "far"
role = ["arn:aws:iam::111111111111:role/hop", "arn:aws:iam::222222222222:role/publisher"]
regions = ["all-enabled"]
session-tags = { team = "data" }
[publish.share]
accounts = ["222222222222"]
organizations = ["o-abcdefghij"]
public = false
"""


def read(text: str, name: str = "layerkit.toml") -> Publishing:
    return read_publishing(text, path=Path(name))


def problems_of(text: str) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        read(text)
    return list(raised.value.details)


def test_everything_that_can_be_configured_is_read() -> None:
    publishing = read(CONFIG)
    assert publishing == Publishing(
        regions=("eu-west-1", "us-east-1"),
        accounts=(
            Account(name="prod", roles=("arn:aws:iam::111111111111:role/layer-publisher",), external_id="x"),
            Account(
                name="far",
                roles=("arn:aws:iam::111111111111:role/hop", "arn:aws:iam::222222222222:role/publisher"),
                session_tags={"team": "data"},
                regions=("all-enabled",),
            ),
        ),
        share=Share(accounts=("222222222222",), organizations=("o-abcdefghij",)),
        ssm_parameter="/layers/{name}/{runtime}/{architecture}",
        staging_bucket="acme-layers-{region}",
    )


def test_nothing_configured_means_the_current_credentials() -> None:
    assert read("") == Publishing()
    assert Publishing().accounts == (Account(name="current"),)


def test_a_pyproject_holds_it_below_tool_layerkit() -> None:
    text = '[project]\nname = "x"\n[tool.layerkit.publish]\nregions = ["eu-west-1"]\n'
    assert read(text, "pyproject.toml").regions == ("eu-west-1",)
    with pytest.raises(ConfigError) as raised:
        read('[project]\nname = "x"\n[tool.layerkit.publish]\nregions = ["eu-west-9"]\n', "pyproject.toml")
    assert raised.value.details == ("line 4: unknown region `eu-west-9`; did you mean `eu-west-3`?",)


def test_every_mistake_is_told_at_once_with_its_line() -> None:
    assert problems_of(
        """[publish]
regions = ["eu-wset-1"]
ssm-parameter = "/aws/layers"
layer-name = "{name}-{colour}"
reigons = 1
[[publish.accounts]]
role = "publisher"
external-id = "x"
[[publish.accounts]]
name = "a"
[[publish.accounts]]
name = "a"
[publish.share]
accounts = ["12345"]
organizations = ["acme"]
"""
    ) == [
        "line 2: unknown region `eu-wset-1`; did you mean `eu-west-1`?",
        "line 3: `/aws/layers` cannot be an SSM parameter: it must begin with `/`, and not with `/aws/` or `/ssm/`",
        (
            "line 4: `{name}-{colour}` is not a template of {architecture}, {name}, {runtime};"
            " write it as `{name}-{runtime}-{architecture}`"
        ),
        "line 5: unknown key `reigons` in [publish]; did you mean `regions`?",
        "line 6: [[publish.accounts]] has no `name`",
        "line 6: `external-id` and `session-tags` in [[publish.accounts]] go with a `role`",
        "line 6: two accounts are named `a`",
        "line 7: `publisher` is not the ARN of a role; write it as `arn:aws:iam::123456789012:role/layer-publisher`",
        "line 14: `12345` is not an account's number of 12 digits; write it as `123456789012`",
        "line 15: `acme` is not an organisation's id; write it as `o-abcdefghij`",
    ]


@pytest.mark.parametrize(
    ("runtimes", "architectures", "name"),
    [
        (("python3.13",), ("x86_64",), "requests-python313-x86_64"),
        (("python3.12", "python3.13"), ("x86_64", "arm64"), "requests"),
    ],
)
def test_dots_go_and_a_layer_for_several_targets_keeps_its_own_name(
    runtimes: tuple[str, ...], architectures: tuple[str, ...], name: str
) -> None:
    made = layer_name_of(Publishing().layer_name, name="requests", runtimes=runtimes, architectures=architectures)
    assert made == name


@pytest.mark.parametrize("name", ["a b", "ä", "x" * 141, ""])
def test_a_name_that_lambda_does_not_take_is_refused(name: str) -> None:
    with pytest.raises(UnfitLayerNameError):
        layer_name_of("{name}", name=name, runtimes=("python3.13",), architectures=("x86_64",))
