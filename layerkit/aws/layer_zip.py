"""The zip of a layer version: found by its ARN, downloaded by the link that Lambda gives, and verified."""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import urlsplit

from layerkit.aws.errors import ActionDenied, AnswerIncomplete, NotThere
from layerkit.aws.layers import LayerApi, PublishedVersion
from layerkit.errors import AwsError, FetchError, LayerkitError
from layerkit.http import Client
from layerkit.http_errors import AccessDenied, NotFound
from layerkit.http_range import LinkUnusable
from layerkit.model.arn import LayerVersionArn


class NoSuchLayerVersion(AwsError):
    """A layer version that is not there, or no longer."""

    def __init__(self, *, arn: str) -> None:
        super().__init__(
            f"layer version `{arn}` is not there",
            hint="it may have been deleted; `aws lambda list-layer-versions` shows those that are there",
        )


class LayerVersionDenied(AwsError):
    """A layer version that may not be read, or is not there: of others' layers, AWS does not say which."""

    def __init__(self, *, arn: str, action: str, reason: str | None) -> None:
        super().__init__(
            f"AWS denied `{action}` on `{arn}`",
            details=(reason,) if reason else (),
            hint="check its account, region and version: of other accounts' layers, AWS says the same of what is not"
            f" there; else ask the owner to share it, and allow `{action}` to the user or role that calls",
        )


class DownloadFailed(FetchError):
    """A layer's zip that cannot be downloaded; its link is a secret, and not shown."""

    def __init__(self, *, arn: str, host: str, reason: str) -> None:
        super().__init__(
            f"the zip of `{arn}` cannot be downloaded from `{host}`: {reason}",
            hint="check the network, `HTTPS_PROXY` and `AWS_CA_BUNDLE`, and run the command again",
        )


class OtherBytesDownloaded(FetchError):
    """A download that is not what AWS says the layer is."""

    def __init__(self, *, arn: str, expected: str, found: str) -> None:
        super().__init__(
            f"what was downloaded of `{arn}` is not the layer: its SHA-256 is {found}, and AWS says {expected}",
            hint="something on the way changes downloads; see what `HTTPS_PROXY` names",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """A version that may be read, and the way in which."""

    arn: LayerVersionArn
    version: PublishedVersion
    api: LayerApi

    @classmethod
    def find(cls, arn: LayerVersionArn, api: LayerApi) -> "Origin":
        """Return the version. Raises ``NoSuchLayerVersion``, ``LayerVersionDenied`` and other ``AwsError``s."""
        try:
            return cls(arn=arn, version=api.version(arn.layer, arn.version), api=api)
        except NotThere as exc:
            raise NoSuchLayerVersion(arn=str(arn)) from exc
        except ActionDenied as exc:
            raise LayerVersionDenied(arn=str(arn), action=exc.action, reason=exc.reason) from exc

    @property
    def sha256(self) -> str:
        """The SHA-256 of its zip, in hexadecimal digits. Raises ``AnswerIncomplete`` where AWS gives another text."""
        try:
            return base64.b64decode(self.version.code_sha256, validate=True).hex()
        except ValueError as exc:
            raise AnswerIncomplete(action="lambda:GetLayerVersion") from exc

    def fresh_link(self) -> str:
        """Return a link to its zip that works for ten minutes. Raises ``LinkUnusable``."""
        return _checked(self.api.version(self.arn.layer, self.arn.version).location or "")


def download(origin: Origin, stream: BinaryIO, client: Client, *, advance: Callable[[int], None]) -> None:
    """Write the zip; where its link expires midway, go on with a new one.

    Raises ``LinkUnusable``, ``DownloadFailed`` and ``OtherBytesDownloaded``.
    """
    digest = hashlib.sha256()
    link = _checked(origin.version.location or "")
    position, renewed = 0, False
    while True:
        try:
            for piece in client.get(link, offset=position):
                stream.write(piece)
                digest.update(piece)
                position += len(piece)
                advance(len(piece))
        except (AccessDenied, NotFound) as exc:
            if renewed:
                raise _failed(origin, link, "the link does not work") from exc
            link, renewed = origin.fresh_link(), True
        except LayerkitError as exc:  # its words may hold the link
            raise _failed(origin, link, "the connection failed") from exc
        else:
            break
    found = base64.b64encode(digest.digest()).decode()
    if found != origin.version.code_sha256:
        raise OtherBytesDownloaded(arn=str(origin.arn), expected=origin.version.code_sha256, found=found)


def _failed(origin: Origin, link: str, reason: str) -> DownloadFailed:
    return DownloadFailed(arn=str(origin.arn), host=urlsplit(link).hostname or "its link", reason=reason)


def _checked(link: str) -> str:
    if urlsplit(link).scheme not in {"http", "https"}:
        raise LinkUnusable(url=link)
    return link
