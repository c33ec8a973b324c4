"""The zips of deployed layers and functions, read by ranges: their directories and the metadata in them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from layerkit.audit.zip_source import read_zip
from layerkit.aws.errors import NotThere
from layerkit.aws.functions import FunctionApi, FunctionConfiguration
from layerkit.aws.layer_zip import NoSuchLayerVersion
from layerkit.aws.layers import LayerApi
from layerkit.errors import AwsError
from layerkit.http_range import RemoteFile
from layerkit.model.arn import LayerVersionArn
from layerkit.model.contents import Contents
from layerkit.model.finding import Code, Finding, Severity

if TYPE_CHECKING:
    from layerkit.aws.sessions import Session
    from layerkit.http import Client


class NoLink(AwsError):
    """An answer without a link where AWS gives one."""

    def __init__(self, *, what: str) -> None:
        super().__init__(f"AWS gives no link to the zip of `{what}`")


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A layer or a function's code, as far as it could be read, and what is to be said about that."""

    contents: Contents
    findings: tuple[Finding, ...] = ()


def read_layer_version(arn: LayerVersionArn, *, session: "Session", client: "Client") -> Contents:
    """Read a layer version. Raises ``AwsError``, ``RemoteUnreadable`` and ``UnreadableLayer`` (and subclasses)."""
    api = LayerApi(session, arn.region)
    try:
        version = api.version(arn.layer, arn.version)
        links = _links(version.location, lambda: api.version(arn.layer, arn.version).location, what=str(arn))
        with RemoteFile(client, links) as remote:
            contents = read_zip(remote.stream, where=str(arn))
    except NotThere as exc:
        raise NoSuchLayerVersion(arn=str(arn)) from exc
    return replace(
        contents, name=arn.name, arn=str(arn), runtimes=version.runtimes, architectures=version.architectures
    )


def read_code(function: FunctionConfiguration, *, session: "Session", client: "Client") -> Contents:
    """Read a function's own code. Raises as ``read_layer_version`` does."""
    api = FunctionApi(session, function.region)

    def locate() -> str | None:
        return api.code_location(function.arn)

    with RemoteFile(client, _links(None, locate, what=function.name)) as remote:
        return as_code(read_zip(remote.stream, where=function.name), function)


def unread_layer(arn: str, code_size: int) -> Contents:
    """Return what a function's configuration says of a layer that cannot be read: its zipped size."""
    name = arn.split(":")[6] if arn.count(":") >= 7 else None  # noqa: PLR2004 -- the fields of an ARN
    return _unread(arn, code_size, name=name, arn=arn)


def unread_code(function: FunctionConfiguration) -> Contents:
    """Return what its configuration says of a function's code that cannot be read."""
    return as_code(_unread(function.name, function.code_size), function)


def as_code(contents: Contents, function: FunctionConfiguration) -> Contents:
    """Add what Lambda says to a function's own code."""
    runtimes = (function.runtime,) if function.runtime else ()
    return replace(
        contents, name=function.name, arn=function.arn, runtimes=runtimes, architectures=(function.architecture,)
    )


def unreadable(where: str, reason: str, *, code: Code) -> Finding:
    """Return that the zip of a layer or function could not be read."""
    return Finding(
        code=code,
        severity=Severity.WARNING,
        where=where,
        message=f"it could not be read: {reason}; what it holds was not checked, and its unzipped size is unknown and"
        " not counted here",
    )


def _unread(where: str, code_size: int, *, name: str | None = None, arn: str | None = None) -> Contents:
    return Contents(
        where=where,
        zipped_bytes=code_size,
        unzipped_bytes=0,
        files=(),
        distributions=(),
        insides=None,
        name=name,
        arn=arn,
        is_read=False,
    )


def _links(first: str | None, locate: Callable[[], str | None], *, what: str) -> Callable[[], str]:
    """Return what gives ``first``, and when asked again a new link."""
    given = [first] if first is not None else []

    def link() -> str:
        found = given.pop() if given else locate()
        if found is None:
            raise NoLink(what=what)
        return found

    return link
