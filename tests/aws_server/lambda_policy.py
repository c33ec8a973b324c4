"""Who may use a layer version: its policy, statement by statement."""

import json
import re
import uuid
from typing import Any, Final

from tests.aws_server.context import Context
from tests.aws_server.lambda_layers import numbered
from tests.aws_server.lambda_shapes import (
    ORGANIZATION_PATTERN,
    PRINCIPAL_PATTERN,
    STATEMENT_ID_PATTERN,
    Validation,
    invalid_parameter,
    not_found,
)
from tests.aws_server.state import LayerVersion
from tests.aws_server.wire import ApiError, Response, json_response

_STALE: Final = (
    "The Revision Id provided does not match the latest Revision Id. "
    "Call the GetLayerPolicy API to retrieve the latest Revision Id"
)


def add_permission(context: Context) -> Response:
    """Add a statement; its id must be new."""
    wanted = context.json()
    _validate(wanted)
    version = _own_version(context, "lambda:AddLayerVersionPermission")
    _check_revision(context, version)
    sid = wanted["StatementId"]
    if sid in version.policy:
        raise ApiError(
            409,
            "ResourceConflictException",
            f"The statement id ({sid}) provided already exists. "
            "Please provide a new statement id, or remove the existing statement.",
        )
    statement = statement_of(version.arn, wanted)
    size = len(_document([*version.policy.values(), statement]))
    if size > context.switches.policy_limit:
        message = f"The final policy size ({size}) is bigger than the limit ({context.switches.policy_limit})."
        raise ApiError(400, "PolicyLengthExceededException", message)
    version.policy[sid] = statement
    version.revision = str(uuid.uuid4())
    text = json.dumps(statement, separators=(",", ":"))
    return json_response(201, {"Statement": text, "RevisionId": version.revision})


def remove_permission(context: Context) -> Response:
    version = _own_version(context, "lambda:RemoveLayerVersionPermission")
    sid = context.arguments["StatementId"]
    if not version.policy:
        raise _no_policy()
    _check_revision(context, version)
    if sid not in version.policy:
        raise not_found(f"Statement {sid} is not found in resource policy.")
    del version.policy[sid]
    version.revision = str(uuid.uuid4())
    return Response(status=204)


def get_policy(context: Context) -> Response:
    version = _own_version(context, "lambda:GetLayerVersionPolicy")
    if not version.policy:
        raise _no_policy()
    return json_response(200, {"Policy": _document(list(version.policy.values())), "RevisionId": version.revision})


def _validate(wanted: dict[str, Any]) -> None:
    validation = Validation()
    for member in ("StatementId", "Action", "Principal"):
        validation.present(member[0].lower() + member[1:], wanted.get(member))
    validation.text("statementId", wanted.get("StatementId"), pattern=STATEMENT_ID_PATTERN, shortest=1, longest=100)
    validation.text("action", wanted.get("Action"), pattern="lambda:GetLayerVersion")
    validation.text("principal", wanted.get("Principal"), pattern=PRINCIPAL_PATTERN)
    validation.text("organizationId", wanted.get("OrganizationId"), pattern=ORGANIZATION_PATTERN, longest=34)
    validation.raise_if_any()
    if wanted.get("OrganizationId") and wanted["Principal"] != "*":
        raise invalid_parameter("The provided principal was invalid. Please check the principal and try again.")


def _own_version(context: Context, action: str) -> LayerVersion:
    address, number = numbered(context)
    arn = address.version_arn(number)
    if address.account != context.account:
        raise context.refuse(action, arn)
    context.authorize(action, arn)
    version = context.state.layer_version(address, number) if address.region == context.region else None
    if version is None:
        raise not_found(f"Layer version {arn} does not exist.")
    return version


def _check_revision(context: Context, version: LayerVersion) -> None:
    revision = context.request.query.get("RevisionId")
    if revision is not None and revision != version.revision:
        raise ApiError(412, "PreconditionFailedException", _STALE)


def _no_policy() -> ApiError:
    return not_found("No policy is associated with the given resource.")


def statement_of(arn: str, wanted: dict[str, Any]) -> dict[str, Any]:
    principal = wanted["Principal"]
    partition = arn.split(":")[1]
    statement: dict[str, Any] = {
        "Sid": wanted["StatementId"],
        "Effect": "Allow",
        "Principal": "*" if principal == "*" else {"AWS": _root_of(principal, partition)},
        "Action": wanted["Action"],
        "Resource": arn,
    }
    if wanted.get("OrganizationId"):
        statement["Condition"] = {"StringEquals": {"aws:PrincipalOrgID": wanted["OrganizationId"]}}
    return statement


def _root_of(principal: str, partition: str) -> str:
    return f"arn:{partition}:iam::{principal}:root" if re.fullmatch(r"\d{12}", principal) else principal


def _document(statements: list[dict[str, Any]]) -> str:
    policy = {"Version": "2012-10-17", "Id": "default", "Statement": statements}
    return json.dumps(policy, separators=(",", ":"))
