"""Which regions an account has: EC2's DescribeRegions and the account service's ListRegions."""

import re
from typing import Final

from tests.aws_server.arns import partition_of
from tests.aws_server.context import Context
from tests.aws_server.lambda_shapes import Validation
from tests.aws_server.wire import ApiError, Operation, Request, Response, json_error, json_response
from tests.aws_server.xml_answers import xml_response

# Launched before 2019-03-20, so that every account has them; the others must be opted into.
BY_DEFAULT: Final = frozenset(
    {
        *("us-east-1", "us-east-2", "us-west-1", "us-west-2", "ca-central-1", "sa-east-1"),
        *("eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3"),
        *("ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2"),
        *("cn-north-1", "cn-northwest-1", "us-gov-east-1", "us-gov-west-1", "eusc-de-east-1"),
    }
)
_OPT_IN: Final = (
    *("af-south-1", "ap-east-1", "ap-east-2", "ap-south-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5"),
    *("ap-southeast-6", "ap-southeast-7", "ca-west-1", "eu-central-2", "eu-south-1", "eu-south-2", "il-central-1"),
    *("me-central-1", "me-south-1", "mx-central-1"),
)
_EC2: Final = "http://ec2.amazonaws.com/doc/2016-11-15/"


def _statuses(context: Context) -> dict[str, str]:
    """Return EC2's opt-in status by region: of those that the account has, and of those that it has not opted into."""
    enabled = context.enabled
    found = {region: "opt-in-not-required" if region in BY_DEFAULT else "opted-in" for region in enabled}
    missing = [region for region in _OPT_IN if region not in enabled and context.partition == "aws"]
    return dict(sorted((found | dict.fromkeys(missing, "not-opted-in")).items()))


class Ec2Api:
    """EC2, as far as it lists regions."""

    name = "ec2"

    def operation_of(self, request: Request) -> Operation:
        if request.form.get("Action") == "DescribeRegions":
            return Operation(name="DescribeRegions", handler=_describe_regions)
        message = f"The action {request.form.get('Action')} is not valid for this web service."
        raise ApiError(400, "InvalidAction", message)

    def render(self, error: ApiError, *, request_id: str) -> Response:
        detail = (("Error", (("Code", error.code), ("Message", error.message))),)
        return xml_response("Response", (("Errors", detail), ("RequestID", request_id)), status=error.status)


def _describe_regions(context: Context) -> Response:
    context.authorize("ec2:DescribeRegions", "*")
    form = context.request.form
    found = _statuses(context)
    if form.get("AllRegions", "false").lower() != "true":
        found = {region: status for region, status in found.items() if status != "not-opted-in"}
    for number in [match[1] for name in form if (match := re.fullmatch(r"Filter\.(\d+)\.Name", name))]:
        values = {text for name, text in form.items() if re.fullmatch(rf"Filter\.{number}\.Value\.\d+", name)}
        by_name = form[f"Filter.{number}.Name"] == "region-name"
        found = {region: status for region, status in found.items() if (region if by_name else status) in values}
    items = [
        (
            "item",
            (
                ("regionName", region),
                ("regionEndpoint", f"ec2.{region}.amazonaws.com"),
                ("optInStatus", status),
            ),
        )
        for region, status in found.items()
    ]
    content = (("requestId", "request"), ("regionInfo", items))
    return xml_response("DescribeRegionsResponse", content, namespace=_EC2)


class AccountApi:
    """The account service, as far as it lists regions."""

    name = "account"

    def operation_of(self, request: Request) -> Operation:
        if request.path == "/listRegions":
            return Operation(name="ListRegions", handler=_list_regions)
        raise ApiError(404, "UnknownOperationException", f"Unknown operation: {request.path}")

    def render(self, error: ApiError, *, request_id: str) -> Response:
        return json_error(error, request_id=request_id)


def _list_regions(context: Context) -> Response:
    partition = partition_of(context.region)
    context.authorize("account:ListRegions", f"arn:{partition}:account::{context.account}:account")
    names = {"opt-in-not-required": "ENABLED_BY_DEFAULT", "opted-in": "ENABLED", "not-opted-in": "DISABLED"}
    wanted = context.json()
    validation = Validation()
    validation.number("maxResults", wanted.get("MaxResults"), least=1, most=50)
    validation.raise_if_any()
    statuses = wanted.get("RegionOptStatusContains") or list(names.values())
    regions = [
        {"RegionName": region, "RegionOptStatus": names[status]}
        for region, status in _statuses(context).items()
        if names[status] in statuses
    ]
    start = int(wanted.get("NextToken") or 0)
    end = start + (wanted.get("MaxResults") or 20)
    return json_response(200, {"Regions": regions[start:end], "NextToken": str(end) if end < len(regions) else None})
