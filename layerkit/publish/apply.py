"""Do exactly what a plan says, step by step; a step that fails stops no other, and tells how far it came."""

import contextlib
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from layerkit.aws.errors import ActionDenied, CallRefused, Refused
from layerkit.aws.layers import LayerApi, NewVersion
from layerkit.aws.layers import Statement as ApiStatement
from layerkit.aws.parameters import ParameterApi
from layerkit.aws.sessions import open_session
from layerkit.errors import AwsError, LayerkitError
from layerkit.publish.artifact import Artifact
from layerkit.publish.destinations import access_to
from layerkit.publish.ledger import Ledger
from layerkit.publish.once import Arrived, Patience, publish_once
from layerkit.publish.outcome import Outcome, Status
from layerkit.publish.plan import Grant, Statement, Step
from layerkit.publish.staging import Staging, unreadable

_NO_ARCHITECTURES: Final = "CompatibleArchitectures are not supported"
_SETTLING_SECONDS: Final = 5.0  # how long Lambda may still be at work on what a killed run asked of it,
_SETTLING_BYTES: Final = 20 * 1024 * 1024  # and a second more for so many unzipped bytes
_LARGE: Final = 4 * 1024 * 1024  # bytes
_LARGE_AT_ONCE: Final = 2  # requests that carry a large zip: each needs some five times its size of memory


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


@dataclass(kw_only=True, slots=True)
class _Reached:
    """How far a step came: its newest version, if there is one, and the permissions changed."""

    version: Arrived | None
    added: list[Grant] = field(default_factory=list)
    removed: list[Statement] = field(default_factory=list)

    def outcome(self, step: Step, status: Status, error: LayerkitError | None = None) -> Outcome:
        """Return how the step ended."""
        return Outcome(
            step=step,
            status=status,
            version_number=self.version.number if self.version is not None else None,
            arn=self.version.arn if self.version is not None else None,
            error=error,
            added=tuple(dict.fromkeys(self.added)),
            removed=tuple(self.removed),
        )


@dataclass(kw_only=True)
class Applier:
    """What steps have in common. ``stop`` ends the run: what is under way ends, nothing new begins.

    Every pause is ``pace`` times as long as it should be.
    """

    staging: Staging
    ledger: Ledger
    stop: threading.Event = field(default_factory=threading.Event)
    pace: float = 1.0

    def __post_init__(self) -> None:
        """Read what earlier runs left open."""
        self._under_way: Mapping[str, datetime] = self.ledger.under_way()
        self._room = threading.BoundedSemaphore(_LARGE_AT_ONCE)

    def apply(self, step: Step) -> Outcome:
        """Do what a step says, and return how it ended; ``AwsError`` and the like end in the outcome."""
        newest = step.seen.newest
        reached = _Reached(
            version=Arrived(number=newest.number, arn=newest.arn) if newest and not step.publications else None
        )
        try:
            self._do(step, reached)
        except LayerkitError as exc:
            return reached.outcome(step, Status.FAILED, exc)
        return reached.outcome(step, Status.PUBLISHED if step.publications else Status.UNCHANGED)

    def settling_seconds(self, step: Step) -> float:
        """Return for how long what a killed run asked of Lambda may still be under way."""
        artifact = step.wanted.artifact
        began = self._under_way.get(f"{layer_arn(step)} {artifact.content_digest}")
        if began is None or not step.publications:
            return 0.0
        age = (datetime.now(began.tzinfo) - began).total_seconds()
        whole = _SETTLING_SECONDS + artifact.unzipped_bytes / _SETTLING_BYTES
        return max(0.0, whole - age) if age >= 0 else 0.0

    def _do(self, step: Step, reached: _Reached) -> None:
        if not step.changes:
            return
        self._go_on()
        session = open_session(access_to(step.destination))
        api = LayerApi(session, step.destination.region)
        for _ in range(step.publications):
            reached.version = self._publish(api, step, after=reached.version)
            self._share(api, step, reached.version, reached)
        if reached.version is None:
            return
        if not step.publications:
            self._share(api, step, reached.version, reached)
        if step.set_parameter:
            self._go_on()
            ParameterApi(session, step.destination.region).put(step.set_parameter, reached.version.arn)
            self.ledger.note("written", arn=reached.version.arn, parameter=step.set_parameter)

    def _publish(self, api: LayerApi, step: Step, *, after: Arrived | None) -> Arrived:
        artifact = step.wanted.artifact
        planned = step.seen.newest.number if step.seen.newest is not None else 0
        there = self._arrived_meanwhile(api, step, planned) if after is None else None
        if there is None:
            with self._room_for(artifact):
                there = self._send(api, step, before=after.number if after is not None else planned)
        self.ledger.note(
            "published",
            layer=layer_arn(step),
            arn=there.arn,
            code_sha256=artifact.code_sha256,
            content_digest=artifact.content_digest,
        )
        return there

    def _send(self, api: LayerApi, step: Step, *, before: int) -> Arrived:
        """Publish, with a note before, so that a run after a killed one knows what may be under way."""
        self._go_on()
        artifact = step.wanted.artifact
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
        self.ledger.note("publishing", layer=layer_arn(step), content_digest=artifact.content_digest)
        try:
            return _published(api, new, artifact, before, self._patience())
        except Refused as exc:
            self.ledger.note("refused", layer=layer_arn(step), content_digest=artifact.content_digest)
            if isinstance(exc, ActionDenied):
                raise unreadable(exc, content, step.destination) from exc
            raise

    def _arrived_meanwhile(self, api: LayerApi, step: Step, planned: int) -> Arrived | None:
        """Return the wanted version if somebody published it since the plan was made.

        Where a killed run had just asked for it, wait until Lambda has surely ended that work. Raises
        ``ChangedMeanwhile`` for another version.
        """
        artifact = step.wanted.artifact
        until = time.monotonic() + self.settling_seconds(step) * self.pace
        while True:
            newest = api.newest(artifact.layer_name)
            if newest is not None and newest.number > planned:
                if not artifact.is_in(description=newest.description, code_sha256=None):
                    raise ChangedMeanwhile(layer=artifact.layer_name, planned=planned, found=newest.number)
                return Arrived.of(newest)
            if time.monotonic() >= until:
                return None
            self.stop.wait(self.pace)
            self._go_on()

    def _share(self, api: LayerApi, step: Step, version: Arrived, reached: _Reached) -> None:
        name = step.wanted.artifact.layer_name
        for statement in step.remove:
            self._go_on()
            api.revoke(name, version.number, statement.id)
            reached.removed.append(statement)
            self.ledger.note("revoked", arn=version.arn, statement=statement.id)
        for grant in step.add:
            self._go_on()
            _grant(api, name, version.number, grant)
            reached.added.append(grant)
            self.ledger.note("granted", arn=version.arn, statement=grant.statement_id)

    @contextlib.contextmanager
    def _room_for(self, artifact: Artifact) -> Iterator[None]:
        """Wait until the zip fits into memory beside the others."""
        if not self.staging.is_direct(artifact) or artifact.zipped_bytes < _LARGE:
            yield
            return
        with self._room:
            yield

    def _patience(self) -> Patience:
        return Patience(pause=lambda seconds: self.stop.wait(seconds * self.pace), stopped=self.stop.is_set)

    def _go_on(self) -> None:
        if self.stop.is_set():
            raise Interrupted


def layer_arn(step: Step) -> str:
    """Return the ARN of the layer, without a version, that a step is about."""
    where = step.destination
    return f"arn:{where.partition}:lambda:{where.region}:{where.number}:layer:{step.wanted.artifact.layer_name}"


def _published(api: LayerApi, new: NewVersion, artifact: Artifact, before: int, patience: Patience) -> Arrived:
    """Publish; where a region refuses architectures, without them."""
    try:
        return publish_once(api, new, artifact, after=before, patience=patience)
    except CallRefused as exc:
        if _NO_ARCHITECTURES not in exc.message:
            raise
    return publish_once(api, replace(new, architectures=()), artifact, after=before, patience=patience)


def _grant(api: LayerApi, name: str, number: int, grant: Grant) -> None:
    """Grant; if an earlier attempt did it whose answer was lost, the statement is there and all is well."""
    statement = ApiStatement(sid=grant.statement_id, principal=grant.principal, organization=grant.organization)
    try:
        api.grant(name, number, statement)
    except CallRefused as exc:
        if exc.code != "ResourceConflictException" or statement not in api.statements(name, number):
            raise
