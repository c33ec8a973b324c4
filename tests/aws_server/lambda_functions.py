"""Functions: created, changed, published, read, listed. Nothing of theirs ever runs."""

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from tests.aws_server.arns import function_arn
from tests.aws_server.blobs import Blob
from tests.aws_server.context import Context
from tests.aws_server.function_layers import check_changed, check_new, resolve_layers
from tests.aws_server.lambda_layers import page
from tests.aws_server.lambda_publish import check_request_size, check_storage, read_code, stored_bytes, unzipped
from tests.aws_server.lambda_shapes import (
    ARCHITECTURES,
    ROLE_PATTERN,
    Validation,
    invalid_parameter,
    not_found,
    runtimes,
)
from tests.aws_server.state import Function
from tests.aws_server.wire import ApiError, Response, json_response

LATEST: Final = "$LATEST"
_NAME: Final = re.compile(
    r"(?:arn:[a-z-]+:lambda:)?(?:(?P<region>[a-z]{2,4}(?:-[a-z]+)+-\d):)?(?:(?P<account>\d{12}):)?(?:function:)?"
    r"(?P<name>[a-zA-Z0-9-_.]+)(?::(?P<qualifier>\$LATEST|[a-zA-Z0-9-_]+))?"
)
_SETTINGS: Final[tuple[str, ...]] = (
    "Runtime",
    "Role",
    "Handler",
    "Description",
    "Timeout",
    "MemorySize",
    "Environment",
)
_ENVIRONMENT_LIMIT: Final = 4096


def create_function(context: Context) -> Response:
    """Create a function. Takes the lock itself."""
    check_request_size(context, operation="CreateFunction")
    wanted = context.json()
    _validate(wanted, creating=True)
    _, name, _ = _parsed(context, wanted["FunctionName"])
    arn = function_arn(account=context.account, region=context.region, name=name)
    context.authorize("lambda:CreateFunction", arn)
    is_image = wanted.get("PackageType") == "Image"
    code = None if is_image else read_code(context, wanted["Code"])
    with context.state.lock:
        if name in context.here.functions:
            raise ApiError(409, "ResourceConflictException", f"Function already exist: {name}")
        layers = resolve_layers(context, wanted.get("Layers") or ())
        if code is not None:
            check_new(context, layers, unzipped(code))
            check_storage(context, code)
        settings: dict[str, Any] = {member: wanted[member] for member in _SETTINGS if member in wanted}
        settings |= {"Architectures": wanted.get("Architectures") or ["x86_64"]}
        settings |= {"PackageType": "Image" if is_image else "Zip", "Tags": wanted.get("Tags") or {}}
        if is_image:
            settings["ImageUri"] = wanted["Code"].get("ImageUri", "")
        function = Function(account=context.account, region=context.region, name=name, code=code, settings=settings)
        function.layers = layers
        _touch(context, function)
        context.here.functions[name] = function
        return json_response(201, configuration(function))


def update_configuration(context: Context) -> Response:
    """Change settings; Layers replaces the whole list."""
    function, _ = _own(context, "lambda:UpdateFunctionConfiguration")
    wanted = context.json()
    _validate(wanted, creating=False)
    _check_revision(function, wanted.get("RevisionId"))
    if wanted.get("Layers") is not None:
        layers = resolve_layers(context, wanted["Layers"])
        check_changed(context, layers, unzipped(function.code) if function.code else 0)
        function.layers = layers
    function.settings |= {member: wanted[member] for member in _SETTINGS if member in wanted}
    _touch(context, function)
    return json_response(200, configuration(function))


def update_code(context: Context) -> Response:
    check_request_size(context, operation="UpdateFunctionCode")
    function, _ = _own(context, "lambda:UpdateFunctionCode")
    wanted = context.json()
    _check_revision(function, wanted.get("RevisionId"))
    code = read_code(context, wanted)
    check_new(context, function.layers, unzipped(code))
    function.code = code
    _touch(context, function)
    return json_response(200, configuration(function))


def publish_version(context: Context) -> Response:
    """Freeze the function as it is under the next number."""
    function, _ = _own(context, "lambda:PublishVersion")
    frozen = freeze(function)
    return json_response(201, configuration(frozen, qualified=True))


def freeze(function: Function) -> Function:
    """Keep the function as it is as its next version."""
    frozen = replace(function, version=str(len(function.published) + 1), settings=dict(function.settings))
    frozen.layers, frozen.published = list(function.layers), []
    function.published.append(frozen)
    return frozen


def get_function(context: Context) -> Response:
    function, qualified = _own(context, "lambda:GetFunction")
    if function.code is None:
        uri = function.settings.get("ImageUri", "")
        code = {"RepositoryType": "ECR", "ImageUri": uri, "ResolvedImageUri": f"{uri}@sha256:{'0' * 64}"}
    else:
        link = context.link(function.code, kind="tasks", name=function.name)
        code = {"RepositoryType": "S3", "Location": link}
    found = {"Configuration": configuration(function, qualified=qualified), "Code": code}
    return json_response(200, found | {"Tags": function.settings.get("Tags") or None})


def get_configuration(context: Context) -> Response:
    function, qualified = _own(context, "lambda:GetFunctionConfiguration")
    return json_response(200, configuration(function, qualified=qualified))


def list_functions(context: Context) -> Response:
    context.authorize("lambda:ListFunctions", "*")
    which = context.request.query.get("FunctionVersion")
    validation = Validation()
    validation.one_of("functionVersion", which, ("ALL",))
    validation.raise_if_any()
    functions = [context.here.functions[name] for name in sorted(context.here.functions)]
    if which:
        versions = [one for function in functions for one in (function, *function.published)]
        return page(context, "Functions", [_listed(one, qualified=True) for one in versions], most=10_000)
    return page(context, "Functions", [_listed(one, qualified=False) for one in functions], most=10_000)


def list_versions(context: Context) -> Response:
    function, _ = _own(context, "lambda:ListVersionsByFunction")
    versions = [_listed(one, qualified=True) for one in (function, *function.published)]
    return page(context, "Versions", versions, most=10_000)


def delete_function(context: Context) -> Response:
    function, _ = _own(context, "lambda:DeleteFunction")
    context.here.functions.pop(function.name)
    return Response(status=204)


def get_account_settings(context: Context) -> Response:
    context.authorize("lambda:GetAccountSettings", "*")
    limits = {
        "TotalCodeSize": context.switches.code_storage_limit,
        "CodeSizeUnzipped": context.switches.unzipped_limit,
        "CodeSizeZipped": context.switches.direct_limit,
        "ConcurrentExecutions": 1000,
        "UnreservedConcurrentExecutions": 1000,
    }
    usage = {"TotalCodeSize": stored_bytes(context), "FunctionCount": len(context.here.functions)}
    return json_response(200, {"AccountLimit": limits, "AccountUsage": usage})


def _validate(wanted: Mapping[str, Any], *, creating: bool) -> None:
    validation = Validation()
    if creating:
        for member in ("FunctionName", "Role", "Code"):
            validation.present(member[0].lower() + member[1:], wanted.get(member))
    validation.text("role", wanted.get("Role"), pattern=ROLE_PATTERN)
    validation.text("description", wanted.get("Description"), longest=256)
    validation.one_of("runtime", wanted.get("Runtime"), runtimes())
    validation.all_of("architectures", wanted.get("Architectures"), ARCHITECTURES, most=1)
    validation.layer_version_arns(wanted.get("Layers") or ())
    validation.raise_if_any()
    variables = (wanted.get("Environment") or {}).get("Variables") or {}
    text = json.dumps(variables, separators=(",", ":"))
    if len(text) > _ENVIRONMENT_LIMIT:
        raise invalid_parameter(
            "Lambda was unable to configure your environment variables because the environment variables you have "
            f"provided exceeded the 4KB limit. String measured: {text}"
        )


def _parsed(context: Context, name_or_arn: str) -> tuple[str, str, str | None]:
    """Return account, name and qualifier; a name may be whole, part of an ARN, or an ARN."""
    match = _NAME.fullmatch(name_or_arn)
    if match is None:
        validation = Validation()
        validation.refuse(
            "functionName", name_or_arn, f"Member must satisfy regular expression pattern: {_NAME.pattern}"
        )
        validation.raise_if_any()
        raise AssertionError
    region = match["region"]
    if region and region != context.region:
        message = f"Functions from '{region}' are not reachable in this region ('{context.region}')"
        raise not_found(message)
    return match["account"] or context.account, match["name"], match["qualifier"]


def _own(context: Context, action: str) -> tuple[Function, bool]:
    """Return the function, or the version of it, that the URI names, and whether it names a version."""
    account, name, qualifier = _parsed(context, context.arguments["FunctionName"])
    qualifier = qualifier or context.request.query.get("Qualifier")
    arn = function_arn(account=account, region=context.region, name=name)
    if account != context.account:
        raise context.refuse(action, arn)
    context.authorize(action, arn)
    function = context.here.functions.get(name)
    if function is not None and qualifier not in {None, LATEST}:
        function = next((one for one in function.published if one.version == qualifier), None)
    if function is None:
        raise not_found(f"Function not found: {arn}{f':{qualifier}' if qualifier else ''}")
    return function, qualifier is not None


def _check_revision(function: Function, revision: str | None) -> None:
    if revision is not None and revision != function.revision:
        raise ApiError(
            412,
            "PreconditionFailedException",
            "The Revision Id provided does not match the latest Revision Id. "
            "Call the GetFunction/GetAlias API to retrieve the latest Revision Id",
        )


def _touch(context: Context, function: Function) -> None:
    function.modified = context.state.timestamp()
    function.revision = str(uuid.uuid4())


def configuration(function: Function, *, qualified: bool = False) -> dict[str, Any]:
    """Return a function's configuration as one call answers it."""
    listed = _listed(function, qualified=qualified)
    return listed | {"State": "Active", "LastUpdateStatus": "Successful"}


def _listed(function: Function, *, qualified: bool) -> dict[str, Any]:
    settings = {name: function.settings[name] for name in _SETTINGS if name in function.settings}
    layers = [{"Arn": layer.arn, "CodeSize": layer.code_size} for layer in function.layers]
    code = function.code or Blob(b"")
    content = {
        "Description": "",
        "Timeout": 3,
        "MemorySize": 128,
        **settings,
        "FunctionName": function.name,
        "FunctionArn": f"{function.arn}:{function.version}" if qualified else function.arn,
        "CodeSize": len(code),
        "CodeSha256": code.code_sha256,
        "LastModified": function.modified,
        "Version": function.version,
        "RevisionId": function.revision,
        "PackageType": function.settings["PackageType"],
        "Architectures": function.settings["Architectures"],
        "EphemeralStorage": {"Size": 512},
        "TracingConfig": {"Mode": "PassThrough"},
        "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
        "Layers": layers or None,
    }
    return {name: value for name, value in content.items() if value is not None}
