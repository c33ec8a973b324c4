"""Somebody else's layer version, copied unchanged: found, downloaded, verified, and made an artifact like any other."""

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from layerkit.aws.access import Access
from layerkit.aws.layers import LayerApi, PublishedVersion
from layerkit.aws.sessions import open_session
from layerkit.errors import AwsError, FetchError, LayerkitError, UsageError
from layerkit.facts import limits
from layerkit.files import translating
from layerkit.http import Client
from layerkit.http_errors import AccessDenied, NotFound
from layerkit.http_range import LinkUnusable
from layerkit.model.arn import LayerVersionArn
from layerkit.model.publishing import Account, Publishing
from layerkit.progress import Progress
from layerkit.publish.artifact import Artifact, without_mark
from layerkit.publish.artifacts import Labels, read_artifact
from layerkit.publish.named import in_partition

_MARK_LENGTH: Final = 43  # what an artifact puts behind its description, with the space before it


class NobodyReads(UsageError):
    """A version in a partition for which no account is configured."""

    def __init__(self, *, arn: str) -> None:
        super().__init__(
            f"no configured account is in the partition of `{arn}`",
            hint="credentials do not cross between partitions of AWS: name an account there in [[publish.accounts]]",
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

    def fresh_link(self) -> str:
        """Return a link to its zip that works for ten minutes. Raises ``LinkUnusable``."""
        return _checked(self.api.version(self.arn.layer, self.arn.version).location or "")


def find_origin(arn: LayerVersionArn, publishing: Publishing, *, first: Sequence[str] = ()) -> Origin:
    """Return the version as the first account that may reads it, beginning with those named in ``first``.

    The credentials as they are come last. Raises ``NobodyReads`` and ``AwsError`` subclasses: what the first account
    was told, if none may.
    """
    accounts = sorted(in_partition(publishing, arn.region).accounts, key=lambda account: account.name not in first)
    failures: list[AwsError] = []
    for account in _with_current(accounts):
        api = LayerApi(open_session(Access.of(account, arn.region)), arn.region)
        try:
            return Origin(arn=arn, version=api.version(arn.layer, arn.version), api=api)
        except AwsError as exc:
            failures.append(exc)
    if not accounts:
        raise NobodyReads(arn=str(arn)) from failures[0]
    raise failures[0]


def bring(origin: Origin, folder: Path, *, name: str | None, client: Client, progress: Progress) -> Artifact:
    """Download a version into a folder, verify it, and return it as an artifact.

    Its published name is its own, or ``name``, by no template. Raises ``FetchError``, ``UnfitLayerNameError`` and what
    ``read_artifact`` raises.
    """
    path = folder / "layer.zip"
    with progress.task("Downloading", total=origin.version.code_size or None, unit="B") as task:
        found = _download(origin, path, client, advance=task.advance)
    if found != origin.version.code_sha256:
        raise OtherBytesDownloaded(arn=str(origin.arn), expected=origin.version.code_sha256, found=found)
    artifact = read_artifact(path, labels=Labels(name=name or origin.arn.name), template="{name}")
    return replace(
        artifact,
        description=description_of(origin),
        license=origin.version.license or "",
        runtimes=origin.version.runtimes,
        architectures=origin.version.architectures,
    )


def description_of(origin: Origin) -> str:
    """Return the version's own description with its ARN behind it, as far as Lambda's limit leaves room for both."""
    source = f"(from {origin.arn})"
    text = without_mark(origin.version.description)
    room = limits().description_length - _MARK_LENGTH - len(source) - 1
    if len(text) > room:
        text = text[: max(0, room - 1)].rstrip() + "…"
    return f"{text} {source}" if text else source


def _with_current(accounts: Sequence[Account]) -> list[Account]:
    if any(not account.roles and account.profile is None for account in accounts):
        return list(accounts)
    return [*accounts, Account(name="current")]


def _download(origin: Origin, path: Path, client: Client, *, advance: Callable[[int], None]) -> str:
    """Write the zip, and return its SHA-256 in base64; where its link expires midway, go on with a new one."""
    digest = hashlib.sha256()
    link = _checked(origin.version.location or "")
    position, renewed = 0, False
    with translating(path), path.open("wb") as stream:
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
                return base64.b64encode(digest.digest()).decode()


def _failed(origin: Origin, link: str, reason: str) -> DownloadFailed:
    return DownloadFailed(arn=str(origin.arn), host=urlsplit(link).hostname or "its link", reason=reason)


def _checked(link: str) -> str:
    if urlsplit(link).scheme not in {"http", "https"}:
        raise LinkUnusable(url=link)
    return link
