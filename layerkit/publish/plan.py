"""What would be done, as a value: computed from what is wanted and what is there, and nothing else."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from layerkit.model.publishing import Account, Share
from layerkit.publish.artifact import Artifact

OWN: Final = "layerkit-"
"""How the ids of statements begin that layerkit made, and may therefore take away."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Destination:
    """An account in a region; ``number`` is the account's, asked from AWS.

    ``home`` is the region in which the account's roles are assumed, if it is not this one.
    """

    account: Account
    number: str
    region: str
    partition: str
    home: str | None = None

    def __str__(self) -> str:
        return f"{self.account.name} ({self.number}) {self.region}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Grant:
    """Who may use a version: an account's number or ``*``; ``organization`` narrows ``*`` down."""

    principal: str
    organization: str | None = None

    @property
    def statement_id(self) -> str:
        """The id that layerkit gives the statement."""
        if self.organization is not None:
            return f"{OWN}org-{self.organization}"
        return f"{OWN}public" if self.principal == "*" else f"{OWN}account-{self.principal}"

    @property
    def is_public(self) -> bool:
        """Whether it lets everybody in."""
        return self.principal == "*" and self.organization is None


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """A permission that is there: its id, and what it grants."""

    id: str
    grant: Grant


@dataclass(frozen=True, kw_only=True, slots=True)
class SeenVersion:
    """The newest version of a layer in a destination."""

    number: int
    arn: str
    description: str
    code_sha256: str | None
    statements: tuple[Statement, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """What a destination holds of one layer; ``parameter`` is the value of its SSM parameter, if it was asked for."""

    newest: SeenVersion | None = None
    parameter: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What shall be true of a layer in every destination."""

    artifact: Artifact
    share: Share
    parameter: str | None = None
    prune_permissions: bool = False

    @property
    def grants(self) -> tuple[Grant, ...]:
        """Who may use it, in a fixed order."""
        return (
            *(Grant(principal=number) for number in self.share.accounts),
            *(Grant(principal="*", organization=each) for each in self.share.organizations),
            *([Grant(principal="*")] if self.share.public else []),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """What is to be done about one layer in one destination.

    ``publications`` counts the versions to publish; more than one only to align numbers. ``version`` is the one that is
    there, if nothing is to be published. ``set_parameter`` names the SSM parameter to write.
    """

    wanted: Wanted
    destination: Destination
    seen: Seen
    publications: int = 0
    add: tuple[Grant, ...] = ()
    remove: tuple[Statement, ...] = ()
    set_parameter: str | None = None

    @property
    def changes(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.publications or self.add or self.remove or self.set_parameter)

    @property
    def version_after(self) -> int:
        """The number that the newest version will have."""
        return (self.seen.newest.number if self.seen.newest else 0) + self.publications


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """Everything that is to be done, step by step; steps do not depend on each other."""

    steps: tuple[Step, ...]

    @property
    def changes(self) -> bool:
        """Whether there is anything to do."""
        return any(step.changes for step in self.steps)

    @property
    def makes_public(self) -> bool:
        """Whether a version becomes usable by everybody that was not before."""
        return any(grant.is_public for step in self.steps for grant in step.add)


def plan(found: Iterable[tuple[Wanted, Destination, Seen]], *, align: bool = False) -> Plan:
    """Compute the plan; with ``align`` the newest version has the same number in every destination of a layer."""
    steps = tuple(_step(wanted, destination, seen) for wanted, destination, seen in found)
    return Plan(steps=_aligned(steps) if align else steps)


def _step(wanted: Wanted, destination: Destination, seen: Seen) -> Step:
    newest = seen.newest
    is_there = newest is not None and wanted.artifact.is_in(
        description=newest.description, code_sha256=newest.code_sha256
    )
    step = Step(wanted=wanted, destination=destination, seen=seen, publications=0 if is_there else 1)
    return _completed(step)


def _aligned(steps: Sequence[Step]) -> tuple[Step, ...]:
    highest: dict[str, int] = {}
    for step in steps:
        name = step.wanted.artifact.layer_name
        highest[name] = max(highest.get(name, 0), step.version_after)
    return tuple(_raised(step, highest[step.wanted.artifact.layer_name]) for step in steps)


def _raised(step: Step, number: int) -> Step:
    missing = number - step.version_after
    return _completed(replace(step, publications=step.publications + missing)) if missing else step


def _completed(step: Step) -> Step:
    """Add what follows from the number of versions to publish: permissions and the parameter."""
    wanted, newest = step.wanted, step.seen.newest
    if step.publications or newest is None:
        return replace(step, add=wanted.grants, remove=(), set_parameter=wanted.parameter)
    present = {statement.grant for statement in newest.statements}
    return replace(
        step,
        add=tuple(grant for grant in wanted.grants if grant not in present),
        remove=tuple(
            statement
            for statement in newest.statements
            if statement.grant not in wanted.grants and (wanted.prune_permissions or statement.id.startswith(OWN))
        ),
        set_parameter=wanted.parameter if step.seen.parameter != newest.arn else None,
    )
