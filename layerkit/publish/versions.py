"""One layer in all destinations side by side: its newest version, whose content it is, and who lags behind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from layerkit.aws.layers import LayerApi
from layerkit.aws.sessions import open_session
from layerkit.publish.artifact import Artifact, mark_of
from layerkit.publish.destinations import access_to
from layerkit.publish.plan import Destination, Grant, Statement


class Lag(StrEnum):
    """In which way a destination is behind the others."""

    NUMBER = "number"
    CONTENT = "content"


@dataclass(frozen=True, kw_only=True, slots=True)
class Newest:
    """The newest version of a layer somewhere; ``mark`` is the identity that layerkit put into its description."""

    number: int
    arn: str
    created: str
    mark: str | None
    code_sha256: str
    code_size: int
    runtimes: tuple[str, ...]
    architectures: tuple[str, ...]
    license: str | None
    description: str
    statements: tuple[Statement, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Holding:
    """What a destination has of a layer: how many versions, and the newest."""

    versions: int
    newest: Newest | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """How a destination stands among the others; ``content`` identifies what the newest version holds."""

    destination: Destination
    holding: Holding
    content: str | None
    lags: tuple[Lag, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the JSON shape."""
        newest = self.holding.newest
        return {
            **place_json(self.destination),
            "versions": self.holding.versions,
            "version_number": newest.number if newest else None,
            "arn": newest.arn if newest else None,
            "content": self.content,
            "code_sha256": newest.code_sha256 if newest else None,
            "zipped_bytes": newest.code_size if newest else None,
            "created": newest.created if newest else None,
            "compatible_runtimes": list(newest.runtimes) if newest else [],
            "compatible_architectures": list(newest.architectures) if newest else [],
            "license": newest.license if newest else None,
            "shared_with": shared_json([each.grant for each in newest.statements] if newest else []),
            "lags": [str(lag) for lag in self.lags],
            "error": None,
        }


def place_json(destination: Destination) -> dict[str, Any]:
    """Return where something is, in the JSON of all commands."""
    return {
        "account_name": destination.account.name,
        "account": destination.number,
        "region": destination.region,
    }


def shared_json(grants: Sequence[Grant]) -> dict[str, Any]:
    """Return who may use a version, in the JSON of all commands."""
    return {
        "accounts": [grant.principal for grant in grants if grant.principal != "*"],
        "organizations": [grant.organization for grant in grants if grant.organization is not None],
        "public": any(grant.is_public for grant in grants),
    }


def look_at(layer_name: str, destination: Destination) -> Holding:
    """Look at all versions of a layer in a destination, and at the newest closely. Raises ``AwsError`` subclasses."""
    api = LayerApi(open_session(access_to(destination)), destination.region)
    versions = tuple(api.versions(layer_name))
    if not versions:
        return Holding(versions=0, newest=None)
    newest = api.version(layer_name, versions[0].number)
    return Holding(
        versions=len(versions),
        newest=Newest(
            number=newest.number,
            arn=newest.arn,
            created=newest.created or "",
            mark=mark_of(newest.description),
            code_sha256=newest.code_sha256,
            code_size=newest.code_size,
            runtimes=newest.runtimes,
            architectures=newest.architectures,
            license=newest.license,
            description=newest.description,
            statements=read_statements(api, layer_name, newest.number),
        ),
    )


def read_statements(api: LayerApi, layer_name: str, number: int) -> tuple[Statement, ...]:
    """Return who may use a version."""
    return tuple(
        Statement(id=each.sid, grant=Grant(principal=each.principal, organization=each.organization))
        for each in api.statements(layer_name, number)
    )


def compare(found: Sequence[tuple[Destination, Holding]], *, wanted: Artifact | None = None) -> tuple[Standing, ...]:
    """Tell how each destination stands.

    It lags in content unless its newest version holds what ``wanted`` holds, or else what was published last anywhere,
    and in number unless that is the highest anywhere.
    """
    newest = [holding.newest for _, holding in found if holding.newest is not None]
    marks = {each.code_sha256: each.mark for each in newest if each.mark is not None}
    current = _identity_of(wanted, newest, marks) if wanted is not None else _published_last(newest, marks)
    highest = max((each.number for each in newest), default=0)
    return tuple(
        Standing(
            destination=destination,
            holding=holding,
            content=_content(holding.newest, marks) if holding.newest is not None else None,
            lags=tuple(_lags(holding.newest, marks, current=current, highest=highest)),
        )
        for destination, holding in found
    )


def _lags(newest: Newest | None, marks: Mapping[str, str], *, current: str | None, highest: int) -> list[Lag]:
    if newest is None:
        return [Lag.NUMBER, Lag.CONTENT] if highest else [Lag.CONTENT] if current is not None else []
    lags = [Lag.NUMBER] if newest.number < highest else []
    return lags if _content(newest, marks) == current else [*lags, Lag.CONTENT]


def _content(newest: Newest, marks: Mapping[str, str]) -> str:
    """Return what a version holds: the identity that layerkit gave it, else its bytes' digest."""
    return newest.mark or marks.get(newest.code_sha256) or newest.code_sha256


def _identity_of(wanted: Artifact, newest: Sequence[Newest], marks: Mapping[str, str]) -> str:
    there = (
        _content(each, marks)
        for each in newest
        if wanted.is_in(description=each.description, code_sha256=each.code_sha256)
    )
    return next(there, wanted.content_digest)


def _published_last(newest: Sequence[Newest], marks: Mapping[str, str]) -> str | None:
    """Return the content that came up last: of each content its first appearance counts, not the stragglers'."""
    first: dict[str, str] = {}
    for each in newest:
        content = _content(each, marks)
        first[content] = min(each.created, first.get(content, each.created))
    return max(first, key=lambda content: first[content], default=None)
