"""From a request's signature to who calls. The signature itself is not verified; keys, tokens and expiry are."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tests.aws_server import refusals
from tests.aws_server.iam import Caller
from tests.aws_server.state import State
from tests.aws_server.wire import Request

_KEY_START: Final = "AKIA0000"
_CREDENTIAL: Final = re.compile(r"([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """What a signature says of itself."""

    key: str
    region: str
    service: str
    token: str | None


def key_of(account: str) -> str:
    """Return the access key of an account's own user."""
    return _KEY_START + account


def secret_of(account: str) -> str:
    """Return the secret that goes with it."""
    return f"secret-of-{account}-never-to-be-shown"


def scope_of(request: Request) -> Scope | None:
    """Return what signs the request, in its header or its query; ``None`` if nothing does."""
    header = re.search(r"Credential=([^,\s]+)", request.headers.get("authorization", ""))
    text = header[1] if header else request.query.get("X-Amz-Credential", "")
    match = _CREDENTIAL.fullmatch(text)
    if match is None:
        return None
    token = request.headers.get("x-amz-security-token") or request.query.get("X-Amz-Security-Token")
    return Scope(key=match[1], region=match[2], service=match[3], token=token)


def account_of(scope: Scope | None, state: State) -> str:
    """Return whose keys these are, valid or not; empty if nobody's."""
    if scope is None:
        return ""
    session = state.sessions.get(scope.key)
    return session.role.account if session else scope.key.removeprefix(_KEY_START)


def caller_of(scope: Scope, *, service: str, accounts: Mapping[str, str], state: State) -> Caller:
    """Return who signed; ``accounts`` maps each account to its partition."""
    session = state.sessions.get(scope.key)
    if session is None:
        account = scope.key.removeprefix(_KEY_START)
        if account not in accounts or scope.token:
            raise refusals.unknown_client(service)
        arn = f"arn:{accounts[account]}:iam::{account}:user/tester"
        return Caller(account=account, arn=arn, user_id="AIDATESTER")
    if scope.token != session.token:
        raise refusals.unknown_client(service)
    if state.wall() >= session.expires:
        raise refusals.expired_token(service)
    role = session.role
    partition = role.arn.split(":")[1]
    return Caller(
        account=role.account,
        arn=f"arn:{partition}:sts::{role.account}:assumed-role/{role.name}/{session.name}",
        user_id=f"AROATESTER:{session.name}",
        policy=role.policy,
        session=session,
    )
