"""What AWS says of a layer version's zip."""

import base64
import hashlib

import pytest

from layerkit.aws.errors import AnswerIncomplete
from layerkit.aws.layer_zip import Origin
from layerkit.aws.layers import PublishedVersion
from layerkit.model.arn import LayerVersionArn

ARN = LayerVersionArn.parse("arn:aws:lambda:eu-west-1:123456789012:layer:tools:7")


def origin_of(code_sha256: str) -> Origin:
    version = PublishedVersion(
        arn=str(ARN),
        number=7,
        description="",
        license=None,
        runtimes=(),
        architectures=(),
        created=None,
        code_sha256=code_sha256,
        code_size=1,
        location=None,
    )
    return Origin(arn=ARN, version=version, api=None)  # type: ignore[arg-type]


def test_its_hash_is_told_in_hexadecimal_digits() -> None:
    digest = hashlib.sha256(b"zip")
    assert origin_of(base64.b64encode(digest.digest()).decode()).sha256 == digest.hexdigest()


@pytest.mark.parametrize("text", ["abc", "no base64!", "../../x"])
def test_a_hash_that_is_none_is_no_answer(text: str) -> None:
    with pytest.raises(AnswerIncomplete):
        _ = origin_of(text).sha256
