"""What goes wrong, and when: faults that a test asks for by name, or that a seed deals out."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """What goes wrong. Only the last three let the work be done."""

    ERROR = "error"  # the service fails with ``status``, before the work
    THROTTLE = "throttle"  # the service says that the rate is exceeded
    EXPIRED = "expired"  # the service says that the token is
    DENIED = "denied"  # the service refuses, as if the caller's policy did
    RESET_BEFORE = "reset-before"  # the connection is reset before the work
    HANG = "hang"  # no work and no answer, until the server closes
    SLOW = "slow"  # the answer comes ``seconds`` later
    RESET_AFTER = "reset-after"  # the work is done, the connection is reset instead of the answer
    TRUNCATE = "truncate"  # the work is done, half of the answer's body arrives


TRANSIENT: Final = (Kind.ERROR, Kind.THROTTLE, Kind.RESET_BEFORE, Kind.RESET_AFTER, Kind.TRUNCATE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """What a call is, as far as faults are concerned."""

    service: str
    operation: str
    account: str
    region: str


@dataclass(kw_only=True)
class Fault:
    """A fault for the calls that fit: ``None`` fits all.

    The first ``after`` of them pass, the next ``times`` suffer (``None``: all that follow). ``then`` is called when a
    call suffers: after the work where the kind lets it be done, else before.
    """

    kind: Kind
    service: str | None = None
    operation: str | None = None
    account: str | None = None
    region: str | None = None
    after: int = 0
    times: int | None = 1
    status: int = 500
    seconds: float = 0
    then: Callable[[], object] | None = None
    seen: int = 0

    def fits(self, target: Target) -> bool:
        pairs = (
            (self.service, target.service),
            (self.operation, target.operation),
            (self.account, target.account),
            (self.region, target.region),
        )
        return all(wanted is None or wanted == actual for wanted, actual in pairs)

    def strikes(self) -> bool:
        """Count a call that fits; answer whether it suffers."""
        self.seen += 1
        return self.seen > self.after and (self.times is None or self.seen <= self.after + self.times)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Dice:
    seed: int
    rate: float
    kinds: tuple[Kind, ...]
    services: Collection[str] | None

    def throw(self, target: Target, number: int) -> Fault | None:
        """Return what a sort's ``number``th call suffers: the same for the same seed, whatever the threads do."""
        if self.services is not None and target.service not in self.services:
            return None
        dice = random.Random(f"{self.seed} {target} {number}")  # noqa: S311 -- dice, not secrets
        if dice.random() >= self.rate:
            return None
        return Fault(kind=dice.choice(self.kinds), status=dice.choice((500, 502, 503)), times=None)


@dataclass(kw_only=True)
class FaultPlan:
    """The faults that are due. May be changed while the server runs."""

    _faults: list[Fault] = field(default_factory=list)
    _dice: _Dice | None = None
    _counts: Counter[Target] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, *faults: Fault) -> None:
        with self._lock:
            self._faults.extend(faults)

    def random(
        self,
        *,
        seed: int,
        rate: float,
        kinds: Collection[Kind] = TRANSIENT,
        services: Collection[str] | None = None,
    ) -> None:
        """Let calls suffer at ``rate`` (0 to 1), of all services or some."""
        with self._lock:
            self._dice = _Dice(seed=seed, rate=rate, kinds=tuple(kinds), services=services)
            self._counts.clear()

    def clear(self) -> None:
        """Let nothing go wrong from now on."""
        with self._lock:
            self._faults.clear()
            self._dice = None

    def due(self, target: Target) -> Fault | None:
        """Return what the call suffers: the first fault that strikes. Those behind it do not count the call."""
        with self._lock:
            number = self._counts[target]
            self._counts[target] += 1
            for fault in self._faults:
                if fault.fits(target) and fault.strikes():
                    return fault
            return self._dice.throw(target, number) if self._dice else None
