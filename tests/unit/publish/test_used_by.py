"""Who uses a layer: which versions an ARN means, and functions told once for all their versions."""

import pytest

from layerkit.model.arn import LayerVersionArn, MalformedArnError
from layerkit.publish.used_by import Asked, NobodyAsked, Use, by_function

LAYER = "arn:aws:lambda:eu-west-1:111111111111:layer:web"


def use(function: str, version: str, *, layer: int = 1, account: str = "111111111111") -> Use:
    return Use(
        layer=LayerVersionArn.parse(f"{LAYER}:{layer}"),
        function=function,
        function_version=version,
        function_arn=f"arn:aws:lambda:eu-west-1:{account}:function:{function}:{version}",
    )


def fits(asked: str, arn: str) -> bool:
    return Asked.parse(asked).fits(LayerVersionArn.parse(arn))


def test_the_arn_of_a_version_means_that_version_only() -> None:
    assert fits(f"{LAYER}:2", f"{LAYER}:2")
    assert not fits(f"{LAYER}:2", f"{LAYER}:22")


def test_the_arn_of_a_layer_means_all_its_versions() -> None:
    assert fits(LAYER, f"{LAYER}:1")
    assert fits(LAYER, f"{LAYER}:20")


@pytest.mark.parametrize(
    "other",
    [
        "arn:aws:lambda:eu-west-1:111111111111:layer:web2:1",
        "arn:aws:lambda:us-east-1:111111111111:layer:web:1",
        "arn:aws:lambda:eu-west-1:222222222222:layer:web:1",
    ],
)
def test_a_layer_of_another_name_region_or_account_is_not_meant(other: str) -> None:
    assert not fits(LAYER, other)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("arn:x", "`arn:x` is not the ARN of a layer or of one of its versions"),
        (
            "arn:aws:lambda:eu-west-1:111111111111:function:web",
            "`arn:aws:lambda:eu-west-1:111111111111:function:web` is not the ARN of a layer",
        ),
        (f"{LAYER}:0", f"`{LAYER}:0` names a version below 1"),
        (f"{LAYER}:one", f"`{LAYER}:one` is not the ARN of a layer version"),
    ],
)
def test_another_arn_is_refused_in_the_words_of_the_user(text: str, words: str) -> None:
    with pytest.raises(MalformedArnError) as caught:
        Asked.parse(text)
    assert caught.value.message.startswith(words)


def test_a_function_is_told_once_for_each_layer_version_with_its_versions_in_order() -> None:
    found = list(by_function([use("f", "10"), use("f", "2"), use("f", "$LATEST", layer=2), use("f", "$LATEST")]))
    assert [(one.layer.version, one.function_versions) for one in found] == [
        (2, ("$LATEST",)),
        (1, ("$LATEST", "2", "10")),
    ]


def test_functions_of_one_name_in_two_accounts_are_two() -> None:
    found = list(by_function([use("f", "1"), use("f", "1", account="222222222222")]))
    assert [one.account for one in found] == ["111111111111", "222222222222"]


def test_json_tells_function_and_layer_version() -> None:
    assert use("f", "3", layer=2, account="222222222222").to_json() == {
        "account": "222222222222",
        "region": "eu-west-1",
        "function": "f",
        "function_version": "3",
        "function_arn": "arn:aws:lambda:eu-west-1:222222222222:function:f:3",
        "layer_arn": f"{LAYER}:2",
        "layer_version": 2,
    }


def test_nobody_to_ask_is_a_mistake_of_the_configuration() -> None:
    error = NobodyAsked(arn=f"{LAYER}:1")
    assert error.exit_code == 2
    assert f"`{LAYER}:1`" in error.message
