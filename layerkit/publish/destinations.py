"""Which accounts and regions are meant: from the configuration and the command line, and what AWS says of both."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from layerkit.aws.access import Access
from layerkit.aws.errors import NoRegion
from layerkit.aws.regions import enabled_regions
from layerkit.aws.sessions import open_session
from layerkit.errors import LayerkitError, UsageError
from layerkit.facts.regions import regions
from layerkit.model.publishing import ALL_ENABLED, Account, Publishing
from layerkit.publish.plan import Destination

_UNKNOWN = "?"


class UnknownAccount(UsageError):
    """A ``--to`` that no account of the configuration has."""

    def __init__(self, *, name: str, known: Sequence[str]) -> None:
        super().__init__(f"no account is named `{name}`", hint=f"one of {', '.join(known)}")


class WrongPartition(UsageError):
    """A role and a region that belong to different partitions of AWS; credentials do not cross between them."""

    def __init__(self, *, account: str, role: str, region: str, partition: str) -> None:
        super().__init__(
            f"account `{account}` has the role `{role}`, and region `{region}` is in the partition `{partition}`",
            hint="give the account `regions` of its own in [[publish.accounts]]",
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Unreachable:
    """A destination that could not even be asked, and why."""

    destination: Destination
    error: LayerkitError


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """The destinations that answer, and those that do not."""

    reachable: tuple[Destination, ...]
    unreachable: tuple[Unreachable, ...]


def find_destinations(publishing: Publishing, *, only: Sequence[str] = (), in_regions: Sequence[str] = ()) -> Found:
    """Find out every account's number and regions; ``only`` names accounts, ``in_regions`` stands for all regions.

    Raises ``UsageError`` subclasses for what the configuration itself has wrong, and ``NoRegion``.
    """
    accounts = _chosen(publishing.accounts, only)
    wanted = [(account, _regions_for(account, publishing, in_regions)) for account in accounts]
    for account, names in wanted:
        _check_partitions(account, names)
    with ThreadPoolExecutor(max(1, len(wanted))) as pool:
        found = list(pool.map(lambda pair: _ask(*pair), wanted))
    reachable: dict[tuple[str, str], Destination] = {}
    for each in found:
        for destination in each.reachable:
            reachable.setdefault((destination.number, destination.region), destination)
    return Found(
        reachable=tuple(reachable.values()),
        unreachable=tuple(one for each in found for one in each.unreachable),
    )


def access_to(destination: Destination) -> Access:
    """Return the way into a destination: one for all regions of an account, so that its roles are assumed once."""
    return Access.of(destination.account, destination.home or destination.region)


def _chosen(accounts: Sequence[Account], only: Sequence[str]) -> list[Account]:
    known = [account.name for account in accounts]
    for name in only:
        if name not in known:
            raise UnknownAccount(name=name, known=known)
    return [account for account in accounts if not only or account.name in only]


def _regions_for(account: Account, publishing: Publishing, in_regions: Sequence[str]) -> tuple[str, ...]:
    return tuple(in_regions) or account.regions or publishing.regions


def _check_partitions(account: Account, names: Sequence[str]) -> None:
    for role in account.roles:
        partition = role.split(":")[1]
        for name in names:
            if name != ALL_ENABLED and regions()[name].partition != partition:
                raise WrongPartition(account=account.name, role=role, region=name, partition=regions()[name].partition)


def _ask(account: Account, names: Sequence[str]) -> Found:
    """Ask who the account is, with one call, and where it may be used, if all enabled regions are meant."""
    first = next((name for name in names if name != ALL_ENABLED), None)
    access = replace(Access.of(account, first or ""), region=first)
    try:
        home = open_session(access).region
        access = replace(access, region=home)
        number = open_session(access).account()
        named = tuple(_expanded(names, access)) or (home,)
    except NoRegion:
        raise
    except LayerkitError as exc:
        return Found(reachable=(), unreachable=tuple(_unreachable(account, names, exc)))
    return Found(reachable=tuple(_destination(account, number, name, home) for name in named), unreachable=())


def _expanded(names: Sequence[str], access: Access) -> Iterator[str]:
    for name in names:
        if name == ALL_ENABLED:
            yield from enabled_regions(open_session(access))
        else:
            yield name


def _unreachable(account: Account, names: Sequence[str], error: LayerkitError) -> Iterator[Unreachable]:
    number = account.roles[-1].split(":")[4] if account.roles else _UNKNOWN
    for name in names or (_UNKNOWN,):
        yield Unreachable(destination=_destination(account, number, name, name), error=error)


def _destination(account: Account, number: str, region: str, home: str) -> Destination:
    partition = regions()[region].partition if region in regions() else "aws"
    return Destination(account=account, number=number, region=region, partition=partition, home=home)
