"""SSM's parameter store."""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from tests.aws_server.context import Context
from tests.aws_server.state import Parameter
from tests.aws_server.wire import ApiError, Operation, Request, Response, json_response

_MOST_LEVELS: Final = 15
_STANDARD: Final = 4096
_NAME_RULE: Final = (
    'Parameter name: can\'t be prefixed with "aws" or "ssm" (case-insensitive). If formed as a path, it can consist of '
    "sub-paths divided by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following "
    "3 symbols .-_"
)


class SsmApi:
    """The JSON protocol's operations on parameters."""

    name = "ssm"

    def operation_of(self, request: Request) -> Operation:
        name = request.headers.get("x-amz-target", "").removeprefix("AmazonSSM.")
        handlers = {
            "PutParameter": _put,
            "GetParameter": _get,
            "GetParameters": _get_many,
            "GetParametersByPath": _get_by_path,
            "DeleteParameter": _delete,
        }
        if name not in handlers:
            raise ApiError(400, "UnknownOperationException", "")
        return Operation(name=name, handler=handlers[name])

    def render(self, error: ApiError, *, request_id: str) -> Response:
        body = {"__type": error.code, "message": error.message} if error.message else {"__type": error.code}
        headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-RequestId": request_id} | error.headers
        return Response(status=error.status, body=json.dumps(body).encode(), headers=headers)


def _invalid(message: str) -> ApiError:
    return ApiError(400, "ValidationException", message)


def _put(context: Context) -> Response:
    wanted = context.json()
    name, value = wanted.get("Name", ""), wanted.get("Value", "")
    _check_name(name)
    _authorize(context, "ssm:PutParameter", name)
    tier = wanted.get("Tier") or "Standard"
    if not value:
        raise _invalid(
            "1 validation error detected: Value '' at 'value' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1"
        )
    if len(value) > _STANDARD and tier == "Standard":
        raise _invalid(
            "Standard tier parameters support a maximum parameter value of 4096 characters. To create a larger "
            "parameter value, upgrade the parameter to use the advanced-parameter tier. For more information, see https://docs"
            ".aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html"
        )
    if wanted.get("Overwrite") and wanted.get("Tags"):
        raise _invalid(
            "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please "
            "remove overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or "
            "RemoveTagsFromResource."
        )
    return _stored(context, wanted, tier=tier)


def _stored(context: Context, wanted: Mapping[str, Any], *, tier: str) -> Response:
    parameters = context.here.parameters
    old = parameters.get(wanted["Name"])
    if old is not None and not wanted.get("Overwrite"):
        raise ApiError(
            400,
            "ParameterAlreadyExists",
            "The parameter already exists. To overwrite this value, set the overwrite option in the request to true.",
        )
    kind = wanted.get("Type") or (old.kind if old else None)
    if kind is None:
        raise _invalid("A parameter type is required when you create a parameter.")
    if kind not in {"String", "StringList", "SecureString"}:
        raise _invalid(
            f"1 validation error detected: Value '{kind}' at 'type' failed to satisfy constraint: "
            "Member must satisfy enum value set: [SecureString, StringList, String]"
        )
    new = Parameter(
        name=wanted["Name"],
        value=wanted["Value"],
        kind=kind,
        version=old.version + 1 if old else 1,
        modified=context.state.wall(),
        description=wanted.get("Description") or (old.description if old else ""),
        tier=tier,
        data_type=wanted.get("DataType") or "text",
        history=dict(old.history) if old else {},
    )
    new.history[new.version] = new.value
    parameters[new.name] = new
    return _json({"Version": new.version, "Tier": tier})


def _check_name(name: str) -> None:
    lower = name.lower()
    if lower.startswith("/aws/"):
        raise ApiError(400, "AccessDeniedException", f"No access to reserved parameter name: {name}.")
    if re.match(r"/?(aws|ssm)", lower) or not re.fullmatch(r"[a-zA-Z0-9_.\-/]+", name):
        raise _invalid(_NAME_RULE)
    if "/" in name and not name.startswith("/"):
        raise _invalid("Parameter name must be a fully qualified name.")
    if name.count("/") > _MOST_LEVELS:
        raise ApiError(
            400,
            "HierarchyLevelLimitExceededException",
            "The hierarchy level for the parameter name exceeds the maximum of 15.",
        )


def _authorize(context: Context, action: str, name: str) -> None:
    arn = f"arn:{context.partition}:ssm:{context.region}:{context.account}:parameter/{name.removeprefix('/')}"
    context.authorize(action, arn)


def _get(context: Context) -> Response:
    name, _, selector = context.json().get("Name", "").partition(":")
    _authorize(context, "ssm:GetParameter", name)
    found = context.here.parameters.get(name)
    if found is None:
        raise ApiError(400, "ParameterNotFound", "")
    if selector and int(selector) not in found.history:
        message = f"Systems Manager could not find version {selector} of {name}. Verify the version and try again."
        raise ApiError(400, "ParameterVersionNotFound", message)
    return _json({"Parameter": _content(context, found, int(selector) if selector else None)})


def _get_many(context: Context) -> Response:
    names = context.json().get("Names") or []
    if not 1 <= len(names) <= 10:
        raise _invalid(
            f"1 validation error detected: Value '[{', '.join(names)}]' at 'names' failed to satisfy constraint: "
            "Member must have length less than or equal to 10"
        )
    for name in names:
        _authorize(context, "ssm:GetParameters", name)
    found = context.here.parameters
    return _json(
        {
            "Parameters": [_content(context, found[name], None) for name in names if name in found],
            "InvalidParameters": [name for name in names if name not in found],
        }
    )


def _get_by_path(context: Context) -> Response:
    wanted = context.json()
    path = wanted.get("Path", "").rstrip("/") + "/"
    _authorize(context, "ssm:GetParametersByPath", path)
    names = [name for name in sorted(context.here.parameters) if name.startswith(path)]
    if not wanted.get("Recursive"):
        names = [name for name in names if "/" not in name.removeprefix(path)]
    start = int(wanted.get("NextToken") or 0)
    end = start + (wanted.get("MaxResults") or 10)
    found = [_content(context, context.here.parameters[name], None) for name in names[start:end]]
    return _json({"Parameters": found, "NextToken": str(end) if end < len(names) else None})


def _delete(context: Context) -> Response:
    name = context.json().get("Name", "")
    _authorize(context, "ssm:DeleteParameter", name)
    if context.here.parameters.pop(name, None) is None:
        raise ApiError(400, "ParameterNotFound", "")
    return _json({})


def _content(context: Context, found: Parameter, version: int | None) -> dict[str, Any]:
    name = found.name.removeprefix("/")
    content = {
        "Name": found.name,
        "Type": found.kind,
        "Value": found.history[version] if version else found.value,
        "Version": version or found.version,
        "Selector": f":{version}" if version else None,
        "LastModifiedDate": found.modified,
        "ARN": f"arn:{context.partition}:ssm:{context.region}:{context.account}:parameter/{name}",
        "DataType": found.data_type,
    }
    return {member: value for member, value in content.items() if value is not None}


def _json(content: Mapping[str, Any]) -> Response:
    return json_response(200, content, headers={"Content-Type": "application/x-amz-json-1.1"})
