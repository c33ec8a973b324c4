"""Permissions taken back from versions that are published already: which, as a value, and then exactly those."""

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from layerkit.aws.layers import LayerApi
from layerkit.aws.sessions import open_session
from layerkit.errors import LayerkitError
from layerkit.publish.apply import Interrupted
from layerkit.publish.destinations import access_to
from layerkit.publish.ledger import Ledger
from layerkit.publish.plan import Destination, Grant, Statement
from layerkit.publish.versions import place_json, read_statements


@dataclass(frozen=True, kw_only=True, slots=True)
class Shared:
    """A version and who may use it."""

    number: int
    arn: str
    statements: tuple[Statement, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Removal:
    """A statement that is to go from a version."""

    version: Shared
    statement: Statement


@dataclass(frozen=True, kw_only=True, slots=True)
class Unsharing:
    """What is to go from a destination. ``still_public`` are versions that everybody may use afterwards."""

    destination: Destination
    layer_name: str
    remove: tuple[Removal, ...]
    still_public: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Unshared:
    """What became of it."""

    step: Unsharing
    gone: tuple[Removal, ...] = ()
    error: LayerkitError | None = None

    def to_json(self, *, planned: bool) -> list[dict[str, Any]]:
        """Return the JSON shape, one entry a statement."""
        return [self._entry(removal, planned=planned) for removal in self.step.remove]

    def _entry(self, removal: Removal, *, planned: bool) -> dict[str, Any]:
        grant = removal.statement.grant
        status = "planned" if planned else "removed" if removal in self.gone else "failed"
        return {
            **place_json(self.step.destination),
            "version_number": removal.version.number,
            "arn": removal.version.arn,
            "statement_id": removal.statement.id,
            "principal": grant.principal,
            "organization": grant.organization,
            "status": status,
            "error": self.error.message if self.error is not None and status == "failed" else None,
        }


def unshare(
    destination: Destination, layer_name: str, versions: Iterable[Shared], *, grants: Sequence[Grant]
) -> Unsharing:
    """Compute which statements go: every one that grants just what is named, whoever made it."""
    remove: list[Removal] = []
    still_public: list[int] = []
    for version in versions:
        going = [statement for statement in version.statements if statement.grant in grants]
        remove += [Removal(version=version, statement=statement) for statement in going]
        if any(each.grant.is_public for each in version.statements if each not in going):
            still_public.append(version.number)
    return Unsharing(
        destination=destination, layer_name=layer_name, remove=tuple(remove), still_public=tuple(still_public)
    )


def look(layer_name: str, destination: Destination, *, only: int | None) -> tuple[Shared, ...]:
    """Look at who may use which version, or one version, newest first. Raises ``AwsError`` subclasses."""
    api = LayerApi(open_session(access_to(destination)), destination.region)
    return tuple(
        Shared(
            number=version.number,
            arn=version.arn,
            statements=read_statements(api, layer_name, version.number),
        )
        for version in api.versions(layer_name)
        if only is None or version.number == only
    )


def apply(step: Unsharing, *, ledger: Ledger, stop: threading.Event) -> Unshared:
    """Remove exactly what the plan says; what fails, or is stopped, ends in the outcome."""
    gone: list[Removal] = []
    try:
        api = LayerApi(open_session(access_to(step.destination)), step.destination.region)
        for removal in step.remove:
            if stop.is_set():
                raise Interrupted
            api.revoke(step.layer_name, removal.version.number, removal.statement.id)
            gone.append(removal)
            ledger.note("revoked", arn=removal.version.arn, statement=removal.statement.id)
    except LayerkitError as exc:
        return Unshared(step=step, gone=tuple(gone), error=exc)
    return Unshared(step=step, gone=tuple(gone))
