"""Do exactly what a plan says, step by step; a step that fails stops no other, and tells how far it came."""

import threading
from dataclasses import dataclass, field, replace

from layerkit.aws.errors import CallRefused
from layerkit.aws.layers import LayerApi, NewVersion
from layerkit.aws.layers import Statement as ApiStatement
from layerkit.aws.parameters import ParameterApi
from layerkit.aws.sessions import open_session
from layerkit.errors import AwsError, LayerkitError
from layerkit.publish.artifact import Artifact
from layerkit.publish.destinations import access_to
from layerkit.publish.ledger import Ledger
from layerkit.publish.once import Arrived, publish_once
from layerkit.publish.outcome import Outcome, Status
from layerkit.publish.plan import Grant, Step
from layerkit.publish.staging import Staging

_NO_ARCHITECTURES = "CompatibleArchitectures are not supported"


class Interrupted(AwsError):
    """A step that was not begun, or not ended, because the user stopped the run."""

    def __init__(self) -> None:
        super().__init__("interrupted before it was done", hint="run the command again: it does only what is missing")


class ChangedMeanwhile(AwsError):
    """A layer that somebody else published to since the plan was made."""

    def __init__(self, *, layer: str, planned: int, found: int) -> None:
        super().__init__(
            f"`{layer}` was at version {planned} when this was planned, and is at {found} now",
            hint="run the command again: it plans anew",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Applier:
    """What steps have in common. ``stop`` ends the run: what is under way ends, nothing new begins."""

    staging: Staging
    ledger: Ledger
    stop: threading.Event = field(default_factory=threading.Event)

    def apply(self, step: Step) -> Outcome:
        """Do what a step says, and return how it ended; ``AwsError`` and the like end in the outcome."""
        newest = step.seen.newest
        arrived = (
            Arrived(number=newest.number, arn=newest.arn) if newest is not None and not step.publications else None
        )
        try:
            session = open_session(access_to(step.destination))
            api = LayerApi(session, step.destination.region)
            for _ in range(step.publications):
                arrived = self._publish(api, step, after=arrived)
                self._share(api, step, arrived)
            if arrived is not None and not step.publications:
                self._share(api, step, arrived)
            if arrived is not None and step.set_parameter:
                self._go_on()
                ParameterApi(session, step.destination.region).put(step.set_parameter, arrived.arn)
        except LayerkitError as exc:
            return _outcome(step, Status.FAILED, arrived, exc)
        return _outcome(step, Status.PUBLISHED if step.publications else Status.UNCHANGED, arrived, None)

    def _publish(self, api: LayerApi, step: Step, *, after: Arrived | None) -> Arrived:
        self._go_on()
        artifact = step.wanted.artifact
        before = after.number if after is not None else self._number_before(api, step)
        content = self.staging.content_for(step)
        self._go_on()
        new = NewVersion(
            name=artifact.layer_name,
            content=content,
            description=artifact.marked_description,
            license=artifact.license or None,
            runtimes=artifact.runtimes,
            architectures=artifact.architectures,
        )
        arrived = _published(api, new, artifact, before)
        self.ledger.note(
            "published", arn=arrived.arn, code_sha256=artifact.code_sha256, content_digest=artifact.content_digest
        )
        return arrived

    def _number_before(self, api: LayerApi, step: Step) -> int:
        """Return the newest version's number, which must still be the one that was planned with."""
        planned = step.seen.newest.number if step.seen.newest is not None else 0
        newest = api.newest(step.wanted.artifact.layer_name)
        found = newest.number if newest is not None else 0
        if found != planned and newest is not None:
            raise ChangedMeanwhile(layer=step.wanted.artifact.layer_name, planned=planned, found=found)
        return planned

    def _share(self, api: LayerApi, step: Step, arrived: Arrived) -> None:
        name = step.wanted.artifact.layer_name
        for statement in step.remove:
            self._go_on()
            api.revoke(name, arrived.number, statement.id)
            self.ledger.note("revoked", arn=arrived.arn, statement=statement.id)
        for grant in step.add:
            self._go_on()
            _grant(api, name, arrived.number, grant)
            self.ledger.note("granted", arn=arrived.arn, statement=grant.statement_id)

    def _go_on(self) -> None:
        if self.stop.is_set():
            raise Interrupted


def _published(api: LayerApi, new: NewVersion, artifact: Artifact, before: int) -> Arrived:
    """Publish; where a region refuses architectures, without them."""
    try:
        return publish_once(api, new, artifact, after=before)
    except CallRefused as exc:
        if _NO_ARCHITECTURES not in exc.message:
            raise
    return publish_once(api, replace(new, architectures=()), artifact, after=before)


def _grant(api: LayerApi, name: str, number: int, grant: Grant) -> None:
    """Grant; if an earlier attempt did it whose answer was lost, the statement is there and all is well."""
    statement = ApiStatement(sid=grant.statement_id, principal=grant.principal, organization=grant.organization)
    try:
        api.grant(name, number, statement)
    except CallRefused as exc:
        if exc.code != "ResourceConflictException" or statement not in api.statements(name, number):
            raise


def _outcome(step: Step, status: Status, arrived: Arrived | None, error: LayerkitError | None) -> Outcome:
    return Outcome(
        step=step,
        status=status,
        version_number=arrived.number if arrived is not None else None,
        arn=arrived.arn if arrived is not None else None,
        error=error,
    )
