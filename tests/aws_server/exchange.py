"""From a request to an answer, without a socket: who calls, what goes wrong, the handler, the log."""

import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tests.aws_server import refusals
from tests.aws_server.arns import partition_of
from tests.aws_server.calls import Call
from tests.aws_server.context import Context
from tests.aws_server.credentials import Scope, account_of, caller_of, scope_of
from tests.aws_server.downloads import DownloadApi
from tests.aws_server.faults import Fault, FaultPlan, Kind, Target
from tests.aws_server.iam import NOBODY, Caller
from tests.aws_server.lambda_api import LambdaApi
from tests.aws_server.region_api import AccountApi, Ec2Api
from tests.aws_server.s3_api import S3Api
from tests.aws_server.signer_api import SignerApi
from tests.aws_server.ssm_api import SsmApi
from tests.aws_server.state import State
from tests.aws_server.sts_api import StsApi
from tests.aws_server.switches import Switches
from tests.aws_server.wire import ApiError, Operation, Request, Response, Service

_EVERYWHERE = frozenset({"sts", "account", "download"})  # these do not mind in which region a call is signed
_THROTTLED = frozenset({"lambda"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """How to answer: ``reset`` sends nothing, ``truncated`` half of the body."""

    response: Response
    reset: bool = False
    truncated: bool = False

    @property
    def received(self) -> int:
        """How many bytes of the body are sent."""
        if self.reset:
            return 0
        size = len(self.response.body)
        return size // 2 if self.truncated else size


@dataclass(kw_only=True)
class Exchange:
    """The server's inside. ``accounts`` maps each account to its partition, ``enabled`` to its regions."""

    accounts: Mapping[str, str]
    enabled: dict[str, tuple[str, ...]]
    url: str = ""
    state: State = field(default_factory=State)
    switches: Switches = field(default_factory=Switches)
    faults: FaultPlan = field(default_factory=FaultPlan)
    calls: list[Call] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        every: tuple[Service, ...] = (
            LambdaApi(), S3Api(), StsApi(), SsmApi(), Ec2Api(), AccountApi(), SignerApi()
        )  # fmt: skip
        self._services = {service.name: service for service in every}
        self._downloads = DownloadApi()

    def answer(self, request: Request) -> Answer:
        """Answer a request and write it down."""
        started = time.monotonic()
        scope = scope_of(request)
        service = self._service_of(request, scope)
        account, region = self._downloads.place_of(request) or (
            account_of(scope, self.state),
            scope.region if scope else "",
        )
        target = Target(service=service.name, operation="?", account=account, region=region)
        talk = _Talk(exchange=self, request=request, scope=scope, service=service, target=target)
        answer = talk.answer()
        self.calls.append(
            Call(
                service=service.name,
                operation=talk.target.operation,
                account=account,
                region=region,
                caller=talk.caller.arn,
                method=request.method,
                path=request.path,
                range=request.headers.get("range"),
                at=started,
                seconds=time.monotonic() - started,
                status=0 if answer.reset else answer.response.status,
                code=talk.code,
                sent=len(request.body),
                received=answer.received,
                fault=talk.fault.kind if talk.fault else None,
            )
        )
        return answer

    def _service_of(self, request: Request, scope: Scope | None) -> Service:
        if self._downloads.place_of(request):
            return self._downloads
        if scope is not None:
            return self._services.get(scope.service) or _Unknown(scope.service)
        is_form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
        return self._services["sts" if is_form else "s3"]


@dataclass(kw_only=True)
class _Talk:
    """One exchange under way."""

    exchange: Exchange
    request: Request
    scope: Scope | None
    service: Service
    target: Target
    caller: Caller = NOBODY
    fault: Fault | None = None
    code: str | None = None

    def answer(self) -> Answer:
        request_id = secrets.token_hex(8)
        try:
            response = self._respond()
        except ApiError as error:
            self.code = error.code
            response = self.service.render(error, request_id=request_id)
        except _Dropped:
            return Answer(response=Response(status=0), reset=True)
        if self.fault and self.fault.kind in {Kind.SLOW, Kind.RESET_AFTER, Kind.TRUNCATE}:
            _call(self.fault)
        header = "x-amz-request-id" if self.service.name in {"s3", "download"} else "x-amzn-RequestId"
        response = replace(response, headers={**response.headers, header: request_id})
        kind = self.fault.kind if self.fault else None
        reset = kind is Kind.RESET_AFTER or (kind is Kind.TRUNCATE and not response.body)
        return Answer(response=response, reset=reset, truncated=kind is Kind.TRUNCATE)

    def _respond(self) -> Response:
        operation = self.service.operation_of(self.request)
        self.target = replace(self.target, operation=operation.name)
        self.fault = self.exchange.faults.due(self.target)
        self._wait()
        self._suffer(operation)
        if operation.signed:
            self.caller = self._authenticated()
        throttle = self.exchange.switches.throttle
        if throttle and self.service.name in _THROTTLED:
            region = self.target.region
            if not throttle.allows(account=self.caller.account, region=region, operation=operation.name):
                raise refusals.throttled(self.service.name)
        return self._handled(operation)

    def _handled(self, operation: Operation) -> Response:
        context = Context(
            service=self.service.name,
            request=self.request,
            arguments=operation.arguments,
            caller=self.caller,
            region=self.target.region,
            state=self.exchange.state,
            switches=self.exchange.switches,
            url=self.exchange.url,
            enabled=self.exchange.enabled.get(self.caller.account, ()),
        )
        if not operation.locks:
            return operation.handler(context)
        with self.exchange.state.lock:
            return operation.handler(context)

    def _wait(self) -> None:
        seconds = self.exchange.switches.latency
        if self.fault and self.fault.kind is Kind.SLOW:
            seconds += self.fault.seconds
        if seconds:
            self.exchange.closing.wait(seconds)

    def _suffer(self, operation: Operation) -> None:
        """Do what the fault does instead of the work."""
        fault = self.fault
        if fault is None or fault.kind in {Kind.SLOW, Kind.RESET_AFTER, Kind.TRUNCATE}:
            return
        _call(fault)
        service = self.service.name
        match fault.kind:
            case Kind.ERROR:
                raise refusals.failed(service, status=fault.status)
            case Kind.THROTTLE:
                raise refusals.throttled(service)
            case Kind.EXPIRED:
                raise refusals.expired_token(service)
            case Kind.DENIED:
                caller = self._authenticated() if operation.signed else NOBODY
                action = f"{service}:{operation.name}"
                reason = f"because no identity-based policy allows the {action} action"
                raise refusals.denied(service, caller=caller, action=action, resource="*", reason=reason)
            case Kind.HANG:
                self.exchange.closing.wait()
        raise _Dropped

    def _authenticated(self) -> Caller:
        service = self.service.name
        if self.scope is None:
            raise refusals.missing_token(service)
        exchange = self.exchange
        caller = caller_of(self.scope, service=service, accounts=exchange.accounts, state=exchange.state)
        region = self.scope.region
        foreign = partition_of(region) != exchange.accounts.get(caller.account)
        closed = service not in _EVERYWHERE and region not in exchange.enabled.get(caller.account, ())
        if foreign or closed:
            raise refusals.unknown_client(service)
        return caller


class _Dropped(Exception):
    """The connection is to be reset before any work."""


class _Unknown:
    """A service that the server does not speak."""

    def __init__(self, name: str) -> None:
        self.name = name

    def operation_of(self, request: Request) -> Operation:
        raise ApiError(
            501, "NotImplemented", f"this server does not speak {self.name}: {request.method} {request.path}"
        )

    def render(self, error: ApiError, *, request_id: str) -> Response:
        headers: dict[str, Any] = {"x-amzn-RequestId": request_id, "x-amzn-ErrorType": error.code}
        return Response(status=error.status, body=error.message.encode(), headers=headers)


def _call(fault: Fault) -> None:
    if fault.then:
        fault.then()
