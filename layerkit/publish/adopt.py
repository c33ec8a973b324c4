"""Somebody else's layer version, copied unchanged: found, downloaded, verified, and made an artifact like any other."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from layerkit.aws.access import Access
from layerkit.aws.layer_zip import Origin, download
from layerkit.aws.layers import LayerApi
from layerkit.aws.sessions import open_session
from layerkit.errors import AwsError, UsageError
from layerkit.facts import limits
from layerkit.files import translating
from layerkit.http import Client
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
    with (
        progress.task("Downloading", total=origin.version.code_size or None, unit="B") as task,
        translating(path),
        path.open("wb") as stream,
    ):
        download(origin, stream, client, advance=task.advance)
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
