"""Lambda's API of layers, as values: read a version, list, share, delete, publish."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from layerkit.aws.errors import AnswerIncomplete, NotThere
from layerkit.aws.sessions import Session

_GET: Final = "lambda:GetLayerVersion"
_COMPARES_PRINCIPAL: Final = "aws:PrincipalOrgID"


@dataclass(frozen=True, kw_only=True, slots=True)
class LayerSummary:
    """What a list says of a version: nothing about its bytes."""

    arn: str
    number: int
    description: str
    license: str | None
    runtimes: tuple[str, ...]
    architectures: tuple[str, ...]
    created: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class PublishedVersion(LayerSummary):
    """A version: ``code_size`` is its zip's in bytes, ``location`` a link to it that works for ten minutes.

    ``signing_job`` is the ARN of the job that signed the zip, if one did.
    """

    code_sha256: str
    code_size: int
    location: str | None = field(repr=False)
    signing_job: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """Who may use a version: an account's number or ``*``, or everybody in an organisation."""

    sid: str
    principal: str
    organization: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class S3Content:
    """A zip in a bucket of the same region; ``signing_job`` is the id of the job that signed it, if one did."""

    bucket: str
    key: str
    version: str | None = None
    signing_job: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class NewVersion:
    """What is to be published: the zip itself (below 50 MiB) or where it lies."""

    name: str
    content: bytes | S3Content = field(repr=False)
    description: str = ""
    license: str | None = None
    runtimes: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()


class LayerApi:
    """Layers in one region, with one session. Names may be ARNs of layers. Raises ``AwsError`` subclasses."""

    def __init__(self, session: Session, region: str) -> None:
        self._session = session
        self.region = region
        self._service = session.service("lambda", region)

    def version(self, name: str, number: int) -> PublishedVersion:
        """Return a version, with a link to its zip."""
        answer = self._service.call("GetLayerVersion", needs="LayerVersionArn", LayerName=name, VersionNumber=number)
        return _version_of(answer)

    def newest(self, name: str) -> LayerSummary | None:
        """Return the newest version; ``None`` if there is none."""
        answer = self._service.call("ListLayerVersions", needs="LayerVersions", LayerName=name, MaxItems=1)
        return next((_summary_of(item) for item in answer["LayerVersions"]), None)

    def versions(self, name: str) -> Iterator[LayerSummary]:
        """Yield all versions, the newest first."""
        for item in self._service.pages("ListLayerVersions", member="LayerVersions", LayerName=name):
            yield _summary_of(item)

    def statements(self, name: str, number: int) -> tuple[Statement, ...]:
        """Return who may use a version; nobody but its owner where it has no policy."""
        try:
            answer = self._service.call("GetLayerVersionPolicy", needs="Policy", LayerName=name, VersionNumber=number)
        except NotThere:
            return ()
        return tuple(_statement_of(each) for each in json.loads(answer["Policy"])["Statement"])

    def grant(self, name: str, number: int, statement: Statement) -> None:
        """Let somebody use a version. A statement id that is taken raises ``CallRefused``."""
        whole = {"OrganizationId": statement.organization} if statement.organization else {}
        self._service.call(
            "AddLayerVersionPermission",
            LayerName=name,
            VersionNumber=number,
            StatementId=statement.sid,
            Action=_GET,
            Principal=statement.principal,
            **whole,
        )

    def revoke(self, name: str, number: int, sid: str) -> None:
        """Take a statement back; one that is not there is no error."""
        try:
            self._service.call("RemoveLayerVersionPermission", LayerName=name, VersionNumber=number, StatementId=sid)
        except NotThere:
            return

    def delete(self, name: str, number: int) -> None:
        """Delete a version; one that is not there is no error."""
        try:
            self._service.call("DeleteLayerVersion", LayerName=name, VersionNumber=number)
        except NotThere:
            return

    def publish(self, new: NewVersion) -> PublishedVersion:
        """Publish a version, in one attempt: Lambda knows no token that would make a second one harmless.

        ``Refused`` subclasses say that it certainly was not published, ``Unanswered`` ones that it may have been.
        """
        optional = {
            "Description": new.description,
            "LicenseInfo": new.license,
            "CompatibleRuntimes": list(new.runtimes),
            "CompatibleArchitectures": list(new.architectures),
        }
        answer = self._session.service("lambda", self.region, once=True).call(
            "PublishLayerVersion",
            needs="LayerVersionArn",
            LayerName=new.name,
            Content=_content_of(new.content),
            **{member: value for member, value in optional.items() if value},
        )
        return _version_of(answer)


def _content_of(content: bytes | S3Content) -> dict[str, Any]:
    match content:
        case S3Content():
            version = {"S3ObjectVersion": content.version} if content.version else {}
            return {"S3Bucket": content.bucket, "S3Key": content.key, **version}
        case _:
            return {"ZipFile": content}


def _summary_of(item: Mapping[str, Any]) -> LayerSummary:
    return LayerSummary(**_common(item))


def _version_of(answer: Mapping[str, Any]) -> PublishedVersion:
    content = answer.get("Content")
    if content is None or "CodeSha256" not in content:
        raise AnswerIncomplete(action=_GET)
    return PublishedVersion(
        **_common(answer),
        code_sha256=content["CodeSha256"],
        code_size=int(content.get("CodeSize", 0)),
        location=content.get("Location"),
        signing_job=content.get("SigningJobArn"),
    )


def _common(item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "arn": item["LayerVersionArn"],
        "number": int(item["Version"]),
        "description": item.get("Description") or "",
        "license": item.get("LicenseInfo"),
        "runtimes": tuple(item.get("CompatibleRuntimes") or ()),
        "architectures": tuple(item.get("CompatibleArchitectures") or ()),
        "created": item.get("CreatedDate"),
    }


def _statement_of(statement: Mapping[str, Any]) -> Statement:
    principal = statement.get("Principal", "*")
    if isinstance(principal, Mapping):
        principal = str(principal.get("AWS", "*"))
    if principal.startswith("arn:"):
        principal = principal.split(":")[4]
    organization = statement.get("Condition", {}).get("StringEquals", {}).get(_COMPARES_PRINCIPAL)
    return Statement(
        sid=statement.get("Sid", ""),
        principal=principal,
        organization=organization or statement.get("OrganizationId"),
    )
