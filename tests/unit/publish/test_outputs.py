"""ARNs for other tools, and the policy for publishing them."""

import json
from dataclasses import replace

import pytest

from layerkit.errors import UsageError
from layerkit.model.publishing import Account, Publishing, Share
from layerkit.publish.outcome import Outcome, Status
from layerkit.publish.outputs import Form, render
from layerkit.publish.plan import Destination, Seen, Step, Wanted
from layerkit.publish.policy import Place, audit_policy, publishing_policy
from tests.unit.publish.test_plan import artifact

NAME = "requests-python313-x86_64"


def outcome(region: str, number: int | None, account: str = "111111111111") -> Outcome:
    destination = Destination(account=Account(name="prod"), number=account, region=region, partition="aws")
    wanted = Wanted(artifact=artifact(layer_name=NAME), share=Share())
    return Outcome(
        step=Step(wanted=wanted, destination=destination, seen=Seen()),
        status=Status.PUBLISHED if number else Status.FAILED,
        version_number=number,
        arn=arn(region, number, account) if number else None,
        error=None if number else UsageError("it broke"),
    )


def arn(region: str, number: int, account: str = "111111111111") -> str:
    return f"arn:aws:lambda:{region}:{account}:layer:{NAME}:{number}"


OUTCOMES = [outcome("eu-west-1", 3), outcome("us-east-1", 7), outcome("us-west-2", None)]


def test_arns_by_layer_account_and_region() -> None:
    expected = {NAME: {"111111111111": {"eu-west-1": arn("eu-west-1", 3), "us-east-1": arn("us-east-1", 7)}}}
    assert json.loads(render(Form.ARNS_JSON, OUTCOMES)) == expected
    name, _, value = render(Form.TFVARS, OUTCOMES).partition(" = ")
    assert (name, json.loads(value)) == ("layer_arns", expected)


def test_cloudformation_finds_its_layer_by_region_and_account() -> None:
    mappings = json.loads(render(Form.CLOUDFORMATION, OUTCOMES))["Mappings"]
    assert mappings["requestspython313x8664Layer"]["us-east-1"]["111111111111"] == arn("us-east-1", 7)


def test_a_shell_can_read_them() -> None:
    assert render(Form.ENV, OUTCOMES).splitlines() == [
        f"LAYER_ARN_REQUESTS_PYTHON313_X86_64_111111111111_EU_WEST_1={arn('eu-west-1', 3)}",
        f"LAYER_ARN_REQUESTS_PYTHON313_X86_64_111111111111_US_EAST_1={arn('us-east-1', 7)}",
    ]


def test_an_outcome_tells_what_became_of_it() -> None:
    assert outcome("eu-west-1", 3).to_json() == {
        "layer": "requests",
        "layer_name": NAME,
        "compatible_runtimes": ["python3.13"],
        "compatible_architectures": ["x86_64"],
        "account": "111111111111",
        "region": "eu-west-1",
        "status": "published",
        "version_number": 3,
        "arn": arn("eu-west-1", 3),
        "code_sha256": "abc=",
        "error": None,
    }
    assert outcome("us-west-2", None).to_json()["error"] == "it broke"


PLACE = Place(partition="aws", region="eu-west-1", account="111111111111")


def resources(policy: dict[str, list[dict[str, list[str]]]], action: str) -> list[str]:
    return [each for entry in policy["Statement"] if action in entry["Action"] for each in entry["Resource"]]


def test_the_policy_covers_the_configured_destinations_and_no_others() -> None:
    publishing = Publishing(
        staging_bucket="acme-{region}", ssm_parameter="/layers/{name}", signing_profile="P", accounts=()
    )
    policy = publishing_policy(publishing, [PLACE], [NAME])
    layer = f"arn:aws:lambda:eu-west-1:111111111111:layer:{NAME}"
    assert resources(policy, "lambda:PublishLayerVersion") == [layer]
    assert resources(policy, "s3:PutObject") == ["arn:aws:s3:::acme-eu-west-1/layerkit/*"]
    assert resources(policy, "ssm:PutParameter") == ["arn:aws:ssm:eu-west-1:111111111111:parameter/layers/*"]
    assert resources(policy, "signer:StartSigningJob")[0].endswith(":/signing-profiles/P")


@pytest.mark.parametrize("action", ["s3:PutObject", "ssm:PutParameter", "signer:StartSigningJob", "sts:AssumeRole"])
def test_the_policy_allows_nothing_that_is_not_configured(action: str) -> None:
    assert resources(publishing_policy(Publishing(), [PLACE], [NAME]), action) == []


def test_roles_may_be_assumed_where_they_are_configured() -> None:
    role = "arn:aws:iam::111111111111:role/publisher"
    publishing = replace(Publishing(), accounts=(Account(name="prod", roles=(role,)),))
    assert resources(publishing_policy(publishing, [PLACE], [NAME]), "sts:AssumeRole") == [role]


def test_the_policy_for_audits_only_reads() -> None:
    actions = [action for entry in audit_policy(Publishing(), [PLACE])["Statement"] for action in entry["Action"]]
    assert {action.split(":")[1][:3] for action in actions} == {"Get", "Lis"}
