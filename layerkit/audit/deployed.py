"""What is deployed: a function and its layers, or a layer version, read without downloading the zips."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final, Self

from layerkit.audit.deployed_findings import (
    deleted_finding,
    denied_finding,
    outdated_finding,
    python_path_findings,
    region_finding,
    runtime_findings,
)
from layerkit.audit.deployed_read import (
    Part,
    read_code,
    read_layer_version,
    unread_code,
    unread_layer,
    unreadable,
)
from layerkit.audit.zip_source import UnreadableLayer
from layerkit.aws.access import Access
from layerkit.aws.errors import ActionDenied, CredentialsProblem
from layerkit.aws.functions import AttachedLayer, FunctionApi, FunctionConfiguration
from layerkit.aws.layer_zip import NoSuchLayerVersion
from layerkit.aws.layers import LayerApi, LayerSummary
from layerkit.aws.sessions import Session, open_session
from layerkit.errors import AwsError, FetchError, LayerkitError, UsageError
from layerkit.facts.runtime import runtimes
from layerkit.http_range import link_client
from layerkit.model.arn import LayerVersionArn, MalformedArnError, region_of_function
from layerkit.model.contents import Contents
from layerkit.model.finding import Code, Finding
from layerkit.model.stack import Stack
from layerkit.progress import Progress

if TYPE_CHECKING:
    from layerkit.http import Client

_WORKERS: Final = 12
_NAME: Final = re.compile(r"(?:\d{12}:)?(?:function:)?[a-zA-Z0-9-_]{1,140}(?::[a-zA-Z0-9$_-]{1,129})?", re.ASCII)


class MalformedFunctionName(UsageError):
    """A text that cannot be a function's name."""

    def __init__(self, *, name: str) -> None:
        super().__init__(f"`{name}` is not the name of a function", hint="give its name, or its ARN")


class ImageFunction(UsageError):
    """A function that is a container image."""

    def __init__(self, *, name: str) -> None:
        super().__init__(
            f"function `{name}` is a container image, and layers do not apply to images",
            hint="what a layer would hold is copied into the image when it is built",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployed:
    """A function as it is deployed; ``runtime`` is ``None`` where layerkit has no facts about it."""

    name: str
    stack: Stack
    findings: tuple[Finding, ...]
    runtime: str | None
    architecture: str | None


def audit_function(name: str, *, access: Access, progress: Progress) -> Deployed:
    """Read a function, by its name or ARN, and its layers.

    A zip that cannot be downloaded is a finding. Raises ``AwsError`` subclasses, ``ImageFunction``,
    ``MalformedFunctionName`` and ``MalformedArnError``.
    """
    region = region_of_function(name)
    if region is None and not _NAME.fullmatch(name):
        raise MalformedFunctionName(name=name)
    session = _session(access, region)
    function = FunctionApi(session, session.region).configuration(name)
    if function.is_image:
        raise ImageFunction(name=name)
    with _Reading(session, forgiving=False) as reading:
        reading.begin(function)
        with progress.task("Reading", total=reading.parts, unit="zip") as task:
            reading.when_read(lambda: task.advance(1))
            return reading.deployed(function)


def audit_all(*, access: Access, progress: Progress) -> Iterator[Deployed]:
    """Yield every function of the account and region; what cannot be read is a finding. Raises ``AwsError``."""
    session = _session(access, None)
    functions = tuple(FunctionApi(session, session.region).all_functions())
    zips = tuple(function for function in functions if not function.is_image)
    if len(zips) < len(functions):
        images = len(functions) - len(zips)
        progress.tell(
            f"Left out {images} {'function' if images == 1 else 'functions'}: container images have no layers"
        )
    with _Reading(session, forgiving=True) as reading:
        for function in zips:
            reading.begin(function)
        with progress.task("Auditing", total=len(zips), unit="function") as task:
            for function in zips:
                yield reading.deployed(function)
                task.advance(1)


def read_layer_arn(arn: str, *, access: Access) -> Contents:
    """Read a layer version. Raises ``MalformedArnError``, ``UnreadableLayer``, ``AwsError`` and ``FetchError``."""
    parsed = LayerVersionArn.parse(arn)
    with link_client() as client:
        return read_layer_version(parsed, session=_session(access, parsed.region), client=client)


def _session(access: Access, region: str | None) -> Session:
    return open_session(replace(access, region=region) if region is not None else access)


class _Reading:
    """Reads layers and code in parallel, each layer version once. A context manager."""

    def __init__(self, session: Session, *, forgiving: bool) -> None:
        self._session = session
        self._forgiving = forgiving
        self._client: Client = link_client()
        self._pool = ThreadPoolExecutor(_WORKERS)
        self._layers: dict[str, Future[Part]] = {}
        self._newest: dict[str, Future[LayerSummary | None]] = {}
        self._codes: dict[str, Future[Part]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._client.__exit__()

    @property
    def parts(self) -> int:
        """How many zips are being read."""
        return len(self._layers) + len(self._codes)

    def when_read(self, tell: Callable[[], None]) -> None:
        """Call ``tell`` after each zip."""
        for future in (*self._layers.values(), *self._codes.values()):
            future.add_done_callback(lambda _: tell())

    def begin(self, function: FunctionConfiguration) -> None:
        """Begin to read what a function has."""
        self._codes[function.arn] = self._pool.submit(self._read_code, function)
        for layer in function.layers:
            if layer.arn not in self._layers:
                self._layers[layer.arn] = self._pool.submit(self._read_layer, layer)
            arn = _parsed(layer.arn)
            if arn is not None and _is_own(arn, function) and arn.layer not in self._newest:
                self._newest[arn.layer] = self._pool.submit(self._find_newest, arn)

    def deployed(self, function: FunctionConfiguration) -> Deployed:
        """Wait for what a function has, and return it."""
        layers = tuple(self._layers[layer.arn].result() for layer in function.layers)
        code = self._codes[function.arn].result()
        stack = Stack(layers=tuple(layer.contents for layer in layers), function=code.contents)
        read = tuple(finding for part in (*layers, code) for finding in part.findings)
        return Deployed(
            name=function.name,
            stack=stack,
            findings=(*read, *self._findings(function, stack)),
            runtime=function.runtime if function.runtime in runtimes() else None,
            architecture=function.architecture,
        )

    def _findings(self, function: FunctionConfiguration, stack: Stack) -> Iterator[Finding]:
        if function.runtime is not None:
            yield from runtime_findings(function.runtime, function.name, _today())
        yield from python_path_findings(function.python_path, function.runtime, stack.layers, function.name)
        for arn in filter(None, (_parsed(layer.arn) for layer in function.layers)):
            yield from region_finding(arn, function.region)
            newest = self._newest[arn.layer].result() if arn.layer in self._newest else None
            if newest is not None:
                yield from outdated_finding(arn, newest, function)

    def _read_layer(self, layer: AttachedLayer) -> Part:
        arn = _parsed(layer.arn)
        unread = unread_layer(layer.arn, layer.code_size)
        if arn is None:
            return Part(contents=unread, findings=(denied_finding(layer.arn, "AWS keeps it to itself"),))
        try:
            return Part(contents=read_layer_version(arn, session=self._session, client=self._client))
        except NoSuchLayerVersion:
            return Part(contents=unread, findings=(deleted_finding(layer.arn),))
        except ActionDenied as exc:
            return Part(contents=unread, findings=(denied_finding(layer.arn, exc.reason),))
        except LayerkitError as exc:
            reason = self._forgive(exc)
            return Part(contents=unread, findings=(unreadable(layer.arn, reason, code=Code.LAYER_UNREADABLE),))

    def _read_code(self, function: FunctionConfiguration) -> Part:
        try:
            return Part(contents=read_code(function, session=self._session, client=self._client))
        except ActionDenied as exc:
            reason = exc.message
        except LayerkitError as exc:
            reason = self._forgive(exc)
        finding = unreadable(function.name, reason, code=Code.FUNCTION_UNREADABLE)
        return Part(contents=unread_code(function), findings=(finding,))

    def _forgive(self, exc: LayerkitError) -> str:
        """Return why a zip could not be read, or raise what concerns everything, or the only function asked for."""
        if isinstance(exc, UnreadableLayer | FetchError):
            return exc.message
        if self._forgiving and isinstance(exc, AwsError) and not isinstance(exc, CredentialsProblem):
            return exc.message
        raise exc

    def _find_newest(self, arn: LayerVersionArn) -> LayerSummary | None:
        """Return the newest version of a layer; ``None`` where there is none, or nobody tells."""
        try:
            return LayerApi(self._session, arn.region).newest(arn.name)
        except CredentialsProblem:
            raise
        except AwsError:
            return None


def _parsed(arn: str) -> LayerVersionArn | None:
    try:
        return LayerVersionArn.parse(arn)
    except MalformedArnError:
        return None


def _is_own(arn: LayerVersionArn, function: FunctionConfiguration) -> bool:
    return (arn.account, arn.region) == (function.account, function.region)


def _today() -> date:
    return datetime.now(tz=UTC).date()
