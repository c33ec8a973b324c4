"""AWS STS: who am I, and roles with their trust, external ids, tags, chains and tokens of an identity provider."""

import re
import secrets
import time
from typing import Final

from tests.aws_server import refusals
from tests.aws_server.context import Context
from tests.aws_server.iam import Role, Session
from tests.aws_server.wire import ApiError, Operation, Request, Response
from tests.aws_server.xml_answers import Node, xml_response

_NAMESPACE: Final = "https://sts.amazonaws.com/doc/2011-06-15/"
_CHAINED: Final = 3600


class StsApi:
    """The query protocol's operations for sessions."""

    name = "sts"

    def operation_of(self, request: Request) -> Operation:
        match request.form.get("Action", ""):
            case "GetCallerIdentity":
                return Operation(name="GetCallerIdentity", handler=_get_caller_identity)
            case "AssumeRole":
                return Operation(name="AssumeRole", handler=_assume_role)
            case "AssumeRoleWithWebIdentity":
                handler = _assume_role_with_web_identity
                return Operation(name="AssumeRoleWithWebIdentity", handler=handler, signed=False)
            case other:
                raise ApiError(400, "InvalidAction", f"Could not find operation {other} for version 2011-06-15")

    def render(self, error: ApiError, *, request_id: str) -> Response:
        detail = (("Type", "Sender"), ("Code", error.code), ("Message", error.message))
        content = (("Error", detail), ("RequestId", request_id))
        return xml_response("ErrorResponse", content, status=error.status, namespace=_NAMESPACE, headers=error.headers)


def _get_caller_identity(context: Context) -> Response:
    caller = context.caller
    return _result("GetCallerIdentity", (("Arn", caller.arn), ("UserId", caller.user_id), ("Account", caller.account)))


def _assume_role(context: Context) -> Response:
    form = context.request.form
    arn = form.get("RoleArn", "")
    tags = _tags(form)
    _validate(form)
    context.authorize("sts:AssumeRole", arn)
    role = context.state.roles.get(arn)
    if role is None or not _trusts(role, context, form.get("ExternalId")):
        raise _refused(context, "sts:AssumeRole", arn)
    if tags and not role.tagging:
        raise _refused(context, "sts:TagSession", arn)
    chained = context.caller.session is not None
    seconds = int(form.get("DurationSeconds", "3600"))
    if chained and seconds > _CHAINED:
        message = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining"
        raise ApiError(400, "ValidationError", message)
    return _result("AssumeRole", _session(context, role, form, seconds=seconds, tags=tags))


def _assume_role_with_web_identity(context: Context) -> Response:
    form = context.request.form
    _validate(form)
    role = context.state.roles.get(form.get("RoleArn", ""))
    if role is None or role.web_identity is None:
        raise ApiError(403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
    if form.get("WebIdentityToken") != role.web_identity:
        raise ApiError(400, "InvalidIdentityToken", "Couldn't retrieve verification key from your identity provider")
    seconds = int(form.get("DurationSeconds", "3600"))
    session = _session(context, role, form, seconds=seconds, tags={})
    return _result("AssumeRoleWithWebIdentity", (*session, ("SubjectFromWebIdentityToken", "repo:acme/layers")))


def _validate(form: dict[str, str]) -> None:
    name = form.get("RoleSessionName", "")
    if not re.fullmatch(r"[\w+=,.@-]{2,64}", name):
        message = (
            f"1 validation error detected: Value '{name}' at 'roleSessionName' failed to satisfy constraint: "
            r"Member must satisfy regular expression pattern: [\w+=,.@-]*"
        )
        raise ApiError(400, "ValidationError", message)
    arn = form.get("RoleArn", "")
    if not re.fullmatch(r"arn:[a-z-]+:iam::\d{12}:role/.+", arn):
        raise ApiError(400, "ValidationError", f"{arn} is invalid")


def _trusts(role: Role, context: Context, external_id: str | None) -> bool:
    session = context.caller.session
    mine = {context.account, context.caller.arn, session.role.arn if session else context.caller.arn}
    same_partition = role.arn.split(":")[1] == context.caller.arn.split(":")[1]
    return same_partition and bool(mine & set(role.trusted)) and role.external_id in {None, external_id}


def _refused(context: Context, action: str, arn: str) -> ApiError:
    return refusals.denied("sts", caller=context.caller, action=action, resource=arn, reason="")


def _session(
    context: Context, role: Role, form: dict[str, str], *, seconds: int, tags: dict[str, str]
) -> tuple[tuple[str, Node], ...]:
    if seconds > role.longest:
        message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        raise ApiError(400, "ValidationError", message)
    lifetime = role.lifetime or context.switches.session_seconds or seconds
    session = Session(
        key=f"ASIA{secrets.token_hex(8).upper()}",
        token=secrets.token_urlsafe(64),
        role=role,
        name=form["RoleSessionName"],
        expires=context.state.wall() + lifetime,
        tags=tags,
    )
    context.state.sessions[session.key] = session
    partition = role.arn.split(":")[1]
    arn = f"arn:{partition}:sts::{role.account}:assumed-role/{role.name}/{session.name}"
    expiration = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(session.expires))
    return (
        (
            "Credentials",
            (
                ("AccessKeyId", session.key),
                ("SecretAccessKey", secrets.token_urlsafe(30)),
                ("SessionToken", session.token),
                ("Expiration", expiration),
            ),
        ),
        ("AssumedRoleUser", (("AssumedRoleId", f"AROATESTER:{session.name}"), ("Arn", arn))),
    )


def _tags(form: dict[str, str]) -> dict[str, str]:
    numbers = [match[1] for name in form if (match := re.fullmatch(r"Tags\.member\.(\d+)\.Key", name))]
    return {form[f"Tags.member.{number}.Key"]: form.get(f"Tags.member.{number}.Value", "") for number in numbers}


def _result(name: str, content: Node) -> Response:
    inner = ((f"{name}Result", content), ("ResponseMetadata", (("RequestId", secrets.token_hex(8)),)))
    return xml_response(f"{name}Response", inner, namespace=_NAMESPACE)
