"""Lambda's REST API: which operation a method and a path mean."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests.aws_server import lambda_functions, lambda_layers, lambda_policy, lambda_publish
from tests.aws_server.context import Context
from tests.aws_server.wire import ApiError, Operation, Request, Response, json_error

_LAYERS: Final = "/2018-10-31/layers"
_VERSIONS: Final = _LAYERS + r"/(?P<LayerName>[^/]+)/versions"
_VERSION: Final = _VERSIONS + r"/(?P<VersionNumber>[^/]+)"
_FUNCTIONS: Final = "/2015-03-31/functions/?"
_FUNCTION: Final = r"/2015-03-31/functions/(?P<FunctionName>[^/]+)"


@dataclass(frozen=True, slots=True)
class _Route:
    method: str
    path: str
    name: str
    handler: Callable[[Context], Response]
    locks: bool = True


_ROUTES: Final = (
    _Route("POST", _VERSIONS, "PublishLayerVersion", lambda_publish.publish_layer_version, locks=False),
    _Route("GET", _VERSION, "GetLayerVersion", lambda_layers.get_layer_version),
    _Route("GET", _VERSIONS, "ListLayerVersions", lambda_layers.list_layer_versions),
    _Route("DELETE", _VERSION, "DeleteLayerVersion", lambda_layers.delete_layer_version),
    _Route("POST", f"{_VERSION}/policy", "AddLayerVersionPermission", lambda_policy.add_permission),
    _Route("GET", f"{_VERSION}/policy", "GetLayerVersionPolicy", lambda_policy.get_policy),
    _Route(
        "DELETE",
        rf"{_VERSION}/policy/(?P<StatementId>[^/]+)",
        "RemoveLayerVersionPermission",
        lambda_policy.remove_permission,
    ),
    _Route("GET", _FUNCTIONS, "ListFunctions", lambda_functions.list_functions),
    _Route("POST", _FUNCTIONS, "CreateFunction", lambda_functions.create_function, locks=False),
    _Route("GET", _FUNCTION, "GetFunction", lambda_functions.get_function),
    _Route("DELETE", _FUNCTION, "DeleteFunction", lambda_functions.delete_function),
    _Route("GET", f"{_FUNCTION}/configuration", "GetFunctionConfiguration", lambda_functions.get_configuration),
    _Route("PUT", f"{_FUNCTION}/configuration", "UpdateFunctionConfiguration", lambda_functions.update_configuration),
    _Route("PUT", f"{_FUNCTION}/code", "UpdateFunctionCode", lambda_functions.update_code),
    _Route("GET", f"{_FUNCTION}/versions", "ListVersionsByFunction", lambda_functions.list_versions),
    _Route("POST", f"{_FUNCTION}/versions", "PublishVersion", lambda_functions.publish_version),
    _Route("GET", "/2016-08-19/account-settings/?", "GetAccountSettings", lambda_functions.get_account_settings),
)


class LambdaApi:
    """The operations of AWS Lambda that concern layers and functions."""

    name = "lambda"

    def operation_of(self, request: Request) -> Operation:
        if request.method == "GET" and request.raw_path == _LAYERS:
            if request.query.get("find") == "LayerVersion":
                return Operation(name="GetLayerVersionByArn", handler=lambda_layers.get_layer_version_by_arn)
            return Operation(name="ListLayers", handler=lambda_layers.list_layers)
        for route in _ROUTES:
            match = re.fullmatch(route.path, request.raw_path) if route.method == request.method else None
            if match:
                arguments = {name: unquoted(text) for name, text in match.groupdict().items()}
                return Operation(name=route.name, handler=route.handler, arguments=arguments, locks=route.locks)
        raise ApiError(404, "UnknownOperationException", f"Unknown operation: {request.method} {request.path}")

    def render(self, error: ApiError, *, request_id: str) -> Response:
        member = "Message" if error.code in {"AccessDeniedException", "UnrecognizedClientException"} else "message"
        return json_error(error, member=member, request_id=request_id)


def unquoted(text: str) -> str:
    from urllib.parse import unquote

    return unquote(text)
