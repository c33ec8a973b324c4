"""With which credentials, and where: a value that knows nothing of boto3."""

from collections.abc import Iterable
from dataclasses import dataclass

from layerkit.model.publishing import Account, check_role


@dataclass(frozen=True, kw_only=True, slots=True)
class Access:
    """A region and a way into an account: a profile, or the current credentials, then roles one after another.

    ``role_arn`` is the last role, ``roles`` are those on the way to it. ``external_id`` and ``session_tags`` (pairs of
    key and value) go with the last role.
    """

    region: str | None = None
    profile: str | None = None
    role_arn: str | None = None
    roles: tuple[str, ...] = ()
    external_id: str | None = None
    session_tags: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        """Refuse roles that are none. Raises ``MalformedPublishingError``."""
        for role in self.chain:
            check_role(role)

    @classmethod
    def of(cls, account: Account, region: str) -> "Access":
        """Return the way into an account that is published to."""
        return cls(
            region=region,
            profile=account.profile,
            roles=account.roles[:-1],
            role_arn=account.roles[-1] if account.roles else None,
            external_id=account.external_id,
            session_tags=_pairs(account.session_tags.items()),
        )

    @property
    def chain(self) -> tuple[str, ...]:
        """The roles to assume, in order."""
        return (*self.roles, self.role_arn) if self.role_arn is not None else self.roles


def _pairs(items: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(items))
