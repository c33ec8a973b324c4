"""Old versions away: which of them, as a value, and then exactly those.

Never the newest, never one that a function in sight uses. One that others may use whose functions are out of sight
stays too, unless forced: deleting a version leaves running functions alone, but they can no longer be updated with it.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from layerkit.aws.layers import LayerApi, LayerSummary
from layerkit.aws.sessions import open_session
from layerkit.errors import LayerkitError
from layerkit.progress import Progress
from layerkit.publish.apply import Interrupted
from layerkit.publish.destinations import Found, access_to
from layerkit.publish.everywhere import Answers, ask_everywhere
from layerkit.publish.ledger import Ledger
from layerkit.publish.plan import Destination, Grant
from layerkit.publish.used_by import Use, uses_in
from layerkit.publish.versions import place_json, read_statements, shared_json


class Reason(StrEnum):
    """Why a version stays."""

    NEWEST = "newest"  # among those that are to be kept in any case
    USED = "used"
    SHARED = "shared"  # with somebody whose functions cannot be seen


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """A version of a layer: who uses it, and who may use it without being seen."""

    number: int
    arn: str
    created: str
    uses: tuple[Use, ...] = ()
    unseen: tuple[Grant, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """A version that stays, and why."""

    version: Held
    reason: Reason


@dataclass(frozen=True, kw_only=True, slots=True)
class Retirement:
    """What is to go from a destination, oldest first, and what stays, newest first."""

    destination: Destination
    layer_name: str
    go: tuple[Held, ...]
    stay: tuple[Kept, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Retired:
    """What became of a retirement."""

    step: Retirement
    gone: tuple[Held, ...] = ()
    error: LayerkitError | None = None

    def to_json(self, *, planned: bool) -> list[dict[str, Any]]:
        """Return the JSON shape, one entry a version, newest first."""
        done = {version.number for version in self.gone}
        entries = [self._entry(kept.version, "kept", reason=kept.reason) for kept in self.step.stay]
        for version in self.step.go:
            status = "planned" if planned else "retired" if version.number in done else "failed"
            entries.append(self._entry(version, status))
        return sorted(entries, key=lambda entry: -int(entry["version_number"]))

    def _entry(self, version: Held, status: str, *, reason: Reason | None = None) -> dict[str, Any]:
        return {
            **place_json(self.step.destination),
            "version_number": version.number,
            "arn": version.arn,
            "created": version.created,
            "status": status,
            "reason": str(reason) if reason is not None else None,
            "used_by": [use.function_arn for use in version.uses],
            "shared_with": shared_json(version.unseen),
            "error": self.error.message if self.error is not None and status == "failed" else None,
        }


def retire(
    destination: Destination, layer_name: str, versions: Iterable[Held], *, keep: int, force: bool = False
) -> Retirement:
    """Compute which versions go: all but the ``keep`` newest and those that are used, or may be.

    ``force`` lets go of versions that are shared with somebody whose functions cannot be seen.
    """
    go: list[Held] = []
    stay: list[Kept] = []
    for at, version in enumerate(sorted(versions, key=lambda version: -version.number)):
        if at < max(1, keep):
            stay.append(Kept(version=version, reason=Reason.NEWEST))
        elif version.uses:
            stay.append(Kept(version=version, reason=Reason.USED))
        elif version.unseen and not force:
            stay.append(Kept(version=version, reason=Reason.SHARED))
        else:
            go.append(version)
    return Retirement(destination=destination, layer_name=layer_name, go=tuple(go[::-1]), stay=tuple(stay))


def still_going(planned: Retirement, now: Retirement) -> Retirement:
    """Return what goes of a plan after another look: only what was planned, and may go now as well."""
    agreed = {version.number for version in planned.go}
    later = [Kept(version=version, reason=Reason.NEWEST) for version in now.go if version.number not in agreed]
    return replace(
        now,
        go=tuple(version for version in now.go if version.number in agreed),
        stay=tuple(sorted((*now.stay, *later), key=lambda kept: -kept.version.number)),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Sight:
    """The functions that can be seen: of which accounts in which regions, and what they use, by layer version."""

    places: frozenset[tuple[str, str]]
    uses: Mapping[str, tuple[Use, ...]]

    @classmethod
    def of(cls, seen: Sequence[tuple[Destination, Sequence[Use]]]) -> "Sight":
        """Return what the destinations that answered have told."""
        uses: dict[str, tuple[Use, ...]] = {}
        for use in (use for _, found in seen for use in found):
            uses[str(use.layer)] = (*uses.get(str(use.layer), ()), use)
        return cls(places=frozenset((where.number, where.region) for where, _ in seen), uses=uses)

    def sees(self, grant: Grant, region: str) -> bool:
        """Whether all functions that a permission lets in are in sight; of organisations and everybody never."""
        return (grant.principal, region) in self.places


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """Which layer is looked at, and how many of its versions are kept whatever is found."""

    layer_name: str
    keep: int
    force: bool = False

    def step(self, destination: Destination, versions: Iterable[Held]) -> Retirement:
        """Return what is to go from a destination."""
        return retire(destination, self.layer_name, versions, keep=self.keep, force=self.force)


def look_everywhere(
    question: Question, *, found: Found, everyone: Found, progress: Progress
) -> Answers[tuple[Held, ...]]:
    """Look at the layer's versions in the destinations that are ``found``, and at the functions of ``everyone`` there.

    A destination whose own functions cannot be seen fails; those of others are then only out of sight.
    """
    regions = {where.region for where in found.reachable}
    others = replace(everyone, reachable=tuple(where for where in everyone.reachable if where.region in regions))
    asked = ask_everywhere(
        others,
        lambda where: uses_in(where, lambda arn: arn.name == question.layer_name),
        doing="Asking",
        progress=progress,
    )
    blind = {(gone.destination.number, gone.destination.region): gone.error for gone in asked.failed}
    sight = Sight.of(asked.given)

    def answer(where: Destination) -> tuple[Held, ...]:
        if (where.number, where.region) in blind:
            raise blind[where.number, where.region]
        return _look(question, where, sight)

    return ask_everywhere(found, answer, doing="Looking", progress=progress)


def look_again(
    question: Question, planned: Sequence[Retirement], *, everyone: Found, progress: Progress
) -> Answers[Retirement]:
    """Look again where something is to go, just before it goes; what is used or shared by now stays."""
    going = {(step.destination.number, step.destination.region): step for step in planned if step.go}
    found = Found(reachable=tuple(step.destination for step in going.values()), unreachable=())
    answers = look_everywhere(question, found=found, everyone=everyone, progress=progress)
    given = {
        (where.number, where.region): still_going(going[where.number, where.region], question.step(where, held))
        for where, held in answers.given
    }
    lost = {(gone.destination.number, gone.destination.region) for gone in answers.failed}
    places = [(step, (step.destination.number, step.destination.region)) for step in planned]
    return Answers(
        given=tuple((step.destination, given.get(place, step)) for step, place in places if place not in lost),
        failed=answers.failed,
    )


def _look(question: Question, destination: Destination, sight: Sight) -> tuple[Held, ...]:
    """Look at the versions of a layer; at permissions only of those that they may save."""
    layer_name = question.layer_name
    api = LayerApi(open_session(access_to(destination)), destination.region)

    def held(at: int, version: LayerSummary) -> Held:
        uses = sight.uses.get(version.arn, ())
        asked = at >= question.keep and not uses and not question.force
        statements = read_statements(api, layer_name, version.number) if asked else ()
        return Held(
            number=version.number,
            arn=version.arn,
            created=version.created or "",
            uses=uses,
            unseen=tuple(each.grant for each in statements if not sight.sees(each.grant, destination.region)),
        )

    return tuple(held(at, version) for at, version in enumerate(api.versions(layer_name)))


def apply(step: Retirement, *, ledger: Ledger, stop: threading.Event) -> Retired:
    """Delete exactly what the plan says, oldest first; what fails, or is stopped, ends in the outcome."""
    gone: list[Held] = []
    try:
        api = LayerApi(open_session(access_to(step.destination)), step.destination.region)
        for version in step.go:
            if stop.is_set():
                raise Interrupted
            api.delete(step.layer_name, version.number)
            gone.append(version)
            ledger.note("retired", arn=version.arn)
    except LayerkitError as exc:
        return Retired(step=step, gone=tuple(gone), error=exc)
    return Retired(step=step, gone=tuple(gone))
